from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from clout.training.config import read_params

TREES = (5, 40)


@pytest.fixture(scope="module")
def taught(program: Callable[[str], ModuleType]) -> Any:  # noqa: ANN401 - a class of the benchmark
    """A lesson whose first feature raises the target and whose second, which may only raise it, would lower it."""
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(3_000, 3))
    target = matrix[:, 0] - 0.2 * matrix[:, 1]
    matrix[rng.random(3_000) < 0.1, 2] = np.nan
    return program("peers.learners").Lesson(matrix, target, ("a", "b", "c"), (1, 1, 0))


@pytest.mark.parametrize("learner", ["LightGBM", "XGBoost", "HistGradientBoosting"])
def test_each_learner_keeps_the_settings_of_training(
    learner: str,
    taught: Any,  # noqa: ANN401
    program: Callable[[str], ModuleType],
) -> None:
    if learner == "XGBoost":
        pytest.importorskip("xgboost")
    params = program("learners").seeded(read_params(None, ("fit.threads=1",)), 7, TREES[-1])
    judge = program("peers.learners").LEARNERS[learner](taught, params)
    asked = np.zeros((2, 3))
    asked[1, 1] = 2.0
    few, many = judge(taught.matrix, TREES)
    errors = [float(np.mean((margin - taught.target) ** 2)) for margin in (few, many)]
    assert 0.05 < errors[1] < errors[0] / 2
    low, high = judge(asked, TREES)[1]
    assert high == pytest.approx(low), "what may only rise was allowed to fall"


def test_a_learner_is_told_where_it_first_was_good_enough(program: Callable[[str], ModuleType]) -> None:
    learners = program("learners")
    assert learners.stages(300)[:2] == [10, 20]
    assert learners.stages(3) == [1, 2, 3]
    figures = {"trees": [10, 20], "squared_error": [0.5, 0.4], "spearman": [0.6, 0.7]}
    assert learners.at(figures, 1) == {"trees": 20, "squared_error": 0.4, "spearman": 0.7}
