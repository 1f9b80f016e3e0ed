"""The JSON of an explained post is that of the checked answer, to the byte."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from pydantic import ValidationError

from clout.models.explain import Explanation
from clout.serving import answers, scoring
from clout.serving.active_model import Loaded
from clout.serving.scoring import Measured

TEXTS = ("What did you read this week?", "READ #this http://a.b/c", "Ça va?", None)


def measured(loaded: Loaded, now: datetime) -> list[Measured]:
    accounts = sorted(loaded.accounts)[::20]
    posts = [{"account": account, "text": text, "n_media": 1} for account in accounts for text in TEXTS]
    return [scoring.measure(loaded, scoring.read_request(json.dumps(post), now), now) for post in posts]


def test_it_is_the_json_of_the_answer(loaded: Loaded, now: datetime) -> None:
    for post in [*measured(loaded, now), *measured(loaded, now)[::-1]]:
        expected = scoring.tell_why(loaded, post)
        score, body = scoring.write_why(loaded, post)
        assert body == expected.model_dump_json().encode()
        assert answers.Explained.model_validate_json(body) == expected
        assert (score.network, score.score) == (expected.network, expected.score)


@pytest.fixture
def explained(loaded: Loaded, now: datetime) -> Explanation:
    post = measured(loaded, now)[0]
    return loaded.model.explain_rows(post.matrix, post.networks)


def written_reasons(loaded: Loaded, explained: Explanation) -> list[answers.Reason]:
    told = json.loads(loaded.reasons.of(explained, range(len(explained.names))))
    return [answers.Reason(**reason) for reason in told]


@pytest.mark.parametrize("sign", [1, -1])
def test_the_same_value_helps_one_post_and_holds_another_back(
    loaded: Loaded, explained: Explanation, sign: float
) -> None:
    turned = replace(explained, phi=sign * explained.phi)
    expected = turned.reasons(0)
    told = written_reasons(loaded, turned)
    assert [(one.code, one.sentence, one.points) for one in told] == [(e.code, e.sentence, e.points) for e in expected]
    assert [turned.names[one.points_printed] for one in told] == [one.code for one in expected]


def test_a_value_that_is_not_finite_is_no_answer(loaded: Loaded, explained: Explanation) -> None:
    values = explained.values.copy()
    values[0, explained.names.index("wording_lift")] = np.inf
    with pytest.raises(ValidationError, match="should be a finite number"):
        written_reasons(loaded, replace(explained, values=values))
