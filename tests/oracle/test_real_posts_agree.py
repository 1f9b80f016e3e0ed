"""The SQL agrees with the code on real posts too, whose texts nobody made up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from nasty_tables import Tables
from oracle import compare

from clout.data.history import read_tables
from clout.data.lake import Lake
from clout.data.sources.mapping import read_mapping
from clout.data.sources.table import ingest

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Cut = Callable[[pl.DataFrame], pl.DataFrame]


@pytest.fixture
def tables_from(shared_data: Path, root: Path, tmp_path: Path) -> Callable[..., Tables]:
    """Tables of some rows of the shared sets, read as their mappings say."""

    def ingested(**cuts: Cut) -> Tables:
        lake = Lake(tmp_path / "lake")
        for name, cut in cuts.items():
            file = tmp_path / f"{name}.parquet"
            cut(pl.read_parquet(shared_data / file.name)).write_parquet(file)
            ingest(lake, file, read_mapping(root / "data" / "mappings" / f"{name}.toml"), NOW)
        return read_tables(lake)

    return ingested


def test_politicians(tables_from: Callable[..., Tables]) -> None:
    def eight_accounts(rows: pl.DataFrame) -> pl.DataFrame:
        chosen = rows["author_id"].unique(maintain_order=True)[::60][:8]
        return rows.filter(pl.col("author_id").is_in(chosen.implode()))

    tables = tables_from(politicians=eight_accounts)
    assert not compare(tables, tables["posts"][::4])


def test_weibo(tables_from: Callable[..., Tables]) -> None:
    tables = tables_from(
        weibo_posts=lambda rows: rows.sort("created_at")[:200],
        weibo_actions=lambda rows: rows.sort("time")[:20_000:4],
    )
    assert tables["actions"].height > 1000
    assert not compare(tables, tables["posts"])
