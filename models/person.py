"""One score for a person with several accounts: connecting another never lowers it, and what is unknown adds nothing.

The strongest account counts whole. Each other is worth the actions that its score would stand for on the strongest
one's network, so that an average account of a small network weighs as much as one of a large network; they are added to
the strongest account's own, and the sum is read on its network's curve.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clout.models.scale import Scale


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
    (56.68, [50.0, 6.68])
    """
    known = [part for part in parts if part.score is not None]
    if not known:
        return None
    best = max(known, key=lambda part: part.score or 0.0)
    score = _joined(best, known, scale, "score")
    worth = {part.account: _actions(part, best.network, scale, "score") for part in known if part is not best}
    gain, total = score - (best.score or 0.0), sum(worth.values())
    points = {account: gain * actions / total if total else 0.0 for account, actions in worth.items()}
    return Combined(
        score,
        min(_joined(best, known, scale, "low"), score),
        max(_joined(best, known, scale, "high"), score),
        tuple(best.score if part is best else points.get(part.account) for part in parts),
    )


def _joined(best: Part, known: Sequence[Part], scale: Scale, end: str) -> float:
    """The score, or one end of its interval, of all together."""
    own = scale.log_expected(getattr(best, end), best.network)
    others = sum(_actions(part, best.network, scale, end) for part in known if part is not best)
    if not others:
        return float(getattr(best, end))
    joined = own + math.log1p(others / math.exp(own))
    return float(scale.score(np.array([joined]), [best.network])[0])


def _actions(part: Part, network: str, scale: Scale, end: str) -> float:
    """The actions that a score stands for on a network, never below 0."""
    return max(math.expm1(scale.log_expected(getattr(part, end), network)), 0.0)
