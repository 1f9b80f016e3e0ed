"""The main head as a scikit-learn estimator: features in, expected actions out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from clout.features.catalogue import CONTRACT
from clout.models.calibration import Calibration
from clout.training.calibrate import CalibrationDataError, fit_calibration
from clout.training.config import Fit, Params
from clout.training.fit import fit

if TYPE_CHECKING:
    import lightgbm as lgb

Floats = npt.NDArray[np.float64]
DEFAULT = Fit()
HELD_BACK, LEAST_HELD_BACK = 0.2, 60
DIRECTIONS = {feature.name: feature.direction for feature in CONTRACT.features}


class CloutRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Expected actions of posts from their features, as the main head of a bundle learns them.

    `fit` takes the rows in the order of time, as `dataset` gives them: a model taught on the first four fifths says
    how its output becomes actions, then the booster learns from all rows. Features that the catalogue knows keep their
    direction; others are free. Missing values are allowed. The parameters are those of `fit.*` in docs/settings.md.
    """

    def __init__(
        self,
        trees: int = DEFAULT.trees,
        num_leaves: int = DEFAULT.num_leaves,
        max_depth: int = DEFAULT.max_depth,
        learning_rate: float = DEFAULT.learning_rate,
        min_data_in_leaf: int = DEFAULT.min_data_in_leaf,
        lambda_l2: float = DEFAULT.lambda_l2,
        feature_fraction: float = DEFAULT.feature_fraction,
        bagging_fraction: float = DEFAULT.bagging_fraction,
        threads: int = DEFAULT.threads,
        random_state: int | np.random.RandomState | None = 7,
    ) -> None:
        self.trees = trees
        self.num_leaves = num_leaves
        self.max_depth = max_depth
        self.learning_rate = learning_rate
        self.min_data_in_leaf = min_data_in_leaf
        self.lambda_l2 = lambda_l2
        self.feature_fraction = feature_fraction
        self.bagging_fraction = bagging_fraction
        self.threads = threads
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:  # noqa: N803 - scikit-learn's names
        """Itself, fitted to features `X` (n, features) and outcomes `y` (n,), numbers of actions from 0."""
        matrix, outcome = validate_data(
            self, X, y, dtype=np.float64, y_numeric=True, ensure_all_finite="allow-nan", ensure_min_samples=2
        )
        if outcome.min() < 0:
            raise ValueError(f"got an outcome of {outcome.min():g}; expected numbers of actions, 0 or more")
        target, params = np.log1p(np.asarray(outcome, dtype=np.float64)), self._params()
        self.booster_ = self._boost(matrix, target, params)
        learned = self._learn_curve(matrix, target, params)
        self.curve_ = learned or _lifted(np.asarray(self.booster_.predict(matrix)), target)
        return self

    def predict(self, X: npt.ArrayLike) -> Floats:  # noqa: N803 - scikit-learn's names
        """The expected actions of each row, (n,), never below 0."""
        margin = self.margin(X)
        return np.expm1(np.maximum(self.curve_.apply(margin), 0))

    def margin(self, X: npt.ArrayLike) -> Floats:  # noqa: N803 - scikit-learn's names
        """The booster's own prediction of log(1 + actions), (n,): what ranks and R² are told of."""
        check_is_fitted(self)
        matrix = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        return np.asarray(self.booster_.predict(matrix))

    def _params(self) -> Params:
        given = {name: value for name, value in self.get_params().items() if name != "random_state"}
        plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in given.items()}
        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            seed = check_random_state(seed).randint(2**31 - 1)
        return Params.model_validate({"seed": int(seed), "fit": plain})

    def _boost(self, matrix: Floats, target: Floats, params: Params) -> lgb.Booster:
        numbered = [f"x{column}" for column in range(matrix.shape[1])]
        told = getattr(self, "feature_names_in_", numbered)
        names = [name if name in DIRECTIONS else number for name, number in zip(told, numbered, strict=True)]
        return fit(matrix, target, params, names, [DIRECTIONS.get(name, 0) for name in names])

    def _learn_curve(self, matrix: Floats, target: Floats, params: Params) -> Calibration | None:
        """How margins become log(1 + expected actions), from the newest rows; None where they are too few to tell."""
        kept = int(len(target) * (1 - HELD_BACK))
        newest = target[kept:]
        if len(newest) < LEAST_HELD_BACK:
            return None
        booster = self._boost(matrix[:kept], target[:kept], params)
        try:
            return fit_calibration(np.asarray(booster.predict(matrix[kept:])), np.expm1(newest))
        except CalibrationDataError:
            return None

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.positive_only = True
        return tags


def _lifted(margin: Floats, target: Floats) -> Calibration:
    """The straight curve that makes the expected actions of all rows add up."""
    lift = float(np.log(np.exp(target).mean() / np.exp(margin).mean()))
    return Calibration((0.0, 1.0), (lift, 1.0 + lift))
