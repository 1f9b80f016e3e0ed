"""What a lake has of Bluesky already, so that a reading of the AppView adds what is new and takes back what is gone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from clout.data.lake import Lake


@dataclass(frozen=True)
class Known:
    """Of one account: when it was last read, its posts with their moments, and of these posts the rest.

    `counts` are the last ones by post and kind, `read_at` when these were read. `actions` has the actors of what stands, by
    post and kind, then by the action's id. What was taken back is in none of them.
    """

    read_at: datetime | None
    posts: Mapping[str, datetime]
    counts: Mapping[tuple[str, str], tuple[int, datetime]]
    actions: Mapping[tuple[str, str], Mapping[str, str]]


def known(lake: Lake, account: str) -> Known:
    """What `lake` has of `account`."""
    mine = pl.col("account") == account
    posts = lake.scan("posts").filter(mine).select("post", "happened_at").collect()
    of_them = pl.col("post").is_in(posts["post"].implode())
    actions = lake.scan("actions").filter(mine & of_them).select("action", "post", "kind", "actor").collect()
    gone = _gone(lake, [*posts["post"], *actions["action"]])
    counts = lake.scan("counts").filter(of_them).sort("happened_at").collect()
    by: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for action, post, kind, actor in actions.filter(~pl.col("action").is_in(gone)).iter_rows():
        by[post, kind][action] = actor
    read_at = lake.scan("profiles").filter(mine).select(pl.col("happened_at").max()).collect().item()
    return Known(
        read_at,
        dict(posts.filter(~pl.col("post").is_in(gone)).iter_rows()),
        {(row["post"], row["kind"]): (row["count"], row["happened_at"]) for row in counts.iter_rows(named=True)},
        by,
    )


def _gone(lake: Lake, ids: Iterable[str]) -> list[str]:
    """Those of `ids` that were taken back."""
    wanted = pl.Series("removed", list(ids), pl.String).implode()
    return lake.scan("removals").filter(pl.col("removed").is_in(wanted)).collect()["removed"].to_list()
