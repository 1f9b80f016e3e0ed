"""The only door to the past: what had happened and was known, on one clock.

Every row of a history carries `at = max(happened_at, known_at)`: the moment from which it may be used. A feature at
`as_of` sees rows with `at < as_of`, so both clocks lie strictly before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from clout.data import engagers
from clout.data.labels import first_actions, outcomes_from_actions, outcomes_from_counts, weigh
from clout.data.lake import Lake
from clout.data.tables import SCHEMAS

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


@dataclass(frozen=True)
class History:
    """Everything known, each frame with the clock `at` (see the module).

    - accounts: account, network, handle, created_at
    - profiles: account, at, followers, following, listed, posts, verified
    - posts: the posts table plus `at`
    - outcomes: post, account, network, published_at, at (when it had ripened and its post was known), outcome, then one
      column a kind, in actions that count their weight
    - actions: the actions table plus `at`, what was known of the engager and the action's `weight` (see
      `data.engagers`), in the order of `at`
    - standings: the standings table plus `at`
    """

    accounts: pl.DataFrame
    profiles: pl.DataFrame
    posts: pl.DataFrame
    outcomes: pl.DataFrame
    actions: pl.DataFrame
    standings: pl.DataFrame
    coverage: Coverage
    horizon: timedelta


def read_tables(lake: Lake) -> dict[str, pl.DataFrame]:
    """The tables of a lake, each empty but typed where there is nothing; a post that was taken back has no text."""
    tables = {table: lake.read(table) for table in SCHEMAS}
    return tables | {"posts": without_text(tables["posts"], tables["removals"])}


def without_text(posts: pl.DataFrame, removals: pl.DataFrame) -> pl.DataFrame:
    """`posts` where those that were taken back say nothing any more."""
    said = ~pl.col("post").is_in(removals["removed"].implode())
    return posts.with_columns(pl.when(said).then("text").alias("text"))


def coverage(tables: Tables) -> Coverage:
    """What `tables` report and until when."""
    networks = tables["posts"].lazy().select("post", "network")
    logged = (
        tables["actions"]
        .lazy()
        .filter(pl.col("post").is_not_null())
        .join(networks, on="post")
        .select("network", "kind")
    )
    counted = tables["counts"].lazy().join(networks, on="post").select("network", "kind")
    reported = (
        pl.concat([logged.unique().with_columns(logged=True), counted.unique().with_columns(logged=False)])
        .group_by("network", "kind")
        .agg(pl.col("logged").any())
        .sort("network", "kind")
        .collect()
    )
    known = [
        tables["posts"].lazy().select("network", "known_at"),
        tables["actions"].lazy().join(networks, on="post").select("network", "known_at"),
        tables["counts"].lazy().join(networks, on="post").select("network", "known_at"),
    ]
    through = pl.concat(known).group_by("network").agg(through=pl.col("known_at").max()).sort("network").collect()
    return Coverage(reported, through)


def known_before(tables: Tables, as_of: datetime) -> dict[str, pl.DataFrame]:
    """`tables` without a row that happened or was known at `as_of` or later; retrospective counts stay.

    A retrospective count is taken as known when its post ripened, not when it was read, so the reading's time says
    nothing about it.
    """
    cut = {}
    for name, frame in tables.items():
        if name == "accounts":
            cut[name] = frame
            continue
        past = (pl.col("happened_at") < as_of) & (pl.col("known_at") < as_of)
        cut[name] = frame.filter(past | pl.col("retrospective") if name == "counts" else past)
    return cut


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
    actions = engagers.witness(tables["actions"].with_columns(clock))
    firsts = first_actions(posts, actions, tables["removals"], horizon)
    weights = engagers.weigh(actions)
    outcomes = _outcomes(posts, tables["counts"], firsts, weights, horizon, action_values, known)
    if not actions.is_empty():
        weights = engagers.weigh(actions, outcomes)
        outcomes = _outcomes(posts, tables["counts"], firsts, weights, horizon, action_values, known)
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


def _outcomes(
    posts: pl.DataFrame,
    counts: pl.DataFrame,
    firsts: pl.DataFrame,
    weights: pl.Series,
    horizon: timedelta,
    action_values: Mapping[str, float],
    known: Coverage,
) -> pl.DataFrame:
    """The outcome of each ripe post that is its author's own (reshares are not).

    A kind that a network logs is taken from the log; of the others that have a value a count must be known first. A post
    of such a network has none if neither it nor an action on it was heard of before it had ripened: no log was kept.
    """
    in_logs = pl.col("network").is_in(known.reported.filter("logged")["network"].unique().implode())
    unheard = pl.col("known_at") > pl.col("happened_at") + horizon
    silent = ~pl.col("post").is_in(firsts["post"].implode())
    own = posts.filter(pl.col("kind") != "reshare", ~(in_logs & unheard & silent))
    valued = [kind for kind, value in action_values.items() if value > 0]
    counted = known.reported.filter(~pl.col("logged"), pl.col("kind").is_in(valued))
    unlogged = own.select("post", "network").join(counted, on="network").select("post", "kind")
    from_counts = outcomes_from_counts(own, counts.join(unlogged, on=["post", "kind"], how="semi"), horizon)
    unread = unlogged.join(from_counts, on="post", how="anti")
    from_actions = outcomes_from_actions(own, firsts, weights, known.reported, horizon)
    from_actions = from_actions.join(unread, on="post", how="anti")
    through = own.select("post", "network").join(known.through, on="network", how="left").select("post", "through")
    ripe = weigh(pl.concat([from_actions, from_counts]), action_values).join(through, on="post")
    facts = own.select("post", "account", "network", "at", published_at="happened_at")
    kinds = [name for name in ripe.columns if name not in {"post", "ripe_at", "outcome", "through"}]
    return (
        ripe.join(facts, on="post")
        .filter(pl.col("ripe_at") <= pl.col("through"))
        .with_columns(at=pl.max_horizontal("ripe_at", "at"))
        .select("post", "account", "network", "published_at", "at", "outcome", *kinds)
        .sort("at", "post")
    )
