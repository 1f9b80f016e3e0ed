"""How much lies in open windows of time, for as many questions as there are events: sorted whole numbers, no joins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int64]
MICROSECOND = timedelta(microseconds=1)


def encode(*names: pl.Series) -> tuple[Ints, ...]:
    """Each series as whole numbers, the same number for the same name."""
    numbers = pl.concat([series.rename("name") for series in names]).cast(pl.Categorical).to_physical()
    ends = np.cumsum([len(series) for series in names])[:-1]
    return tuple(np.split(numbers.to_numpy().astype(np.int64), ends))


def microseconds(times: pl.Series) -> Ints:
    """Times as whole numbers."""
    return times.dt.epoch("us").to_numpy().astype(np.int64)


@dataclass(frozen=True)
class Tally:
    """Running totals by key and moment; keys are whole numbers below 2³² and moments microseconds.

    >>> tally = Tally.of(np.array([1, 1, 2]), np.array([10, 20, 15]))
    >>> tally.within(np.array([1, 1]), np.array([20, 21]), timedelta(microseconds=11)).tolist()
    [1, 1]
    """

    moments: Ints
    places: Ints
    totals: Ints

    @classmethod
    def of(cls, keys: Ints, at: Ints, amounts: Ints | None = None) -> Tally:
        """The tally of events in any order; each counts 1, or its amount."""
        moments, ranks = np.unique(at, return_inverse=True)
        places = keys * np.int64(len(moments) + 1) + ranks
        order = np.argsort(places, kind="stable")
        each = np.ones(len(order), np.int64) if amounts is None else amounts[order]
        return cls(moments, places[order], np.concatenate([np.zeros(1, np.int64), np.cumsum(each)]))

    def within(self, keys: Ints, at: Ints, width: timedelta | None = None) -> Ints:
        """The total of the key's events in the open window (at − width, at), or of all before `at`."""
        now = np.searchsorted(self.moments, at, side="left")
        then = 0 if width is None else np.searchsorted(self.moments, at - width // MICROSECOND, side="right")
        return self._upto(keys, now) - self._upto(keys, then)

    def _upto(self, keys: Ints, rank: Ints | int) -> Ints:
        """The total of smaller keys and of the key's events at moments below a rank; asked in order, as that is faster."""
        asked = keys * np.int64(len(self.moments) + 1) + rank
        order = np.argsort(asked)
        found = np.empty_like(asked)
        found[order] = self.totals[np.searchsorted(self.places, asked[order])]
        return found
