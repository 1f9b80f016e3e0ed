from __future__ import annotations

import math

import pytest

from clout.models.phrases import say


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0, "links", "0 links"),
        (1, "links", "1 link"),
        (1, "pictures or videos", "1 pictures or videos"),
        (0.9999, "hours", "1 hour"),
        (99.96, "hours", "100.0 hours"),
        (-2.5, "steps on a log scale", "-2.5 steps on a log scale"),
        (0.004, "times your usual", "about your usual"),
        (math.log(1.3), "times your usual", "1.3 times your usual"),
        (math.log1p(3), "likes (typical)", "about 3 likes"),
        (1e6, "likes (typical)", "about 10,686,474,581,523 likes"),
        (-math.log(2), "times your usual", "0.5 times your usual"),
        (1.0, "of the posts", "100 % of the posts"),
        (23.9999, "o'clock (UTC)", "23:59 o'clock (UTC)"),
        (7.0, "(1 is Monday)", "Sunday"),
        (0.0, "yes or no", "no"),
        (0.31, "(1 is most selective)", "0.31 (1 is most selective)"),
    ],
)
def test_values_are_said_for_people(value: float, unit: str, words: str):
    assert say(value, unit) == words
