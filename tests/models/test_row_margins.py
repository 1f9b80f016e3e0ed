"""All models for one row against LightGBM, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from random_trees import Case, cases

from clout.models.row_margins import RowMargins
from clout.models.trees import TreesError


@settings(max_examples=40, deadline=None, derandomize=True)
@given(case=cases())
@example(case=Case(params={"num_leaves": 60, "max_depth": -1}, columns=3))
@example(case=Case(params={"min_data_in_leaf": 201}))
@example(case=Case(trees=1, params={"zero_as_missing": True}, columns=2))
def test_a_row_gets_what_lightgbm_says(case: Case):
    booster = case.booster()
    asked = RowMargins({"main": booster.model_to_string()})
    matrix = case.asked(booster)[::3]
    expected = np.asarray(booster.predict(matrix, raw_score=True, num_threads=1))
    assert [asked(row[None])["main"].tolist() for row in matrix] == expected[:, None].tolist()


def test_several_models_keep_their_trees_apart():
    sizes = {"main": (12, 4), "low": (3, 9), "like": (1, 2), "constant": (2, 2)}
    boosters = {
        name: Case(
            trees=trees, params={"num_leaves": leaves} | ({"min_data_in_leaf": 201} if name == "constant" else {})
        ).booster()
        for name, (trees, leaves) in sizes.items()
    }
    asked = RowMargins({name: booster.model_to_string() for name, booster in boosters.items()})
    row = Case().matrix()[:1]
    told = {name: booster.predict(row, raw_score=True).tolist() for name, booster in boosters.items()}
    assert {name: margin.tolist() for name, margin in asked(row).items()} == told
    assert len({tuple(margin) for margin in told.values()}) == len(sizes)


def test_trees_of_another_kind_are_refused():
    with pytest.raises(TreesError, match="linear leaves"):
        RowMargins({"main": Case(params={"linear_tree": True}, trees=2).booster().model_to_string()})
