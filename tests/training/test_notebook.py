"""From a notebook: frames in and out, the figures of the commands, and never the last block unasked."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from types import FunctionType

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from trained_society import Studied, TrainedSociety

import clout.training
from clout.data.simulate import Simulation
from clout.errors import CloutError
from clout.training import CloutRegressor, Params, compare, dataset, evaluate
from clout.training.notebook import INTERVALS, NotebookError
from clout.training.splits import SplitError
from clout.training.training_data import SplitsError, TrainingData, training_data


@pytest.fixture(scope="module")
def data(studied: Studied, trained: TrainedSociety) -> TrainingData:
    return training_data(studied.dataset, studied.params, trained.lake)


@pytest.fixture(scope="module")
def regressor(studied: Studied) -> CloutRegressor:
    return CloutRegressor(trees=studied.held.trees, threads=1)


@pytest.fixture(scope="module")
def compared(data: TrainingData, trained: TrainedSociety, regressor: CloutRegressor) -> pd.DataFrame:
    return compare({"bundle": trained.model, "regressor": regressor, "mean": DummyRegressor()}, data)


def test_the_names_stay_with_the_callables_whatever_is_imported(modules: dict[str, Path]) -> None:
    for name in modules:
        if name.startswith("clout.training."):
            importlib.import_module(name)
    for name in ("dataset", "train", "evaluate", "compare"):
        assert isinstance(getattr(clout.training, name), FunctionType)
    assert importlib.import_module("clout.training.dataset").build
    assert set(clout.training.__all__) <= set(dir(clout.training))


def test_frames_hold_the_posts_that_were_ripe_before_the_last_block(data: TrainingData, studied: Studied) -> None:
    start = studied.dataset.plan.final.start
    assert (data.posts["ripe_at"] < start).all()
    assert len(data.X) == studied.dataset.frame.filter(pl.col("ripe_at") < start).height
    assert data.X.index.equals(data.posts.index)
    assert data.when.is_monotonic_increasing
    assert list(data.X.columns) == list(studied.dataset.contract.names)
    assert data.X.dtypes.unique().tolist() == [np.dtype(np.float64)]
    row = studied.dataset.frame.row(by_predicate=pl.col("post") == data.X.index[1000], named=True)
    known = data.X.iloc[1000].dropna()
    assert known.to_dict() == {name: row[name] for name in known.index}
    assert (data.y.iloc[1000], data.groups.iloc[1000]) == (row["outcome"], row["account"])
    texts = dict(studied.dataset.store.history.posts.select("post", "text").iter_rows())
    assert data.posts["text"].to_dict() == {post: texts[post] for post in data.X.index}


def test_splits_keep_time_and_cold_accounts(data: TrainingData, studied: Studied) -> None:
    blocks = list(data.cv.split(data.X, data.y, data.groups))
    assert len(blocks) == data.cv.get_n_splits() == len(studied.dataset.plan.rolling)
    for taught, judged in blocks:
        assert data.posts["ripe_at"].iloc[taught].max() < data.when.iloc[judged].min()
        assert not data.posts["cold"].iloc[taught].any()
    assert data.posts["cold"].iloc[blocks[-1][1]].any()
    assert sum(len(judged) for _, judged in blocks) == studied.held.frame.height


def test_splits_refuse_other_rows(data: TrainingData) -> None:
    with pytest.raises(SplitsError, match=r"got 10 rows to split; expected the \d,\d{3} of the data"):
        next(data.cv.split(data.X[:10]))


def test_a_frame_is_what_a_model_scores(data: TrainingData, trained: TrainedSociety) -> None:
    scores = trained.model.score(data.frame[:20])
    assert scores.index.equals(data.X.index[:20])
    assert scores["post"].tolist() == data.X.index[:20].tolist()


def test_a_trained_model_has_the_figures_of_its_report(data: TrainingData, trained: TrainedSociety) -> None:
    told, report = evaluate(trained.model, data), trained.trained.report
    figure = report["model"]["spearman"]
    assert told.loc["spearman", ["model", "low", "high"]].tolist() == [figure[end] for end in ("value", "low", "high")]
    assert told.loc["spearman", "followers"] == report["baselines"]["followers"]["spearman"]
    assert told.loc["skill_account_mean", "low"] == report["skill"]["account_mean"]["low"]
    assert set(told.columns) == {"model", "low", "high", *report["baselines"]}


def test_a_regressor_is_judged_on_the_same_posts_beside_the_same_baselines(
    data: TrainingData, trained: TrainedSociety, regressor: CloutRegressor
) -> None:
    own, bundle = evaluate(regressor, data), evaluate(trained.model, data)
    assert set(bundle.index) - set(own.index) == set(INTERVALS)
    for name in ("spearman", "r2_log", "within_account_spearman", "skill_account_mean"):
        assert own.loc[name].equals(bundle.loc[name])
    assert own["account_mean"].equals(bundle.loc[own.index, "account_mean"])
    assert own.loc["total_ratio", "model"] != bundle.loc["total_ratio", "model"]


def test_a_regressor_at_the_end_of_others_is_judged_by_its_margin(
    data: TrainingData, regressor: CloutRegressor
) -> None:
    alone = evaluate(regressor, data)
    piped = make_pipeline(FunctionTransformer(), GridSearchCV(regressor, {"random_state": [7]}, cv=2))
    assert evaluate(piped, data).equals(alone)


def test_the_last_block_is_opened_only_when_asked(data: TrainingData, studied: Studied) -> None:
    final = studied.dataset.plan.final
    spoiled = studied.dataset.frame.with_columns(
        outcome=pl.when(pl.col("happened_at") >= final.start).then(0.0).otherwise("outcome")
    )
    other = training_data(replace(studied.dataset, frame=spoiled), studied.params, data.lake)
    assert other.y.equals(data.y)
    assert evaluate(DummyRegressor(), other).equals(evaluate(DummyRegressor(), data))
    opened = evaluate(DummyRegressor(), data, final=True)
    actual = studied.dataset.frame.filter(final.judged())["outcome"].sum()
    taught = studied.dataset.frame.filter(final.taught())["outcome"].mean()
    posts = studied.dataset.frame.filter(final.judged()).height
    assert opened.loc["total_ratio", "model"] == pytest.approx(taught * posts / actual)


def test_compare_tells_each_figure_and_the_difference_to_the_first(compared: pd.DataFrame) -> None:
    assert compared.index.names == ["figure", "model"]
    same = compared.loc[("spearman", "regressor")]
    assert same["difference"] == same["difference_low"] == same["difference_high"] == 0
    assert compared.loc[("spearman", "bundle"), ["difference"]].isna().all()
    worse = compared.loc[("msle", "mean")]
    assert 0 < worse["difference_low"] < worse["difference"] < worse["difference_high"]
    assert worse["difference"] == pytest.approx(worse["value"] - compared.loc[("msle", "bundle"), "value"])


def test_what_a_regressor_does_not_tell_is_not_compared(
    compared: pd.DataFrame, data: TrainingData, trained: TrainedSociety
) -> None:
    assert "coverage" not in compared.index.get_level_values("figure")
    bundles = compare({"one": trained.model, "two": trained.model}, data)
    assert bundles.loc[("coverage", "one"), "value"] == trained.trained.report["model"]["coverage"]["value"]


def test_other_data_are_refused(data: TrainingData, trained: TrainedSociety, tmp_path: Path) -> None:
    with pytest.raises(NotebookError, match=r"was trained on \w{12}; expected the same"):
        evaluate(trained.model, replace(data, lake=type(data.lake)(tmp_path)))
    weighed = data.params.model_copy(update={"action_values": {"like": 1.0}})
    with pytest.raises(NotebookError, match="the data count others"):
        compare({"bundle": trained.model}, replace(data, params=weighed))


def test_tables_may_be_frames_of_either_kind(society: Simulation) -> None:
    early = society.tables | {"posts": society.tables["posts"].head(400)}
    pandas = {name: frame.to_pandas() for name, frame in early.items()}
    pandas["accounts"] = pandas["accounts"].drop(columns="handle")
    for tables in (early, pandas):
        with pytest.raises(SplitError, match=r"got \d+ posts with a known outcome; expected at least 500"):
            dataset(tables, Params())


def test_tables_there_are_not_are_refused() -> None:
    with pytest.raises(NotebookError, match="got a table 'tweets'; expected some of accounts, "):
        dataset({"tweets": pl.DataFrame()})


def test_rows_that_break_a_rule_are_refused(society: Simulation) -> None:
    posts = society.tables["posts"].head(3).to_pandas()
    posts.loc[1, "account"] = None
    with pytest.raises(NotebookError, match=r"1 of 3 rows of posts cannot be used \(row 2: an id is missing\)"):
        dataset({"posts": posts})
    with pytest.raises(CloutError, match="happened_at"):
        dataset({"posts": posts[["post", "account"]]})
