"""Sums of a whole network by the hour: what it did in the 30 days before an hour began."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from clout.data.moments import Ints, microseconds

HOUR = timedelta(hours=1)
MONTH = timedelta(days=30) // HOUR
KEY = ("network", "hour")


def sums(rows: pl.DataFrame, amounts: Mapping[str, Ints]) -> pl.DataFrame:
    """What each hour (counted from 1970) of each network holds: network, hour, and one sum a name of `amounts`.

    `rows` have a network and `at`, and there is one amount for each of them. Every hour of a row is there, if with 0.
    """
    hour = pl.Series(microseconds(rows["at"]) // (HOUR // timedelta(microseconds=1)))
    columns = [pl.Series(name, values) for name, values in amounts.items()]
    return rows.select(pl.col("network").cast(pl.String), hour=hour).with_columns(columns).group_by(KEY).sum()


def together(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The sums of all rows, from the sums of parts of them."""
    return pl.concat(parts).group_by(KEY).sum().sort(KEY)


@dataclass(frozen=True)
class Usual:
    """Running sums by network and hour; `starts` are the places where networks begin, whose first hour is `first`."""

    starts: Mapping[str, int]
    first: int
    running: Mapping[str, Ints]

    @classmethod
    def of(cls, table: pl.DataFrame) -> Usual:
        """Those of a table of `sums`."""
        hours = table["hour"].to_numpy()
        first, width = (int(hours.min()), int(np.ptp(hours)) + 2) if len(hours) else (0, 1)
        starts = {network: place * width for place, network in enumerate(table["network"].unique().sort())}
        places = _starts(table["network"], starts) + hours - first + 1
        running = {}
        for name in table.columns[len(KEY) :]:
            dense = np.zeros(len(starts) * width, np.int64)
            dense[places] = table[name].to_numpy()
            running[name] = dense.reshape(len(starts), width).cumsum(axis=1).ravel()
        return cls(starts, first, running)

    def before(self, rows: pl.DataFrame) -> dict[str, Ints]:
        """The sums over the 30 days before the hour of each of `rows`, whose networks and hours must be in the table."""
        start = _starts(rows["network"], self.starts)
        hour = microseconds(rows["at"]) // (HOUR // timedelta(microseconds=1)) - self.first
        now, then = start + hour, start + np.maximum(hour - MONTH, 0)
        return {name: running[now] - running[then] for name, running in self.running.items()}


def _starts(networks: pl.Series, starts: Mapping[str, int]) -> Ints:
    kinds = pl.Enum(list(starts))
    places: Ints = np.fromiter(starts.values(), np.int64, len(starts))
    found: Ints = places[networks.cast(kinds).to_physical().to_numpy()]
    return found
