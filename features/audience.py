"""Who listens and who reacts: profile snapshots known at the time, and the engagers of the weeks before.

Engagers are described by their own past alone: how much they react to everybody, what their own posts drove, whether
the account reacts to them. Each reaction counts its weight (see `data.engagers`), so that a crowd nobody knows moves
nothing. Where a network logs no actors, all of this is missing, not zero.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl

from clout.data.acquaintance import MONTH
from clout.data.history import History
from clout.data.ordered import changes, in_order, taken
from clout.data.windows import ONE, TICK, UNIT, Stream, fixed, stream
from clout.features.feature import Feature, past, share

HOUR = timedelta(hours=1)
UNPROVEN_POSTS = 10


def streams(history: History, actions: pl.DataFrame) -> dict[str, Stream]:
    """Profile snapshots, actions received with what was known of each engager, and distinct engagers.

    `actions` are those of `engagers`, and `unusual.marked`.
    """
    weight, counted = pl.col("weight"), pl.col("counted")
    totals = {
        "weight": counted,
        "selectivity": fixed(weight * pl.col("selectivity")),
        "influence": fixed(weight * pl.col("influence")),
        "influence_weight": pl.when(pl.col("influence").is_not_null()).then(counted),
    }
    totals |= {name: pl.when(name).then(counted).otherwise(0) for name in ("mutual", "returning", "quick")}
    totals |= {"n": ONE, **{name: pl.col(name) for name in ("burst", "stranger", "pod")}}
    read = dict.fromkeys(
        ("account", "at", "actor", *(name for one in totals.values() for name in one.meta.root_names()))
    )
    timed = in_order(actions.with_columns(counted=fixed(weight)).select(*read), "account", "at")
    facts = {name: pl.col(name) for name in ("followers", "following", "listed", "posts", "verified")}
    return {
        "profiles": stream(history.profiles, ["account"], tie="happened_at", lasts=facts),
        "actions": stream(timed, ["account"], tie="at", totals=totals),
        "engagers": stream(_engaged(timed), ["account"], tie="at", totals={"weight": fixed(pl.col("step"))}),
    }


def engagers(history: History, records: pl.DataFrame) -> pl.DataFrame:
    """Actions received, each with what was known of its engager just before it; looking (a view) is no action.

    `records` are those of `data.engagers.record`, one for each of the history's actions. The columns of these, and

    - selectivity: 1 / (1 + actions the engager took on anyone in the 30 days before)
    - influence: mean log1p(outcome) of the engager's own ripe posts of 90 days, missing for those who do not post
    - quick: it came within the hour after its post, which was known by then (missing counts as no)
    """
    own = records.select(influence=share(pl.col("log"), pl.col("n")) / UNIT)
    actions = history.actions.hstack(own).rechunk().filter("counts")
    posted = pl.col("posted_at")
    quick = pl.col("happened_at").is_between(posted, posted + HOUR, closed="right")
    return actions.with_columns(
        selectivity=1.0 / (1.0 + pl.col("acted")),
        quick=(quick & (pl.col("posted_known_at") <= pl.col("at"))).fill_null(value=False),
    )


def _engaged(actions: pl.DataFrame) -> pl.DataFrame:
    """What changes when an engager acts on an account, and when 30 days have passed since its last action.

    The running total strictly before t is then that of the different engagers in (t − 30 d, t), each counting the weight
    of its newest action. What one engager does on one account at one moment has one weight. `actions` are in the order of
    account and `at`.
    """
    rows = actions.select("account", "actor", "at", "weight")
    by_engager = in_order(rows.with_row_index("row"), "account", "actor")
    begins = changes("account", "actor") | (pl.col("at").diff() >= MONTH)
    steps = by_engager.with_columns(begins=begins).select(
        "row",
        step=pl.col("weight") - pl.when("begins").then(0.0).otherwise(pl.col("weight").shift(1)),
        last=pl.col("begins").shift(-1, fill_value=True),
    )
    back = np.empty(rows.height, np.int64)
    back[steps["row"].to_numpy()] = np.arange(rows.height)
    timed = rows.hstack(taken(steps.select("step", "last"), back))
    ends = timed.filter("last").with_columns(pl.col("at") + MONTH - TICK, step=-pl.col("weight"))
    moved = timed.filter(pl.col("step") != 0)
    return pl.concat([some.select("account", "at", "step") for some in (moved, ends)])


def _audience(
    name: str,
    unit: str,
    label: str,
    fact: str,
    expression: pl.Expr,
    missing: str = "who reacted is not known, or nobody did whom others know",
) -> Feature:
    more, fewer = (f"{fact} That points to {way} reactions." for way in ("more", "fewer"))
    return Feature(name, "audience", unit, label, more, fewer, expression, missing=missing)


def _seen(expression: pl.Expr) -> pl.Expr:
    """`expression` where the network logs who acts, else missing."""
    return pl.when(pl.col("logged")).then(expression)


def unproven(expression: pl.Expr) -> pl.Expr:
    """`expression` while the account has few posts with a known outcome, else missing: followers can be bought."""
    return pl.when(past("outcomes", "n", "all") < UNPROVEN_POSTS).then(expression)


def _weighed(column: str, whole: str = "weight") -> pl.Expr:
    """The mean of a column over the month's actions, each counting its weight."""
    return share(past("actions", column, "30d"), past("actions", whole, "30d"))


