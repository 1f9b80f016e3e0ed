"""What the sources of a lake report, and until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from clout.data.tables import network_of

Tables = Mapping[str, pl.DataFrame]
NAMED_BY = {"posts": "account", "actions": "account", "counts": "post"}


@dataclass(frozen=True)
class Coverage:
    """What the sources report and until when; facts about the data as a whole, not about a moment.

    `reported`: (network, kind, logged) rows, one for each kind of action a network has; `logged` tells an event log
    from counts. `through`: (network, through) rows, the last moment anything was known of.
    """

    reported: pl.DataFrame
    through: pl.DataFrame

    @property
    def data_through(self) -> datetime | None:
        """The last moment anything was known, over all networks; None without data."""
        value = self.through["through"].max()
        return value if isinstance(value, datetime) else None

    def networks(self, kind: str, *, logged: bool) -> list[str]:
        """The networks that have a log of a kind of action, or only counts of it."""
        return self.reported.filter(kind=kind, logged=logged)["network"].to_list()

    @property
    def in_logs(self) -> list[str]:
        """The networks that have a log of some kind of action."""
        return self.reported.filter("logged")["network"].unique().sort().to_list()


def coverage(tables: Tables) -> Coverage:
    """What `tables` report and until when."""
    return Coverage(reported(tables), through(tables))


def reported(tables: Tables) -> pl.DataFrame:
    """Rows (network, kind, logged): the kinds of action that posts have in a log, or only as counts."""
    networks = tables["posts"].lazy().select("post", "account", "network")
    logged = tables["actions"].lazy().join(networks, on=["post", "account"]).with_columns(logged=True)
    counted = tables["counts"].lazy().join(networks, on="post").with_columns(logged=False)
    told = pl.concat([frame.select("network", "kind", "logged").unique() for frame in (logged, counted)])
    return told.group_by("network", "kind").agg(pl.col("logged").any()).sort("network", "kind").collect()


def through(tables: Tables) -> pl.DataFrame:
    """Rows (network, through): the last moment anything was known of, by those of posts, actions and counts that are there."""
    known = [
        tables[name].lazy().select("known_at", network=network_of(key))
        for name, key in NAMED_BY.items()
        if name in tables
    ]
    return pl.concat(known).group_by("network").agg(through=pl.col("known_at").max()).sort("network").collect()


def together(parts: Iterable[Coverage]) -> Coverage:
    """The coverage of all data, from those of parts of them."""
    several = [*parts]
    reported = pl.concat([part.reported for part in several]).group_by("network", "kind").agg(pl.col("logged").any())
    through = pl.concat([part.through for part in several]).group_by("network").agg(pl.col("through").max())
    return Coverage(reported.sort("network", "kind"), through.sort("network"))
