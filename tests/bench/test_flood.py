from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from clout.data.lake import Lake
from clout.data.tables import validate

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SIZE = {"actions": 60_000, "days": 12}

Batches = list[dict[str, pl.DataFrame]]


@pytest.fixture(scope="module")
def made(program: Callable[[str], ModuleType]) -> ModuleType:
    return program("measuring.flood")


@pytest.fixture(scope="module")
def batches(made: ModuleType) -> Batches:
    return [*made.Flood(**SIZE).batches()]


def table(batches: Batches, name: str) -> pl.DataFrame:
    return pl.concat([batch[name] for batch in batches if name in batch])


def test_there_are_as_many_rows_as_asked_for(batches: Batches) -> None:
    assert {name: table(batches, name).height for name in ("accounts", "posts", "actions")} == {
        "accounts": 150,
        "posts": 6_000,
        "actions": 60_000,
    }


@pytest.mark.parametrize("begin", [0, 1, 2, 5, 12, 13])
def test_later_batches_are_made_without_those_before(begin: int, made: ModuleType, batches: Batches) -> None:
    later = [*made.Flood(**SIZE).batches(begin)]
    assert len(later) == len(batches) - begin
    for mine, whole in zip(later, batches[begin:], strict=True):
        assert mine.keys() == whole.keys()
        for name, frame in mine.items():
            assert_frame_equal(frame, whole[name])


@pytest.mark.parametrize("name", ["accounts", "posts", "actions"])
def test_every_row_keeps_the_rules_of_its_table(name: str, batches: Batches) -> None:
    rows = table(batches, name)
    kept, rejects = validate(name, rows, NOW)
    assert rejects.is_empty()
    assert_frame_equal(kept, rows)


@pytest.mark.parametrize(("name", "key"), [("posts", "post"), ("actions", "action")])
def test_time_and_ids_rise_from_batch_to_batch(name: str, key: str, batches: Batches) -> None:
    for column in (key, "happened_at"):
        ends = [(batch[name][column].min(), batch[name][column].max()) for batch in batches[1:]]
        assert all(before[1] < after[0] for before, after in pairwise(ends)), column


def test_every_action_follows_its_post_within_days(batches: Batches) -> None:
    posts = table(batches, "posts").select("post", "account", published_at="happened_at")
    joined = table(batches, "actions").join(posts, on=["post", "account"])
    assert joined.height == SIZE["actions"]
    late = joined["happened_at"] - joined["published_at"]
    assert late.dt.total_microseconds().min() >= 0
    assert late.dt.total_days().max() in {2, 3}


def test_audiences_are_unequal_and_loyal(batches: Batches) -> None:
    actions = table(batches, "actions")
    largest = actions["account"].value_counts(sort=True)["count"]
    assert largest[0] > 5 * largest.mean()
    assert actions.select(pl.struct("account", "actor").n_unique()).item() < actions.height / 2


@pytest.mark.parametrize("star", [0.1, 0.3])
def test_a_star_takes_its_share(star: float, made: ModuleType) -> None:
    actions = table([*made.Flood(**SIZE, star=star).batches()], "actions")
    assert (actions["account"] == "flood/0").mean() == pytest.approx(star, abs=0.01)


def test_the_same_settings_give_the_same_rows(batches: Batches, made: ModuleType) -> None:
    def third(**settings: Any) -> pl.DataFrame:  # noqa: ANN401
        return [*made.Flood(**SIZE, **settings).batches()][3]["actions"]

    assert_frame_equal(third(), batches[3]["actions"])
    assert not third(seed=8).equals(batches[3]["actions"])


def test_more_actions_come_in_more_batches_and_not_in_larger_ones(made: ModuleType) -> None:
    flood = made.Flood(5 * made.MOST_AT_ONCE // 2, days=1)
    rows = iter(flood.batches())
    next(rows)
    assert flood.slices == 3
    assert next(rows)["actions"].height <= made.MOST_AT_ONCE


def test_a_lake_takes_all_of_it(tmp_path: Path, batches: Batches, made: ModuleType) -> None:
    lake = Lake(tmp_path)
    made.pour(made.Flood(**SIZE), lake)
    for name in ("accounts", "posts", "actions"):
        assert_frame_equal(lake.read(name), table(batches, name))
