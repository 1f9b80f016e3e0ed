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
    events = with_form(history.posts, ["hour", "weekday"])
    one = {"n": ONE}
    return {
        "posts": stream(events, ["account"], tie="post", totals=one, lasts={"time": pl.col("at")}),
        "posts_hour": stream(events, ["account", "hour"], tie="post", totals=one),
        "posts_weekday": stream(events, ["account", "weekday"], tie="post", totals=one),
    }


def _timing(name: str, unit: str, label: str, given: str, expression: pl.Expr, advice: str) -> Feature:
    """A feature of the moment; `given` begins a sentence about posts that have its value."""
    more, less = (f"{given} people tend to react {way}." for way in ("more", "less"))
    missing = "no earlier post is known"
    return Feature(name, "timing", unit, label, more, less, expression, advice=advice, missing=missing)


FEATURES = (
    _timing(
        "hour_utc",
        "o'clock (UTC)",
        "time of day",
        "At {value},",
        pl.col("happened_at").dt.hour() + pl.col("happened_at").dt.minute() * (1 / 60),
        "Compare with other hours.",
    ),
    _timing(
        "weekday",
        "(1 is Monday)",
        "day of the week",
        "On {value},",
        pl.col("happened_at").dt.weekday(),
        "Compare with other days.",
    ),
    _timing(
        "hour_share_90d",
        "of your posts",
        "habit of posting at this hour",
        "When {value} go out at the same hour,",
        share(past("posts_hour", "n", "90d"), past("posts", "n", "90d")),
        "Compare keeping to your hours with leaving them.",
    ),
    _timing(
        "weekday_share_90d",
        "of your posts",
        "habit of posting on this day",
        "When {value} go out on the same day of the week,",
        share(past("posts_weekday", "n", "90d"), past("posts", "n", "90d")),
        "Compare keeping to your days with leaving them.",
    ),
    _timing(
        "post_gap_hours_last",
        "hours",
        "time since the last post",
        "After {value} without a post,",
        since("posts", "time", HOUR),
        "Compare more time between posts with less.",
    ),
    _timing(
        "posts_count_1d",
        "posts",
        "posts in the last day",
        "After {value} in one day,",
        past("posts", "n", "1d"),
        "Compare days with more posts and days with fewer.",
    ),
    _timing(
        "posts_count_30d",
        "posts",
        "posts in the last month",
        "After {value} in one month,",
        past("posts", "n", "30d"),
        "Compare posting more often with posting less.",
    ),
)
