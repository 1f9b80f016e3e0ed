"""What a step is worth: the model's word, held against what posts drew, within what similar accounts do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clout.features.contract import Contract, FeatureSpec
from clout.models import recourse
from clout.models.recourse import (
    FEWEST_ACCOUNTS,
    UNKNOWN,
    Bounds,
    Contrasts,
    Floats,
    Pooled,
    Suggestion,
    Tried,
    admissible,
    choose,
    contrasts,
    expected,
    pooled,
    promising,
    suggestions,
    worth,
)

SURE = Pooled(0.0, 0.0, 0.0, 1.0)
NOBODY = Contrasts(np.full(1, np.nan), np.full(1, np.nan), np.zeros(1), np.zeros(1))
SHARES = st.floats(0.0, 1.0, allow_nan=False)


def spec(name: str, *, direction: int = 0, actionable: bool = True) -> FeatureSpec:
    return FeatureSpec(
        name=name,
        group="format",
        unit="links",
        direction=direction,
        actionable=actionable,
        label="",
        helping="",
        holding_back="",
        advice="x" if actionable else "",
        missing="",
    )


def tried(gain: list[float], now: float = 0.0, full: float = 1.0, low: float = 0.0, high: float = 1.0) -> Tried:
    """A step for one account with ten posts of equal weight; its first ones change, each by its gain."""
    ends = (np.array([now]), np.array([full]), np.array([low]), np.array([high]))
    return Tried("picture_more", "media_count", None, np.arange(len(gain)), np.array(gain), *ends, NOBODY, [SURE])


def of_account(step: Tried) -> Suggestion:
    """What the step is worth to its account, on a scale of ten points for each of the margin."""
    owner, weight = np.zeros(10, dtype=np.intp), np.full(10, 0.1)
    return suggestions(worth(step, owner, weight, np.zeros(1), lambda margin: 10 * margin), owner)[0]


def people(count: int, beyond: float, rng: np.random.Generator, differ: float = 0.0) -> Contrasts:
    """The contrasts of accounts with 20 posts, half of them with what the others lack, which draw so much more."""
    owner, after = np.repeat(np.arange(count), 20), np.tile(np.arange(20) < 10, count)
    extra = beyond + rng.normal(0.0, differ, count)
    residual = rng.normal(0.0, 0.5, len(owner)) + np.where(after, extra[owner], 0.0)
    return contrasts(owner, residual, ~after, after, count)


def test_a_step_is_worth_what_the_model_says_of_the_posts_that_change() -> None:
    told = of_account(tried([0.4] * 5))
    assert (told.posts, told.changed, told.now, told.then) == (10, 5, 0.0, 1.0)
    assert told.points == pytest.approx(2.0)
    assert (told.low, told.high) == (pytest.approx(2.0), pytest.approx(2.0))


def test_posts_that_differ_make_it_less_sure() -> None:
    told = of_account(tried([0.0, 0.8, 0.0, 0.8]))
    assert told.points == pytest.approx(1.6)
    assert told.low < told.points < told.high


@example(now=0.0, full=5e-324, ends=(0.0, 1.0), posts=1)
@given(now=SHARES, full=SHARES, ends=st.tuples(SHARES, SHARES), posts=st.integers(1, 10))
def test_nobody_goes_beyond_similar_accounts(now: float, full: float, ends: tuple[float, float], posts: int) -> None:
    low, high = sorted(ends)
    step = tried([0.1] * posts, now, full, low, high)
    owner, weight = np.zeros(10, dtype=np.intp), np.full(10, 0.1)
    told = worth(step, owner, weight, np.zeros(1), lambda margin: 10 * margin)
    then, moved = float(told.then[0]), float(told.changed[0])
    assert 0 <= moved <= posts
    assert now <= then <= max(high, now) + 1e-6 if full > now else min(low, now) - 1e-6 <= then <= now
    assert np.isnan(told.points[0]) == (moved == 0)


def test_as_many_posts_change_as_similar_accounts_allow() -> None:
    told = of_account(tried([0.4] * 10, high=0.55))
    assert (told.changed, told.then) == (5, 0.5)
    assert told.points == pytest.approx(2.0)


def test_where_nothing_is_known_of_similar_accounts_nothing_is_said() -> None:
    step = tried([0.4] * 5, low=np.nan, high=np.nan)
    owner = np.zeros(10, dtype=np.intp)
    told = worth(step, owner, np.full(10, 0.1), np.zeros(1), lambda margin: margin)
    assert suggestions(told, owner) == {}


def test_the_lesser_of_the_models_word_and_the_corrected_one_counts() -> None:
    less, more = (replace(tried([0.4] * 5), pooled=[SURE._replace(mean=mean)]) for mean in (-0.1, 0.1))
    assert of_account(less).points == pytest.approx(1.5)
    assert of_account(more).points == pytest.approx(2.0)
    assert of_account(more).high == pytest.approx(2.5)


def test_without_evidence_nothing_can_be_chosen() -> None:
    told = of_account(replace(tried([0.4] * 5), pooled=[UNKNOWN]))
    assert choose([told]) == []


def test_posts_with_a_known_result_find_the_models_error() -> None:
    told = pooled(people(200, -0.12, np.random.default_rng(1)))
    assert told.mean == pytest.approx(-0.12, abs=0.04)
    assert told.noise == pytest.approx(0.25, rel=0.1)
    assert 0 < told.error < 0.03


def test_accounts_that_differ_make_the_spread() -> None:
    rng = np.random.default_rng(2)
    alike, unlike = pooled(people(200, 0.0, rng)), pooled(people(200, 0.0, rng, differ=0.4))
    assert alike.spread < 0.2
    assert unlike.spread == pytest.approx(0.4, abs=0.1)


def test_few_accounts_say_nothing() -> None:
    rng = np.random.default_rng(3)
    assert np.isnan(pooled(people(FEWEST_ACCOUNTS - 1, 0.0, rng)).mean)
    assert not np.isnan(pooled(people(FEWEST_ACCOUNTS, 0.0, rng)).mean)


def test_a_post_whose_result_is_not_known_says_nothing() -> None:
    owner, after = np.zeros(5, dtype=np.intp), np.array([True, True, False, False, False])
    residual = np.array([0.5, 0.7, 0.1, 0.3, np.nan])
    assert contrasts(owner, residual, ~after, after, 1).value[0] == pytest.approx(0.4)
    residual[3] = np.nan
    assert np.isnan(contrasts(owner, residual, ~after, after, 1).value[0])


def test_an_account_counts_itself_the_more_the_more_accounts_differ() -> None:
    own = Contrasts(np.array([1.0, np.nan]), np.array([0.2, np.nan]), np.zeros(2), np.zeros(2))
    near, far = ([Pooled(0.0, 0.01, spread, 0.5)] * 2 for spread in (0.1, 1.0))
    (some, nothing), (less_sure, unsure) = expected(near, own)
    assert 0 < some < 0.2
    assert nothing == 0
    assert less_sure < unsure
    assert expected(far, own)[0][0] > 0.8


def test_steps_keep_to_values_that_were_seen_and_to_their_direction() -> None:
    contract = Contract(features=(spec("a"), spec("b", direction=1), spec("c", actionable=False)))
    marks = {name: [0.0, 1.0, 2.0, 3.0, 4.0] for name in "abc"}

    def fits(before: list[float], after: list[float], feature: str = "a") -> bool:
        matrix = np.array([before]), np.array([after])
        return bool(admissible(*matrix, list("abc"), feature, contract, marks)[0])

    assert fits([1, 1, 1], [4, 1, 9])
    assert not fits([1, 1, 1], [5, 1, 1])
    assert not fits([1, 1, 1], [-1, 1, 1])
    assert fits([9, 1, 1], [5, 1, 1])
    assert not fits([np.nan, 1, 1], [5, 1, 1])
    assert fits([1, 1, 1], [1, 2, 1], "b")
    assert not fits([1, 2, 1], [1, 1, 1], "b")


ONE = Suggestion("one", "a", None, 10, 5, 0.0, 0.5, 1.5, 0.5, 3.0)


@pytest.mark.parametrize(
    ("found", "points"),
    [
        ([], []),
        ([ONE], [1.5]),
        ([replace(ONE, points=1.0)], []),
        ([replace(ONE, low=0.0)], []),
        ([ONE, replace(ONE, code="better", points=2.5)], [2.5]),
        ([replace(ONE, feature=str(points), points=float(points)) for points in (2, 5, 3, 4)], [5.0, 4.0, 3.0]),
    ],
    ids=["none", "one", "a point", "perhaps nothing", "a variant", "four"],
)
def test_few_steps_that_surely_help_are_told(found: list[Suggestion], points: list[float]) -> None:
    assert [step.points for step in choose(found)] == points


def test_a_first_look_leaves_out_what_the_model_says_nothing_good_of() -> None:
    owner = np.zeros(10, dtype=np.intp)

    def hopeful(gain: float) -> bool:
        step = tried([gain] * 5)
        return bool(promising(step, owner, np.full(10, 0.1), np.zeros(1), lambda margin: 10 * margin)[0])

    assert (hopeful(0.2), hopeful(0.05), hopeful(-0.5)) == (True, False, False)


def test_similar_accounts_are_those_of_ones_size_where_there_are_enough() -> None:
    levels: Floats = np.array([[float(place), np.nan] for place in range(40)])
    sizes: list[str | None] = ["small"] * 25 + ["large"] * 5 + [None] * 10
    bounds = Bounds.of(["x"] * 40, sizes, levels)
    ends = {size: bounds.among("x", size) for size in ("small", "large", None)}
    assert ends["small"] is not None
    assert ends["large"] is ends[None] is not None
    assert np.allclose(ends["small"], [[1.2, np.nan], [22.8, np.nan]], equal_nan=True)
    assert bounds.among("y", None) is None
    assert recourse.BOUNDS == (5, 95)
