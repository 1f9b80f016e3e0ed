"""Who acts on whom, among those who post or are registered: nobody who only reacts to others is named."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from clout.data.acquaintance import QUARTER
from clout.data.history import History


@dataclass(frozen=True)
class Ties:
    """The actions of the last 90 days of each network: by whom, on whom (places in `names`, which are in order), weight.

    A weight is that of `data.engagers`. Ties are counted for one account when somebody asks: most are never asked for.
    """

    names: list[str]
    actions: pl.DataFrame

    @classmethod
    def of(cls, history: History, accounts: Collection[str]) -> Ties:
        """The actions between `accounts` that `history` tells of."""
        names = sorted(accounts)
        places = pl.DataFrame({"name": names}, schema={"name": pl.String}).with_row_index("place")
        between = (
            history.actions.filter("counts")
            .join(history.coverage.through, on="network")
            .filter((pl.col("at") > pl.col("through") - QUARTER) & (pl.col("weight") > 0))
            .join(places.rename({"place": "by"}), left_on="actor", right_on="name")
            .join(places.rename({"place": "on"}), left_on="account", right_on="name")
        )
        return cls(names, between.select("by", "on", "weight"))

    def acted_on(self, actor: str) -> list[str]:
        """The accounts that `actor` acted on, those first on which its actions weigh most."""
        return self._partners("by", actor, "on")

    def actors_on(self, account: str) -> list[str]:
        """Those who acted on `account`, those first whose actions weigh most."""
        return self._partners("on", account, "by")

    def _partners(self, side: str, name: str, other: str) -> list[str]:
        place = bisect_left(self.names, name)
        if self.names[place : place + 1] != [name]:
            return []
        mine = self.actions.filter(pl.col(side) == place).group_by(other).agg(pl.col("weight").sum())
        partners = mine.sort("weight", other, descending=[True, False])[other]
        return [self.names[partner] for partner in partners]
