"""A lake that is read as a whole and held in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Self

import polars as pl

from clout.data.coverage import Coverage, Tables
from clout.data.history import History, erased_from, load, read_tables
from clout.data.lake import Lake
from clout.data.tables import without_networks
from clout.features.account_posts import measured as measured_slices
from clout.features.compute import Streams, prepare
from clout.features.wording import Wording
from clout.training.accounts import MeasuredPosts, counted_posts
from clout.training.config import Params
from clout.training.feature_store import labels_of, measured, posting_of


@dataclass(frozen=True)
class WholeLake:
    """The tables of a lake, and the history that they tell with the outcomes of `params` (see `FeatureStore`)."""

    tables: Tables
    history: History
    params: Params

    @classmethod
    def of(cls, tables: Tables, params: Params) -> Self:
        """What these tables tell."""
        return cls(tables, load(tables, params.label.horizon, params.action_values), params)

    @classmethod
    def read(cls, lake: Lake, params: Params) -> Self:
        """What a lake tells."""
        return cls.of(read_tables(lake), params)

    @cached_property
    def streams(self) -> Streams:
        """The past of all accounts."""
        return prepare(self.history)

    @property
    def coverage(self) -> Coverage:
        """What the sources report, and until when."""
        return self.history.coverage

    def without(self, networks: Collection[str]) -> Self:
        """The same without some networks."""
        return self.of({name: without_networks(frame, networks) for name, frame in self.tables.items()}, self.params)

    def rows(self, table: str, *columns: str) -> Iterator[pl.DataFrame]:
        """Some columns of all rows of a table, at once."""
        yield self.tables[table].select(columns)

    def labels(self) -> pl.DataFrame:
        """The posts whose outcome is known."""
        return labels_of(self.history.outcomes)

    def measured(self, posts: pl.DataFrame) -> pl.DataFrame:
        """What was known before each of `posts`."""
        rows = posts.select("post").join(self.history.posts, on="post", how="left", maintain_order="left")
        return measured(rows, self.streams)

    def posting(self, at: datetime) -> pl.DataFrame:
        """Who is judged at a moment."""
        return posting_of(counted_posts(self.history, at))

    def account_posts(
        self, at: datetime, wording: Wording, accounts: pl.Series | None = None
    ) -> Iterator[MeasuredPosts]:
        """The posts by which accounts are judged at a moment, all at once."""
        posts = counted_posts(self.history, at)
        if accounts is not None:
            posts = posts.filter(pl.col("account").is_in(accounts.implode()))
        yield MeasuredPosts(posts, measured_slices(posts, self.streams, wording, at))

    def history_of(self, accounts: pl.Series) -> History:
        """What happened to some accounts."""
        return self.history.only(accounts)

    def streams_of(self, accounts: pl.Series, as_of: datetime | None = None) -> Streams:
        """The past of all accounts; of `accounts` alone, when all from `as_of` on is erased.

        Actions on other accounts are weighed like all, and then let go: they say nothing of these.
        """
        if as_of is None:
            return self.streams
        until = self.coverage.through.with_columns(through=pl.lit(as_of, self.coverage.through.schema["through"]))
        known, params = Coverage(self.coverage.reported, until), self.params
        past = erased_from(self.tables, as_of, params.label.horizon)
        history = load(past, params.label.horizon, params.action_values, known)
        own = history.actions.filter(pl.col("account").is_in(accounts.implode()))
        return prepare(replace(history, actions=own))
