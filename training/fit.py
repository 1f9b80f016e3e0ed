"""LightGBM heads: the expected outcome, each kind of action, and the two quantiles."""

from __future__ import annotations

import re
from collections.abc import Sequence

import lightgbm as lgb
import numpy as np

from clout.training.config import Params
from clout.training.matrix import SLICE, Floats, Matrix, Places
from clout.training.staircase import LEVEL, Staircase

THREADS = re.compile(r"\[num_threads: \d+\]\n")
MAIN: dict[str, object] = {"objective": "regression"}
ROWS_A_THREAD = 20_000  # with fewer, threads wait for each other longer than they work


def quantile(alpha: float) -> dict[str, object]:
    """The objective of a quantile head."""
    return {"objective": "quantile", "alpha": alpha}


class Binned:
    """Some rows of features, put in bins once for all heads that learn from them; the bins are all that is kept."""

    def __init__(self, matrix: Matrix, places: Places, params: Params, names: Sequence[str]) -> None:
        """The rows of `matrix` at `places`, read in slices; LightGBM takes the edges of the bins from a sample of them."""
        self.places, self._trees = places, params.fit.trees
        self._settings = {**settings(params), "num_threads": threads(len(places), params.fit.threads)}
        self._data = lgb.Dataset(_Slices(matrix, places), feature_name=list(names), params=self._settings)
        self._column = list(names).index(LEVEL) if LEVEL in names else None
        self._level = np.empty(0) if self._column is None else _column(matrix, places, self._column)

    def fit(self, target: Floats, directions: Sequence[int], objective: dict[str, object] = MAIN) -> lgb.Booster:
        """A booster of `target`, log1p counts of the rows (places,), as `fit` below has it."""
        chosen = {**self._settings, **objective}
        if objective["objective"] != "quantile":
            chosen["monotone_constraints"] = list(directions)
        first = None if self._column is None else Staircase.fitted(self._column, self._level, target)
        if first is None:
            return lgb.train(chosen, self._data.set_label(target), num_boost_round=self._trees)
        left = self._data.set_label(target - first(self._level))
        others = lgb.train(chosen, left, num_boost_round=max(1, self._trees - 1))
        whole = lgb.Booster(model_str=first.before(others.model_to_string()))
        return lgb.Booster(model_str=whole.model_to_string(num_iteration=self._trees))


def fit(
    matrix: Matrix,
    target: Floats,
    params: Params,
    names: Sequence[str],
    directions: Sequence[int],
    objective: dict[str, object] = MAIN,
) -> lgb.Booster:
    """A booster of log1p counts `target` (n,) on `matrix` (n, features); rows whose target is NaN are left out.

    `directions` are the monotone constraints, which quantile objectives do not know and go without. The same seed and data give the same trees on any number of threads.
    """
    known = np.flatnonzero(~np.isnan(target))
    return Binned(matrix, known, params, names).fit(target[known], directions, objective)


def threads(rows: int, most: int) -> int:
    """How many threads, of `most`, learn from so many rows: one for each `ROWS_A_THREAD`.

    >>> threads(5_000, 2), threads(50_000, 2), threads(90_000, 8)
    (1, 2, 4)
    """
    return min(most, max(1, rows // ROWS_A_THREAD))


def settings(params: Params) -> dict[str, object]:
    """What LightGBM is told of every head; its objective, directions and threads come on top."""
    return {
        "num_leaves": params.fit.num_leaves,
        "max_depth": params.fit.max_depth,
        "learning_rate": params.fit.learning_rate,
        "min_data_in_leaf": params.fit.min_data_in_leaf,
        "lambda_l2": params.fit.lambda_l2,
        "feature_fraction": params.fit.feature_fraction,
        "bagging_fraction": params.fit.bagging_fraction,
        "bagging_freq": 1,
        "seed": params.seed,
        "data_random_seed": params.seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }


def _column(matrix: Matrix, places: Places, column: int) -> Floats:
    """One feature of the rows at `places`, (places,)."""
    parts = (matrix[places[first : first + SLICE]][:, column] for first in range(0, len(places), SLICE))
    return np.concatenate([np.empty(0), *parts])


class _Slices(lgb.Sequence):
    """Rows of a matrix as LightGBM asks for them: first single ones in order, the sample, then all in slices."""

    batch_size = SLICE

    def __init__(self, matrix: Matrix, places: Places) -> None:
        self._matrix, self._places = matrix, places
        self._first, self._slice = -1, np.empty((0, 0))

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int | slice | list[int]) -> Floats:
        if not isinstance(index, int | np.integer):
            return self._matrix[self._places[index]]
        first = index // SLICE * SLICE
        if first != self._first:
            self._first, self._slice = first, self[first : first + SLICE]
        row: Floats = self._slice[index - first]
        return row


def text(booster: lgb.Booster) -> str:
    """The booster as a bundle keeps it: without the number of threads it was taught with, which decides nothing."""
    return THREADS.sub("", booster.model_to_string())
