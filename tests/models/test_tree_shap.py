"""Tables of SHAP values against LightGBM's own and shap's, over random models and rows."""

from __future__ import annotations

import warnings
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from random_trees import Case, cases

from clout.models import leaf_groups, tree_shap
from clout.models.tree_shap import TreeShap
from clout.models.trees import TreesError

Floats = npt.NDArray[np.float64]
NEAR = 1e-9


def told(booster: lightgbm.Booster, matrix: Floats) -> tuple[Floats, Floats]:
    """What LightGBM says: the SHAP values and the base of each row."""
    answer = np.asarray(booster.predict(matrix, pred_contrib=True, num_threads=1))
    return answer[:, :-1], answer[:, -1]


def ours(booster: lightgbm.Booster) -> TreeShap:
    return TreeShap(booster.model_to_string(), booster.num_feature())


@settings(max_examples=200, deadline=None, derandomize=True)
@given(case=cases())
@example(case=Case(params={"num_leaves": 60, "max_depth": -1}, columns=3))
@example(case=Case(params={"num_leaves": 31, "max_depth": 12}, columns=12, rows=900))
@example(case=Case(params={"num_leaves": 31, "zero_as_missing": True}, columns=2))
@example(case=Case(params={"boosting": "dart", "drop_rate": 0.5}))
def test_values_are_those_of_lightgbm(case: Case):
    booster = case.booster()
    matrix = case.asked(booster)
    tables = ours(booster)
    phi, base = told(booster, matrix)
    mine = tables(matrix)
    assert np.abs(mine - phi).max() <= NEAR
    assert np.abs(tables.base - base).max() <= NEAR
    margin = np.asarray(booster.predict(matrix, raw_score=True, num_threads=1))
    assert np.abs(tables.base + mine.sum(axis=1) - margin).max() <= NEAR


@pytest.mark.parametrize("params", [{"max_depth": 4}, {"num_leaves": 25}, {"zero_as_missing": True}])
def test_values_are_those_of_shap(params: dict[str, Any]):
    shap = pytest.importorskip("shap")
    booster = Case(3, columns=6, params=params).booster()
    matrix = Case(3, columns=6).matrix()
    if "zero_as_missing" in params:  # shap 0.51 does not know of it
        matrix = matrix[(matrix != 0).all(axis=1)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        explainer = shap.TreeExplainer(booster)
        explainer.model.model_type = "internal"  # else it asks LightGBM for pred_contrib
        expected = explainer.shap_values(matrix, check_additivity=False)
    assert np.abs(ours(booster)(matrix) - expected).max() <= NEAR


@pytest.mark.parametrize("limit", [("STATES", 1), ("STATES", 16), ("STATES", 4096)])
def test_how_leaves_are_grouped_changes_nothing(monkeypatch: pytest.MonkeyPatch, limit: tuple[str, int]):
    booster = Case(5, columns=6, params={"num_leaves": 20}).booster()
    matrix = Case(5, columns=6).asked(booster)
    monkeypatch.setattr(leaf_groups, *limit)
    assert np.abs(ours(booster)(matrix) - told(booster, matrix)[0]).max() <= NEAR


def test_a_row_alone_gets_what_it_gets_among_others():
    booster = Case(6, rows=2000, columns=6).booster()
    tables = ours(booster)
    matrix = np.concatenate([Case(6, columns=6).asked(booster)] * 30)
    assert len(matrix) > tree_shap.BLOCK_ROWS
    together = tables(matrix)
    assert (tables(matrix[:300]) == together[:300]).all()
    assert (tables(matrix[-1:]) == together[-1:]).all()
    assert (tables(np.asfortranarray(matrix)) == together).all()
    assert tables(matrix[:0]).shape == (0, 6)


def test_the_rows_given_are_not_changed():
    booster = Case(7, params={"zero_as_missing": True}).booster()
    matrix = Case(7).asked(booster)
    before = matrix.copy()
    ours(booster)(matrix)
    np.testing.assert_array_equal(matrix, before)


@pytest.mark.parametrize("least", [150, 201])
def test_trees_of_two_leaves_or_of_one(least: int):
    booster = Case(8, trees=3, params={"min_data_in_leaf": least}).booster()
    matrix = Case(8).matrix()
    phi, base = told(booster, matrix)
    tables = ours(booster)
    assert np.abs(tables(matrix) - phi).max() <= NEAR
    assert tables.base == pytest.approx(base[0], abs=NEAR)
    assert (least == 201) == (not phi.any())


def test_a_column_that_no_tree_asks_for_gets_nothing():
    matrix = Case(9).matrix()
    matrix[:, [0, 3]] = 1.0
    target = np.nan_to_num(matrix[:, 1]) + np.nan_to_num(matrix[:, 4])
    booster = lightgbm.train({"num_threads": 1, "verbose": -1}, lightgbm.Dataset(matrix, target), 5)
    found = ours(booster)(matrix)
    assert not found[:, [0, 3]].any()
    assert np.abs(found - told(booster, matrix)[0]).max() <= NEAR


def trained_on_many_columns() -> lightgbm.Booster:
    random = np.random.default_rng(1)
    matrix = random.normal(size=(3000, 40))
    target = matrix @ random.normal(size=40)
    params = {"num_leaves": 255, "min_data_in_leaf": 1, "num_threads": 1, "verbose": -1, "feature_fraction_bynode": 0.1}
    return lightgbm.train(params, lightgbm.Dataset(matrix, target), 3)


def test_too_many_features_on_a_path_are_refused():
    with pytest.raises(TreesError, match="a path of more than 12 features"):
        ours(trained_on_many_columns())


def test_tables_too_large_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tree_shap, "NUMBERS", 1000)
    with pytest.raises(TreesError, match="more than 1000 numbers"):
        ours(Case().booster())


