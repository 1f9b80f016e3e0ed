"""The posts an account is judged by at a moment, each measured with what is known then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from clout.data.history import History
from clout.features.compute import Streams, compute
from clout.features.wording import Wording

CHUNK = 200_000


def counted_posts(history: History, at: datetime, window: timedelta, record: timedelta) -> pl.DataFrame:
    """The posts that count for accounts at a moment, in the order of account and time; reshares are nobody's own.

    All of `(at − window, at)`, and those of `(at − record, at)` whose outcome was known before `at`. The columns of
    the posts table, `log` (log1p of the outcome, null before it is known) and `age_days`.
    """
    known = history.outcomes.filter(pl.col("at") < at).select("post", log=pl.col("outcome").log1p())
    posts = history.posts.filter(
        (pl.col("kind") != "reshare") & (pl.col("at") < at) & (pl.col("happened_at") > at - max(window, record))
    ).join(known, on="post", how="left", maintain_order="left")
    judged_now = pl.col("happened_at") > at - window
    judged_by_record = pl.col("log").is_not_null() & (pl.col("happened_at") > at - record)
    age = (pl.lit(at) - pl.col("happened_at")).dt.total_microseconds() / timedelta(days=1).total_seconds() / 1e6
    return posts.filter(judged_now | judged_by_record).sort("account", "happened_at", "post").with_columns(age_days=age)


def measured(posts: pl.DataFrame, streams: Streams, wording: Wording | None, at: datetime) -> Iterator[pl.DataFrame]:
    """The features of posts with what is known at a moment, in slices, as `compute` gives them."""
    for part in posts.drop("log", "age_days", strict=False).iter_slices(CHUNK):
        lift = None if wording is None else pl.Series(np.asarray(wording.values(part["text"].to_list())))
        yield compute(part.with_columns(as_of=pl.lit(at)), streams, lift)
