"""Signs of arranged engagement beside a score."""

from __future__ import annotations

import pytest

from clout.features import unusual
from clout.serving.accounts.findings import findings

MARKS = {feature.name: [0.0, 0.0, 0.01, 0.02, 0.06] for feature in unusual.FEATURES}


@pytest.mark.parametrize(("value", "told"), [(0.25, False), (0.26, True), (0.0, False), (None, False)])
def test_a_quarter_is_unusual_where_it_is_rare(value: float | None, told: bool) -> None:
    assert bool(findings({"actions_burst_share_30d": value}, MARKS)) is told


def test_what_many_have_is_not_unusual() -> None:
    common = {**MARKS, "actions_pod_share_30d": [0.0, 0.0, 0.1, 0.2, 0.3]}
    assert findings({"actions_pod_share_30d": 0.89}, common) == []
    assert findings({"actions_pod_share_30d": 0.91}, common)


def test_what_the_model_never_knew_is_not_told() -> None:
    assert findings({"following_churn_share_30d": 1.0}, {**MARKS, "following_churn_share_30d": None}) == []
    assert findings({}, {}) == []


def test_the_largest_comes_first_in_words() -> None:
    told = findings({"actions_pod_share_30d": 0.5, "actions_burst_share_30d": 0.7}, MARKS)
    assert [finding["code"] for finding in told] == ["actions_burst_share_30d", "actions_pod_share_30d"]
    assert told[0]["sentence"] == (
        "This score rests on unusual engagement: reactions that came in a burst make up 70%; "
        "19 of 20 posts have at most 6%."
    )
    assert (told[0]["value"], told[0]["usual"]) == (0.7, 0.06)
