from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from trained_society import TrainedSociety

from clout.models.score_model import ScoreModel


@pytest.fixture(scope="module")
def model(trained: TrainedSociety) -> ScoreModel:
    return trained.model


@pytest.fixture(scope="module")
def bulk(program: Callable[[str], ModuleType]) -> Any:  # noqa: ANN401 - a program
    return program("bulk")


def test_made_up_rows_hold_what_the_model_has_seen(bulk: Any, model: ScoreModel) -> None:  # noqa: ANN401
    matrix = model.contract.matrix(bulk.rows_of(model, 400))
    marks = model.bundle.json("quantiles.json")
    for name, values in zip(model.contract.names, matrix.T, strict=True):
        known = values[~np.isnan(values)]
        if marks[name] is None:
            assert not known.size
        else:
            assert marks[name][0] <= known.min() <= known.max() <= marks[name][-1]
            assert 0.85 < known.size / 400 < 1


@pytest.mark.parametrize("way", ["tables", "pred_contrib"])
def test_what_is_done_is_counted_with_its_time(
    way: str,
    bulk: Any,  # noqa: ANN401
    model: ScoreModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make, _ = bulk.WAYS[way]
    monkeypatch.setitem(bulk.WAYS, way, (make, 50))
    assert isinstance(model.bundle.directory, Path)
    done = bulk.judge(model.bundle.directory, way, 0.0, 0.01)
    assert done.rows >= 50
    assert done.rows % 50 == 0
    assert done.cpu_seconds > 0
    assert done.ended - done.began >= 0.01


def test_a_way_scores_and_explains_every_row(bulk: Any, model: ScoreModel) -> None:  # noqa: ANN401
    rows = bulk.rows_of(model, 30)
    score, points = bulk.by_tables(model)(rows)
    assert {"score", "score_low", "score_high", "expected_actions_low"} <= {*score.columns}
    assert points.shape == (30, len(model.contract.names))
    same, contributions = bulk.by_pred_contrib(model)(rows)
    assert same.equals(score)
    assert contributions[:, :-1] == pytest.approx(model.explain(rows).phi)
