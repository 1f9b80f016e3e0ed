"""Features of many rows without a copy of all of them: a matrix is made in slices, as they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.features.contract import Contract

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
SLICE = 50_000


class Matrix(Protocol):
    """Rows of features: an array, or `FrameRows`."""

    def __len__(self) -> int:
        """How many rows there are."""
        ...

    def __getitem__(self, places: slice | Places, /) -> Floats:
        """The features of the rows at `places`, (places, features)."""
        ...


@dataclass(frozen=True)
class Part:
    """The rows of `frame` at `places`, copied when they are asked for, by column or slice by slice."""

    frame: pl.DataFrame
    places: Places

    @classmethod
    def of(cls, frame: pl.DataFrame, mask: pl.Series | None = None) -> Part:
        """The rows of a boolean mask; all rows without one."""
        return cls(frame, np.arange(frame.height) if mask is None else np.flatnonzero(mask.to_numpy()))

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, name: str) -> pl.Series:
        return self.select(name)[name]

    def select(self, *names: str) -> pl.DataFrame:
        """Some columns of all rows."""
        return self.frame.select(names)[self.places]

    def thinned(self, most: int) -> Part:
        """At most so many of the rows, evenly spaced."""
        return replace(self, places=self.places[:: max(1, -(-len(self) // most))])

    def slices(self) -> Iterator[pl.DataFrame]:
        """All columns, `SLICE` rows at a time."""
        for first in range(0, len(self), SLICE):
            yield self.frame[self.places[first : first + SLICE]]

    def features(self, contract: Contract) -> FrameRows:
        """The features of `contract`, made as they are asked for."""
        return FrameRows(self.frame.select(contract.names), self.places, contract)


@dataclass(frozen=True)
class FrameRows:
    """The features of `contract` of the rows of `frame` at `places`."""

    frame: pl.DataFrame
    places: Places
    contract: Contract

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, places: slice | Places, /) -> Floats:
        return self.contract.matrix(self.frame[self.places[places]])


def slices(matrix: Matrix) -> Iterator[Floats]:
    """The rows of `matrix`, `SLICE` at a time."""
    for first in range(0, len(matrix), SLICE):
        yield matrix[first : first + SLICE]


def judged(judge: Callable[[Floats], Floats], matrix: Matrix) -> Floats:
    """What `judge` says of each row of `matrix`, (n,), asked slice by slice."""
    return np.concatenate([np.empty(0), *map(judge, slices(matrix))])


def cut(frame: pl.DataFrame, mask: pl.Series) -> pl.DataFrame:
    """The rows of a boolean mask; those that stand together are not copied."""
    places = np.flatnonzero(mask.to_numpy())
    if len(places) and places[-1] - places[0] < len(places):
        return frame.slice(int(places[0]), len(places))
    return frame.filter(mask)
