"""An index says of one key and moment what the window operators say of a frame."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from clout.data.index import Index
from clout.data.windows import WIDTHS, Stream, newest, stream, window

START = datetime(2026, 1, 1, tzinfo=UTC)
MICRO = timedelta(microseconds=1)
COLUMNS = ["n", "sum", "value", "time", "flag"]
event = st.tuples(
    st.sampled_from("ab"),
    st.sampled_from(["x", "y", None]),
    st.sampled_from([True, False, None]),
    st.integers(0, 40),
    st.one_of(st.none(), st.integers(-9, 9)),
)
SCHEMA = {"account": pl.String, "kind": pl.String, "link": pl.Boolean, "day": pl.Int64, "value": pl.Int64}


def stream_of(events: list[tuple[object, ...]], key: list[str]) -> Stream:
    """A stream with totals and with last values of every type."""
    frame = pl.DataFrame(events, schema=SCHEMA, orient="row").with_columns(
        at=START + pl.duration(days=pl.col("day")), tie=pl.int_range(pl.len()), flag=pl.col("value") > 0
    )
    lasts = {"value": pl.col("value").cast(pl.Float64), "time": pl.col("at"), "flag": pl.col("flag")}
    return stream(frame, key, tie="tie", totals={"n": pl.lit(1), "sum": pl.col("value")}, lasts=lasts)


def micro(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // MICRO


@settings(max_examples=150)
@given(
    st.lists(event, max_size=30),
    st.sampled_from([["account"], ["account", "kind"], ["account", "kind", "link"]]),
    st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "z", None]), st.sampled_from([True, None])),
    st.integers(-1, 60),
)
def test_it_finds_what_the_operators_find(
    events: list[tuple[object, ...]], key: list[str], asked: tuple[object, ...], day: int
) -> None:
    made, at = stream_of(events, key), START + timedelta(days=day)
    query = pl.DataFrame([asked], schema={name: SCHEMA[name] for name in ("account", "kind", "link")}, orient="row")
    query = query.with_columns(at=pl.lit(at).cast(pl.Datetime("us", "UTC")))
    index = Index.of(made)
    span = index.span(asked[: len(key)])
    last = list(newest(query, made, COLUMNS).row(0))
    last[3] = last[3] and micro(last[3])
    assert index.newest(span, micro(at), COLUMNS) == last
    for width in (*WIDTHS.values(), None):
        totals = list(window(query, made, ["n", "sum"], width).row(0))
        assert index.window(span, micro(at), ["n", "sum"], width) == totals


def test_a_stream_without_events_has_nothing() -> None:
    index = Index.of(stream_of([], ["account", "kind"]))
    assert index.newest(index.span(("a", "x")), micro(START), COLUMNS) == [None] * 5
    assert index.window(index.span(("a", "x")), micro(START), ["n"], None) == [0]
