"""When the post goes out: the hour and day in the account's own habit, the gap before it, and how much it has posted."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from clout.data.history import History
from clout.data.windows import ONE, Stream, stream
from clout.features.feature import Feature, past, share, since
from clout.features.message import with_form

HOUR = timedelta(hours=1)


def streams(history: History) -> dict[str, Stream]:
    """The account's own posts (reshares of others' included), also by hour and by weekday."""
    events = with_form(history.posts)
    one = {"n": ONE}
    return {
        "posts": stream(events, ["account"], tie="post", totals=one, lasts={"time": pl.col("at")}),
        "posts_hour": stream(events, ["account", "hour"], tie="post", totals=one),
        "posts_weekday": stream(events, ["account", "weekday"], tie="post", totals=one),
    }


def _timing(name: str, unit: str, label: str, expression: pl.Expr, advice: str = "") -> Feature:
    return Feature(
        name,
        "timing",
        unit,
        label,
        f"The {label}, {{value}}, goes with more reactions.",
        f"The {label}, {{value}}, goes with fewer reactions.",
        expression,
        advice=advice,
        missing="no earlier post of the account is known",
    )


FEATURES = (
    _timing(
        "hour_utc",
        "o'clock (UTC)",
        "hour of the day",
        pl.col("happened_at").dt.hour() + pl.col("happened_at").dt.minute() * (1 / 60),
        "Try another hour.",
    ),
    _timing("weekday", "(1 is Monday)", "day of the week", pl.col("happened_at").dt.weekday(), "Try another day."),
    _timing(
        "hour_share_90d",
        "of your posts",
        "habit of posting at this hour",
        share(past("posts_hour", "n", "90d"), past("posts", "n", "90d")),
        "Try an hour you use more or less often.",
    ),
    _timing(
        "weekday_share_90d",
        "of your posts",
        "habit of posting on this day",
        share(past("posts_weekday", "n", "90d"), past("posts", "n", "90d")),
        "Try a day you use more or less often.",
    ),
    _timing(
        "post_gap_hours_last",
        "hours",
        "time since the last post",
        since("posts", "time", HOUR),
        "Leave more time between posts.",
    ),
    _timing(
        "posts_count_1d",
        "posts",
        "number of posts in the last day",
        past("posts", "n", "1d"),
        "Post fewer times a day.",
    ),
    _timing(
        "posts_count_30d", "posts", "number of posts in the last month", past("posts", "n", "30d"), "Post less often."
    ),
)
