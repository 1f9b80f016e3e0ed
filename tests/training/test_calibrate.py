"""Curves that rise and give the total back, and intervals that hold what they promise, beside MAPIE's."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapie.regression import ConformalizedQuantileRegressor
from sklearn.base import BaseEstimator, RegressorMixin

from clout.models.intervals import Intervals, lower_end, spread
from clout.training.calibrate import (
    A_HAIR,
    CalibrationDataError,
    fit_calibration,
    fit_intervals,
    kind_error,
    main_error,
    shrink,
)
from clout.training.metrics import coverage

Floats = npt.NDArray[np.float64]
NAN = float("nan")


def posts(count: int, seed: int = 0, noise: float = 0.9) -> tuple[Floats, Floats]:
    """Margins that are the mean of log1p(count), as the main head learns it, and heavy-tailed counts."""
    random = np.random.default_rng(seed)
    margin = np.clip(random.normal(3, 1, count), 0, 6)
    return margin, np.expm1(np.maximum(margin + noise * random.normal(size=count), 0))


@pytest.mark.parametrize("seed", range(3))
def test_the_curve_gives_the_total_back_on_posts_it_has_not_seen(seed: int) -> None:
    curve = fit_calibration(*posts(20_000, seed))
    margin, count = posts(60_000, seed + 10)
    assert np.expm1(curve.apply(margin)).sum() == pytest.approx(count.sum(), rel=0.03)
    assert np.expm1(margin).sum() < 0.75 * count.sum()


def test_the_curve_is_right_at_every_level() -> None:
    margin, count = posts(40_000)
    expected = np.expm1(fit_calibration(margin, count).apply(margin))
    for tenth in np.array_split(np.argsort(margin), 10):
        assert math.log1p(expected[tenth].mean()) == pytest.approx(math.log1p(count[tenth].mean()), abs=0.05)


def test_one_post_that_went_round_the_world_does_not_lift_the_largest_accounts() -> None:
    margin, count = posts(3000)
    once = count.copy()
    once[np.argmax(margin)] = 1e6
    usual, lifted = (fit_calibration(margin, values).apply(margin.max(keepdims=True))[0] for values in (count, once))
    assert lifted < usual + 1
    assert np.log1p(once[np.argsort(margin)[-75:]].mean()) > usual + 3


@settings(deadline=None, max_examples=150)
@given(
    st.integers(0, 10_000),
    st.integers(2, 1500),
    st.sampled_from([None, 0.01, 0.5, 2.0]),
    st.floats(-1, 3),
)
def test_any_outcomes_give_a_rising_curve_or_a_refusal(seed: int, rows: int, step: float | None, slope: float) -> None:
    random = np.random.default_rng(seed)
    margin = random.normal(1, 1, rows)
    margin = margin if step is None else np.round(margin / step) * step
    count = random.poisson(np.exp(np.clip(slope * margin - 1, -20, 10))).astype(np.float64)
    try:
        curve = fit_calibration(margin, count)
    except CalibrationDataError:
        return
    grid = np.linspace(-8, 10, 400)
    assert np.diff(curve.apply(grid)).min() > 0
    assert np.diff(curve.log_expected).min() > 1e-12


def test_posts_of_equal_margin_are_one_level() -> None:
    margin = np.repeat([0.1, 0.1 + 0.2, 0.7], 400)
    count = np.tile([0.0, 1.0, 2.0, 3.0], 300) + 10 * margin
    curve = fit_calibration(margin, count)
    assert curve.margin[1:-1] == pytest.approx([0.1, 0.3, 0.7])
    means = [count[margin == level].mean() for level in (0.1, 0.1 + 0.2, 0.7)]
    assert np.expm1(curve.apply(np.array([0.1, 0.3, 0.7]))) == pytest.approx(means, rel=0.02)


def test_far_beyond_what_was_seen_a_step_of_margin_is_a_step_of_log_count() -> None:
    margin, count = posts(2000)
    curve = fit_calibration(margin, count)
    assert np.diff(curve.apply(np.array([20.0, 21, 22]))) == pytest.approx([1, 1], abs=0.25)


@pytest.mark.parametrize(
    ("margin", "count"),
    [
        ([], []),
        ([1.0], [5.0]),
        ([1.0, 2.0] * 50, [0.0] * 100),
        ([1.0] * 100, [0.0, 5.0] * 50),
        ([1.0, 2.0] * 50, [5.0, 1.0] * 50),
    ],
    ids=["none", "one", "nothing happened", "one margin", "falling"],
)
def test_what_cannot_be_told_apart_is_refused(margin: list[float], count: list[float]) -> None:
    with pytest.raises(CalibrationDataError, match=rf"the outcomes of {len(margin)} held-back posts do not rise"):
        fit_calibration(np.array(margin), np.array(count))


def test_values_that_chance_explains_are_drawn_to_their_mean() -> None:
    random = np.random.default_rng(0)
    true = random.normal(0, 0.5, 400)
    variance = random.uniform(0.05, 1.5, 400)
    seen = true + np.sqrt(variance) * random.normal(size=400)
    best = true.mean() + (seen - true.mean()) * 0.25 / (0.25 + variance)
    assert np.abs(shrink(seen, variance) - best).mean() < 0.1
    assert np.mean((shrink(seen, variance) - true) ** 2) < 0.7 * np.mean((seen - true) ** 2)


def test_values_that_chance_does_not_explain_stay_and_equal_ones_too() -> None:
    values = np.array([0.0, 5.0, 10.0])
    assert shrink(values, np.full(3, 1e-4)) == pytest.approx(values, abs=1e-3)
    assert shrink(np.ones(4), np.full(4, 0.5)) == pytest.approx(np.ones(4))
    assert shrink(np.array([3.0]), np.array([9.0])) == pytest.approx([3.0])


def test_errors_by_hand() -> None:
    low, high = np.array([1.0, 1.0, 1.0]), np.array([3.0, 3.0, 3.0])
    assert main_error(low, high, np.array([0.0, 2.5, 4.0])).tolist() == [1.0 - np.log(1.5), -0.5, 1.0]
    assert main_error(low, high, np.array([0.0, 0.4, 0.5])).tolist() == [1.0 - np.log(1.5)] * 2 + [0.5]
    errors = kind_error(np.array([1.0, 1.0, 1.0]), low, high, np.array([0.5, 1.0, 5.0]))
    assert errors.tolist() == [0.25, 0.0, 2.0]
    assert math.isnan(kind_error(np.array([1.0]), low[:1], high[:1], np.array([NAN]))[0])


class Column(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """An estimator that answers with a column of what it is asked."""

    def __init__(self, column: int = 0) -> None:
        self.column = column

    def fit(self, matrix: Floats, target: Floats) -> Column:
        """Itself; there is nothing to learn."""
        del matrix, target
        self.fitted_ = True
        return self

    def predict(self, matrix: Floats) -> Floats:
        """The column."""
        return np.asarray(matrix[:, self.column])


@pytest.mark.parametrize("rows", [20, 99, 100, 400, 1001])
@pytest.mark.parametrize("level", [0.8, 0.9])
def test_the_overall_offset_is_that_of_mapie(rows: int, level: float) -> None:
    random = np.random.default_rng(rows)
    low, middle, high = 20 + np.sort(random.normal(size=(3, rows)), axis=0)
    truth = 20 + 2 * random.normal(size=rows)
    matrix = np.column_stack([low, high, middle])
    columns = [Column(place).fit(matrix, truth) for place in range(3)]
    peer = ConformalizedQuantileRegressor(columns, confidence_level=level, prefit=True).conformalize(matrix, truth)
    _, bounds = peer.predict_interval(matrix, symmetric_correction=True)
    ours = fitted({"main": main_error(low, high, truth)}, np.zeros((2, rows)), level, least=1)
    assert low - ours.default["main"] == pytest.approx(bounds[:, 0, 0] - A_HAIR)
    assert high + ours.default["main"] == pytest.approx(bounds[:, 1, 0] + A_HAIR)


def fitted(errors: dict[str, Floats], groups: Floats, level: float = 0.9, least: int = 200) -> Intervals:
    """Intervals over two features with edges 0 and 1."""
    return fit_intervals(("a", "b"), ((0.0, 1.0), (0.0,)), (groups[0], groups[1]), errors, level, least)


def society(rows: int, seed: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Values of two features (a tenth unknown), all far from none, ends of intervals that ignore them, and truths that do not."""
    random = np.random.default_rng(seed)
    groups = random.normal(0.5, 1, (2, rows))
    groups[random.random((2, rows)) < 0.1] = NAN
    center = random.normal(300, 1, rows)
    width = 0.5 + 0.8 * (groups[0] > 1) + 0.6 * np.isnan(groups[1])
    return groups, center - 0.5, center + 0.5, center + width * random.standard_t(4, rows)


