from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from clout.models.calibration import Calibration, CalibrationError, Calibrations

KNOTS = Calibration((-1.0, 0.0, 1.5, 2.0, 4.0), (-0.5, 0.1, 0.2, 3.0, 3.1))


@st.composite
def calibrations(draw: st.DrawFn) -> Calibration:
    steps = st.lists(st.floats(1e-3, 5.0), min_size=1, max_size=8)
    margin_steps = draw(steps)
    value_steps = draw(st.lists(st.floats(1e-3, 5.0), min_size=len(margin_steps), max_size=len(margin_steps)))
    start = draw(st.floats(-5, 5))
    return Calibration(
        tuple(np.cumsum([start, *margin_steps]).tolist()), tuple(np.cumsum([start, *value_steps]).tolist())
    )


def test_it_is_pchip_between_the_knots():
    margin = np.linspace(-0.99, 3.99, 200)
    inner = PchipInterpolator(KNOTS.margin, KNOTS.log_expected)
    between = (margin > 0) & (margin < 2)
    assert KNOTS.apply(margin[between]) == pytest.approx(inner(margin[between]), abs=1e-12)
    assert KNOTS.derivative(margin[between]) == pytest.approx(inner.derivative()(margin[between]), abs=1e-12)


def test_it_goes_through_its_knots():
    assert KNOTS.apply(np.array(KNOTS.margin)) == pytest.approx(KNOTS.log_expected, abs=1e-15)


@given(calibrations(), st.lists(st.floats(-50, 50), min_size=2, max_size=30))
def test_it_never_falls_and_always_has_a_slope(curve: Calibration, margins: list[float]):
    margin = np.unique(np.round([*margins, *curve.margin], 6))
    assert (np.diff(curve.apply(margin)) > 0).all()
    assert (curve.derivative(margin) >= 0).all()
    assert (curve.derivative(np.array([curve.margin[0] - 1, curve.margin[-1] + 1])) > 0).all()


@given(calibrations())
def test_its_slope_does_not_jump(curve: Calibration):
    knots = np.array(curve.margin)
    left, right = curve.derivative(np.nextafter(knots, -np.inf)), curve.derivative(knots)
    steepest = (np.diff(curve.log_expected) / np.diff(knots)).max()
    assert left == pytest.approx(right, rel=1e-6, abs=1e-9 * steepest)


def test_beyond_the_ends_it_is_a_line_that_rises():
    flat_start = Calibration((0.0, 1.0, 1.1), (0.0, 0.001, 5.0))
    slope = flat_start.derivative(np.array([-1.0, -100.0]))
    assert slope[0] == slope[1] == pytest.approx(0.0001)
    assert flat_start.apply(np.array([-10.0]))[0] == pytest.approx(-0.001)


def test_json_keeps_it_exactly():
    record = json.loads(json.dumps(KNOTS.to_json()))
    assert record.keys() == {"margin", "log_expected"}
    assert Calibration.from_json(record) == KNOTS


@pytest.mark.parametrize(
    ("margin", "values", "words"),
    [
        ((0.0, 0.0), (0.0, 1.0), "margin goes from 0.0 to 0.0 at knot 1; expected strictly increasing"),
        ((0.0, 1.0), (1.0, 0.5), "log_expected goes from 1.0 to 0.5 at knot 1"),
        ((0.0,), (1.0,), "got 1 margins and 1 values; expected as many of each, two or more"),
        ((0.0, 1.0), (1.0, 2.0, 3.0), "got 2 margins and 3 values"),
        ((0.0, float("nan")), (1.0, 2.0), "margin holds a number that is not finite"),
    ],
)
def test_knots_that_do_not_rise_are_refused(margin: tuple[float, ...], values: tuple[float, ...], words: str):
    with pytest.raises(CalibrationError, match=words):
        Calibration(margin, values)


def test_several_curves_at_once_say_what_each_says_to_the_bit():
    curves = [KNOTS, Calibration((0.0, 1.0), (0.5, 0.6)), Calibration((-3.0, -1.0, 2.0, 5.0), (0.0, 0.1, 2.0, 2.1))]
    margins = np.random.default_rng(4).normal(0, 4, (3, 200))
    margins[:, :3] = [-1.0, 0.0, 1.0]
    expected = [curve.apply(row).tolist() for curve, row in zip(curves, margins, strict=True)]
    assert Calibrations(curves).apply(margins).tolist() == expected
