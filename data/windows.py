"""Window operators: what a stream of dated events says about the moments just before given times.

A *stream* holds one row an event, sorted by key and clock, with running totals. A window `(t − w, t)` is open at both
ends and is the difference of two totals: those strictly before `t` and those at or before `t − w`. Totals are
integers (`fixed` turns a real number into millionths), so a sum never depends on what lies outside its window, on the
order of equal times, or on how rows were split over machines: batch and request agree to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

import numpy as np
import polars as pl

from clout.data.moments import Ints, microseconds
from clout.data.ordered import Line, after, changes, in_order

UNIT = 1 << 20
RUN = "|run"
NOWHERE = -1
TICK = timedelta(microseconds=1)
ONE = pl.col("at").is_not_null()
WIDTHS = {
    "1d": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
    "365d": timedelta(days=365),
}


def fixed(value: pl.Expr) -> pl.Expr:
    """`value` as an integer number of 1/2²⁰ parts; null stays null."""
    return (value * UNIT).round().cast(pl.Int64)


@dataclass(frozen=True)
class Stream:
    """Events sorted by `key` then `at`, with running totals (Int64) and last values.

    `frame` has the key columns, `at`, and one column a total or last value. A lookup sees, for each query, the newest
    event of its key strictly before a time (`newest`), or the difference of totals over a window (`window`).
    """

    key: tuple[str, ...]
    frame: pl.DataFrame
    totals: tuple[str, ...]
    lasts: tuple[str, ...]
    slices: dict[str, tuple[int, int]] = field(default_factory=dict, compare=False)

    def among(self, values: Iterable[str]) -> Stream:
        """The same stream with the rows of all `values` of the first key column, and perhaps of others between them."""
        if not self.slices and self.frame.height:
            counted = self.frame.with_row_index("row").group_by(self.key[0]).agg(pl.col("row").min(), n=pl.len())
            self.slices.update({key: (row, n) for key, row, n in counted.iter_rows()})
        found = [self.slices[value] for value in values if value in self.slices]
        start = min((row for row, _ in found), default=0)
        end = max((row + n for row, n in found), default=0)
        return Stream(self.key, self.frame.slice(start, end - start), self.totals, self.lasts)


def stream(
    events: pl.DataFrame,
    key: Sequence[str],
    *,
    tie: str,
    totals: Mapping[str, pl.Expr] | None = None,
    lasts: Mapping[str, pl.Expr] | None = None,
) -> Stream:
    """A stream of `events` (columns: key, `at`, `tie` to order equal times, and what the expressions read).

    `totals` are summed over the events of a key so far, each read from its own event; null adds nothing. `lasts` are the value
    at the newest event and may be window expressions over the key (running means). Totals alone do not depend on the order
    of equal times.
    """
    totals, lasts = dict(totals or {}), dict(lasts or {})
    read = {root for expression in (*totals.values(), *lasts.values()) for root in expression.meta.root_names()}
    order = [*key, "at", *([tie] if lasts else [])]
    ordered = in_order(events.select(list(dict.fromkeys([*order, *sorted(read)]))), *order)
    begins = ordered.select(changes(*key)).to_series()
    added = ordered.select(expr.cast(pl.Int64).fill_null(0).alias(name) for name, expr in totals.items())
    told = [*_so_far(added, begins)]
    if lasts:
        runs = ordered.with_columns(begins.cum_sum().alias(RUN))
        told += runs.select(_in_run(expr).alias(name) for name, expr in lasts.items()).get_columns()
    return Stream(tuple(key), ordered.select(*key, "at").with_columns(told), tuple(totals), tuple(lasts))


def _so_far(added: pl.DataFrame, begins: pl.Series) -> Iterator[pl.Series]:
    """The sums down to each row from where its run `begins`: of all rows, of which each first one takes the run before back."""
    starts = np.flatnonzero(begins.to_numpy())
    for column in added.iter_columns():
        values = column.to_numpy(writable=True)
        if len(starts):
            values[starts[1:]] -= np.add.reduceat(values, starts)[:-1]
        yield pl.Series(column.name, values.cumsum())


def _in_run(last: pl.Expr) -> pl.Expr:
    """`last` as the rows of one run give it; a column by itself is the same in all."""
    return last if last.meta.is_column() else last.over(RUN)


def newest(
    queries: pl.DataFrame, source: Stream, columns: Sequence[str], *, back: timedelta | None = None
) -> pl.DataFrame:
    """`columns` of the newest event of each query's key, one row a query in the order of `queries`.

    Strictly before the query's `at`; or, with `back`, at or before `at − back`. Null where there is no such event.
    """
    return Asked.of(queries, source, [back]).newest(columns, back)


def window(queries: pl.DataFrame, source: Stream, columns: Sequence[str], width: timedelta | None) -> pl.DataFrame:
    """Totals over `(at − width, at)`, or over everything before `at` when `width` is None; empty windows give 0."""
    return Asked.of(queries, source, [None, width]).window(columns, width)


@dataclass(frozen=True)
class Asked:
    """Where a stream's newest events lie, seen from queries: sought once, for all the times that they look back by.

    `places` are rows of the stream, `NOWHERE` where there is no such event.
    """

    source: Stream
    places: Mapping[timedelta | None, Ints]

    @classmethod
    def of(cls, queries: pl.DataFrame, source: Stream, backs: Iterable[timedelta | None]) -> Asked:
        """Those for `queries` (the key and `at` each): strictly before `at` where `back` is None, else at or before `at − back`."""
        events = _runs(source.frame, source.key)
        run = _run_of(queries, events.heads)
        told, at = microseconds(source.frame["at"]), microseconds(queries["at"])
        rows = after(np.arange(len(run)), run) if len(run) > len(told) else slice(None)
        run, at = run[rows], at[rows]
        first = np.append(np.cumsum(events.lengths) - events.lengths, len(told))[run]
        line, earliest = Line.of(events.run, told), told.min(initial=np.iinfo(np.int64).max)

        def placed(until: Ints) -> Ints:
            found = np.full(len(until), NOWHERE)
            if (until > earliest).any():
                newest = line.before(run, until) - 1
                found[rows] = np.where(newest >= first, newest, NOWHERE)
            return found

        return cls(source, {back: placed(at if back is None else at + (TICK - back) // TICK) for back in backs})

    def taken(self, rows: Ints) -> Asked:
        """The same of the queries in these rows."""
        return Asked(self.source, {back: places[rows] for back, places in self.places.items()})

    def newest(self, columns: Sequence[str], back: timedelta | None = None) -> pl.DataFrame:
        """`columns` of the newest event, one row a query in their order; null where there is none."""
        places = pl.Series(self.places[back])
        return self.source.frame.select(pl.col(columns).gather(places.set(places == NOWHERE, None)))

    def window(self, columns: Sequence[str], width: timedelta | None) -> pl.DataFrame:
        """Totals over `(at − width, at)`, or over everything before `at` when `width` is None; empty windows give 0."""
        totals = {}
        for name in columns:
            total = self.source.frame[name].to_numpy()
            now = _total(total, self.places[None])
            totals[name] = now if width is None else now - _total(total, self.places[width])
        return pl.DataFrame(totals)


class _Runs(NamedTuple):
    """Rows that have one key and follow one another: their keys, how many there are of each, and each row's place in these."""

    heads: pl.DataFrame
    lengths: Ints
    run: Ints


def _runs(frame: pl.DataFrame, key: Sequence[str]) -> _Runs:
    begins = frame.select(changes(*key)).to_series()
    lengths = np.diff(np.flatnonzero(begins.to_numpy()), append=frame.height)
    return _Runs(frame.select(key).filter(begins), lengths, np.repeat(np.arange(len(lengths)), lengths))


def _run_of(queries: pl.DataFrame, heads: pl.DataFrame) -> Ints:
    """The place of each query's key among `heads`, `NOWHERE` where it is not there; of accounts it is found once a run."""
    key, numbered = heads.columns, heads.with_row_index("run")
    asked = _runs(queries, key) if len(key) == 1 else None
    named = queries.select(key) if asked is None else asked.heads
    found = named.join(numbered, on=key, how="left", maintain_order="left")["run"]
    numbers: Ints = found.cast(pl.Int64).fill_null(NOWHERE).to_numpy()
    return numbers if asked is None else numbers[asked.run]


def _total(total: Ints, places: Ints) -> Ints:
    """The totals in these places; 0 where there is none."""
    if not len(total):
        return np.zeros(len(places), np.int64)
    found: Ints = total[places]
    found[places == NOWHERE] = 0
    return found
