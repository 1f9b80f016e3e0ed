"""One feature, declared once: its words for people and its expression for machines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import polars as pl

from clout.data.windows import UNIT, WIDTHS
from clout.features.contract import FeatureSpec, Group


@dataclass(frozen=True)
class Feature:
    """A feature's declaration; `expression` reads columns of the post and looked-up columns `stream|column|window`.

    See `FeatureSpec` for the words. The window `last` is the newest event's value, `all` everything before the post,
    and `7d` the open interval (post − 7 d, post).
    """

    name: str
    group: Group
    unit: str
    label: str
    helping: str
    holding_back: str
    expression: pl.Expr
    direction: Literal[-1, 0, 1] = 0
    advice: str = ""
    missing: str = "not reported by the network"

    @property
    def spec(self) -> FeatureSpec:
        """The words of this feature, as the contract carries them."""
        return FeatureSpec(
            name=self.name,
            group=self.group,
            unit=self.unit,
            direction=self.direction,
            actionable=bool(self.advice),
            label=self.label,
            helping=self.helping,
            holding_back=self.holding_back,
            advice=self.advice,
            missing=self.missing,
        )


def past(stream: str, column: str, window: str) -> pl.Expr:
    """The looked-up column of a stream: `window` is `last`, `all` or a name of `WIDTHS`."""
    if window not in {"last", "all", *WIDTHS}:
        raise KeyError(f"unknown window {window!r}; expected last, all or one of {', '.join(WIDTHS)}")
    return pl.col(f"{stream}|{column}|{window}")


def share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """`part / whole` as a float; missing where the whole is 0 or missing."""
    return pl.when(whole > 0).then(part.cast(pl.Float64) / whole.cast(pl.Float64))


def mean(stream: str, column: str, window: str, count: str = "n") -> pl.Expr:
    """The mean of a fixed-point total over its count in the window; missing where the window is empty."""
    return share(past(stream, column, window), past(stream, count, window)) / UNIT


def since(stream: str, column: str, unit: timedelta) -> pl.Expr:
    """How long before the post the newest event's time `column` lies, in `unit`; missing without an event."""
    return elapsed(past(stream, column, "last"), unit)


def elapsed(start: pl.Expr, unit: timedelta) -> pl.Expr:
    """The time from `start` to the post, in `unit`; missing where `start` is.

    Multiplies: polars divides a column by a constant through its reciprocal but a single row exactly, so that a
    division would give a request another last bit than a batch.
    """
    return (pl.col("at") - start).dt.total_microseconds() * (1e-6 / unit.total_seconds())
