"""What each post drew: distinct accounts that acted on it within the horizon, each counting what it weighs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import polars as pl

from clout.data.ordered import changes, in_order

OUTCOME_SCHEMA = {"post": pl.String, "kind": pl.String, "count": pl.Float64, "ripe_at": pl.Datetime("us", "UTC")}


def with_posts(actions: pl.DataFrame, posts: pl.DataFrame, horizon: timedelta) -> pl.DataFrame:
    """`actions` with `posted_at`, `posted_known_at` (when their post was published and could be used) and `drawn`.

    What a post drew counts for its outcome: of other accounts than the author, happened and known within
    `(t0, t0 + horizon]`, t0 being the post's time; so the count is the same whether it is taken then or years later. An
    action that names another account than the post's author is none on that post.
    """
    places = actions.select("post").join(
        posts.select("post").with_row_index("place"), on="post", how="left", maintain_order="left"
    )
    return on_posts(actions, posts, places["place"], horizon)


def on_posts(actions: pl.DataFrame, posts: pl.DataFrame, places: pl.Series, horizon: timedelta) -> pl.DataFrame:
    """The same as `with_posts`, of actions on the posts in these `places`, null where the post is not there."""
    its_own = posts["account"].gather(places) == actions["account"]
    facts = posts.select(posted_at="happened_at", posted_known_at="at")
    told = actions.hstack(facts.select(pl.all().gather(places.set(~its_own, None))))
    t0, ripe_at = pl.col("posted_at"), pl.col("posted_at") + horizon
    drawn = (
        (pl.col("actor") != pl.col("account"))
        & (pl.col("happened_at") > t0)
        & (pl.col("happened_at") <= ripe_at)
        & (pl.col("known_at") <= ripe_at)
    )
    return told.with_columns(drawn=drawn.fill_null(value=False))


def without_undone(actions: pl.DataFrame, removals: pl.DataFrame, horizon: timedelta) -> pl.DataFrame:
    """`actions`, as `with_posts` gives them, less `drawn`: not what its engager took back, if that was known in time.

    What was taken back after the horizon was drawn all the same.
    """
    if removals.is_empty():
        return actions
    undone = removals.select(action="removed", actor="account", undone_at="known_at")
    late = pl.col("undone_at").is_null() | (pl.col("undone_at") > pl.col("posted_at") + horizon)
    told = actions.join(undone, on=["action", "actor"], how="left", maintain_order="left")
    return told.with_columns(pl.col("drawn") & late).drop("undone_at")


def first_actions(actions: pl.DataFrame, key: Sequence[str] = ("post", "kind")) -> pl.DataFrame:
    """Rows (post, kind, row), one for each kind of action that an account took on a post and that the post drew.

    They are in the order of posts and kinds, or of the columns of `key` that stand for these. `row` is the first such
    action's place in `actions`, which are those of `with_posts`, those of each account in the order in which they were known.
    """
    drawn = actions.select(*key, "actor", "drawn").with_row_index("row").filter("drawn")
    ordered = in_order(drawn.select(*key, "actor", "row"), *key, "actor")
    return ordered.filter(changes(*key, "actor")).select(*key, "row")


def drawn(firsts: pl.DataFrame, weights: pl.Series) -> pl.DataFrame:
    """Rows (post, kind, count): what posts drew, `firsts` each counting the one of `weights` in its place.

    A kind that nobody took is not there. Weights are multiples of 1/2²⁰, so sums of sums are the same.
    """
    key, weighed = firsts.drop("row"), weights.to_numpy()[firsts["row"].to_numpy()]
    begins = key.select(changes(*key.columns)).to_series()
    starts = np.flatnonzero(begins.to_numpy())
    counts = np.add.reduceat(weighed, starts) if len(starts) else weighed
    return key.filter(begins).with_columns(pl.Series("count", counts, pl.Float64))


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
