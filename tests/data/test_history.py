"""The only door to the past: clocks, coverage and what has ripened."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from nasty_tables import (
    DAY,
    HOUR,
    Acted,
    Counted,
    Published,
    Seen,
    Tables,
    history_of,
    known_until,
    moment,
    nasty_tables,
    tables_of,
)
from polars.testing import assert_frame_equal

from clout.data.coverage import coverage
from clout.data.history import known_before, read_tables
from clout.data.lake import Lake
from clout.data.published import find
from clout.data.tables import SCHEMAS

WEEK = 7 * DAY
MICROSECOND = timedelta(microseconds=1)


def outcome(tables: Tables, post: str) -> dict[str, object] | None:
    """The outcome of `post`, None while there is none; times in microseconds."""
    rows = history_of(tables).outcomes.filter(post=post).rows(named=True)
    return None if not rows else rows[0] | {"at": (rows[0]["at"] - moment(0)) // MICROSECOND}


def test_a_row_may_be_used_from_the_later_of_its_clocks() -> None:
    history = history_of(nasty_tables())
    for frame in (history.posts, history.actions, history.profiles):
        assert frame.filter(pl.col("at") != pl.max_horizontal("happened_at", "known_at")).is_empty()
        assert frame.filter(pl.col("at") > pl.col("happened_at")).height > 0


def test_coverage_tells_logs_from_counts() -> None:
    counts = [Counted(1, 8 * DAY, 2, kind=0), Counted(2, 8 * DAY, 3), Counted(2, 9 * DAY, 3, kind=1)]
    posts = [Published(0, 0), Published(2, 0), Published(3, 0), Published(4, 0)]
    actions = [Acted(0, 60, HOUR, kind=1), Acted(2, 60, HOUR)]
    known = coverage(tables_of(posts, actions, counts, []))
    expected = [("both", "like", True), ("both", "reply", False), ("log", "reshare", True), ("read", "like", False)]
    assert known.reported.rows() == expected
    through = {"both": 9 * DAY, "log": HOUR, "mute": 0, "read": 8 * DAY}
    assert known.through.rows() == [(network, moment(last)) for network, last in through.items()]
    assert known.data_through == moment(9 * DAY)


def test_coverage_of_nothing() -> None:
    known = coverage(tables_of([], [], [], []))
    assert known.reported.is_empty()
    assert known.data_through is None


def test_an_action_on_an_account_alone_is_no_log_of_posts() -> None:
    assert coverage(tables_of([Published(0, 0)], [Acted(0, 60, 1, on_account=True)], [], [])).reported.is_empty()


def test_known_before_cuts_both_clocks() -> None:
    posts = [Published(0, DAY), Published(0, DAY - 1), Published(0, 0, delay=DAY), Published(0, 0, delay=DAY - 1)]
    seen = [Seen(0, DAY, 1), Seen(0, 0, 1, delay=DAY), Seen(0, 1, 1)]
    actions = [Acted(3, 60, DAY), Acted(3, 60, HOUR, delay=DAY), Acted(3, 60, HOUR)]
    cut = known_before(tables_of(posts, actions, [], seen), moment(DAY))
    assert cut["posts"]["post"].to_list() == ["log/p1", "log/p3"]
    assert cut["profiles"]["happened_at"].to_list() == [moment(1)]
    assert cut["actions"]["action"].to_list() == ["log/a2"]
    assert cut["accounts"].height == 1


def test_known_before_leaves_retrospective_counts() -> None:
    counts = [Counted(0, 8 * DAY, 1), Counted(0, 90 * DAY, 2, kind=1), Counted(0, 90 * DAY, 3, 2, retrospective=True)]
    cut = known_before(tables_of([Published(2, 0)], [], counts, []), moment(30 * DAY))
    assert sorted(cut["counts"]["count"].to_list()) == [1, 3]


@pytest.mark.parametrize(("end", "ripe"), [(WEEK - 1, False), (WEEK, True)])
def test_an_outcome_needs_data_until_it_ripens(end: int, ripe: bool) -> None:
    tables = tables_of([Published(0, 0), Published(0, end)], [Acted(0, 60, HOUR)], [], [])
    assert (outcome(tables, "log/p0") is not None) is ripe


def test_one_network_does_not_ripen_another() -> None:
    tables = tables_of([Published(0, 0), Published(2, 90 * DAY)], [Acted(0, 60, HOUR)], [], [])
    assert outcome(tables, "log/p0") is None


def test_coverage_may_be_given() -> None:
    tables = tables_of([Published(0, 0)], [Acted(0, 60, HOUR)], [], [])
    assert history_of(tables).outcomes.is_empty()
    assert history_of(tables, known_until(tables, moment(WEEK))).outcomes.height == 1


def test_the_outcome_of_a_log() -> None:
    actions = [Acted(0, 60, HOUR, kind=0), Acted(0, 61, HOUR, kind=1), Acted(0, 62, HOUR, kind=3)]
    tables = tables_of([Published(0, 0), Published(5, 9 * DAY)], actions, [], [])
    got = outcome(tables, "log/p0")
    assert got is not None
    assert {name: got[name] for name in ("account", "network", "at")} == {
        "account": "log/0",
        "network": "log",
        "at": WEEK,
    }
    assert (got["outcome"], got["like"], got["reshare"], got["reply"], got["quote"]) == (3.0, 1, 1, None, None)
    assert got["published_at"] == moment(0)


def test_a_post_known_late_brings_its_outcome_late() -> None:
    tables = tables_of([Published(0, 0, delay=20 * DAY)], [Acted(0, 60, HOUR)], [], [])
    got = outcome(tables, "log/p0")
    assert got is not None
    assert got["at"] == 20 * DAY


def test_a_post_heard_of_after_the_fact_has_no_outcome_and_not_a_zero() -> None:
    posts = [Published(0, 0, delay=WEEK + 1), Published(0, 0, delay=WEEK), Published(5, 9 * DAY)]
    tables = tables_of(posts, [Acted(0, 60, HOUR, delay=WEEK), Acted(2, 60, HOUR)], [], [])
    assert outcome(tables, "log/p0") is None
    on_time = outcome(tables, "log/p1")
    assert on_time is not None
    assert on_time["outcome"] == 0


def test_taking_back_does_not_undo_what_was_known_of_the_past() -> None:
    liked = [Acted(place, 60, HOUR) for place in range(3)]
    posts = [Published(0, 0), Published(0, DAY), Published(5, 2 * DAY), Published(5, 20 * DAY)]
    kept = history_of(tables_of(posts, liked, [], []))
    undone = history_of(tables_of(posts, [replace(one, taken_back=2 * HOUR) for one in liked], [], []))
    assert_frame_equal(*(history.actions.drop("weight", "drawn") for history in (kept, undone)))


def test_a_post_that_was_taken_back_has_no_text_but_what_it_drew(tmp_path: Path) -> None:
    posts = [Published(0, 0, text="said"), Published(0, 0, text="kept"), Published(5, 9 * DAY)]
    tables = tables_of(posts, [Acted(0, 60, HOUR)], [], [])
    gone = {"removed": ["log/p0"], "account": ["log/0"], "happened_at": [moment(DAY)], "known_at": [moment(DAY)]}
    lake = Lake(tmp_path / "lake")
    lake.append(tables | {"removals": pl.DataFrame(gone, schema=SCHEMAS["removals"])}, source="x")
    read = read_tables(lake)
    assert read["posts"]["text"].to_list()[:2] == [None, "kept"]
    assert find(lake, "log/p0") == {**tables["posts"].row(0, named=True), "text": None}
    assert history_of(read).outcomes["outcome"].to_list() == history_of(tables).outcomes["outcome"].to_list()


def test_logged_kinds_wait_for_counted_ones() -> None:
    likes, replies = Acted(0, 60, HOUR), Counted(0, 9 * DAY, 5, delay=DAY)
    posts = [Published(3, 0), Published(3, 30 * DAY), Published(3, 0)]
    tables = tables_of(posts, [likes], [replies], [])
    got = outcome(tables, "both/p0")
    assert got is not None
    assert (got["at"], got["like"], got["reply"], got["outcome"]) == (10 * DAY, 1, 5, 11.0)
    assert outcome(tables, "both/p2") is None


def test_reshares_of_others_have_no_outcome() -> None:
    tables = tables_of([Published(0, 0, kind="reshare"), Published(0, 9 * DAY)], [Acted(0, 60, HOUR)], [], [])
    assert outcome(tables, "log/p0") is None


def test_a_network_that_reports_nothing_of_value_has_no_outcomes() -> None:
    tables = tables_of([Published(4, 0), Published(4, 9 * DAY)], [Acted(0, 60, HOUR)], [], [])
    assert outcome(tables, "mute/p0") is None


def test_an_outcome_is_what_it_was_when_it_ripened() -> None:
    """History never rewrites itself: what had ripened by a moment is the same in all that is known later."""
    tables = nasty_tables(8)
    whole = history_of(tables).outcomes
    for place in (5, 10, 20, 40, 80):
        time = whole["at"][place] + MICROSECOND
        past = history_of(known_before(tables, time), known_until(tables, time)).outcomes
        assert past.equals(whole.filter(pl.col("at") < time))


def test_tables_of_a_lake(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    empty = read_tables(lake)
    assert {name: frame.schema for name, frame in empty.items()} == SCHEMAS
    tables = tables_of([Published(0, 0)], [Acted(0, 60, HOUR)], [], [])
    lake.append(tables, source="test")
    assert {name: frame.height for name, frame in read_tables(lake).items()} == {
        name: frame.height for name, frame in tables.items()
    }
