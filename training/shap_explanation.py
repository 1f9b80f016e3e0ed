"""Reasons as SHAP's own object, for SHAP's own plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from clout.models.explain import Explanation

if TYPE_CHECKING:
    import shap


def shap_explanation(reasons: Explanation, unit: Literal["points", "log"] = "points") -> shap.Explanation:
    """The reasons as a `shap.Explanation`, (rows, features), for `shap.plots.waterfall`, `beeswarm`, `bar`, `scatter`.

    In points, base values plus values are the scores. In log they are the margins: the model's own output, on the
    scale of log(1 + actions).
    """
    import shap  # noqa: PLC0415 - takes seconds

    values, base = {
        "points": (reasons.points, reasons.base_score),
        "log": (reasons.phi, reasons.base_margin),
    }[unit]
    return shap.Explanation(values, base, reasons.values, feature_names=list(reasons.names))
