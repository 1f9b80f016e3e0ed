"""One score for a person with several accounts: connecting another never lowers it, and what is unknown adds nothing.

The strongest account counts whole. Each other is worth the actions that its score would stand for on an average network
of the scale, so that an average account of a small network weighs as much as one of a large network; they are added to
the strongest account's own there, and the sum is read on the average network's curve.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from clout.models.scale import Curve, Scale

AVERAGE = "average"


@dataclass(frozen=True)
class Part:
    """One account of a person: its network, its score with the interval, all None while it is not known."""

    account: str
    network: str
    score: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Combined:
    """The score of a person and the points of each part in it, which add up to the score; None for unknown parts."""

    score: float
    low: float
    high: float
    points: tuple[float | None, ...]


def combine(parts: Sequence[Part], scale: Scale) -> Combined | None:
    """The score of a person with these accounts; None when none of them has a score.

    >>> from clout.models.scale import Curve
    >>> scale = Scale("1", {"a": Curve(2.0, 4.3, 500), "b": Curve(1.0, 3.0, 500)})
    >>> one = Part("a/1", "a", 50.0, 45.0, 55.0)
    >>> combine([one, Part("b/1", "b", None, None, None)], scale).score
    50.0
    >>> both = combine([one, Part("b/1", "b", 50.0, 45.0, 55.0)], scale)
    >>> round(both.score, 2), [round(points, 2) for points in both.points]
    (56.94, [50.0, 6.94])
    """
    known = [part for part in parts if part.score is not None]
    if not known:
        return None
    best, average = max(known, key=lambda part: part.score or 0.0), _average(scale)
    score = _joined(best, known, average, "score")
    worth = {part.account: _actions(part, average, "score") for part in known if part is not best}
    gain, total = score - (best.score or 0.0), sum(worth.values())
    points = {account: gain * actions / total if total else 0.0 for account, actions in worth.items()}
    return Combined(
        score,
        min(_joined(best, known, average, "low"), score),
        max(_joined(best, known, average, "high"), score),
        tuple(best.score if part is best else points.get(part.account) for part in parts),
    )


def _average(scale: Scale) -> Scale:
    """A scale of one network, whose anchors are the means of those of all."""
    curves = scale.curves.values()
    mean, p95 = fmean(curve.mean for curve in curves), fmean(curve.p95 for curve in curves)
    return Scale(scale.version, {AVERAGE: Curve(mean, p95, sum(curve.accounts for curve in curves))})


def _joined(best: Part, known: Sequence[Part], average: Scale, end: str) -> float:
    """The score, or one end of its interval, of all together."""
    own = average.log_expected(getattr(best, end), AVERAGE)
    others = sum(_actions(part, average, end) for part in known if part is not best)
    if not others:
        return float(getattr(best, end))
    joined = own + math.log1p(others / math.exp(own))
    return float(average.score(np.array([joined]), [AVERAGE])[0])


def _actions(part: Part, average: Scale, end: str) -> float:
    """The actions that a score stands for on an average network, never below 0."""
    return max(math.expm1(average.log_expected(getattr(part, end), AVERAGE)), 0.0)
