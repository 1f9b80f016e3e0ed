from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clout.models.scale import Curve, Scale, ScaleError, band, fit_curve

SCALE = Scale("1", {"twitter": Curve(2.0, 4.3, 500), "weibo": Curve(0.5, 1.0, 40)})
UNIT = (4.3 - 2.0) / 23
values = st.floats(-50, 60)


def score(value: float, network: str = "twitter") -> float:
    return float(SCALE.score(np.array([value]), [network])[0])


def at(points: float) -> float:
    """The value whose unbent score is `points` on Twitter."""
    return 2.0 + (points - 40) * UNIT


def test_the_mean_account_has_40_and_the_95th_percentile_63():
    assert score(2.0) == 40
    assert score(4.3) == pytest.approx(63, abs=1e-12)
    assert score(0.5, "weibo") == 40
    assert score(1.0, "weibo") == pytest.approx(63, abs=1e-12)


@pytest.mark.parametrize(
    ("unbent", "bent"), [(90.0, 90.0), (100.0, 90 + 10 * (1 - math.exp(-1))), (10.0, 10.0), (1.0, 1 + 9 / math.e)]
)
def test_both_ends_bend(unbent: float, bent: float):
    assert score(at(unbent)) == pytest.approx(bent, abs=1e-9)


@given(values, values)
def test_more_expected_actions_never_score_less(one: float, other: float):
    low, high = sorted((one, other))
    assert score(low) <= score(high)


@given(st.floats(-0.5, 20), st.floats(1e-6, 5))
def test_it_rises_strictly_where_posts_live(value: float, step: float):
    assert score(value) < score(value + step)


@given(values)
def test_it_stays_inside_1_and_100(value: float):
    assert 1 < score(value) < 100


@given(st.floats(-5, 15))
def test_the_slope_is_the_derivative(value: float):
    step = 1e-6
    slope = SCALE.derivative(np.array([value]), ["twitter"])[0]
    assert slope == pytest.approx((score(value + step) - score(value - step)) / (2 * step), rel=1e-3, abs=1e-5)
    assert slope > 0


def test_ten_points_multiply_what_is_expected():
    factor = SCALE.ten_points("twitter")
    assert score(1.0 + math.log(factor)) - score(1.0) == pytest.approx(10, abs=1e-9)


def test_each_row_has_the_scale_of_its_network():
    mixed = SCALE.score(np.array([[1.0, 1.0], [2.0, 2.0]]), ["twitter", "weibo"])
    assert mixed.shape == (2, 2)
    assert mixed[1, 0] == score(2.0)
    assert mixed[0, 1] == score(1.0, "weibo")


@pytest.mark.parametrize("network", ["myspace", None, float("nan"), ["twitter"]])
def test_a_network_without_a_curve_is_refused(network: str):
    with pytest.raises(ScaleError, match="expected one the scale has a curve for: twitter, weibo") as refusal:
        score(1.0, network)
    assert refusal.value.code == "unknown_network"


def test_json_keeps_it_exactly():
    record = json.loads(json.dumps(SCALE.to_json()))
    assert record["curves"]["weibo"] == {"mean": 0.5, "p95": 1.0, "accounts": 40}
    assert Scale.from_json(record) == SCALE


def test_a_curve_is_fitted_on_accounts():
    curve = fit_curve(np.linspace(0, 10, 101))
    assert curve == Curve(5.0, 9.5, 101)


def test_few_accounts_make_no_scale():
    with pytest.raises(ScaleError, match=r"got 29 accounts; expected at least 30 .* add accounts of this network"):
        fit_curve([float(n) for n in range(29)])


@pytest.mark.parametrize("accounts", [[1.0] * 50, [float("nan")] * 50, [0.0] * 49 + [100.0]])
def test_accounts_that_are_all_alike_make_no_scale(accounts: list[float]):
    with pytest.raises(ScaleError, match=r"expected the percentile above the mean: .* add accounts"):
        fit_curve(accounts)


def test_bands_are_judged_on_the_printed_integer():
    assert band(39.6) == band(40.4) == "average"
    assert band(62.6) == "among the top 5 %"
    assert band(62.4) == "well above average"
    assert band(1.1) == "well below average"
    assert band(99.9) == "exceptional"


@pytest.mark.parametrize("log_expected", [-30.0, -3.0, -1.0, 0.5, 2.0, 7.0, 9.0, 12.0])
def test_a_score_is_undone(log_expected: float) -> None:
    scale = Scale("1", {"net": Curve(2.0, 4.3, 500)})
    score = float(scale.score(np.array([log_expected]), ["net"])[0])
    assert scale.log_expected(score, "net") == pytest.approx(log_expected, abs=1e-6 if log_expected > -20 else 1e-3)


@pytest.mark.parametrize("score", [1.0, 100.0])
def test_the_ends_that_no_score_reaches_are_finite(score: float) -> None:
    assert math.isfinite(Scale("1", {"net": Curve(2.0, 4.3, 500)}).log_expected(score, "net"))
