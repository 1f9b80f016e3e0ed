"""Who listens and who reacts: profile snapshots known at the time, and the engagers of the weeks before.

Engagers are described by their own past alone: how much they react to everybody, what their own posts drove, whether
the account reacts to them. Where a network logs no actors, all of this is missing, not zero.
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from clout.data.history import History
from clout.data.windows import ONE, UNIT, Stream, fixed, stream, window
from clout.features.feature import Feature, elapsed, mean, past, share

MONTH = timedelta(days=30)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


def streams(history: History, outcomes: Stream) -> dict[str, Stream]:
    """Profile snapshots, account facts, actions received with what was known of each engager, and distinct engagers."""
    actions = engagers(history, outcomes)
    totals = {
        "n": ONE,
        "selectivity": fixed(pl.col("selectivity")),
        "influence": fixed(pl.col("influence")),
        "influence_n": pl.col("influence").is_not_null(),
        "mutual": pl.col("mutual"),
        "returning": pl.col("returning"),
        "quick": pl.col("quick"),
    }
    facts = {name: pl.col(name) for name in ("followers", "following", "listed", "posts", "verified")}
    return {
        "profiles": stream(history.profiles, ["account"], tie="happened_at", lasts=facts),
        "actions": stream(actions, ["account"], tie="action", totals=totals),
        "engagers": stream(_engaged(actions), ["account"], tie="action", totals={"n": pl.col("step")}),
    }


def engagers(history: History, outcomes: Stream) -> pl.DataFrame:
    """Actions received, each with what was known of its engager just before it; looking (a view) is no action.

    - selectivity: 1 / (1 + actions the engager took on anyone in the 30 days before)
    - influence: mean log1p(outcome) of the engager's own ripe posts of 90 days, missing for those who do not post
    - mutual: the account itself had acted on the engager in the 30 days before
    - returning: the engager had acted on the account in the 30 days before
    - quick: it came within the hour after its post, which was known by then (missing counts as no)
    """
    posted = history.posts.select("post", posted_at="happened_at", posted_known_at="at")
    actions = (
        history.actions.filter((pl.col("actor") != pl.col("account")) & (pl.col("kind") != "view"))
        .select("action", "account", "actor", "post", "at", "happened_at")
        .join(posted, on="post", how="left")
        .sort("at", "action")
    )
    acts = stream(actions.select("actor", "at", "action"), ["actor"], tie="action", totals={"n": ONE})
    pairs = actions.select("account", "actor", "at", "action")
    pair = stream(pairs, ["account", "actor"], tie="action", totals={"n": ONE})
    hour = pl.col("posted_at"), pl.col("posted_at") + timedelta(hours=1)
    back = actions.select("at", account="actor", actor="account")
    own = actions.select("at", account="actor")
    rate = window(actions, acts, ["n"], MONTH)["n"]
    record = window(own, outcomes, ["n", "log"], timedelta(days=90))
    return actions.with_columns(
        selectivity=1.0 / (1.0 + rate),
        influence=pl.Series(record.select(share(pl.col("log"), pl.col("n")) / UNIT).to_series()),
        mutual=window(back, pair, ["n"], MONTH)["n"] > 0,
        returning=window(actions, pair, ["n"], MONTH)["n"] > 0,
        quick=(
            pl.col("happened_at").is_between(*hour, closed="right") & (pl.col("posted_known_at") <= pl.col("at"))
        ).fill_null(value=False),
    )


def _engaged(actions: pl.DataFrame) -> pl.DataFrame:
    """+1 when an engager becomes active on an account, −1 when 30 days have passed since the last of its actions.

    The running total strictly before t is then exactly the number of distinct engagers in (t − 30 d, t).
    """
    ordered = actions.lazy().select("account", "actor", "at", "action").sort("account", "actor", "at", "action")
    key = ["account", "actor"]
    first = (pl.col("at") - pl.col("at").shift(1).over(key) >= MONTH).fill_null(value=True)
    last = (pl.col("at").shift(-1).over(key) - pl.col("at") >= MONTH).fill_null(value=True)
    starts = ordered.filter(first).with_columns(step=pl.lit(1))
    ends = ordered.filter(last).with_columns(pl.col("at") + MONTH - TICK, step=pl.lit(-1))
    return pl.concat([starts, ends]).collect()


def _audience(
    name: str,
    unit: str,
    label: str,
    expression: pl.Expr,
    missing: str = "who reacted is not known, or nobody did",
) -> Feature:
    return Feature(
        name,
        "audience",
        unit,
        label,
        f"Your {label}, {{value}}, points to more reactions.",
        f"Your {label}, {{value}}, points to fewer reactions.",
        expression,
        missing=missing,
    )


def _seen(expression: pl.Expr) -> pl.Expr:
    """`expression` where the network logs who acts, else missing."""
    return pl.when(pl.col("logged")).then(expression)


SNAPSHOT = "no profile from before the post is known"
FOLLOWERS = past("profiles", "followers", "last")
FEATURES = (
    _audience("followers_last", "followers", "number of followers", FOLLOWERS, SNAPSHOT),
    _audience(
        "following_last", "accounts", "number of accounts followed", past("profiles", "following", "last"), SNAPSHOT
    ),
    _audience("listed_last", "lists", "number of lists that name you", past("profiles", "listed", "last"), SNAPSHOT),
    _audience(
        "followers_following_share",
        "of both",
        "share of followers among followers and followed",
        share(FOLLOWERS, FOLLOWERS + past("profiles", "following", "last")),
        SNAPSHOT,
    ),
    _audience(
        "verified_flag",
        "yes or no",
        "verified status",
        past("profiles", "verified", "last").cast(pl.Float64),
        SNAPSHOT,
    ),
    _audience(
        "account_age_days",
        "days",
        "account's age",
        elapsed(pl.col("account_created_at"), DAY),
        "the account's beginning is not known",
    ),
    _audience("actions_count_7d", "actions", "reactions in the last week", _seen(past("actions", "n", "7d"))),
    _audience("actions_count_1d", "actions", "reactions in the last day", _seen(past("actions", "n", "1d"))),
    _audience(
        "engagers_count_30d", "people", "number of different people who reacted", _seen(past("engagers", "n", "all"))
    ),
    _audience(
        "engagers_selectivity_mean_30d",
        "(1 is most selective)",
        "engagers' selectivity",
        mean("actions", "selectivity", "30d"),
    ),
    _audience(
        "engagers_influence_mean_30d",
        "actions (typical)",
        "engagers' own influence",
        mean("actions", "influence", "30d", "influence_n"),
    ),
    _audience(
        "engagers_mutual_share_30d",
        "of the reactions",
        "share of reactions from people you react to",
        share(past("actions", "mutual", "30d"), past("actions", "n", "30d")),
    ),
    _audience(
        "engagers_returning_share_30d",
        "of the reactions",
        "share of reactions from people who come back",
        share(past("actions", "returning", "30d"), past("actions", "n", "30d")),
    ),
    _audience(
        "actions_quick_share_30d",
        "of the reactions",
        "share of reactions within an hour",
        share(past("actions", "quick", "30d"), past("actions", "n", "30d")),
    ),
)
