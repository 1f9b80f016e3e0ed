from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import ModuleType

import polars as pl
import pytest

from clout.data.lake import Lake

WORKS = ("five counts per account and day", "with exact distinct engagers", "30 days and decayed, at each post")
ENGINES = ("pandas", "DuckDB", "Polars")


@pytest.fixture(scope="module")
def lake(program: Callable[[str], ModuleType], tmp_path_factory: pytest.TempPathFactory) -> Lake:
    made, lake = program("measuring.flood"), Lake(tmp_path_factory.mktemp("flood"))
    made.pour(made.Flood(3_000, days=40), lake)
    return lake


def recounted(what: str, actions: pl.DataFrame, posts: pl.DataFrame) -> dict[str, float]:
    """The totals, row by row."""
    if what != WORKS[2]:
        days = [(row["account"], row["happened_at"].date(), row["actor"]) for row in actions.iter_rows(named=True)]
        told = {"rows": len({day[:2] for day in days}), "actions": len(days)}
        kinds = actions["kind"].to_list()
        each = {"engagers": len(set(days))} if what == WORKS[1] else {kind: kinds.count(kind) for kind in set(kinds)}
        return told | each
    inside, decayed = 0, 0.0
    for account, at in posts.select("account", "happened_at").iter_rows():
        ages = [at - other for other in actions.filter(pl.col("account") == account)["happened_at"] if other < at]
        inside += sum(age < timedelta(days=30) for age in ages)
        decayed += sum(0.5 ** (age / timedelta(days=7)) for age in ages)
    return {"rows": posts.height, "inside": inside, "decayed": decayed}


@pytest.mark.parametrize("what", WORKS)
@pytest.mark.parametrize("engine", ENGINES)
def test_each_engine_makes_what_counting_by_hand_makes(
    what: str, engine: str, lake: Lake, program: Callable[[str], ModuleType]
) -> None:
    aggregates, engines = program("aggregates"), program("peers.engines")
    assert {name: (*works,) for name, works in engines.WORKS.items()} == dict.fromkeys(WORKS, ENGINES)
    files = (aggregates.files_of(lake, table) for table in ("actions", "posts"))
    made = engines.WORKS[what][engine](*files)
    assert made == pytest.approx(recounted(what, lake.read("actions"), lake.read("posts")))


def test_engines_that_differ_are_named(program: Callable[[str], ModuleType]) -> None:
    told = {"actions": 5, "what": WORKS[0], "totals": {"rows": 3.0}}
    found = [{"engine": "DuckDB", **told}, {"engine": "Polars", **told, "totals": {"rows": 4.0}}]
    assert program("aggregates").differing([found[0], found[0]]) == []
    assert program("aggregates").differing(found) == ["five counts per account and day, rows: Polars 4, DuckDB 3"]
