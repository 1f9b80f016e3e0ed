"""What training asks of a lake: what posts drew, what was known before each of them, and of accounts at earlier moments."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Protocol, Self

import polars as pl

from clout.data.coverage import Coverage
from clout.data.history import History
from clout.data.windows import UNIT, WIDTHS, Asked, newest
from clout.features.compute import Streams, compute
from clout.features.wording import Wording
from clout.training.accounts import RULE, MeasuredPosts

MEANS = ("90d", "365d", "all")


class FeatureStore(Protocol):
    """What was known in a lake, measured as it was known at the time."""

    @property
    def coverage(self) -> Coverage:
        """What the sources report, and until when."""
        ...

    def without(self, networks: Collection[str]) -> Self:
        """The same without some networks."""
        ...

    def rows(self, table: str, *columns: str) -> Iterator[pl.DataFrame]:
        """Some columns of all rows of a table, some rows after others."""
        ...

    def labels(self) -> pl.DataFrame:
        """The posts whose outcome is known, in the order of time and name.

        Columns: post, account, network, happened_at, ripe_at, outcome, then one a kind of action.
        """
        ...

    def measured(self, posts: pl.DataFrame) -> pl.DataFrame:
        """What was known before each of `posts` (post, account), in their order; see the function `measured`."""
        ...

    def posting(self, at: datetime) -> pl.DataFrame:
        """Who is judged at a moment, by name: account, network, `recent` (whether by posts of the 90 days before)."""
        ...

    def account_posts(
        self, at: datetime, wording: Wording, accounts: pl.Series | None = None
    ) -> Iterator[MeasuredPosts]:
        """The posts by which `accounts`, all without, are judged at a moment; some accounts after others, each whole."""
        ...

    def history_of(self, accounts: pl.Series) -> History:
        """What happened to some accounts: their rows of the history of all."""
        ...

    def streams_of(self, accounts: pl.Series, as_of: datetime | None = None) -> Streams:
        """The past of some accounts, perhaps beside others; made of what was known before `as_of` alone, if given."""
        ...


def measured(posts: pl.DataFrame, streams: Streams) -> pl.DataFrame:
    """What was known before each post, in the order of `posts`, rows of the posts table.

    Columns: what `compute` gives, without words; kind, lang and text of the post; followers; and `own_n_<w>` and
    `own_sum_<w>`, the number of the account's ripe posts and their summed log1p outcomes, by window.
    """
    said = posts.select("kind", "lang", "text")
    return pl.concat([compute(posts, streams), said, own_past(posts, streams)], how="horizontal")


def own_past(posts: pl.DataFrame, streams: Streams) -> pl.DataFrame:
    """The followers and the own means of the account of each post; see `measured`."""
    timed = posts.select("account", at="happened_at")
    followers = newest(timed, streams.by_name["profiles"], ["followers"]).select(pl.col("followers").cast(pl.Float64))
    widths = {window: WIDTHS.get(window) for window in MEANS}
    asked = Asked.of(timed, streams.by_name["outcomes"], {None, *widths.values()})
    found = [
        asked.window(["n", "log"], width).select(
            pl.col("n").cast(pl.Float64).alias(f"own_n_{window}"),
            (pl.col("log") / UNIT).alias(f"own_sum_{window}"),
        )
        for window, width in widths.items()
    ]
    return pl.concat([followers, *found], how="horizontal")


def labels_of(outcomes: pl.DataFrame) -> pl.DataFrame:
    """The outcomes of a history as `FeatureStore.labels` gives them."""
    return outcomes.rename({"published_at": "happened_at", "at": "ripe_at"}).sort("happened_at", "post")


def posting_of(posts: pl.DataFrame) -> pl.DataFrame:
    """The accounts of `account_posts.counted_posts`, as `FeatureStore.posting` gives them."""
    recent = (pl.col("age_days") < RULE.window_days).any()
    return posts.group_by("account").agg(pl.col("network").first(), recent=recent).sort("account")
