"""Where the points of a plot stand and where its axes are marked, in hundredths of its field; templates draw them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

DIGITS = 2
COUNTS = tuple(value * 10**power for power in range(10) for value in (1, 3))
FEW_MARKS = 3


@dataclass(frozen=True)
class Axis:
    """The values that are marked along an axis, lowest first, and how values are spread along it."""

    values: tuple[float, ...]
    spread: Callable[[float], float] = float

    def at(self, value: float) -> float:
        """Where a value stands, from 0 to 100.

        >>> Axis((0, 50, 200)).at(50)
        25.0
        """
        first, last = self.spread(self.values[0]), self.spread(self.values[-1])
        return round(100 * (self.spread(value) - first) / (last - first), DIGITS)

    @property
    def digits(self) -> int:
        """How many digits after the point its marks need.

        >>> Axis((0, 50)).digits, Axis((0.895, 0.9, 0.905)).digits
        (0, 3)
        """
        return max(0, math.ceil(-math.log10(self.values[1] - self.values[0]) - 1e-9))


@dataclass(frozen=True)
class Point:
    """A point of a plot: `x` from the left, `y` from the top, `low` and `high` the ends of its interval if it has one."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None


class Ranged(Protocol):
    """A figure, with the ends of its interval where it has one."""

    @property
    def value(self) -> float:
        """The figure."""

    @property
    def low(self) -> float | None:
        """The lower end."""

    @property
    def high(self) -> float | None:
        """The upper end."""


def points(xs: Iterable[float], ys: Iterable[float], across: Axis, up: Axis) -> list[Point]:
    """Where pairs of values stand.

    >>> points([1], [10], Axis((0, 2)), Axis((0, 10)))
    [Point(x=50.0, y=0.0, low=None, high=None)]
    """
    return [Point(across.at(x), _down(up.at(y))) for x, y in zip(xs, ys, strict=True)]


def counts(most: float) -> Axis:
    """An axis from 0 to `most` or more along which equal steps multiply one more than the count.

    >>> counts(25).values
    (0, 1, 3, 10, 30)
    """
    upper = next((place for place, count in enumerate(COUNTS) if count >= most), len(COUNTS) - 1)
    return Axis((0, *COUNTS[: upper + 1]), math.log1p)


def trend(rows: Sequence[Ranged]) -> tuple[list[Point], Axis]:
    """Figures one after the other, each with the ends of its interval, and the axis that holds them all."""
    axis = _around([value for row in rows for value in (row.value, row.low, row.high) if value is not None])

    def down(value: float | None) -> float | None:
        return None if value is None else _down(axis.at(value))

    across = Axis((-0.5, len(rows) - 0.5))
    return [
        Point(across.at(place), _down(axis.at(row.value)), down(row.low), down(row.high))
        for place, row in enumerate(rows)
    ], axis


def _around(values: Sequence[float]) -> Axis:
    """An axis with few marks, at round numbers, around all values.

    >>> _around([0.71, 0.74]).values
    (0.7, 0.72, 0.74, 0.76)
    """
    width = max(max(values) - min(values), 0.01)
    power = 10.0 ** math.floor(math.log10(width / FEW_MARKS))
    step = next(size * power for size in (1, 2, 5, 10) if size * power * FEW_MARKS >= width)
    first = math.floor(min(values) / step + 1e-9)
    last = max(math.ceil(max(values) / step + 1e-9), first + 1)
    return Axis(tuple(round(place * step, 9) for place in range(first, last + 1)))


def _down(at: float) -> float:
    return round(100 - at, DIGITS)
