"""What was known of each engager just before it acted: how much it acts, on whom, and who acts back."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl

from clout.data.moments import MICROSECOND, Ints, microseconds
from clout.data.ordered import changes, in_order

MONTH = timedelta(days=30)
QUARTER = timedelta(days=90)
NEVER = -(2**62)
SEEN = pl.Schema(
    {"acted": pl.UInt32, "others": pl.Int64, "returning": pl.Boolean, "mutual": pl.Boolean, "answered": pl.UInt32}
)


def encode(*names: pl.Series) -> tuple[Ints, ...]:
    """Each series as whole numbers, the same number for the same name."""
    numbers = pl.concat([series.rename("name") for series in names]).cast(pl.Categorical).to_physical()
    ends = np.cumsum([len(series) for series in names])[:-1]
    return tuple(np.split(numbers.to_numpy().astype(np.int64), ends))


def seen_before(rows: pl.DataFrame) -> pl.DataFrame:
    """What was known of the engager of each of `rows` (actor, account, at, counts), in their order.

    Only rows that `counts` are told of; windows are open at both ends.

    - acted: the engager's actions on anyone in 30 days
    - others: the different accounts it had acted on in 90 days, not counting this one
    - returning: it had acted on this account in 30 days
    - mutual: this account had acted on it in 30 days
    - answered: its actions of 30 days that were mutual

    `actor` and `account` are whole numbers, one for each name. All actions of an engager must be there, and those on it.
    """
    timed = rows.select("actor", "account", "counts", at=pl.Series(microseconds(rows["at"]))).with_row_index("row")
    known = _by_pair(timed)
    return _by_engager(known).sort("row").select(SEEN.names()).cast(SEEN)


def _by_pair(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with what is known of the pair, whichever of the two acted: this, returning, mutual, begins, ends."""
    pair = in_order(
        rows.with_columns(
            low=pl.min_horizontal("actor", "account"),
            high=pl.max_horizontal("actor", "account"),
            down=pl.col("actor") > pl.col("account"),
        ),
        "low",
        "high",
        "at",
    ).with_columns(opens=changes("low", "high"), moves=changes("low", "high", "at"))
    pair = pair.with_columns(closes=pl.col("opens").shift(-1, fill_value=True))
    down, counts = pl.col("down"), pl.col("counts")
    pair = pair.with_columns(
        earlier_down=_earlier(counts & down), earlier_up=_earlier(counts & ~down),
        later=pl.when(down).then(_later(counts & down)).otherwise(_later(counts & ~down)),
    )  # fmt: skip
    pair = pair.with_columns(
        earlier=pl.when(down).then("earlier_down").otherwise("earlier_up"),
        before_down=_before("earlier_down"), before_up=_before("earlier_up"),
    )  # fmt: skip
    this = pl.when(down).then("before_down").otherwise("before_up")
    that = pl.when(down).then("before_up").otherwise("before_down")
    quarter, month, at = QUARTER // MICROSECOND, MONTH // MICROSECOND, pl.col("at")
    return pair.select(
        "row", "actor", "at", "counts",
        this=this > at - quarter,
        returning=this > at - month,
        mutual=that > at - month,
        begins=counts & (pl.col("earlier") <= at - quarter),
        ends=counts & (pl.col("later") >= at + quarter),
    )  # fmt: skip


def _earlier(which: pl.Expr) -> pl.Expr:
    """When the last of the pair's rows above was that is one of `which`, at the same moment or before; else `NEVER`."""
    above = pl.when(which).then("at").shift(1)
    return pl.when("opens").then(NEVER).otherwise(above).forward_fill()


def _later(which: pl.Expr) -> pl.Expr:
    """When the first of the pair's rows below is that is one of `which`; else beyond all time."""
    below = pl.when(which).then("at").shift(-1)
    return pl.when("closes").then(-NEVER).otherwise(below).backward_fill()


def _before(earlier: str) -> pl.Expr:
    """The same, strictly before the row's moment."""
    return pl.when("moves").then(earlier).forward_fill()


def _by_engager(known: pl.DataFrame) -> pl.DataFrame:
    """`known` with how much each engager acts, and on how many."""
    ordered = in_order(known, "actor", "at").with_columns(opens=changes("actor"), moves=changes("actor", "at"))
    began = pl.col("begins").cum_sum() - pl.col("begins").cast(pl.Int64)
    began -= pl.when("opens").then(began).forward_fill()
    ended = ordered.filter("ends").select("actor", at=pl.col("at") + (QUARTER // MICROSECOND - 1))
    return ordered.with_columns(
        acted=_in_month(pl.col("counts")),
        answered=_in_month(pl.col("counts") & pl.col("mutual")),
        others=pl.when("moves").then(began).forward_fill() - _ended(ordered, ended) - pl.col("this").cast(pl.Int64),
    )


def _in_month(which: pl.Expr) -> pl.Expr:
    return (
        which.cast(pl.Int64)
        .rolling_sum_by("at", window_size=f"{MONTH // MICROSECOND}i", closed="none")
        .over("actor")
        .fill_null(0)
    )


def _ended(ordered: pl.DataFrame, ended: pl.DataFrame) -> pl.Series:
    """How many of `ended` lie strictly before each row of its engager."""
    soon = in_order(ended.filter(pl.col("at") < pl.lit(ordered["at"].max(), pl.Int64)), "actor", "at")
    if soon.is_empty():
        return pl.repeat(0, ordered.height, dtype=pl.Int64, eager=True)
    running = soon.with_columns(n=pl.int_range(1, pl.len() + 1).over("actor"))
    found = ordered.select("actor", "at").join_asof(
        running, on="at", by="actor", strategy="backward", allow_exact_matches=False, check_sortedness=False
    )
    return found["n"].fill_null(0)
