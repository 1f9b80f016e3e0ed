"""What a cluster is taught are the rows that one process is taught, and its model is judged alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from clout.training.config import read_params


def kept(home: Path, rows: int) -> None:
    """A block as `learners.keep_blocks` leaves it; its features are in their order, the first raises the target."""
    matrix = np.column_stack([np.arange(rows, dtype=float), np.tile([0.0, 1.0], rows)[:rows]])
    np.savez(
        home / "block0.npz", known=[0, 1], matrix=matrix, target=matrix[:, 0] / rows, asked=matrix, truth=matrix[:, 0]
    )


@pytest.mark.parametrize("way", ["dealt out", "older and newer"])
def test_each_row_is_with_one_worker(way: str, tmp_path: Path, program: Callable[[str], ModuleType]) -> None:
    cluster = program("cluster")
    kept(tmp_path, 101)
    cluster.deal(tmp_path)
    rows = [np.load(cluster.part(tmp_path, way, 0, worker, "matrix"))[:, 0] for worker in range(2)]
    targets = [np.load(cluster.part(tmp_path, way, 0, worker, "target")) for worker in range(2)]
    assert sorted(np.concatenate(rows)) == list(range(101))
    assert all(np.array_equal(row / 101, target) for row, target in zip(rows, targets, strict=True))
    assert {len(row) for row in rows} == {50, 51}
    assert (rows[0].max() < rows[1].min()) == (way == "older and newer")


def test_directions_are_looked_at(program: Callable[[str], ModuleType]) -> None:
    cluster, rows = program("cluster"), np.random.default_rng(1).normal(size=(400, 2))
    fold = cluster.Fold(program("peers.learners").Lesson(rows, rows[:, 0], ("a", "b"), (1, 0)), rows, rows[:, 0])
    booster, cost = cluster.here(0, fold, read_params(None, ("fit.threads=1", "fit.trees=5")))
    assert cluster.keeps_directions(booster, fold)
    assert not cluster.keeps_directions(SimpleNamespace(predict=lambda asked: -asked[:, 0]), fold)
    assert len(cost) == 3
    assert "num_leaves=" in cluster.trees(booster)
    assert "num_threads" not in cluster.trees(booster)
