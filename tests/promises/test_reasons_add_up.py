"""Points add up to the score within 1e-9, printed integers exactly, whatever the model says."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import small_bundle
from hypothesis import example, given
from hypothesis import strategies as st

from clout.features.contract import GROUPS
from clout.models.bundle import Bundle
from clout.models.calibration import Calibration
from clout.models.explain import Explanation, Phrasebook, points_rate
from clout.models.scale import Curve, Scale
from clout.models.score_model import ScoreModel

Floats = npt.NDArray[np.float64]
EXACT = 1e-9
SCALE = Scale("1", {"twitter": Curve(2.0, 4.3, 500), "weibo": Curve(0.5, 0.9, 40)})
CURVE = Calibration((-1.0, 0.0, 0.01, 1.5, 2.0, 9.0), (-0.5, 0.1, 0.3, 0.31, 3.0, 8.5))
WIDTH = len(small_bundle.FEATURES)
ordinary = st.floats(-4, 4)
extreme = st.floats(-60, 60)
tiny = st.floats(-1e-7, 1e-7)
phis = st.one_of(*(st.lists(size, min_size=WIDTH, max_size=WIDTH) for size in (ordinary, extreme, tiny)))


def explain(base: float, phi: Floats, network: str) -> Explanation:
    """The explanation of one row whose margin is `base` plus the sum of `phi`, as a model computes it."""
    base_margin = np.array([base])
    margin = base_margin + phi.sum()
    logs = CURVE.apply(np.stack([margin, base_margin]))
    score, base_score = SCALE.score(logs, [network])
    slope = SCALE.derivative(logs[1], [network]) * CURVE.derivative(base_margin)
    rate = points_rate(np.array([phi.sum()]), score - base_score, slope)
    values = np.zeros((1, WIDTH))
    return Explanation(
        Phrasebook(small_bundle.contract(), {}),
        (network,),
        values,
        margin,
        base_margin,
        phi[None],
        score,
        base_score,
        rate,
        {},
    )


def balanced(phi: Floats, moved: float) -> Floats:
    """The same phi with the last one chosen so that all sum to `moved`, but for rounding."""
    return np.append(phi[:-1], moved - phi[:-1].sum())


def assert_adds_up(explanation: Explanation) -> None:
    assert np.isfinite(explanation.points).all()
    assert explanation.base_score + explanation.points.sum(axis=1) == pytest.approx(explanation.score, abs=EXACT)
    for row in range(len(explanation)):
        printed = explanation.printed(row)
        assert printed.base + sum(printed.features.values()) == printed.score
        assert printed.base + sum(printed.groups.values()) == printed.score
        assert (printed.base, printed.score) == (round(explanation.base_score[row]), round(explanation.score[row]))


@given(extreme, phis, st.sampled_from(["twitter", "weibo"]))
@example(0.0, [0.0] * WIDTH, "twitter")
@example(300.0, [-600.0] + [0.0] * (WIDTH - 1), "weibo")
def test_points_add_up(base: float, phi: list[float], network: str):
    assert_adds_up(explain(base, np.array(phi), network))


@given(ordinary, phis, st.one_of(st.just(0.0), tiny, st.sampled_from([1e-9, -1e-9, 1.01e-9, 1e-12, 5e-324])))
@example(0.009, [1.0] * WIDTH, 5e-5)
@example(0.01, [1.0] * WIDTH, -2e-6)
def test_points_add_up_where_the_reasons_cancel_out(base: float, phi: list[float], moved: float):
    explanation = explain(base, balanced(np.array(phi), moved), "twitter")
    assert_adds_up(explanation)
    assert np.abs(explanation.points).max() <= 500 * max(1.0, np.abs(explanation.phi).max())


@given(ordinary, st.lists(ordinary, min_size=WIDTH, max_size=WIDTH), st.sampled_from([2e-9, -2e-9, 1e-8, 1e-7]))
def test_points_do_not_jump_where_the_reasons_nearly_cancel_out(base: float, phi: list[float], moved: float):
    near, there = (explain(base, balanced(np.array(phi), m), "twitter").points for m in (moved, 0.0))
    knots = np.abs(np.array(CURVE.margin) - base).min()
    if knots > 1e-6:
        assert near[0, :-1] == pytest.approx(there[0, :-1], rel=1e-3, abs=2e-3)


@given(extreme, phis)
def test_points_keep_order_and_sign(base: float, phi: list[float]):
    explanation = explain(base, np.array(phi), "twitter")
    order = np.argsort(explanation.phi[0], kind="stable")
    assert (np.diff(explanation.points[0, order]) >= 0).all()
    assert (explanation.points * explanation.phi >= 0).all()


@given(extreme, phis)
def test_printed_groups_are_the_sums_of_their_features(base: float, phi: list[float]):
    explanation = explain(base, np.array(phi), "twitter")
    printed = explanation.printed(0)
    for group in GROUPS:
        members = [spec.name for spec in explanation.contract.features if spec.group == group]
        assert printed.groups[group] == sum(printed.features[name] for name in members)
        assert abs(printed.groups[group] - explanation.groups(0)[group]) <= 1
    assert all(
        abs(printed.features[name] - points) < 2
        for name, points in zip(explanation.names, explanation.points[0], strict=True)
    )


def test_points_add_up_for_a_trained_model():
    model, people = ScoreModel(Bundle.of(small_bundle.files())), small_bundle.population()
    assert_adds_up(model.explain_rows(people.matrix, people.networks))
