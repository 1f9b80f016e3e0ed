"""However a lake is cut into shards, its features are those measured at once, to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TypeVar

import polars as pl
import pytest
from drawn_tables import drawn_tables
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nasty_tables import ACTION_VALUES, HORIZON, Tables, history_of, nasty_tables
from polars.testing import assert_frame_equal
from tasks import failing_or_slow, killed

from clout.data.lake import Lake
from clout.data.windows import TICK
from clout.features.compute import compute, of_accounts, prepare
from clout.features.sharded.measuring import Measured
from clout.features.sharded.processes import Processes, ProcessesError
from clout.features.sharded.run import FeaturesError, measure
from clout.features.sharded.work import Work, WorkError, write

T = TypeVar("T")


class OneAfterTheOther:
    """An engine that runs tasks here, each twice, as one that was broken off is."""

    def map(self, task: Callable[[int], T], numbers: Iterable[int]) -> list[T]:
        """What each task returned the second time."""
        return [(task(number), task(number))[1] for number in numbers]


def lake_of(tables: Tables, folder: Path, batches: int = 2) -> Lake:
    """A lake that these tables came into in some batches."""
    lake = Lake(folder / "lake")
    for place in range(batches):
        lake.append({name: frame[place::batches] for name, frame in tables.items()}, source=f"batch {place}")
    return lake


def check(tables: Tables, folder: Path, shards: int) -> Measured:
    lake = lake_of(tables, folder)
    measured = measure(lake, folder / "out", OneAfterTheOther(), HORIZON, ACTION_VALUES, shards)
    history = history_of(tables)
    streams = prepare(history)
    posts = pl.read_parquet(folder / "out" / "posts" / "*.parquet")
    assert_frame_equal(posts.sort("post"), compute(history.posts, streams).sort("post"), check_exact=True)
    accounts = pl.read_parquet(folder / "out" / "accounts" / "*.parquet")
    newest = history.posts.unique("account", keep="last")
    end = history.coverage.data_through
    at_the_end = compute(newest.with_columns(as_of=pl.lit(end) + TICK), streams)
    same = accounts.join(newest.select("account"), on="account", how="semi").sort("account")
    names = ["account", "network", *of_accounts()]
    assert_frame_equal(same.select(names), at_the_end.sort("account").select(names), check_exact=True)
    assert measured == (history.posts.height, accounts.height, history.actions.height)
    assert not [*folder.glob(".out-*")]
    return measured


@pytest.mark.parametrize(("seed", "shards"), [(0, 1), (1, 2), (2, 3), (3, 7)])
def test_shards_say_what_the_whole_says(seed: int, shards: int, tmp_path: Path) -> None:
    check(nasty_tables(seed), tmp_path, shards)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables=drawn_tables(), shards=st.integers(1, 4))
def test_drawn_tables(tables: Tables, shards: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    if tables["posts"].height:
        check(tables, tmp_path_factory.mktemp("drawn"), shards)


def test_accounts_are_told_of_what_no_post_changes() -> None:
    names = of_accounts()
    assert {"followers_last", "outcome_level_365d", "engagers_sum_30d", "actions_pod_share_30d"} < {*names}
    assert not {"hour_utc", "text_words", "wording_lift", "hour_share_90d", "outcome_log_mean_same_kind_365d"} & {
        *names
    }


def test_processes_do_the_same(tmp_path: Path) -> None:
    tables = nasty_tables(1)
    lake = lake_of(tables, tmp_path)
    with Processes.open(2) as engine:
        measure(lake, tmp_path / "out", engine, HORIZON, ACTION_VALUES, 2)
    posts = pl.read_parquet(tmp_path / "out" / "posts" / "*.parquet")
    history = history_of(tables)
    assert_frame_equal(posts.sort("post"), compute(history.posts, prepare(history)).sort("post"), check_exact=True)


def test_a_process_that_was_killed_is_told_of() -> None:
    with Processes.open(1) as engine, pytest.raises(ProcessesError, match=r"one of 1 processes .* more shards"):
        engine.map(killed, range(1))


def test_when_a_task_fails_no_other_runs_on(tmp_path: Path) -> None:
    with Processes.open(2) as engine, pytest.raises(MemoryError):
        engine.map(partial(failing_or_slow, folder=tmp_path), range(9))
    names = [path.name for path in tmp_path.iterdir()]
    assert sum("begun" in name for name in names) == sum("done" in name for name in names) < 8


def test_a_frame_that_cannot_be_written_is_told_of_and_not_half_there(tmp_path: Path) -> None:
    def broken_off(part: Path) -> None:
        part.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(WorkError, match=r"could not write .*one\.arrow .*No space left.*make room"):
        write(tmp_path / "some" / "one.arrow", broken_off)
    assert not [*(tmp_path / "some").iterdir()]


def test_what_is_kept_is_the_same_whatever_names_a_process_knows(tmp_path: Path) -> None:
    """One task may run twice at once, in processes that met the names in another order."""
    rows = pl.DataFrame({"name": ["met later", "met first", "met later"], "n": [1, 2, 3]})
    known = pl.Series(["met first", "met later"], dtype=pl.Categorical)
    work = Work("", tmp_path, 1, HORIZON, ACTION_VALUES, undone=False)
    told = rows.cast({"name": pl.Categorical})
    assert told["name"].to_physical()[0] > known.to_physical()[0]
    work.keep("rows", 0, told)
    assert pl.read_ipc_stream(tmp_path / "rows" / "0.arrow")["name"].to_list() == [0, 1, 0]
    assert_frame_equal(work.kept("rows", 0, ["name"]), rows.select("name").cast({"name": pl.Categorical}))
    assert_frame_equal(work.kept("rows", 0, ["n"]), rows.select("n"))


def test_a_run_that_fails_leaves_nothing(tmp_path: Path) -> None:
    class Failing(OneAfterTheOther):
        def map(self, task: Callable[[int], T], numbers: Iterable[int]) -> list[T]:
            if [*tmp_path.glob(".out-*/known/*")]:
                raise MemoryError
            return super().map(task, numbers)

    with pytest.raises(MemoryError):
        measure(lake_of(nasty_tables(1), tmp_path), tmp_path / "out", Failing(), HORIZON, ACTION_VALUES, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["lake"]


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(FeaturesError, match=r"is there already; expected a folder that is not"):
        measure(Lake(tmp_path / "lake"), tmp_path, OneAfterTheOther(), HORIZON, ACTION_VALUES)


def test_no_posts_nothing_to_measure(tmp_path: Path) -> None:
    with pytest.raises(FeaturesError, match=r"has no posts; expected some"):
        measure(Lake(tmp_path / "lake"), tmp_path / "out", OneAfterTheOther(), HORIZON, ACTION_VALUES)
