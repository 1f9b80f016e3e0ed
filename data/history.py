"""The only door to the past: what had happened and was known, on one clock.

Every row of a history carries `at = max(happened_at, known_at)`: the moment from which it may be used. A feature at
`as_of` sees rows with `at < as_of`, so both clocks lie strictly before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from clout.data import engagers
from clout.data.coverage import Coverage, Tables, coverage
from clout.data.hourly import Hours
from clout.data.labels import drawn, first_actions, with_posts, without_undone
from clout.data.lake import Lake
from clout.data.ripening import Ripening
from clout.data.tables import SCHEMAS
from clout.data.values import TIME

EARLIER = pl.Schema(
    {
        "account": pl.String(),
        "at": TIME,
        "n": pl.Int64(),
        "best": pl.Float64(),
        "smooth_3": pl.Float64(),
        "smooth_30": pl.Float64(),
    }
)


@dataclass(frozen=True)
class History:
    """Everything known, each frame with the clock `at` (see the module).

    - accounts: account, network, handle, created_at
    - profiles: account, at, followers, following, listed, posts, verified
    - posts: the posts table plus `at`
    - outcomes: post, account, network, published_at, at (when it had ripened and its post was known), outcome, then one
      column a kind, in actions that count their weight
    - actions: the actions table plus `at`, what is known of the post (see `labels.with_posts`), whether it is a reaction
      (`counts`), what was known of the engager (see `data.acquaintance`) and its `weight` (see `data.engagers`), in the
      order of `at`
    - standings: the standings table plus `at`
    - earlier: of outcomes before all that are here, what is remembered by account: at (the last one's), n (how many),
      best (the highest log1p), and the sums that halve with every 3 and every 30 posts; empty where all outcomes are here
    """

    accounts: pl.DataFrame
    profiles: pl.DataFrame
    posts: pl.DataFrame
    outcomes: pl.DataFrame
    actions: pl.DataFrame
    standings: pl.DataFrame
    coverage: Coverage
    horizon: timedelta
    earlier: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=EARLIER))

    def only(self, accounts: pl.Series) -> History:
        """What is told of these accounts."""
        theirs = pl.col("account").cast(pl.String).is_in(accounts.implode())
        return self.each(lambda _, frame: frame.filter(theirs))

    def each(self, change: Callable[[str, pl.DataFrame], pl.DataFrame]) -> History:
        """The same with what `change` makes of each frame, which it is told by its name."""
        frames = {name: frame for name, frame in vars(self).items() if isinstance(frame, pl.DataFrame)}
        changed = dict[str, Any]({name: change(name, frame) for name, frame in frames.items()})
        return replace(self, **changed)


def read_tables(lake: Lake) -> dict[str, pl.DataFrame]:
    """The tables of a lake, each empty but typed where there is nothing; a post that was taken back has no text."""
    tables = {table: lake.read(table) for table in SCHEMAS}
    return tables | {"posts": without_text(tables["posts"], tables["removals"])}


def without_text(posts: pl.DataFrame, removals: pl.DataFrame) -> pl.DataFrame:
    """`posts` where those that their authors took back say nothing any more."""
    if removals.is_empty():
        return posts
    gone = removals.select("account", post="removed", gone=True)
    told = posts.join(gone, on=["post", "account"], how="left", maintain_order="left")
    return told.with_columns(pl.when(pl.col("gone").is_null()).then("text").alias("text")).drop("gone")


def known_before(tables: Tables, as_of: datetime) -> dict[str, pl.DataFrame]:
    """`tables` without a row that happened or was known at `as_of` or later; retrospective counts stay.

    A retrospective count is taken as known when its post ripened, not when it was read, so the reading's time says
    nothing about it.
    """
    return {name: past_rows(name, frame, as_of) for name, frame in tables.items()}


def past_rows(table: str, rows: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """The rows of a table that `known_before` leaves."""
    if table == "accounts":
        return rows
    past = (pl.col("happened_at") < as_of) & (pl.col("known_at") < as_of)
    return rows.filter(past | pl.col("retrospective") if table == "counts" else past)


def erased_from(tables: Tables, as_of: datetime, horizon: timedelta) -> dict[str, pl.DataFrame]:
    """`tables` without a row that happened or was known at `as_of` or later, and without counts of unripe posts.

    A count read long after is taken as known when its post ripened: it stays only where that was before `as_of`.
    """
    left = known_before(tables, as_of)
    ripe = left["posts"].filter(pl.col("happened_at") + horizon < as_of).select("post")
    late = left["counts"].filter("retrospective").join(ripe, on="post", how="semi", maintain_order="left")
    return left | {"counts": pl.concat([left["counts"].filter(~pl.col("retrospective")), late])}


def load(
    tables: Tables,
    horizon: timedelta,
    action_values: Mapping[str, float],
    known: Coverage | None = None,
) -> History:
    """The history of `tables`; `known` overrides what they are taken to cover.

    An outcome ripens `horizon` after its post and is left out when the data end before that.
    """
    known = known or coverage(tables)
    clock = pl.max_horizontal("happened_at", "known_at").alias("at")
    posts = tables["posts"].with_columns(clock)
    acted = with_posts(tables["actions"].with_columns(clock), posts, horizon)
    actions = engagers.witness(without_undone(acted, tables["removals"], horizon))
    firsts = first_actions(actions)
    ripening = Ripening.of(posts, tables["counts"], firsts["post"], horizon, action_values, known)
    hours = Hours.of(actions)
    known_engagers = engagers.acquainted(actions, hours, engagers.engager_sums(actions, hours))
    weights = engagers.weigh(actions, hours, known_engagers)
    outcomes = ripening.outcomes(drawn(firsts, weights))
    if not actions.is_empty():
        weights = engagers.weigh(actions, hours, known_engagers, engagers.influence(actions, outcomes))
        outcomes = ripening.outcomes(drawn(firsts, weights))
    return History(
        accounts=tables["accounts"],
        profiles=tables["profiles"].with_columns(clock),
        posts=posts,
        outcomes=outcomes,
        actions=actions.with_columns(weights),
        standings=tables["standings"].with_columns(clock),
        coverage=known,
        horizon=horizon,
    )
