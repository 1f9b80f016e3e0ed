"""One score for a person with several accounts."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clout.models.person import Part, combine
from clout.models.scale import Curve, Scale

SCALE = Scale("1", {"a": Curve(2.0, 4.3, 500), "b": Curve(0.4, 2.0, 90), "c": Curve(5.0, 9.0, 900)})
NETWORKS = st.sampled_from(sorted(SCALE.curves))
SCORES = st.tuples(st.floats(1.5, 99), st.floats(0, 0.5), st.floats(0, 0.5))


@st.composite
def parts(draw: st.DrawFn, least: int = 1) -> list[Part]:
    """Accounts with a score, each within its interval."""
    told = []
    for number in range(draw(st.integers(least, 5))):
        score, below, above = draw(SCORES)
        network = draw(NETWORKS)
        told.append(Part(f"{network}/{number}", network, score, score - below, score + above))
    return told


def sure(network: str, *scores: float) -> list[Part]:
    """Accounts of one network whose scores are known for certain."""
    return [Part(f"{network}/{place}", network, score, score, score) for place, score in enumerate(scores)]


@example(sure("a", 60.0, 60.0), sure("c", 61.0))
@given(parts(), parts())
def test_connecting_another_account_never_lowers_it(some: list[Part], more: list[Part]) -> None:
    before, after = combine(some, SCALE), combine(some + more, SCALE)
    assert before is not None
    assert after is not None
    assert after.score >= before.score - 1e-9
    assert after.score >= max(part.score or 0 for part in some + more) - 1e-9


@given(parts())
def test_what_is_unknown_adds_nothing(known: list[Part]) -> None:
    unknown = Part("c/unknown", "c", None, None, None)
    alone, both = combine(known, SCALE), combine([unknown, *known], SCALE)
    assert alone is not None
    assert both is not None
    assert (both.score, both.low, both.high) == (alone.score, alone.low, alone.high)
    assert both.points == (None, *alone.points)


@given(parts())
def test_parts_add_up_to_the_score_inside_its_interval(known: list[Part]) -> None:
    told = combine(known, SCALE)
    assert told is not None
    assert sum(points or 0 for points in told.points) == pytest.approx(told.score, abs=1e-9)
    assert told.low <= told.score <= told.high
    assert 1 < told.score < 100


def test_one_account_is_its_own_score() -> None:
    told = combine([Part("b/1", "b", 3.0, 2.0, 4.5)], SCALE)
    assert told is not None
    assert (told.score, told.low, told.high, told.points) == (3.0, 2.0, 4.5, (3.0,))


def test_nobody_known_is_no_score() -> None:
    assert combine([Part("a/1", "a", None, None, None)], SCALE) is None
    assert combine([], SCALE) is None


def test_equal_scores_weigh_the_same_on_large_and_small_networks() -> None:
    small, large = Part("b/1", "b", 50.0, 45.0, 55.0), Part("c/1", "c", 50.0, 45.0, 55.0)
    first = Part("a/1", "a", 60.0, 55.0, 65.0)
    with_small, with_large = combine([first, small], SCALE), combine([first, large], SCALE)
    assert with_small is not None
    assert with_large is not None
    assert with_small.score == pytest.approx(with_large.score)
