"""The regressor is the bundle's main head, and behaves as scikit-learn expects of an estimator."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks
from trained_society import Studied, TrainedSociety

from clout.training.config import Fit
from clout.training.regressor import CloutRegressor
from clout.training.training_data import TrainingData, training_data

QUICK: dict[str, Any] = {"trees": 10, "threads": 1}


@parametrize_with_checks([CloutRegressor(trees=12, learning_rate=0.3, min_data_in_leaf=5, lambda_l2=0.1, threads=1)])
def test_scikit_learn_s_checks(estimator: CloutRegressor, check: Callable[[CloutRegressor], None]) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def data(studied: Studied, trained: TrainedSociety) -> TrainingData:
    return training_data(studied.dataset, studied.params, trained.lake)


@pytest.fixture(scope="module")
def fitted(data: TrainingData) -> CloutRegressor:
    return CloutRegressor(**QUICK).fit(data.X, data.y)


def test_its_parameters_are_those_of_training() -> None:
    told = CloutRegressor().get_params()
    assert told.pop("random_state") == 7
    assert told == {name: getattr(Fit(), name) for name in Fit.model_fields}


def test_it_learns_what_the_bundle_s_main_head_learns(studied: Studied, data: TrainingData) -> None:
    taught, judged = data.cv.blocks[-1]
    regressor = CloutRegressor(trees=studied.held.trees, threads=1).fit(data.X.iloc[taught], data.y.iloc[taught])
    newest = studied.held.frame["block"] == len(data.cv.blocks) - 1
    assert regressor.margin(data.X.iloc[judged]).tolist() == studied.held.margins["main"][newest.to_numpy()].tolist()
    assert data.y.iloc[judged].tolist() == studied.held.frame.filter(newest)["outcome"].to_list()


def test_expected_actions_add_up_on_the_newest_posts(data: TrainingData) -> None:
    taught, judged = data.cv.blocks[-1]
    regressor = CloutRegressor(trees=40, threads=1).fit(data.X.iloc[taught], data.y.iloc[taught])
    expected, actual = regressor.predict(data.X.iloc[judged]).sum(), data.y.iloc[judged].sum()
    assert 0.8 < expected / actual < 1.25
    assert np.expm1(regressor.margin(data.X.iloc[judged])).sum() / actual < 0.8


def test_few_rows_add_up_too(data: TrainingData) -> None:
    few = CloutRegressor(**QUICK, min_data_in_leaf=5).fit(data.X[:200], data.y[:200])
    assert few.curve_.margin == (0.0, 1.0)
    assert np.exp(few.curve_.apply(few.margin(data.X[:200]))).mean() == pytest.approx((1 + data.y[:200]).mean())


def test_features_of_the_catalogue_keep_their_direction(data: TrainingData, fitted: CloutRegressor) -> None:
    rows = pd.concat([data.X.iloc[[0]]] * 50, ignore_index=True)
    rows["outcome_level_365d"] = np.linspace(0, 8, 50)
    assert (np.diff(fitted.margin(rows)) >= 0).all()
    falling = data.X[["outcome_log_mean_90d"]].dropna()
    assert np.ptp(CloutRegressor(**QUICK).fit(falling, np.exp(-falling.iloc[:, 0])).margin(falling)) == 0
    renamed = falling.set_axis(["level"], axis=1)
    assert np.ptp(CloutRegressor(**QUICK).fit(renamed, np.exp(-renamed.iloc[:, 0])).margin(renamed)) > 0


def test_columns_in_another_order_are_refused(data: TrainingData, fitted: CloutRegressor) -> None:
    with pytest.raises(ValueError, match="same order"):
        fitted.predict(data.X[data.X.columns[::-1]])


@pytest.mark.parametrize(
    ("change", "words"),
    [({"trees": 0}, "greater than or equal to 1"), ({"learning_rate": 2.0}, "less than or equal to 1")],
)
def test_parameters_out_of_range_are_refused(data: TrainingData, change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        CloutRegressor(**change).fit(data.X, data.y)


def test_negative_outcomes_are_refused(data: TrainingData) -> None:
    with pytest.raises(ValueError, match=r"got an outcome of -1; expected numbers of actions, 0 or more"):
        CloutRegressor().fit(data.X, data.y.where(data.y > 0, -1))


def test_nothing_is_said_before_it_is_fitted(data: TrainingData) -> None:
    with pytest.raises(NotFittedError):
        CloutRegressor().predict(data.X)


def test_it_works_where_estimators_work(data: TrainingData, fitted: CloutRegressor) -> None:
    scores = cross_val_score(clone(fitted), data.X, data.y, cv=data.cv, scoring="neg_mean_squared_log_error")
    assert len(scores) == 3
    assert (scores > -2).all()
    piped = make_pipeline(FunctionTransformer(lambda frame: frame[["outcome_level_365d"]]), clone(fitted))
    search = GridSearchCV(piped, {"cloutregressor__trees": np.array([1, 8])}, cv=data.cv)
    search.fit(data.X, data.y)
    assert search.best_params_ == {"cloutregressor__trees": 8}


def test_it_can_be_kept(data: TrainingData, fitted: CloutRegressor) -> None:
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own bytes
    assert again.predict(data.X[:50]).tolist() == fitted.predict(data.X[:50]).tolist()


def test_the_seed_may_be_any_that_scikit_learn_takes(data: TrainingData) -> None:
    some = data.X[:500], data.y[:500]
    drawn = [
        CloutRegressor(**QUICK, random_state=seed).fit(*some).margin(some[0])
        for seed in (3, np.int64(3), np.random.RandomState(3), None)
    ]
    assert drawn[0].tolist() == drawn[1].tolist() != drawn[2].tolist()
