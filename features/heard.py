"""What a service asks of a history, measured: the part of it that is kept for the next start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from clout.data.history import History
from clout.data.index import Index
from clout.data.published import outcomes_by_post
from clout.data.ties import Ties
from clout.features.compute import Streams, prepare
from clout.features.request import Past


@dataclass(frozen=True)
class Heard:
    """What is known of everybody, and who that is.

    `through` is the last moment anything was known, by network; `handles` has account, network, handle, `identities` person
    and account; `ties` name all accounts that can be asked for; `example` is the account whose posts have drawn most;
    `outcomes` are those of `data.published`.
    """

    streams: Streams
    through: Mapping[str, datetime]
    handles: pl.DataFrame
    identities: pl.DataFrame
    ties: Ties
    example: str
    outcomes: pl.DataFrame

    @classmethod
    def of(cls, history: History, identities: pl.DataFrame) -> Heard:
        """What `history` tells, beside the identities that people declared."""
        accounts = frozenset(history.accounts["account"]) | frozenset(history.posts["account"].unique())
        return cls(
            prepare(history),
            dict(history.coverage.through.iter_rows()),
            history.accounts.select("account", "network", "handle"),
            identities.select("person", "account"),
            Ties.of(history, accounts),
            _example(history),
            outcomes_by_post(history),
        )

    def past(self, horizon: timedelta, action_values: Mapping[str, float]) -> Past:
        """The past, ready for requests."""
        indexes = {name: Index.of(one) for name, one in self.streams.by_name.items()}
        return Past(indexes, self.streams.logged, self.through, horizon, action_values)


def _example(history: History) -> str:
    totals = history.outcomes.select("account", "outcome").group_by("account").sum()
    return next(iter(totals.sort("outcome", "account", descending=True)["account"]), "network/id")
