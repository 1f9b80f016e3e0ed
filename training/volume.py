"""How much came: posts a day against ordinary stretches, and the share of rows that was rejected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from clout.data.receipt import Receipt

LEAST_CHANGE = float(np.log(1.5))
LEAST_STRETCHES = 3
RECENT = 4


@dataclass(frozen=True)
class Volume:
    """Posts a day `now`, in `earlier` stretches of the same length, oldest first, and `before`: their newest four.

    `floor` is how far one of these lies at most from the mean of the four before it, in logarithms: feeds grow.
    """

    now: float
    before: float
    floor: float
    earlier: tuple[float, ...]

    @property
    def unusual(self) -> bool:
        """Whether it changed beyond ordinary stretches, and by half or more."""
        change = abs(np.log(max(self.now, 1e-9) / self.before))
        return bool(change > max(self.floor, LEAST_CHANGE))

    def told(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self) | {"earlier": list(self.earlier), "unusual": self.unusual}


def posts_a_day(reference: pl.Series, current: pl.Series, since: datetime, through: datetime) -> Volume | None:
    """The volume of the times `current` in `(since, through]`; None where the reference has no three such stretches."""
    span, last = through - since, reference.max()
    first = reference.min()
    if not isinstance(first, datetime) or not isinstance(last, datetime) or span < timedelta(hours=1):
        return None
    count = int((last - first) / span)
    if count < LEAST_STRETCHES:
        return None
    inside = [
        reference.is_between(last - span * (back + 1), last - span * back, closed="right") for back in range(count)
    ]
    counts = np.array([mask.sum() for mask in inside], np.float64)
    days = span / timedelta(days=1)
    earlier = np.maximum(counts[::-1], 0.5) / days
    steps = [np.log(earlier[place] / earlier[max(0, place - RECENT) : place].mean()) for place in range(1, count)]
    before = float(earlier[-RECENT:].mean())
    return Volume(current.len() / days, before, float(np.abs(steps).max()), tuple(earlier.tolist()))


def rejects_share(receipts: Sequence[Receipt]) -> tuple[float, float]:
    """The shares of rows rejected in all batches but the newest, and in the newest; 0 where there are no rows."""
    return _share(receipts[:-1]), _share(receipts[-1:])


def _share(receipts: Sequence[Receipt]) -> float:
    refused = sum(sum(receipt.rejected.values()) for receipt in receipts)
    rows = sum(sum(receipt.rows.values()) for receipt in receipts) + refused
    return refused / rows if rows else 0.0
