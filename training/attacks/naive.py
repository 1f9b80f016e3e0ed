"""Three naive scores, put on a scale by the same rule as ours, so that points compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.data.coverage import Tables
from clout.data.tables import NO_REACTIONS
from clout.models.scale import Scale, fit_curve

Floats = npt.NDArray[np.float64]
NAMES = ("followers", "likes", "per_post")
WORDS = {
    "followers": "number of followers",
    "likes": "sum of likes in 90 days",
    "per_post": "mean of actions a post",
}


def received(tables: Tables, network: str, at: datetime) -> pl.DataFrame:
    """What everybody sees on each post of one's own at a moment: post, account, happened_at, likes, actions.

    Every action counts, however often one person takes it; looking and following are none. Where a network only
    reports counts, the highest count known by then, or read later where that is all there is.
    """
    own = tables["posts"].filter((pl.col("network") == network) & (pl.col("kind") != "reshare"))
    own = own.filter((pl.col("happened_at") < at) & (pl.col("known_at") < at)).select("post", "account", "happened_at")
    acts = tables["actions"].filter((pl.col("actor") != pl.col("account")) & (pl.col("known_at") < at))
    known = tables["counts"].filter((pl.col("known_at") < at) | pl.col("retrospective"))
    counted = pl.concat(
        [
            acts.group_by("post", "kind").agg(n=pl.len().cast(pl.Int64)),
            known.group_by("post", "kind").agg(n=pl.col("count").max()),
        ]
    )
    seen = (
        counted.filter(~pl.col("kind").is_in(NO_REACTIONS))
        .group_by("post", "kind")
        .agg(pl.col("n").max())
        .group_by("post")
        .agg(likes=pl.col("n").filter(pl.col("kind") == "like").sum(), actions=pl.col("n").sum())
    )
    return own.join(seen, on="post", how="left").with_columns(pl.col("likes", "actions").fill_null(0))


def naive_values(tables: Tables, network: str, at: datetime, window: timedelta) -> pl.DataFrame:
    """One row an account with a post in the window: account, then the number behind each naive score."""
    posts = received(tables, network, at).filter(pl.col("happened_at") > at - window)
    profiles = tables["profiles"].filter((pl.col("happened_at") < at) & (pl.col("known_at") < at))
    newest = profiles.sort("happened_at").group_by("account").agg(pl.col("followers").last().cast(pl.Float64))
    sums = posts.group_by("account").agg(
        likes=pl.col("likes").sum().cast(pl.Float64), per_post=pl.col("actions").mean()
    )
    return sums.join(newest, on="account", how="left").select("account", *NAMES).sort("account")


@dataclass(frozen=True)
class NaiveScores:
    """A scale for each naive score: the mean account at 40, the 95th percentile at 63, linear in log(1 + number)."""

    scales: Mapping[str, Scale]

    @classmethod
    def fit(cls, values: pl.DataFrame) -> NaiveScores:
        """The scales of a population, rows of `naive_values`; a score that is known of nobody has none."""
        known = {name: values[name].drop_nulls().to_numpy() for name in NAMES}
        return cls({name: Scale(name, {"": fit_curve(np.log1p(of))}) for name, of in known.items() if len(of)})

    def score(self, values: pl.DataFrame) -> dict[str, Floats]:
        """The naive scores of the rows, NaN where the number is not known."""
        logs = {name: np.log1p(values[name].cast(float).fill_null(np.nan).to_numpy()) for name in self.scales}
        return {name: self.scales[name].score(of, [""] * len(of)) for name, of in logs.items()}