SNAPSHOT = "no profile from before the post is known"
PROVEN = f"{SNAPSHOT}, or what earlier posts drew counts instead"
FOLLOWERS = past("profiles", "followers", "last")
BY_WEIGHT = "reactions (by weight)"
FEATURES = (
    _audience("followers_last", "followers", "followers", "You have {value}.", unproven(FOLLOWERS), PROVEN),
    _audience(
        "following_last",
        "accounts",
        "accounts you follow",
        "You follow {value}.",
        past("profiles", "following", "last"),
        SNAPSHOT,
    ),
    _audience(
        "listed_last",
        "lists",
        "lists you are on",
        "You are on {value}.",
        unproven(past("profiles", "listed", "last")),
        PROVEN,
    ),
    _audience(
        "followers_following_share",
        "of both",
        "followers beside accounts you follow",
        "You have {value}.",
        unproven(share(FOLLOWERS, FOLLOWERS + past("profiles", "following", "last"))),
        PROVEN,
    ),
    _audience(
        "verified_flag",
        "yes or no",
        "verified account",
        "Verified account: {value}.",
        unproven(past("profiles", "verified", "last").cast(pl.Float64)),
        PROVEN,
    ),
    _audience(
        "actions_sum_7d",
        BY_WEIGHT,
        "reactions in the last week",
        "In the last week you drew {value}, after weighing who they came from.",
        _seen(past("actions", "weight", "7d") / UNIT),
    ),
    _audience(
        "actions_sum_1d",
        BY_WEIGHT,
        "reactions in the last day",
        "In the last day you drew {value}, after weighing who they came from.",
        _seen(past("actions", "weight", "1d") / UNIT),
    ),
    _audience(
        "engagers_sum_30d",
        "people (by weight)",
        "people who reacted in the last month",
        "In the last month you moved {value} to react, after weighing who they are.",
        _seen(past("engagers", "weight", "all") / UNIT),
    ),
    _audience(
        "engagers_selectivity_mean_30d",
        "(1 is most selective)",
        "how choosy the people who react are",
        "You draw {value}.",
        _weighed("selectivity"),
    ),
    _audience(
        "engagers_influence_mean_30d",
        "actions (typical)",
        "what the people who react draw themselves",
        "The people who react to you usually draw {value} with posts of their own.",
        _weighed("influence", "influence_weight"),
    ),
    _audience(
        "engagers_mutual_share_30d",
        "of the reactions",
        "reactions from people you react to",
        "People you react to as well gave you {value}.",
        _weighed("mutual"),
    ),
    _audience(
        "engagers_returning_share_30d",
        "of the reactions",
        "reactions from people who come back",
        "People who came back gave you {value}.",
        _weighed("returning"),
    ),
    _audience(
        "actions_quick_share_30d",
        "of the reactions",
        "reactions within an hour",
        "Within an hour of posting you got {value}.",
        _weighed("quick"),
    ),
)
