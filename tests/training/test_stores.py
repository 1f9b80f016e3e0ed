"""A lake is read whole while it is small, and in shards by processes when it is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from trained_society import Studied, TrainedSociety

from clout.training import stores
from clout.training.sharded_lake import ShardedLake
from clout.training.whole_lake import WholeLake


def test_a_small_lake_is_read_whole(trained: TrainedSociety, studied: Studied, tmp_path: Path) -> None:
    with stores.opened(trained.lake, studied.params, tmp_path / "home") as store:
        assert isinstance(store, WholeLake)
    assert stores.steps(trained.lake) == 0
    assert not (tmp_path / "home").exists()


def test_a_large_lake_is_cut_and_nothing_of_it_is_left(
    trained: TrainedSociety, studied: Studied, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "ROWS_IN_MEMORY", 1_000)
    told: list[str] = []
    with stores.opened(trained.lake, studied.params, tmp_path / "home", told.append) as store:
        assert isinstance(store, ShardedLake)
        assert store.labels().equals(studied.dataset.store.labels())
    assert len(told) == stores.steps(trained.lake) == stores.CUTTING
    assert not [*(tmp_path / "home").iterdir()]
