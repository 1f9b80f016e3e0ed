"""How far the truth may lie from an expectation: conformal offsets, looked up by group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from clout.errors import CloutError

Floats = npt.NDArray[np.float64]
Groups = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
Table = tuple[tuple[float | None, ...], ...]
HALF_AN_ACTION = float(np.log1p(0.5))


class IntervalError(CloutError):
    """The tables of offsets do not fit their edges."""

    code = "intervals"


@dataclass(frozen=True)
class Intervals:
    """Offsets of each head by the bins of two features; `default` where a group had too few rows.

    Bin 0 holds the missing, bin 1 what lies below the first edge, bin k what is at or above edge k − 1.
    """

    level: float
    features: tuple[str, str]
    edges: tuple[tuple[float, ...], tuple[float, ...]]
    tables: Mapping[str, Table]
    default: Mapping[str, float]

    def __post_init__(self) -> None:
        expected = tuple(len(edges) + 2 for edges in self.edges)
        for head, table in self.tables.items():
            got = (len(table), len(table[0]) if table else 0)
            if got != expected or any(len(row) != expected[1] for row in table):
                raise IntervalError(
                    f"the offsets of {head!r} are {got[0]} × {got[1]}; expected {expected[0]} × {expected[1]}"
                    ": a bin for the missing and one more than there are edges"
                )
            if head not in self.default:
                raise IntervalError(f"no default offset for {head!r}; expected one for each table")

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Intervals:
        """The intervals a `to_json` record describes."""
        first, second = record["edges"]
        a, b = record["features"]
        tables = {head: tuple(tuple(row) for row in record[head]) for head in record["default"]}
        return cls(record["level"], (a, b), (tuple(first), tuple(second)), tables, record["default"])

    def to_json(self) -> dict[str, Any]:
        """Level, features, edges, one table a head, defaults."""
        tables = {head: [list(row) for row in table] for head, table in self.tables.items()}
        edges = [list(edges) for edges in self.edges]
        return {
            "level": self.level,
            "features": list(self.features),
            "edges": edges,
            **tables,
            "default": dict(self.default),
        }

    def groups(self, first: Floats, second: Floats) -> Groups:
        """The bins of both features for each row."""
        return _bins(first, self._edges[0]), _bins(second, self._edges[1])

    def offsets(self, head: str, first: Floats, second: Floats) -> Floats:
        """The offset of each row for a head."""
        return self.filled[head][self.groups(first, second)]

    @cached_property
    def _edges(self) -> tuple[Floats, Floats]:
        first, second = self.edges
        return np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)

    @cached_property
    def filled(self) -> dict[str, Floats]:
        """The offset of each head by the bins of both features, the default where there is no other."""
        return {
            head: np.array(
                [[self.default[head] if cell is None else cell for cell in row] for row in table], dtype=float
            )
            for head, table in self.tables.items()
        }


def _bins(values: Floats, edges: Floats) -> npt.NDArray[np.intp]:
    return np.where(np.isnan(values), 0, edges.searchsorted(values, side="right") + 1)


def lower_end(low: Floats) -> Floats:
    """`low`, a lower end on the log1p scale, where less than half an action is none: nobody can see 0.01 actions.

    >>> lower_end(np.log1p([0.01, 0.49, 0.5, 3.0])).round(2).tolist()
    [0.0, 0.0, 0.41, 1.39]
    """
    return np.where(low < HALF_AN_ACTION, np.minimum(low, 0.0), low)


def spread(low: Floats, high: Floats) -> Floats:
    """The width between the quantile heads, which scales the intervals of the kinds; never below 0.001."""
    return np.maximum(high - low, 1e-3)