def test_intervals_hold_what_they_promise_overall_and_in_every_group() -> None:
    groups, low, high, truth = society(40_000, 1)
    made = fitted({"main": main_error(low, high, truth)}, groups)
    groups, low, high, truth = society(60_000, 2)
    inside = np.abs(truth - (low + high) / 2) <= 0.5 + made.offsets("main", *groups)
    assert inside.mean() == pytest.approx(0.9, abs=0.01)
    first, second = made.groups(*groups)
    covered = [inside[(first == row) & (second == column)].mean() for row in range(4) for column in range(3)]
    assert covered == pytest.approx([0.9] * 12, abs=0.035)
    plain = np.abs(truth - (low + high) / 2) <= 0.5 + made.default["main"]
    assert plain[groups[0] > 1].mean() < 0.85


def test_intervals_hold_what_they_promise_where_many_posts_drive_nothing() -> None:
    random = np.random.default_rng(5)
    truth = np.log1p(random.poisson(0.6, (2, 4000)) * random.uniform(0.6, 1.4, (2, 4000)))
    low, high = np.full(4000, 0.001), np.full(4000, 0.4)
    offset = fitted({"main": main_error(low, high, truth[0])}, np.zeros((2, 4000))).default["main"]
    inside = (truth[1] >= lower_end(low - offset)) & (truth[1] <= high + offset)
    assert inside.mean() == pytest.approx(0.9, abs=0.02)
    assert (inside[truth[1] == 0]).all()


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(*[st.sampled_from([0.0, 0.01, 0.2, 0.3, 0.7, 1.1, 1.9])] * 2, st.integers(0, 3)),
        min_size=1,
        max_size=60,
    ),
    st.sampled_from([0.5, 0.8, 0.9]),
)
def test_intervals_hold_their_share_of_the_very_posts_they_were_set_on(
    posts: list[tuple[float, float, int]], level: float
) -> None:
    a, b, count = (np.array(column) for column in zip(*posts, strict=True))
    low, high, truth = np.minimum(a, b), np.maximum(a, b), np.log1p(count)
    errors = {"main": main_error(low, high, truth), "like": kind_error(a, low, high, truth)}
    offset = fitted(errors, np.zeros((2, len(posts))), level, least=1).default
    reach = offset["like"] * spread(low, high)
    assert coverage(lower_end(low - offset["main"]), high + offset["main"], truth) >= level
    assert coverage(lower_end(a - reach), a + reach, truth) >= level


