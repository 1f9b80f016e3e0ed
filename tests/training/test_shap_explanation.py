"""SHAP's own plots draw our reasons, and base value plus values are the score."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
import shap
import small_bundle

from clout.models.bundle import Bundle
from clout.models.explain import Explanation
from clout.models.score_model import ScoreModel
from clout.training import shap_explanation


@pytest.fixture(scope="module")
def reasons() -> Explanation:
    return ScoreModel(Bundle.of(small_bundle.files())).explain(small_bundle.population().frame()[:60])


@pytest.fixture(autouse=True)
def _headless() -> Iterator[None]:
    plt.switch_backend("agg")
    yield
    plt.close("all")


def test_points_add_up_to_the_score(reasons: Explanation) -> None:
    told = shap_explanation(reasons)
    assert np.abs(told.base_values + told.values.sum(axis=1) - reasons.score).max() < 1e-9
    assert told.feature_names == list(reasons.names)
    assert np.array_equal(told.data, reasons.values, equal_nan=True)


def test_log_units_add_up_to_the_margin(reasons: Explanation) -> None:
    told = shap_explanation(reasons, "log")
    assert np.abs(told.base_values + told.values.sum(axis=1) - reasons.margin).max() < 1e-9


@pytest.mark.parametrize("unit", ["points", "log"])
def test_shap_s_plots_draw_them(reasons: Explanation, unit: str) -> None:
    told = shap_explanation(reasons, unit)
    axes = shap.plots.waterfall(told[0], show=False)
    drawn = " ".join(text.get_text() for text in axes.get_figure().findobj(plt.Text))
    assert f"{told.values[0].sum() + told.base_values[0]:.3f}".rstrip("0") in drawn.replace("−", "-")
    assert any(name in drawn for name in reasons.names)
    plt.close("all")
    shap.plots.beeswarm(told, show=False)
    plt.close("all")
    shap.plots.bar(told, show=False)
    plt.close("all")
    one = told[:, "followers_log"]
    assert np.array_equal(one.values, told.values[:, list(reasons.names).index("followers_log")])
    shap.plots.scatter(one, show=False)
