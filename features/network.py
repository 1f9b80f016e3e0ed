"""What the network around the account does just before the post: its usual level, and what lifts everybody's posts."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from clout.data.history import History
from clout.data.windows import ONE, UNIT, Stream, fixed, stream, window
from clout.features.feature import Feature, mean, past, share
from clout.features.message import with_form

YEAR = timedelta(days=365)
ENOUGH_POSTS = 3
PRIOR_POSTS = 3.0


def streams(history: History, outcomes: Stream) -> dict[str, Stream]:
    """Ripe outcomes against their authors' usual, by network and first word.

    The usual is the mean log1p(outcome) of the year before, of authors with at least three posts in it.
    """
    forms = with_form(history.posts).select("post", "opening")
    before = window(history.outcomes, outcomes, ["n", "log"], YEAR)
    usual = before.select(pl.when(pl.col("n") >= ENOUGH_POSTS).then(share(pl.col("log"), pl.col("n")) / UNIT))
    events = (
        history.outcomes.with_columns(lift=pl.col("outcome").log1p() - usual.to_series())
        .drop_nulls("lift")
        .join(forms, on="post", how="left")
    )
    totals = {"n": ONE, "lift": fixed(pl.col("lift"))}
    return {"network_opening": stream(events.drop_nulls("opening"), ["network", "opening"], tie="post", totals=totals)}


def _lift() -> pl.Expr:
    """Mean lift of the month's posts with the same first word, drawn towards 0 as by three more posts."""
    count, lift = past("network_opening", "n", "30d"), past("network_opening", "lift", "30d")
    return pl.when(pl.col("opening").is_not_null()).then(lift.cast(pl.Float64) / (count + PRIOR_POSTS) / UNIT)


FEATURES = (
    Feature(
        "network_outcome_log_mean_30d",
        "network",
        "actions (typical)",
        "usual reactions on this network in the last month",
        "In the last month, posts on this network usually drew {value}. That lifts every post.",
        "In the last month, posts on this network usually drew {value}. That holds every post back.",
        mean("network_outcomes", "log", "30d"),
        missing="no post on this network has a known result",
    ),
    Feature(
        "opening_lift_mean_30d",
        "network",
        "times their authors' usual",
        "what posts by others that begin with the same word draw",
        "Posts by others that begin with the same word drew {value}. That points to more reactions.",
        "Posts by others that begin with the same word drew {value}. That points to fewer reactions.",
        _lift(),
        direction=1,
        missing="the post has no words",
    ),
)
