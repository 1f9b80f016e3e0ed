"""What each post drove: distinct accounts that acted on it within the horizon, each counting what it weighs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import polars as pl

OUTCOME_SCHEMA = {"post": pl.String, "kind": pl.String, "count": pl.Float64, "ripe_at": pl.Datetime("us", "UTC")}


def first_actions(
    posts: pl.DataFrame, actions: pl.DataFrame, removals: pl.DataFrame, horizon: timedelta
) -> pl.DataFrame:
    """Rows (post, kind, row), one for each kind of action that an account other than the author took on a post.

    An action counts when it happened and was known within `(t0, t0 + horizon]`, t0 being the post's time; so the
    count is the same whether it is taken then or years later. So does one not count that was taken back, if that was
    known by then; one that was taken back later does. `row` is the first such action's place in `actions`,
    which are in the order in which they were known.
    """
    ripe = posts.lazy().select("post", author="account", t0="happened_at", ripe_at=pl.col("happened_at") + horizon)
    undone = removals.lazy().select(action="removed", undone_at="known_at")
    return (
        actions.lazy()
        .with_row_index("row")
        .filter(pl.col("post").is_not_null())
        .join(ripe, on="post")
        .join(undone, on="action", how="left")
        .filter(
            pl.col("actor") != pl.col("author"),
            pl.col("happened_at") > pl.col("t0"),
            pl.col("happened_at") <= pl.col("ripe_at"),
            pl.col("known_at") <= pl.col("ripe_at"),
            pl.col("undone_at").is_null() | (pl.col("undone_at") > pl.col("ripe_at")),
        )
        .group_by("post", "kind", "actor")
        .agg(pl.col("row").min())
        .select("post", "kind", "row")
        .collect()
    )


def outcomes_from_actions(
    posts: pl.DataFrame, firsts: pl.DataFrame, weights: pl.Series, reported: pl.DataFrame, horizon: timedelta
) -> pl.DataFrame:
    """Rows (post, kind, count, ripe_at): what the posts drove, per kind that the network logs.

    `firsts` are those of `first_actions`, each counting the one of `weights` in its place. `reported` holds (network,
    kind) pairs that have an event log: a post without any action of such a kind counts 0.
    """
    ripe = posts.lazy().select("post", "network", ripe_at=pl.col("happened_at") + horizon)
    logged = reported.filter(pl.col("logged")).lazy().select("network", "kind")
    weighed = firsts.lazy().with_columns(weight=weights.gather(firsts["row"]))
    counted = weighed.group_by("post", "kind").agg(count=pl.col("weight").sum())
    return (
        ripe.join(logged, on="network")
        .join(counted, on=["post", "kind"], how="left")
        .with_columns(pl.col("count").fill_null(0.0))
        .select(*OUTCOME_SCHEMA)
        .collect()
    )


def outcomes_from_counts(posts: pl.DataFrame, counts: pl.DataFrame, horizon: timedelta) -> pl.DataFrame:
    """Rows (post, kind, count, ripe_at): the first counts known of a post that was at least `horizon` old when read.

    Counts of younger posts are unripe and give no row. `ripe_at` is when the count was known; a retrospective count
    is taken as known at `t0 + horizon`. Kinds that became known after the post's first do not count: else its outcome
    would depend on when one asks.
    """
    return (
        counts.lazy()
        .join(posts.lazy().select("post", t0="happened_at"), on="post")
        .filter(pl.col("happened_at") - pl.col("t0") >= horizon)
        .with_columns(
            ripe_at=pl.when("retrospective").then(pl.col("t0") + horizon).otherwise(pl.col("known_at")),
        )
        .filter(pl.col("ripe_at") == pl.col("ripe_at").min().over("post"))
        .sort("post", "kind", "happened_at")
        .group_by("post", "kind", maintain_order=True)
        .first()
        .with_columns(pl.col("count").cast(pl.Float64))
        .select(*OUTCOME_SCHEMA)
        .collect()
    )


def weigh(outcomes: pl.DataFrame, action_values: Mapping[str, float]) -> pl.DataFrame:
    """One row a post: `outcome` (Σ value × count), one column a kind, and `ripe_at`; a kind not reported is null.

    A post none of whose reported kinds has a value above 0 is left out: there is nothing to learn from it.
    """
    kinds = [kind for kind, value in action_values.items() if value > 0]
    wide = (
        outcomes.lazy()
        .group_by("post", maintain_order=True)
        .agg(
            pl.col("ripe_at").max(),
            *(pl.col("count").filter(pl.col("kind") == kind).first().alias(kind) for kind in kinds),
        )
    )
    terms = [pl.col(kind) * action_values[kind] for kind in kinds]
    return (
        wide.filter(pl.any_horizontal(pl.col(kind).is_not_null() for kind in kinds))
        .with_columns(outcome=pl.sum_horizontal(terms))
        .select("post", "ripe_at", "outcome", *kinds)
        .collect()
    )
