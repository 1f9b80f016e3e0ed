"""Windows are open at both ends and depend on nothing outside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clout.data.values import TIME
from clout.data.windows import ONE, UNIT, Stream, fixed, newest, stream, window

START = datetime(2024, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
Rows = list[tuple[str, int, int]]


def events(rows: Rows) -> pl.DataFrame:
    """(key, seconds, value) rows as events; `id` is their place."""
    timed = [(key, START + seconds * SECOND, number, value) for number, (key, seconds, value) in enumerate(rows)]
    schema = {"key": pl.String, "at": TIME, "id": pl.Int64, "value": pl.Int64}
    return pl.DataFrame(timed, schema=schema, orient="row")


def stream_of(rows: Rows) -> Stream:
    totals = {"n": ONE, "sum": pl.col("value")}
    return stream(events(rows), ["key"], tie="id", totals=totals, lasts={"last": pl.col("value")})


def queries(rows: list[tuple[str, int]]) -> pl.DataFrame:
    timed = [(key, START + seconds * SECOND) for key, seconds in rows]
    return pl.DataFrame(timed, schema={"key": pl.String, "at": TIME}, orient="row")


EVENTS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 12), st.integers(-5, 5)), max_size=20)
QUERIES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(-1, 14)), min_size=1, max_size=8)


@settings(max_examples=150, deadline=None)
@given(EVENTS, QUERIES, st.none() | st.integers(1, 6))
def test_a_window_is_what_lies_strictly_between_its_ends(
    rows: Rows, asked: list[tuple[str, int]], width: int | None
) -> None:
    got = window(queries(asked), stream_of(rows), ["n", "sum"], None if width is None else width * SECOND)
    inside = [
        [value for of, at, value in rows if of == key and at < time and (width is None or at > time - width)]
        for key, time in asked
    ]
    assert got.rows() == [(len(values), sum(values)) for values in inside]


@settings(max_examples=150, deadline=None)
@given(EVENTS, QUERIES)
def test_the_newest_event_is_the_last_of_those_strictly_before(rows: Rows, asked: list[tuple[str, int]]) -> None:
    got = newest(queries(asked), stream_of(rows), ["last"])
    before = [sorted((at, place) for place, (of, at, _) in enumerate(rows) if of == key and at < t) for key, t in asked]
    assert got["last"].to_list() == [rows[found[-1][1]][2] if found else None for found in before]


@settings(max_examples=50, deadline=None)
@given(EVENTS, QUERIES)
def test_one_key_alone_says_the_same(rows: Rows, asked: list[tuple[str, int]]) -> None:
    whole = stream_of(rows)
    together = window(queries(asked), whole, ["n", "sum"], 3 * SECOND).rows()
    assert [window(queries([ask]), whole.among([ask[0]]), ["n", "sum"], 3 * SECOND).row(0) for ask in asked] == together


def test_looking_back_includes_the_moment_itself() -> None:
    source = stream_of([("a", 5, 7)])
    assert newest(queries([("a", 6)]), source, ["last"], back=SECOND)["last"].to_list() == [7]
    assert newest(queries([("a", 5)]), source, ["last"])["last"].to_list() == [None]


def test_null_adds_nothing() -> None:
    frame = events([("a", 0, 1), ("a", 1, 2)]).with_columns(value=pl.Series([None, 2], dtype=pl.Int64))
    source = stream(frame, ["key"], tie="id", totals={"sum": pl.col("value")})
    assert window(queries([("a", 1), ("a", 2)]), source, ["sum"], None)["sum"].to_list() == [0, 2]


def test_a_null_key_meets_nothing() -> None:
    asked = queries([("a", 9)]).with_columns(key=pl.lit(None, pl.String))
    assert window(asked, stream_of([("a", 0, 1)]), ["n"], None)["n"].to_list() == [0]


def test_no_events_at_all() -> None:
    empty = stream_of([])
    assert window(queries([("a", 1)]), empty, ["n", "sum"], SECOND).rows() == [(0, 0)]
    assert empty.among(["a"]).frame.is_empty()


@pytest.mark.parametrize(("value", "expected"), [(1.0, UNIT), (-0.5, -UNIT // 2), (1e-9, 0), (None, None)])
def test_fixed_counts_parts(value: float | None, expected: int | None) -> None:
    assert pl.DataFrame({"v": [value]}, schema={"v": pl.Float64}).select(fixed(pl.col("v"))).item() == expected


def test_a_sum_does_not_depend_on_what_lies_outside() -> None:
    """Running totals of floats would: 1e16 + 0.1 − 1e16 is 0."""
    many = [("a", second, 10**12) for second in range(10)]
    got = window(queries([("a", 12)]), stream_of([*many, ("a", 11, 1)]), ["sum"], 2 * SECOND)
    assert got["sum"].to_list() == [1]
