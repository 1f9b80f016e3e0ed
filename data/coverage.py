"""What the sources of a lake report, and until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

Tables = Mapping[str, pl.DataFrame]


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
    networks = tables["posts"].lazy().select("post", "account", "network")
    keys = {"actions": ["post", "account"], "counts": ["post"]}
    told = {name: tables[name].lazy().join(networks, on=key) for name, key in keys.items()}
    logged = told["actions"].select("network", "kind").unique().with_columns(logged=True)
    counted = told["counts"].select("network", "kind").unique().with_columns(logged=False)
    known = [frame.select("network", "known_at") for frame in (tables["posts"].lazy(), *told.values())]
    through = pl.concat(known).group_by("network").agg(through=pl.col("known_at").max())
    return together([Coverage(pl.concat([logged, counted]).collect(), through.collect())])


def together(parts: Iterable[Coverage]) -> Coverage:
    """The coverage of all data, from those of parts of them."""
    several = [*parts]
    reported = pl.concat([part.reported for part in several]).group_by("network", "kind").agg(pl.col("logged").any())
    through = pl.concat([part.through for part in several]).group_by("network").agg(pl.col("through").max())
    return Coverage(reported.sort("network", "kind"), through.sort("network"))
