"""What the network around the account does just before the post: its usual level, and what lifts everybody's posts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from clout.data.hourly import HOUR
from clout.data.windows import UNIT, Stream, fixed, stream, window
from clout.features.feature import Feature, mean, past, share
from clout.features.message import with_form

YEAR = timedelta(days=365)
ENOUGH_POSTS = 3
PRIOR_POSTS = 3.0


def sums(posts: pl.DataFrame, outcomes: pl.DataFrame, record: Stream) -> Sums:
    """What the outcomes of `posts` add to their networks; `record` has those of each account (n, log)."""
    forms = with_form(posts, ["opening"]).select("post", "opening")
    before = window(outcomes, record, ["n", "log"], YEAR)
    usual = before.select(pl.when(pl.col("n") >= ENOUGH_POSTS).then(share(pl.col("log"), pl.col("n")) / UNIT))
    log = pl.col("outcome").log1p()
    events = outcomes.join(forms, on="post", how="left", maintain_order="left").with_columns(
        pl.col("at").dt.truncate("1h") + HOUR, n=1, log=fixed(log), lift=fixed(log - usual.to_series())
    )
    opened = events.drop_nulls(["opening", "lift"])
    return Sums(
        events.group_by("network", "at").agg(pl.col("n", "log").sum()),
        opened.group_by("network", "opening", "at").agg(pl.col("n", "lift").sum()),
    )


@dataclass(frozen=True)
class Sums:
    """Ripe outcomes by network and hour, `at` being its end: they are heard of then.

    `outcomes`: network, at, n, and log (log1p, in parts of 1/2²⁰). `openings`: network, opening, at, n, and lift, which
    is how much more than their authors' usual posts with this first word drew; the usual is the mean log1p(outcome) of
    the year before, of authors with at least three posts in it.
    """

    outcomes: pl.DataFrame
    openings: pl.DataFrame

    @classmethod
    def together(cls, parts: Iterable[Sums]) -> Sums:
        """The sums of all posts, from those of parts of them."""
        several = [*parts]
        outcomes = pl.concat([part.outcomes for part in several]).group_by("network", "at").sum()
        openings = pl.concat([part.openings for part in several]).group_by("network", "opening", "at").sum()
        return cls(outcomes, openings)

    def streams(self) -> dict[str, Stream]:
        """The sums as streams of their networks."""
        log, lift = ({"n": pl.col("n"), name: pl.col(name)} for name in ("log", "lift"))
        return {
            "network_outcomes": stream(self.outcomes, ["network"], tie="at", totals=log),
            "network_opening": stream(self.openings, ["network", "opening"], tie="at", totals=lift),
        }


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
