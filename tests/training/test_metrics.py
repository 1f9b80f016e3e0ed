"""Every figure against a peer of scipy or scikit-learn, or against numbers worked by hand."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn.metrics import mean_pinball_loss, ndcg_score, r2_score

from clout.training import metrics

Floats = npt.NDArray[np.float64]
NAN = float("nan")


def array(*values: float) -> Floats:
    return np.array(values, dtype=np.float64)


numbers = st.integers(-50, 50).map(lambda number: number / 4)
columns = st.integers(2, 40).flatmap(
    lambda rows: st.tuples(*(arrays(np.float64, rows, elements=numbers) for _ in range(3)))
)


@given(columns)
def test_spearman_is_that_of_scipy(columns: tuple[Floats, Floats, Floats]) -> None:
    prediction, truth, _ = columns
    if np.ptp(prediction) == 0 or np.ptp(truth) == 0:
        assert math.isnan(metrics.spearman(prediction, truth))
    else:
        peer = stats.spearmanr(prediction, truth).statistic
        assert metrics.spearman(prediction, truth) == pytest.approx(peer, abs=1e-12)


def test_spearman_cannot_be_told_of_what_is_not_known() -> None:
    assert math.isnan(metrics.spearman(array(1, NAN, 3), array(1, 2, 3)))


@given(columns)
def test_partial_spearman_is_that_of_the_residuals_of_ranks(columns: tuple[Floats, Floats, Floats]) -> None:
    prediction, truth, given_ = (stats.rankdata(column) for column in columns)
    assume(np.ptp(given_) > 0)
    left = [ranks - np.polynomial.Polynomial.fit(given_, ranks, 1)(given_) for ranks in (prediction, truth)]
    value = metrics.partial_spearman(*columns)
    if min(np.ptp(residual) for residual in left) < 1e-6:
        assert math.isnan(value)
    else:
        assert value == pytest.approx(stats.pearsonr(*left).statistic, abs=1e-6)


@given(columns)
def test_r_squared_is_that_of_sklearn(columns: tuple[Floats, Floats, Floats]) -> None:
    prediction, truth, _ = columns
    if np.ptp(truth) == 0:
        assert math.isnan(metrics.r_squared(prediction, truth))
    else:
        assert metrics.r_squared(prediction, truth) == pytest.approx(r2_score(truth, prediction))


def test_r_squared_of_a_truth_that_does_not_vary_is_not_told_though_its_mean_is_rounded() -> None:
    truth = np.full(3, 0.1)
    assert truth.mean() != truth[0]
    assert math.isnan(metrics.r_squared(truth + 1, truth))


@given(columns)
def test_skill_over_the_mean_is_r_squared(columns: tuple[Floats, Floats, Floats]) -> None:
    prediction, truth, _ = columns
    assume(np.ptp(truth) > 0)
    mean = np.full(len(truth), truth.mean())
    assert metrics.skill(prediction, mean, truth) == pytest.approx(metrics.r_squared(prediction, truth))


def test_skill_by_hand() -> None:
    truth, baseline = array(0, 0, 2), array(1, 1, 1)
    assert metrics.skill(baseline, baseline, truth) == 0
    assert metrics.skill(truth, baseline, truth) == 1
    assert metrics.skill(array(0, 0, 0), baseline, truth) == pytest.approx(1 - 4 / 3)
    assert math.isnan(metrics.skill(baseline, truth, truth))


def test_within_account_is_the_mean_over_accounts_with_enough_posts() -> None:
    accounts = np.array(["b"] * 5 + ["a"] * 5 + ["few"] * 4 + ["same"] * 5)
    truth = array(1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2, 3, 4, 7, 7, 7, 7, 7)
    prediction = array(1, 2, 3, 4, 5, 5, 4, 3, 1, 2, 4, 3, 2, 1, 1, 2, 3, 4, 5)
    assert metrics.within_account_spearman(prediction, truth, accounts) == pytest.approx((1 - 0.9) / 2)
    assert metrics.within_account_spearman(prediction, truth, accounts, least=4) == pytest.approx((1 - 0.9 - 1) / 3)
    assert math.isnan(metrics.within_account_spearman(prediction, truth, accounts, least=6))


def test_lift_by_hand() -> None:
    count = array(*range(20))
    assert metrics.top_decile_lift(count, count) == pytest.approx(18.5 / 9.5)
    assert metrics.top_decile_lift(-count, count) == pytest.approx(0.5 / 9.5)
    assert metrics.top_decile_lift(array(1, 2, 3), array(0, 0, 6)) == 3
    assert math.isnan(metrics.top_decile_lift(count, np.zeros(20)))


def test_a_prediction_that_tells_nothing_apart_has_no_lift_in_whatever_order_posts_come() -> None:
    count = array(*range(30))
    same = np.ones(30)
    assert metrics.top_decile_lift(same, count) == pytest.approx(1)
    assert metrics.top_decile_lift(same, count[::-1]) == pytest.approx(1)
    assert metrics.ndcg(same, count) == pytest.approx(metrics.ndcg(same, count[::-1]))


@given(columns)
def test_ndcg_is_that_of_sklearn_ties_included(columns: tuple[Floats, Floats, Floats]) -> None:
    prediction, gain = columns[0], np.abs(columns[1])
    if gain.max() == 0:
        assert math.isnan(metrics.ndcg(prediction, gain))
    else:
        peer = ndcg_score(gain[None, :], prediction[None, :])
        assert metrics.ndcg(prediction, gain) == pytest.approx(peer, abs=1e-12)


def test_totals_by_hand() -> None:
    assert metrics.total_ratio(array(1, 2, 3), array(2, 2, 0)) == 1.5
    assert math.isnan(metrics.total_ratio(array(1), array(0)))


def test_deciles_are_equal_groups_by_expectation_lowest_first() -> None:
    expected = array(*range(20))
    pairs = metrics.deciles(expected[::-1], 2 * expected[::-1])
    assert [pair[0] for pair in pairs] == [0.5 + 2 * group for group in range(10)]
    assert [pair[1] for pair in pairs] == [1.0 + 4 * group for group in range(10)]
    assert metrics.deciles(array(3, 1), array(5, 7)) == [(1, 7), (3, 5)]


def test_decile_error_is_the_mean_of_log_ratios() -> None:
    expected = np.repeat(array(0, 9), 10)
    assert metrics.decile_log_error(expected, expected) == 0
    actual = (1 + expected) * math.e - 1
    assert metrics.decile_log_error(expected, actual) == pytest.approx(1)
    assert metrics.decile_log_error(actual, expected) == pytest.approx(1)


def test_coverage_counts_both_ends_in() -> None:
    truth = array(1, 2, 3, NAN)
    assert metrics.coverage(array(1, 0, 0, 0), array(5, 2, 2.9, 9), truth) == 0.5


quantiles = st.lists(numbers, min_size=1, max_size=30).map(sorted)


@given(quantiles, numbers, numbers)
def test_crps_is_that_of_the_sample_in_closed_form(quantiles: list[float], center: float, truth: float) -> None:
    members = center + 0.7 * np.array(quantiles)
    spread = np.abs(members[:, None] - members[None, :]).mean()
    closed = np.abs(members - truth).mean() - spread / 2
    value = metrics.crps(array(center), array(0.7), quantiles, array(truth))
    assert value == pytest.approx(closed, abs=1e-9)


def test_crps_of_many_quantiles_nears_that_of_the_normal() -> None:
    truth, center, width = array(0.3, -1.2, 4), array(0, 0.5, 3), array(1, 2, 0.5)
    levels = (np.arange(2000) + 0.5) / 2000
    value = metrics.crps(center, width, stats.norm.ppf(levels).tolist(), truth)
    z = (truth - center) / width
    exact = width * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / math.sqrt(math.pi))
    assert value == pytest.approx(exact.mean(), abs=1e-3)


def test_crps_of_one_quantile_is_twice_the_pinball_loss_of_the_median() -> None:
    truth, center = array(1, 5, 2), array(2, 2, 2)
    assert metrics.crps(center, np.ones(3), [0.5], truth) == pytest.approx(
        2 * mean_pinball_loss(truth, center + 0.5, alpha=0.5)
    )


def test_residual_quantiles_are_evenly_spaced_and_scaled_by_the_width() -> None:
    truth = np.arange(101, dtype=np.float64)
    assert metrics.residual_quantiles(np.zeros(101), np.ones(101), truth, 4) == [12.5, 37.5, 62.5, 87.5]
    assert metrics.residual_quantiles(np.zeros(101), np.full(101, 2.0), truth, 2) == [12.5, 37.5]
    assert len(metrics.residual_quantiles(np.zeros(3), np.ones(3), truth[:3])) == 50


def test_rows_are_grouped_by_account_in_sorted_order() -> None:
    rows = metrics.rows_by_account(np.array(["b", "a", "b", "c"]))
    assert [group.tolist() for group in rows] == [[1], [0, 2], [3]]
    assert metrics.rows_by_account(np.array([], dtype=np.str_)) == []


def means(values: Floats) -> dict[str, tuple[float, float]]:
    accounts = np.array([f"a{row // 10}" for row in range(len(values))])
    return metrics.bootstrap(lambda rows: {"mean": float(values[rows].mean())}, accounts, 3, 400)


def test_bootstrap_gives_the_same_interval_for_the_same_seed_only() -> None:
    values = np.random.default_rng(0).normal(size=300)
    accounts = np.array([f"a{row // 10}" for row in range(300)])
    drawn = [
        metrics.bootstrap(lambda rows: {"mean": float(values[rows].mean())}, accounts, seed, 50)["mean"]
        for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_bootstrap_draws_whole_accounts() -> None:
    within = np.tile(np.arange(10.0), 40)
    low, high = means(within)["mean"]
    assert low == high == pytest.approx(4.5)
    between = np.repeat(np.random.default_rng(1).normal(size=40), 10)
    low, high = means(between)["mean"]
    error = between.std() / math.sqrt(40)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.15)


def test_bootstrap_leaves_out_what_cannot_be_told() -> None:
    accounts = np.array(["a", "b"])
    values = array(1, NAN)

    def figures(rows: metrics.Rows) -> dict[str, float]:
        return {"never": NAN, "sometimes": float(values[rows].mean())}

    assert metrics.bootstrap(figures, accounts, 0, 60) == {"sometimes": (1, 1)}
