"""The first tree: flat where others learn, rising beyond, and as good a tree as any to whatever reads a model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clout.models.row_margins import RowMargins
from clout.models.tree_shap import TreeShap
from clout.training.config import Fit, Params
from clout.training.fit import MAIN, fit, quantile
from clout.training.matrix import Floats
from clout.training.staircase import KNEE, LEVEL, SLOPE, STEP, STEPS, Staircase

CHANCE = np.random.default_rng(7)
NAMES, FEW = ("other", LEVEL), Params(fit=Fit(trees=30, threads=1))
LEVELS = np.where(CHANCE.random(4_000) < 0.1, np.nan, CHANCE.gamma(2, 1, 4_000))
MATRIX = np.column_stack([CHANCE.normal(size=4_000), LEVELS])
TARGET = np.nan_to_num(LEVELS, nan=1.5) + 0.3 * MATRIX[:, 0] + CHANCE.normal(scale=0.3, size=4_000)
BEYOND = np.column_stack([np.zeros(4), [6.0, 9.0, 12.0, 15.0]])


def rows_at(*levels: float) -> Floats:
    return np.column_stack([np.zeros(len(levels)), levels])


@pytest.mark.parametrize("objective", [MAIN, quantile(0.05), quantile(0.95)])
def test_who_is_larger_than_all_that_were_learned_from_is_told_more(objective: dict[str, object]) -> None:
    known = ~np.isnan(LEVELS) & (LEVELS < 5)
    booster = fit(MATRIX[known], TARGET[known], FEW, NAMES, (0, 1), objective)
    larger = np.diff(np.asarray(booster.predict(rows_at(6, 7, 8, 9))))
    assert larger == pytest.approx([SLOPE] * 3)


def test_without_a_level_trees_say_the_same_of_all_that_lies_beyond() -> None:
    for names, matrix in (
        (("other", "level"), MATRIX),
        (NAMES, np.column_stack([MATRIX[:, 0], np.full(4_000, np.nan)])),
    ):
        booster = fit(matrix, TARGET, FEW, names, (0, 1))
        assert len(set(np.asarray(booster.predict(rows_at(9, 12, 15))).tolist())) == 1
        assert booster.num_trees() == 30


def test_where_posts_are_it_is_flat_and_missing_levels_stand_there() -> None:
    stairs = Staircase.fitted(1, LEVELS, TARGET)
    assert stairs is not None
    below = np.nanquantile(LEVELS, KNEE)
    assert stairs.knee == below
    assert stairs(np.array([0.0, below, np.nan])).tolist() == [stairs.start] * 3
    assert stairs(np.array([below + STEP / 2, 99.0])) - stairs.start == pytest.approx(
        [SLOPE * STEP / 2, SLOPE * STEP * (STEPS - 0.5)]
    )
    assert np.mean(TARGET - stairs(LEVELS)) == pytest.approx(0, abs=1e-12)


@given(st.lists(st.one_of(st.floats(0, 20), st.just(np.nan)), min_size=1, max_size=40))
def test_it_is_the_first_tree_of_a_booster(levels: list[float]) -> None:
    stairs, booster = Staircase.fitted(1, LEVELS, TARGET), fit(MATRIX, TARGET, FEW, NAMES, (0, 1))
    assert stairs is not None
    assert np.asarray(booster.predict(rows_at(*levels), num_iteration=1)).tolist() == stairs(np.array(levels)).tolist()


def test_as_many_trees_as_asked_for_and_the_first_alone_is_enough() -> None:
    for trees in (1, 2, 30):
        booster = fit(MATRIX, TARGET, Params(fit=Fit(trees=trees, threads=1)), NAMES, (0, 1))
        assert booster.num_trees() == trees
        assert np.mean(np.asarray(booster.predict(MATRIX))) == pytest.approx(TARGET.mean(), abs=0.05)


def test_what_reads_models_reads_it_and_every_leaf_has_its_cover() -> None:
    booster = fit(MATRIX, TARGET, FEW, NAMES, (0, 1))
    rows, text = np.vstack([MATRIX[:200], BEYOND]), booster.model_to_string()
    told = np.asarray(booster.predict(rows, pred_contrib=True))
    assert told.sum(axis=1) == pytest.approx(np.asarray(booster.predict(rows)), abs=1e-9)
    assert TreeShap(text, 2)(rows) == pytest.approx(told[:, :-1], abs=1e-9)
    one_by_one = [RowMargins({"main": text})(row[None])["main"][0] for row in rows]
    assert one_by_one == np.asarray(booster.predict(rows)).tolist()
    mean = np.asarray(booster.predict(MATRIX)).mean()
    assert told[0, -1] == pytest.approx(mean, abs=0.02), "steps without a post must not weigh"
