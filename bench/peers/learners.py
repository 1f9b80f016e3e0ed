"""LightGBM as training uses it, and other boosters with the same settings, as far as each has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clout.training.config import Params
from clout.training.fit import fit

Floats = npt.NDArray[np.float64]
# The margins of rows (n, features), one array for each number of first trees, which rise.
Judge = Callable[[Floats, Sequence[int]], list[Floats]]

BINS = 255


@dataclass(frozen=True)
class Lesson:
    """The features (n, features) and targets (n,) to learn from, what the features are called, and their directions."""

    matrix: Floats
    target: Floats
    names: tuple[str, ...]
    directions: tuple[int, ...]


def lightgbm(lesson: Lesson, params: Params) -> Judge:
    """LightGBM, taught by the function that teaches all heads."""
    booster = fit(lesson.matrix, lesson.target, params, lesson.names, lesson.directions)
    return lambda rows, stages: [np.asarray(booster.predict(rows, num_iteration=trees)) for trees in stages]


def xgboost(lesson: Lesson, params: Params) -> Judge:
    """XGBoost, leaf by leaf on histograms."""
    import xgboost as xgb  # noqa: PLC0415 - may not be installed

    settings = {
        "objective": "reg:squarederror",
        "tree_method": "hist",
        "grow_policy": "lossguide",
        "max_bin": BINS,
        "max_leaves": params.fit.num_leaves,
        "max_depth": params.fit.max_depth,
        "eta": params.fit.learning_rate,
        "min_child_weight": params.fit.min_data_in_leaf,
        "lambda": params.fit.lambda_l2,
        "colsample_bytree": params.fit.feature_fraction,
        "subsample": params.fit.bagging_fraction,
        "monotone_constraints": lesson.directions,
        "seed": params.seed,
        "nthread": params.fit.threads,
    }
    booster = xgb.train(settings, xgb.QuantileDMatrix(lesson.matrix, lesson.target, max_bin=BINS), params.fit.trees)
    return lambda rows, stages: [booster.inplace_predict(rows, iteration_range=(0, trees)) for trees in stages]


def hist_gradient_boosting(lesson: Lesson, params: Params) -> Judge:
    """HistGradientBoosting, which draws features anew for each split and has no bagging of rows."""
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415 - slow to import
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    booster = HistGradientBoostingRegressor(
        max_bins=BINS,
        max_iter=params.fit.trees,
        max_leaf_nodes=params.fit.num_leaves,
        max_depth=params.fit.max_depth,
        learning_rate=params.fit.learning_rate,
        min_samples_leaf=params.fit.min_data_in_leaf,
        l2_regularization=params.fit.lambda_l2,
        max_features=params.fit.feature_fraction,
        monotonic_cst=list(lesson.directions),
        early_stopping=False,
        random_state=params.seed,
    )
    with threadpool_limits(params.fit.threads, "openmp"):
        booster.fit(lesson.matrix, lesson.target)
    return lambda rows, stages: [
        margin for trees, margin in enumerate(booster.staged_predict(rows), 1) if trees in stages
    ]


LEARNERS: dict[str, Callable[[Lesson, Params], Judge]] = {
    "LightGBM": lightgbm,
    "XGBoost": xgboost,
    "HistGradientBoosting": hist_gradient_boosting,
}
