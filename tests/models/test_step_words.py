"""The words of steps."""

from __future__ import annotations

import pytest

from clout.features.steps import HOURS, STEPS
from clout.models import step_words
from clout.models.recourse import Suggestion
from clout.models.step_words import say


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.code} {step.to}")
def test_every_step_can_be_said(step) -> None:  # noqa: ANN001
    told = say(Suggestion(step.code, step.feature, step.to, 12, 3, 0.25, 0.5, 1.4, 0.3, 2.6))
    assert "{" not in told.sentence
    assert told.sentence.endswith(".")
    assert told.worth == "About 1.4 points more, likely 0.3 to 2.6. An estimate, not a promise."


def test_every_template_is_of_a_step() -> None:
    assert {*step_words.OF_POSTS, *step_words.ON_AVERAGE} == {step.code for step in STEPS}
    assert step_words.HOURS == HOURS


def test_numbers_are_named() -> None:
    hashtags = [
        say(Suggestion("hashtags_fewer", "hashtags_count", to, 12, 3, 3.2, 1.5, 1.4, 0.3, 2.6)).sentence
        for to in (0, 1, 2)
    ]
    assert [text.split(":")[0] for text in hashtags] == [
        "Write without hashtags",
        "Use one hashtag at most",
        "Use at most 2 hashtags",
    ]
    hour = say(Suggestion("hour", "hour_utc", 18, 12, 3, 0.25, 0.5, 1.4, 0.3, 2.6)).sentence
    assert hour == "Publish more posts from 18 to 21 o'clock (UTC): 3 of the 12 we looked at are, 6 would be."
