"""Who acts on whom, among those who post or are registered: nobody who only reacts to others is named."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from clout.data.engagers import QUARTER, is_action
from clout.data.history import History


@dataclass(frozen=True)
class Ties:
    """Pairs of an actor and the account it acted on, in the order of the actor and in that of the account.

    Of each, those come first whose actions of the network's last 90 days weigh most; see `data.engagers`.
    """

    by_actor: pl.DataFrame
    by_account: pl.DataFrame

    @classmethod
    def of(cls, history: History, accounts: Collection[str]) -> Ties:
        """The ties between `accounts` that `history` tells of."""
        known = pl.DataFrame({"name": list(accounts)}, schema={"name": pl.String})
        lately = (
            history.actions.filter(pl.Series(is_action(history.actions)))
            .join(history.coverage.through, on="network")
            .filter(pl.col("at") > pl.col("through") - QUARTER)
            .join(known, left_on="actor", right_on="name", how="semi")
            .join(known, left_on="account", right_on="name", how="semi")
        )
        weighed = lately.group_by("actor", "account").agg(pl.col("weight").sum()).filter(pl.col("weight") > 0)
        return cls(_ordered(weighed, "actor", "account"), _ordered(weighed, "account", "actor"))

    def acted_on(self, actor: str) -> list[str]:
        """The accounts that `actor` acted on, those first on which its actions weigh most."""
        return _partners(self.by_actor, actor)

    def actors_on(self, account: str) -> list[str]:
        """Those who acted on `account`, those first whose actions weigh most."""
        return _partners(self.by_account, account)


def _ordered(pairs: pl.DataFrame, first: str, second: str) -> pl.DataFrame:
    ordered = pairs.sort(first, "weight", second, descending=[False, True, False])
    return ordered.select(first, second)


def _partners(pairs: pl.DataFrame, name: str) -> list[str]:
    of, partners = pairs.get_columns()
    start, end = (of.search_sorted(name, side=side) for side in ("left", "right"))
    return partners[start:end].to_list()
