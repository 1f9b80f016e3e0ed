"""A change of score is the account's part and ours, and the two add up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clout.models.change import Change, ChangeError, changes, split

START = datetime(2026, 3, 1, tzinfo=UTC)
MODELS = [("a", "1"), ("b", "1"), ("b", "2")]


@dataclass(frozen=True)
class Step:
    """One judgement."""

    as_of: datetime
    score: float | None
    model_version: str = "a"
    scale_version: str = "1"
    bridge: bool = False


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def test_under_one_model_all_is_yours():
    steps = [Step(day(0), 40.0), Step(day(1), 20.0), Step(day(2), 47.5)]
    assert split(steps) == Change(day(0), total=7.5, yours=7.5, ours=0.0)


def test_the_step_from_the_bridge_is_ours():
    steps = [Step(day(0), 40.0), Step(day(1), 42.0, bridge=True), Step(day(1), 45.0, "b"), Step(day(2), 44.0, "b")]
    assert split(steps) == Change(day(0), total=4.0, yours=1.0, ours=3.0)


def test_another_scale_is_ours_too():
    steps = [Step(day(0), 40.0), Step(day(1), 41.0, bridge=True), Step(day(1), 61.0, scale_version="2")]
    assert split(steps) == Change(day(0), total=21.0, yours=1.0, ours=20.0)


def test_a_second_score_of_the_same_moment_is_ours():
    steps = [Step(day(0), 40.0), Step(day(1), 42.0), Step(day(1), 45.0, "b")]
    assert split(steps) == Change(day(0), total=5.0, yours=2.0, ours=3.0)


def test_a_bridge_by_another_model_is_no_bridge():
    steps = [Step(day(0), 40.0), Step(day(1), 41.0, "c", bridge=True), Step(day(1), 45.0, "b")]
    found = split(steps)
    assert (found.total, found.yours, found.ours) == (5.0, None, None)
    assert found.missing == (
        "The model or its scale changed on 2026-03-02, and there are no scores of that day by both, so our part cannot "
        "be told from yours."
    )


@pytest.mark.parametrize(("after", "bridge"), [(None, 41.0), (45.0, None), (None, None)])
def test_without_evidence_at_the_change_of_model_it_cannot_be_told_apart(after: float | None, bridge: float | None):
    steps = [Step(day(0), 40.0), Step(day(1), bridge, bridge=True), Step(day(1), after, "b"), Step(day(2), 44.0, "b")]
    found = split(steps)
    assert (found.total, found.yours, found.ours) == (4.0, None, None)
    assert "changed on 2026-03-02" in found.missing


def test_without_evidence_in_between_nothing_is_lost():
    steps = [Step(day(0), 40.0), Step(day(1), None), Step(day(2), 44.0)]
    assert split(steps) == Change(day(0), total=4.0, yours=4.0, ours=0.0)


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [(None, 40.0, "2026-03-01"), (40.0, None, "2026-03-02"), (None, None, "2026-03-01 and 2026-03-02")],
)
def test_without_evidence_at_an_end_there_is_no_total(first: float | None, last: float | None, days: str):
    found = split([Step(day(0), first), Step(day(1), last)])
    assert found == Change(day(0), missing=f"There was not enough evidence for a score on {days}.")


def test_one_score_is_no_change():
    with pytest.raises(ChangeError, match="got 1 shown scores; expected at least 2"):
        split([Step(day(0), 40.0), Step(day(0), 40.0, "b", bridge=True)])


scores = st.floats(1, 100)
moments = st.lists(st.tuples(st.sampled_from(MODELS), scores, scores), min_size=2, max_size=40)


@given(moments)
def test_the_parts_add_up_and_are_the_moves_of_each(drawn: list[tuple[tuple[str, str], float, float]]):
    (judge, first, _), steps, own = drawn[0], [], []
    steps.append(Step(day(0), first, *judge))
    for number, (((old, before, _), (new, after, bridge))) in enumerate(pairwise(drawn), 1):
        if new != old:
            steps.append(Step(day(number), bridge, *old, bridge=True))
        steps.append(Step(day(number), after, *new))
        own.append((after if new == old else bridge) - before)
    found = split(steps)
    assert found.total is not None
    assert found.yours is not None
    assert found.ours is not None
    assert found.yours + found.ours == pytest.approx(found.total, abs=1e-9)
    assert found.yours == pytest.approx(sum(own), abs=1e-9)


def test_a_day_a_week_and_a_month_are_told_against_the_newest_score_so_much_older():
    steps = [Step(day(number), 10.0 + number) for number in range(41)]
    found = changes(steps, now=day(40.5))
    assert {name: change and change.since for name, change in found.items()} == {
        "day": day(39),
        "week": day(33),
        "month": day(10),
    }
    assert [change and change.total for change in found.values()] == [1.0, 7.0, 30.0]


def test_bridges_of_the_span_count_and_earlier_ones_do_not():
    old, new = Step(day(0), 30.0), Step(day(8), 35.0, "b")
    steps = [old, Step(day(8), 31.0, bridge=True), new, Step(day(9), 36.0, "b")]
    found = changes(steps, now=day(9))
    assert found == {"day": Change(day(8), 1.0, 1.0, 0.0), "week": Change(day(0), 6.0, 2.0, 4.0), "month": None}


@pytest.mark.parametrize(("age", "told"), [(0.99, False), (1.0, True), (1.99, True), (2.0, False)])
def test_the_nearest_at_or_before_is_taken_unless_it_is_twice_as_old(age: float, told: bool):
    found = changes([Step(day(5 - age), 40.0), Step(day(5), 41.0)], now=day(5))
    assert (found["day"] is not None) is told


def test_what_is_later_than_now_is_not_looked_at():
    steps = [Step(day(0), 40.0), Step(day(1), 41.0), Step(day(2), 99.0)]
    assert changes(steps, now=day(1))["day"] == Change(day(0), 1.0, 1.0, 0.0)


def test_nothing_shown_is_no_change():
    assert changes([Step(day(0), 4.0, bridge=True)], now=day(1)) == {"day": None, "week": None, "month": None}
