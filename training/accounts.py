"""One margin an account, at a moment: what its recent posts would drive now, set right by its track record.

The mean, over the account's own posts of 90 days, of each post's margin judged with what is known now; plus the
shrunken mean, over all its ripe posts, of what they did beyond what the model says of them now. Both are on the
margin's log1p scale and add up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.data.history import History
from clout.features.catalogue import CONTRACT
from clout.features.compute import Streams, compute
from clout.features.contract import Contract
from clout.features.wording import Wording

Floats = npt.NDArray[np.float64]
Judge = Callable[[Floats], Floats]
WINDOW = timedelta(days=90)
PRIOR_POSTS = 5.0
CHUNK = 200_000


def account_margins(
    history: History,
    streams: Streams,
    wording: Wording,
    judge: Judge,
    at: datetime,
    contract: Contract = CONTRACT,
) -> pl.DataFrame:
    """One row an account with a post in the 90 days before `at`, sorted by account.

    Columns: account, network, posts (of 90 days), ripe (posts with a known outcome, all time), expected (mean margin),
    track_record, margin (their sum), own_mean_90d and own_mean_all (mean log1p outcome of ripe posts, null without).
    `judge` gives the margins of a matrix of the features of `contract`.
    """
    posts = counted_posts(history, at)
    margins = [judge(contract.matrix(features)) for features in _measured(posts, streams, wording, at)]
    margin = np.concatenate(margins) if margins else np.empty(0)
    return weigh(posts.with_columns(margin=pl.Series(margin, dtype=pl.Float64)), at)


def counted_posts(history: History, at: datetime) -> pl.DataFrame:
    """The posts an account is judged by at a moment: its own of 90 days, and all ripe ones; `log` is log1p(outcome).

    The columns of the posts table and `log`, null before a post is ripe; in the order of account and time.
    """
    known = history.outcomes.filter(pl.col("at") < at).select("post", log=pl.col("outcome").log1p())
    posts = history.posts.filter((pl.col("kind") != "reshare") & (pl.col("at") < at)).join(
        known, on="post", how="left", maintain_order="left"
    )
    recent = pl.col("happened_at") > at - WINDOW
    return posts.filter(recent | pl.col("log").is_not_null()).sort("account", "happened_at", "post")


def weigh(posts: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """The accounts of `posts`, which has the columns of `counted_posts` and `margin`; see `account_margins`."""
    recent = pl.col("happened_at") > at - WINDOW
    beyond = (pl.col("log") - pl.col("margin")).sum() / (pl.col("log").count() + PRIOR_POSTS)
    return (
        posts.group_by("account", maintain_order=True)
        .agg(
            pl.col("network").first(),
            posts=recent.sum(),
            ripe=pl.col("log").count(),
            expected=pl.col("margin").filter(recent).mean(),
            track_record=beyond,
            own_mean_90d=pl.col("log").filter(recent).mean(),
            own_mean_all=pl.col("log").mean(),
        )
        .filter(pl.col("posts") > 0)
        .with_columns(margin=pl.col("expected") + pl.col("track_record"))
    )


def _measured(posts: pl.DataFrame, streams: Streams, wording: Wording, at: datetime) -> Iterator[pl.DataFrame]:
    """The features of posts with what is known at a moment, in slices."""
    for part in posts.drop("log").iter_slices(CHUNK):
        lift = pl.Series(wording.values(part["text"].to_list()))
        yield compute(part.with_columns(as_of=pl.lit(at)), streams, lift)