@pytest.mark.parametrize(
    "params", [{"linear_tree": True}, {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}]
)
def test_models_of_another_kind_are_refused(params: dict[str, Any]):
    with pytest.raises(TreesError, match=r"linear leaves|averaged trees"):
        ours(Case(params=params, trees=2).booster())


def test_categories_and_several_outputs_are_refused():
    random = np.random.default_rng(2)
    matrix = random.integers(0, 5, (300, 2)).astype(float)
    quiet = {"num_threads": 1, "verbose": -1, "min_data_per_group": 1, "cat_smooth": 0}
    categories = lightgbm.train(quiet, lightgbm.Dataset(matrix, matrix[:, 0] % 2, categorical_feature=[0]), 2)
    with pytest.raises(TreesError, match="categories"):
        ours(categories)
    classes = quiet | {"objective": "multiclass", "num_class": 3}
    with pytest.raises(TreesError, match="several outputs"):
        ours(lightgbm.train(classes, lightgbm.Dataset(matrix, matrix[:, 0] % 3), 2))


def test_a_split_that_sends_only_missing_values_to_one_side():
    """Everything up to 3, or missing, goes left; of that everything up to 5 goes left again."""
    text = Case(trees=1, params={"num_leaves": 3}).booster().model_to_string()
    tree = {"split_feature": "1 1", "threshold": "3 5", "decision_type": "10 8", "left_child": "1 -1"}
    tree |= {"right_child": "-2 -3", "leaf_count": "200 100 100", "internal_count": "400 300"}
    named = ((line.partition("=")[0], line) for line in text.splitlines())
    lines = [f"{name}={tree[name]}" if name in tree else line for name, line in named if name != "tree_sizes"]
    booster = lightgbm.Booster(model_str="\n".join(lines))
    matrix = np.zeros((4, 5))
    matrix[:, 1] = [2, 4, 6, np.nan]
    expected, _ = told(booster, matrix)
    assert len(set(expected[:, 1].round(9))) == 3
    assert np.abs(TreeShap("\n".join(lines), 5)(matrix) - expected).max() <= NEAR


def test_leaves_share_tables():
    booster = Case(params={"num_leaves": 15, "max_depth": 4}).booster()
    assert len(ours(booster).tables.first_pair) < 3 * booster.num_trees()


def test_a_column_that_is_missing_in_two_ways_is_refused():
    text = Case(trees=2, params={"num_leaves": 8}).booster().model_to_string()
    first, second = text.split("\nTree=1\n")
    with pytest.raises(TreesError, match="differ in what is missing"):
        TreeShap(first + "\nTree=1\n" + second.replace("decision_type=10", "decision_type=6"), 5)


def test_a_leaf_nobody_came_by_is_refused():
    text = Case(trees=1, params={"num_leaves": 2}).booster().model_to_string()
    counts = next(line for line in text.splitlines() if line.startswith("leaf_count="))
    with pytest.raises(TreesError, match="no row of training came by"):
        TreeShap(text.replace(counts, "leaf_count=400 0"), 5)
