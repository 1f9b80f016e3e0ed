"""A run that goes on from another says what a run over everything says, to the last bit, and leaves what that leaves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import polars as pl
import pytest
from drawn_tables import drawn_tables
from here_engine import HereEngine
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from nasty_tables import (
    ACTION_VALUES,
    DAY,
    HORIZON,
    HOUR,
    MINUTE,
    Acted,
    Counted,
    Published,
    Seen,
    Tables,
    moment,
    nasty_tables,
    tables_of,
)
from polars.testing import assert_frame_equal

from clout.data.lake import Lake
from clout.features.sharded.measuring import Measured
from clout.features.sharded.run import Chain, measure
from clout.features.sharded.state import StateError
from clout.features.sharded.work import STATE

T = TypeVar("T")
CLOCKS = ("happened_at", "known_at")
SMALL = tables_of(
    [Published(0, 0), Published(0, 9 * DAY), Published(0, 20 * DAY)],
    [Acted(0, 60, HOUR), Acted(1, 60, HOUR), Acted(2, 61, HOUR)],
    [],
    [],
)


def known_between(tables: Tables, start: int | None, end: int | None) -> Tables:
    """The rows known from one moment on and before another; accounts are there from the first."""
    cut = {}
    for name, frame in tables.items():
        if name in {"accounts", "identities"}:
            cut[name] = frame if start is None else frame.clear()
            continue
        begun = pl.lit(value=True) if start is None else pl.col("known_at") >= moment(start)
        cut[name] = frame.filter(begun if end is None else begun & (pl.col("known_at") < moment(end)))
    return cut


def in_order(tables: Tables) -> Tables:
    """`tables` without what a chain refuses: counts said to be known before they were read, posts that come very late."""
    late = pl.col("known_at") - pl.col("happened_at") >= timedelta(days=30)
    counts = tables["counts"].filter(~pl.col("retrospective"))
    return tables | {"counts": counts, "posts": tables["posts"].filter(~late)}


def later(tables: Tables, days: int) -> Tables:
    """The same once more after so many days, by the same accounts, under other ids."""
    told = {}
    for name, frame in tables.items():
        ids = [f"{column}" for column in ("post", "action", "removed") if column in frame.columns]
        clocks = [pl.col(column) + timedelta(days=days) for column in CLOCKS if column in frame.columns]
        told[name] = frame.with_columns(*clocks, pl.col(ids) + f"-{days}")
    return told | {"accounts": tables["accounts"].clear()}


def together(*several: Tables) -> Tables:
    return {name: pl.concat([tables[name] for tables in several]) for name in several[0]}


def measured(lake: Lake, out: Path, shards: int | None, after: Path | None = None) -> Measured:
    return measure(lake, out, HereEngine(), HORIZON, ACTION_VALUES, shards, chain=Chain(keeps_state=True, after=after))


def chain(tables: Tables, folder: Path, cuts: Sequence[int], shards: int) -> list[tuple[Path, pl.DataFrame]]:
    """The folders of runs, each after the one before, and the posts that were new to each."""
    lake, runs = Lake(folder / "lake"), list[tuple[Path, pl.DataFrame]]()
    for number, (start, end) in enumerate(zip([None, *cuts], [*cuts, None], strict=True)):
        part = known_between(tables, start, end)
        lake.append(part, source=f"{number}")
        out, before = folder / f"out{number}", runs[-1][0] if runs else None
        told = measured(lake, out, None if before else shards, before)
        assert (told.posts, told.actions) == (part["posts"].height, part["actions"].height)
        runs.append((out, part["posts"]))
    return runs


def frames(folder: Path) -> dict[str, pl.DataFrame]:
    """What a folder has under each name, in an order of its own."""
    found = [path for path in folder.iterdir() if path.name != STATE and path.suffix != ".json"]
    read = {path.name: pl.read_parquet(path / "*.parquet" if path.is_dir() else path) for path in found}
    return {name: frame.sort(frame.columns) for name, frame in read.items()}


def check(tables: Tables, folder: Path, cuts: Sequence[int], shards: int) -> None:
    runs = chain(tables, folder, cuts, shards)
    measured(Lake(folder / "lake"), folder / "whole", shards)
    whole = frames(folder / "whole")
    for out, posts in runs:
        expected = whole["posts"].join(posts.select("post"), on="post", how="semi")
        assert_frame_equal(frames(out)["posts"].sort("post"), expected.sort("post"), check_exact=True)
    last = runs[-1][0]
    assert_frame_equal(frames(last)["accounts"], whole["accounts"], check_exact=True)
    left, of_whole = frames(last / STATE), frames(folder / "whole" / STATE)
    assert left.keys() == of_whole.keys()
    for name, frame in left.items():
        assert_frame_equal(frame, of_whole[name], check_exact=True)


@pytest.mark.parametrize(
    ("seed", "cuts", "shards"),
    [(0, (75,), 1), (2, (401, 430, 799), 2), (3, (390, 425, 500), 1)],
)
def test_a_chain_says_what_the_whole_says(seed: int, cuts: tuple[int, ...], shards: int, tmp_path: Path) -> None:
    two_years = together(nasty_tables(seed), later(nasty_tables(seed + 1000), 400))
    check(in_order(two_years), tmp_path, [day * DAY for day in cuts], shards)


def test_who_was_silent_for_long_and_posts_that_are_found_late(tmp_path: Path) -> None:
    posts = [Published(0, 0), Published(1, 300 * DAY), Published(1, 450 * DAY), Published(0, 500 * DAY)]
    found = [Acted(1, actor, (160 if actor > 70 else 1) * DAY + actor * MINUTE) for actor in range(60, 80)]
    check(tables_of([*posts, Published(1, 461 * DAY)], found, [], []), tmp_path, [455 * DAY], 1)


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(tables=drawn_tables(), again=st.integers(1, 400), cut=st.integers(1, 500), shards=st.integers(1, 2))
def test_drawn_chains(
    tables: Tables, again: int, cut: int, shards: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    drawn = in_order(together(tables, later(tables, again)))
    assume(known_between(drawn, None, cut * DAY)["posts"].height)
    try:
        check(drawn, tmp_path_factory.mktemp("drawn"), [cut * DAY], shards)
    except StateError as error:
        assert "was not reported before" in str(error)  # noqa: PT017
        assume(condition=False)


def test_what_is_left_does_not_grow_with_the_past(tmp_path: Path) -> None:
    posts = [Published(author, day * DAY) for author in (0, 1) for day in range(0, 300, 20)]
    actions = [Acted(post, actor, HOUR) for post in range(len(posts)) for actor in (60, 61, 62)]
    year = tables_of(posts, actions, [], [Seen(0, day * DAY, day) for day in range(0, 300, 30)])
    years = together(year, *(later(year, 400 * number) for number in range(1, 5)))
    runs = chain(years, tmp_path, [400 * number * DAY for number in range(1, 5)], 1)
    sizes = [{name: frame.height for name, frame in frames(out / STATE).items()} for out, _ in runs]
    assert sizes[1] == sizes[2] == sizes[3] == sizes[4]
    assert sizes[1]["actions"] < year["actions"].height


def refused(tables: Tables, more: Tables, folder: Path, shards: int | None = None) -> str:
    """What a run says that goes on with `more` from one over `tables`."""
    lake = Lake(folder / "lake")
    lake.append(tables, source="before")
    measured(lake, folder / "out", 2)
    lake.append(more, source="after")
    with pytest.raises(StateError) as caught:
        measured(lake, folder / "next", shards, folder / "out")
    assert not [*folder.glob("*next*")]
    return str(caught.value)


def counts_of(*counts: Counted) -> Tables:
    """Counts of the first of two posts on a network that tells no more."""
    return tables_of([Published(2, 0), Published(2, 30 * DAY)], [], list(counts), [])


def test_rows_that_come_too_late(tmp_path: Path) -> None:
    early = later(known_between(SMALL, None, DAY), 19)
    words = refused(SMALL, {"posts": early["posts"]}, tmp_path)
    assert "got 1 posts that were known before the newest that the run before had read of their network" in words


def test_a_post_that_was_not_known_for_long(tmp_path: Path) -> None:
    old = SMALL["posts"][:1].with_columns(
        post=pl.lit("log/old"), happened_at=pl.lit(moment(-11 * DAY)), known_at=pl.lit(moment(21 * DAY))
    )
    assert "got 1 posts that came to be known more than 30 days late" in refused(SMALL, {"posts": old}, tmp_path)


def test_counts_of_long_ago(tmp_path: Path) -> None:
    told = counts_of(Counted(1, 8 * DAY, 5))
    late = counts_of(Counted(0, 60 * DAY, 5, retrospective=True))
    words = refused(told, {"counts": late["counts"]}, tmp_path)
    assert "got counts that tell of 1 posts what was known of them before the run before ended" in words


def test_another_kind_of_action(tmp_path: Path) -> None:
    reshare = later(tables_of([Published(0, 0)], [Acted(0, 60, HOUR, kind=1)], [], []), 40)
    assert "was not reported before: reshare on log" in refused(
        SMALL, {name: reshare[name] for name in ("posts", "actions")}, tmp_path
    )


@pytest.mark.parametrize(("kind", "refuses"), [("reshare", True), ("like", False)])
def test_another_kind_on_a_post_that_is_left_no_more(kind: str, refuses: bool, tmp_path: Path) -> None:
    lone = SMALL["actions"][:1].with_columns(
        action=pl.lit("log/lone"), post=pl.lit("log/gone"), kind=pl.lit(kind),
        happened_at=pl.lit(moment(40 * DAY)), known_at=pl.lit(moment(40 * DAY)),
    )  # fmt: skip
    lake = Lake(tmp_path / "lake")
    lake.append(SMALL, source="before")
    measured(lake, tmp_path / "out", 2)
    lake.append({"actions": lone}, source="after")
    if refuses:
        with pytest.raises(StateError, match="was not reported before: reshare on log; expected none"):
            measured(lake, tmp_path / "next", None, tmp_path / "out")
    else:
        assert measured(lake, tmp_path / "next", None, tmp_path / "out").actions == 1


def test_actions_from_network_to_network(tmp_path: Path) -> None:
    actions = SMALL["actions"].with_columns(actor=pl.lit("both/3"))
    lake = Lake(tmp_path / "lake")
    lake.append(SMALL | {"actions": actions}, source="all")
    with pytest.raises(StateError, match=r"accounts of other networks; expected each to stay on its own"):
        measured(lake, tmp_path / "out", 2)


def test_another_number_of_shards(tmp_path: Path) -> None:
    assert "measured with 2 shards, where 3 are asked for" in refused(SMALL, later(SMALL, 40), tmp_path, 3)


def test_another_version(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.append(SMALL, source="all")
    measured(lake, tmp_path / "out", 2)
    file = tmp_path / "out" / STATE / "told.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"code": "other"}))
    with pytest.raises(StateError, match=r"measured with another version of Clout or polars; expected the same"):
        measured(lake, tmp_path / "next", None, tmp_path / "out")


def test_a_batch_that_is_gone(tmp_path: Path) -> None:
    lake, other = Lake(tmp_path / "lake"), Lake(tmp_path / "other")
    lake.append(SMALL, source="all")
    measured(lake, tmp_path / "out", 2)
    other.append(later(SMALL, 1), source="other")
    with pytest.raises(StateError, match=r"measured with 1 batches that the lake has no more as they were"):
        measured(other, tmp_path / "next", None, tmp_path / "out")


def test_nothing_to_go_on_from(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.append(SMALL, source="all")
    measure(lake, tmp_path / "out", HereEngine(), HORIZON, ACTION_VALUES, 2)
    with pytest.raises(StateError, match=r"holds nothing to go on from; expected a folder measured with --keep-state"):
        measured(lake, tmp_path / "next", None, tmp_path / "out")


def test_nothing_new(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.append(SMALL, source="all")
    measured(lake, tmp_path / "out", 2)
    assert measured(lake, tmp_path / "next", None, tmp_path / "out") == (0, 1, 0)
    assert_frame_equal(frames(tmp_path / "next")["accounts"], frames(tmp_path / "out")["accounts"], check_exact=True)
