"""Where the marks of a chart stand, from the values it shows; templates draw them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from clout.models.explain import integers

WIDTH, HEIGHT = 600.0, 160.0
DIGITS = 1


@dataclass(frozen=True)
class Bar:
    """A bar from `x` on, `width` wide, of 100: where the score stood before, and what was added or taken."""

    x: float
    width: float
    points: int


def waterfall(base: float, steps: Iterable[float], score: float) -> list[Bar]:
    """One bar for each step from the typical score to this one, on a strip just wide enough for all of them.

    >>> waterfall(40, [10, -5], 45)
    [Bar(x=0.0, width=100.0, points=10), Bar(x=50.0, width=50.0, points=-5)]
    """
    marks = [base]
    for step in steps:
        marks.append(marks[-1] + step)
    low, high = min(*marks, score), max(*marks, score)
    scale = 100 / (high - low) if high > low else 0.0
    return [
        Bar(_at(min(before, after) - low, scale), _at(abs(after - before), scale), round(after - before))
        for before, after in pairwise(marks)
    ]


def _at(value: float, scale: float) -> float:
    return round(value * scale, DIGITS)


def whole_share(percentage: float) -> float:
    """A percentage as a share that is never said to be all or nothing where it is not.

    >>> whole_share(99.9), whole_share(0.2), whole_share(40)
    (0.99, 0.01, 0.4)
    """
    if 0 < percentage < 100:
        return min(max(percentage, 1.0), 99.0) / 100
    return percentage / 100


def tenths(total: float, parts: Sequence[float]) -> list[float]:
    """Parts with one digit after the point that add up to the total with one.

    >>> tenths(1.33, [0.45, 0.88])
    [0.4, 0.9]
    """
    return [tenth / 10 for tenth in integers([10 * part for part in parts], round(10 * total))]


@dataclass(frozen=True)
class Dot:
    """A point of a line."""

    x: float
    y: float


@dataclass(frozen=True)
class Line:
    """A line of scores over time on a field of `WIDTH` by `HEIGHT`, the band of its intervals, and where models changed.

    `low` and `high` are the scores at the lower and upper edge; lines are broken where there was no score.
    """

    lines: list[list[Dot]]
    band: list[Dot]
    marks: list[Dot]
    low: int
    high: int


def line(
    moments: Sequence[datetime],
    scores: Sequence[float | None],
    ends: Sequence[tuple[float | None, float | None]],
    changed: Sequence[bool],
) -> Line | None:
    """The line of the scores of `moments`, oldest first; None where fewer than two of them are known.

    `ends` are the ends of each interval, `changed` says where another model judged than before.
    """
    known = [score for score in scores if score is not None]
    if len(known) < 2:
        return None
    every = [*known, *(end for pair in ends for end in pair if end is not None)]
    low, high = max(int(min(every)) // 10 * 10, 0), min(-(-int(max(every) + 1) // 10) * 10, 100)
    begin, span = moments[0], (moments[-1] - moments[0]).total_seconds() or 1.0

    def x(moment: datetime) -> float:
        return round((moment - begin).total_seconds() / span * WIDTH, DIGITS)

    def y(score: float) -> float:
        return round(HEIGHT * (1 - (score - low) / (high - low)), DIGITS)

    upper = [Dot(x(at), y(end[1])) for at, end in zip(moments, ends, strict=True) if end[1] is not None]
    lower = [Dot(x(at), y(end[0])) for at, end in zip(moments, ends, strict=True) if end[0] is not None]
    marks = [
        Dot(x(at), y(score))
        for at, score, new in zip(moments, scores, changed, strict=True)
        if new and score is not None
    ]
    return Line(_unbroken(moments, scores, x, y), [*upper, *reversed(lower)], marks, low, high)


def _unbroken(
    moments: Sequence[datetime],
    scores: Sequence[float | None],
    x: Callable[[datetime], float],
    y: Callable[[float], float],
) -> list[list[Dot]]:
    """The parts of the line between moments without a score."""
    parts: list[list[Dot]] = [[]]
    for moment, score in zip(moments, scores, strict=True):
        if score is not None:
            parts[-1].append(Dot(x(moment), y(score)))
        elif parts[-1]:
            parts.append([])
    return [part for part in parts if part]
