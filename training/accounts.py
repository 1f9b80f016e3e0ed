"""One margin an account, at a moment; see `models.account` for the mathematics."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.data.history import History
from clout.features import account_posts
from clout.features.account_posts import measured
from clout.features.catalogue import CONTRACT
from clout.features.compute import Streams
from clout.features.contract import Contract
from clout.features.wording import Wording
from clout.models.account import AccountPosts, AccountRule, fold

Floats = npt.NDArray[np.float64]
Judge = Callable[[Floats], Floats]
RULE = AccountRule()
WINDOW, RECORD = RULE.windows


class MeasuredPosts(NamedTuple):
    """The posts of some accounts, as `counted_posts` gives them for a moment, and their features then, in slices."""

    posts: pl.DataFrame
    features: Iterable[pl.DataFrame]

    @classmethod
    def of(cls, history: History, streams: Streams, wording: Wording | None, at: datetime) -> MeasuredPosts:
        """All that count at a moment."""
        posts = counted_posts(history, at)
        return cls(posts, measured(posts, streams, wording, at))


def account_margins(
    parts: Iterable[MeasuredPosts], judge: Judge, contract: Contract = CONTRACT, rule: AccountRule = RULE
) -> pl.DataFrame:
    """One row an account with a post in the 90 days before a moment, sorted by account; each lies whole in one of `parts`.

    Columns: account, network, posts (of the window), ripe (posts of a year with a known outcome), expected (weighted mean
    margin), track_record, margin (their sum), low and high (the ends of its interval), lacks (what is missing before it
    may be scored, null when nothing is), own_mean_90d and own_mean_all (mean log1p outcome of ripe posts of the window
    and of the year, null without). `judge` gives the margins of a matrix of the features of `contract`.
    """
    told = [weigh(part.posts, margins(part, judge, contract), rule) for part in parts]
    return pl.concat(told).sort("account")


def margins(part: MeasuredPosts, judge: Judge, contract: Contract) -> Floats:
    """What `judge` says of each post, (posts,)."""
    return np.concatenate([np.empty(0), *(judge(contract.matrix(features)) for features in part.features)])


def counted_posts(history: History, at: datetime) -> pl.DataFrame:
    """The posts accounts are judged by at a moment; see `features.account_posts`."""
    return account_posts.counted_posts(history, at, WINDOW, RECORD)


def weigh(posts: pl.DataFrame, margin: Floats, rule: AccountRule = RULE) -> pl.DataFrame:
    """The accounts of `posts`, as `counted_posts` gives them, with the margin of each; see `account_margins`."""
    accounts = own_means(posts)
    folded = fold(rule, AccountPosts.of(posts), margin)
    low, high = rule.offsets(folded.ripe)
    lacks = [
        rule.lacks(int(recent), int(ripe), days)
        for recent, ripe, days in zip(folded.recent, folded.ripe, folded.days.tolist(), strict=True)
    ]
    return accounts.with_columns(
        posts=pl.Series(folded.recent, dtype=pl.Float64).cast(pl.Int64),
        ripe=pl.Series(folded.ripe, dtype=pl.Float64).cast(pl.Int64),
        **{name: pl.Series(getattr(folded, name), dtype=pl.Float64) for name in ("expected", "track_record", "margin")},
        low=pl.Series(folded.margin + low, dtype=pl.Float64),
        high=pl.Series(folded.margin + high, dtype=pl.Float64),
        lacks=pl.Series(lacks, dtype=pl.String),
    ).filter(pl.col("posts") > 0)


def own_means(posts: pl.DataFrame) -> pl.DataFrame:
    """Each account of `counted_posts` with its network and the mean log1p outcome of its posts, of 90 days and all."""
    recent = pl.col("age_days") < RULE.window_days
    return posts.group_by("account", maintain_order=True).agg(
        pl.col("network").first(),
        own_mean_90d=pl.col("log").filter(recent).mean(),
        own_mean_all=pl.col("log").mean(),
    )
