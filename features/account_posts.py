"""The posts an account is judged by at a moment, each measured with what is known then."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import polars as pl

from clout.data.history import History
from clout.data.windows import Stream
from clout.features.compute import Streams, compute, prepare
from clout.features.wording import Wording

CHUNK = 50_000


def counted_posts(history: History, at: datetime, window: timedelta, record: timedelta) -> pl.DataFrame:
    """The posts that count for accounts at a moment, in the order of account and time; reshares are nobody's own.

    All of `(at − window, at)`, and those of `(at − record, at)` whose outcome was known before `at`. The columns of
    the posts table, `log` (log1p of the outcome, null before it is known) and `age_days`.
    """
    return counted(history.posts, history.outcomes, at, window, record)


def counted(
    posts: pl.DataFrame, outcomes: pl.DataFrame, at: datetime, window: timedelta, record: timedelta
) -> pl.DataFrame:
    """Those of `posts` that `counted_posts` gives, some of whose `outcomes` may be known."""
    known = outcomes.filter(pl.col("at") < at).select("post", log=pl.col("outcome").log1p())
    posts = posts.filter(
        (pl.col("kind") != "reshare") & (pl.col("at") < at) & (pl.col("happened_at") > at - max(window, record))
    ).join(known, on="post", how="left", maintain_order="left")
    judged_now = pl.col("happened_at") > at - window
    judged_by_record = pl.col("log").is_not_null() & (pl.col("happened_at") > at - record)
    age = (pl.lit(at) - pl.col("happened_at")).dt.total_microseconds() / timedelta(days=1).total_seconds() / 1e6
    return posts.filter(judged_now | judged_by_record).sort("account", "happened_at", "post").with_columns(age_days=age)


def measured(posts: pl.DataFrame, streams: Streams, wording: Wording | None, at: datetime) -> Iterator[pl.DataFrame]:
    """The features of posts with what is known at a moment, in slices, as `compute` gives them."""
    for part in posts.iter_slices(CHUNK):
        yield measured_at(part, _between(streams, *part["account"].unique().sort()[[0, -1]]), wording, at)


def measured_at(posts: pl.DataFrame, streams: Streams, wording: Wording | None, at: datetime) -> pl.DataFrame:
    """The features of posts with what is known at a moment, as `compute` gives them."""
    lift = None if wording is None else pl.Series(wording.values(posts["text"]))
    asked = posts.drop("log", "age_days", strict=False).with_columns(as_of=pl.lit(at))
    return compute(asked, streams, lift)


def _between(streams: Streams, first: str, last: str) -> Streams:
    """The same past, without what is told of accounts before `first` or after `last` in the alphabet."""
    cut = dict(streams.by_name)
    for name, stream in streams.by_name.items():
        if stream.key[0] == "account":
            keys = stream.frame["account"]
            start, end = keys.search_sorted(first, "left"), keys.search_sorted(last, "right")
            cut[name] = Stream(stream.key, stream.frame.slice(start, end - start), stream.totals, stream.lasts)
    return replace(streams, by_name=cut)


@dataclass(frozen=True)
class AccountsAt:
    """Who is scored at a moment, and from what.

    `accounts` (account, network, handle, followers) are sorted by account; `posts` are those of `counted_posts`.
    """

    at: datetime
    accounts: pl.DataFrame
    posts: pl.DataFrame
    streams: Streams

    @classmethod
    def of(
        cls, history: History, at: datetime, networks: Collection[str], window: timedelta, record: timedelta
    ) -> AccountsAt:
        """What `history` tells of some networks before a moment; see `counted_posts` for the windows."""
        here = pl.col("network").is_in(list(networks))
        posts = counted_posts(history, at, window, record).filter(here)
        return cls(at, _scorable(history, at).filter(here).sort("account"), posts, prepare(history))


def _scorable(history: History, at: datetime) -> pl.DataFrame:
    """Authors and registered accounts, with the newest number of followers known; not who only reacted to others."""
    followers = (
        history.profiles.filter((pl.col("at") < at) & pl.col("followers").is_not_null())
        .sort("account", "at")
        .group_by("account")
        .agg(pl.col("followers").last())
    )
    authors = history.posts.filter(pl.col("at") < at).select("account", "network").unique()
    registered = history.accounts.select("account", "network", "handle")
    everybody = authors.join(registered, on=["account", "network"], how="full", coalesce=True)
    return everybody.join(followers, on="account", how="left")
