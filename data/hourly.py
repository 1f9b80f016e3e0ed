"""Sums of a whole network by the hour: what it did in the 30 days before an hour began."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from clout.data.moments import Ints, microseconds
from clout.data.ordered import coded

HOUR = timedelta(hours=1)
MONTH = timedelta(days=30) // HOUR
KEY = ("network", "hour")
NAME = pl.Categorical()


@dataclass(frozen=True)
class Hours:
    """The hours that rows are in: `table` has each (network, hour from 1970) once, `places` where each row's is."""

    table: pl.DataFrame
    places: Ints

    @classmethod
    def of(cls, rows: pl.DataFrame) -> Hours:
        """Those of rows with a network and `at`."""
        hour, network = microseconds(rows["at"]) // (HOUR // timedelta(microseconds=1)), rows["network"].cast(NAME)
        if not len(hour):
            return cls(pl.DataFrame(schema={"network": pl.String, "hour": pl.Int64}), hour)
        first, width = int(hour.min()), int(np.ptp(hour)) + 1
        numbers, names = coded(network)
        dense = numbers * width + hour - first
        there = np.bincount(dense) > 0
        found = np.flatnonzero(there)
        table = {"network": names.cast(pl.String).gather(found // width), "hour": found % width + first}
        return cls(pl.DataFrame(table), (np.cumsum(there) - 1)[dense])


def sums(hours: Hours, amounts: Mapping[str, Ints]) -> pl.DataFrame:
    """What each hour (counted from 1970) of each network holds: network, hour, and one sum a name of `amounts`.

    There is one amount for each row of `hours`. Every hour of a row is there, if with 0.
    """
    totals = {name: np.zeros(hours.table.height, np.int64) for name in amounts}
    for name, values in amounts.items():
        np.add.at(totals[name], hours.places, values)
    return hours.table.with_columns(pl.Series(name, total) for name, total in totals.items())


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

    def before(self, hours: Hours) -> dict[str, Ints]:
        """The sums over the 30 days before each of the table of `hours`, which must all be in the table of sums."""
        start, hour = _starts(hours.table["network"], self.starts), hours.table["hour"].to_numpy() - self.first
        now, then = start + hour, start + np.maximum(hour - MONTH, 0)
        return {name: running[now] - running[then] for name, running in self.running.items()}


def _starts(networks: pl.Series, starts: Mapping[str, int]) -> Ints:
    kinds = pl.Enum(list(starts))
    places: Ints = np.fromiter(starts.values(), np.int64, len(starts))
    found: Ints = places[networks.cast(kinds).to_physical().to_numpy()]
    return found