def test_a_lower_end_that_half_an_action_sets_is_none() -> None:
    low, high, truth = np.array([0.7, 0.7, 0.6, 0.1]), np.full(4, 1.5), np.log1p([0.0, 0.0, 0.0, 3.0])
    offset = fitted({"main": main_error(low, high, truth)}, np.zeros((2, 4)), 0.5, least=1).default["main"]
    assert offset == pytest.approx(0.7 - np.log(1.5) + A_HAIR)
    dust = np.array([0.0, 1e-7, -1e-7, 0.0])
    assert lower_end(low + dust - offset).tolist() == pytest.approx([0, 0, 0, 0.1 - offset])


def test_intervals_of_kinds_are_in_widths_and_leave_out_what_was_not_reported() -> None:
    groups, low, high, truth = society(6000, 3)
    width = 1 + 2 * np.random.default_rng(3).random(6000)
    margin = (low + high) / 2
    truth = margin + width * (truth - margin)
    truth[::3] = NAN
    made = fitted({"like": kind_error(margin, margin, margin + width, truth)}, groups)
    inside = np.abs(truth - margin) <= made.offsets("like", *groups) * width
    assert inside[~np.isnan(truth)].mean() == pytest.approx(0.9, abs=0.015)


def test_a_group_with_too_few_known_errors_uses_the_overall_offset() -> None:
    groups = np.array([[0.5] * 250 + [2.0] * 250, [0.5] * 500])
    errors = np.concatenate([np.linspace(0, 1, 250), np.linspace(5, 6, 249), [NAN]])
    made = fitted({"main": errors}, groups, least=250)
    assert made.tables["main"][2][2] == pytest.approx(np.sort(errors)[225] + A_HAIR)
    assert made.tables["main"][3][2] is None
    assert made.offsets("main", np.array([2.0, NAN]), np.array([0.5, NAN])).tolist() == [made.default["main"]] * 2


def test_the_rank_counts_the_post_that_is_still_to_come() -> None:
    errors = np.arange(1.0, 20.0)
    assert fitted({"main": errors}, np.zeros((2, 19)), least=19).default["main"] == pytest.approx(18.0 + A_HAIR)
    assert fitted({"main": errors[:5]}, np.zeros((2, 5)), least=1).default["main"] == pytest.approx(5.0 + A_HAIR)
