"""LightGBM heads: the expected outcome, each kind of action, and the two quantiles."""

from __future__ import annotations

import re
from collections.abc import Sequence

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from clout.training.config import Params

Floats = npt.NDArray[np.float64]
THREADS = re.compile(r"\[num_threads: \d+\]\n")
MAIN: dict[str, object] = {"objective": "regression"}


def quantile(alpha: float) -> dict[str, object]:
    """The objective of a quantile head."""
    return {"objective": "quantile", "alpha": alpha}


def fit(
    matrix: Floats,
    target: Floats,
    params: Params,
    names: Sequence[str],
    directions: Sequence[int],
    objective: dict[str, object] = MAIN,
) -> lgb.Booster:
    """A booster of log1p counts `target` (n,) on `matrix` (n, features); rows whose target is NaN are left out.

    `directions` are the monotone constraints, which quantile objectives do not know and go without. The same seed and data give the same trees on any number of threads.
    """
    known = ~np.isnan(target)
    settings = {
        **objective,
        "num_leaves": params.fit.num_leaves,
        "max_depth": params.fit.max_depth,
        "learning_rate": params.fit.learning_rate,
        "min_data_in_leaf": params.fit.min_data_in_leaf,
        "lambda_l2": params.fit.lambda_l2,
        "feature_fraction": params.fit.feature_fraction,
        "bagging_fraction": params.fit.bagging_fraction,
        "bagging_freq": 1,
        "seed": params.seed,
        "num_threads": params.fit.threads,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    if objective["objective"] != "quantile":
        settings["monotone_constraints"] = list(directions)
    data = lgb.Dataset(matrix[known], target[known], feature_name=list(names))
    return lgb.train(settings, data, num_boost_round=params.fit.trees)


def text(booster: lgb.Booster) -> str:
    """The booster as a bundle keeps it: without the number of threads it was taught with, which decides nothing."""
    return THREADS.sub("", booster.model_to_string())
