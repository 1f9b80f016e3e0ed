"""One published post that somebody asks for by its id, and what it drew."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import polars as pl

from clout.data.history import History, without_text
from clout.data.lake import Lake
from clout.data.shelf import LakeError

KEPT_POSTS = 512
AROUND = ("account", "network", "published_at", "at")
Row = dict[str, Any]


def outcomes_by_post(history: History) -> pl.DataFrame:
    """What each ripe post drew, sorted by post: post, outcome, and one column a kind, null where it is not reported."""
    return history.outcomes.drop(AROUND).sort("post")


class Published:
    """The posts of `lake`; those asked for last are kept, so it is made anew when the lake changes.

    `outcomes` are those of `outcomes_by_post`: what an action counts depends on everybody's, so no single post's outcome
    can be read from the lake alone.
    """

    def __init__(self, lake: Lake, outcomes: pl.DataFrame) -> None:
        self._outcomes = outcomes
        self.find = lru_cache(KEPT_POSTS)(partial(find, lake))

    def drew(self, post: str) -> dict[str, float | None] | None:
        """The outcome of a post and the actions of each kind; None where that is not known, or not yet."""
        place = self._outcomes["post"].search_sorted(post)
        found = self._outcomes[place : place + 1].filter(pl.col("post") == post)
        return found.drop("post").row(0, named=True) if found.height else None


def find(lake: Lake, post: str) -> Row | None:
    """The row of a post in the lake; None where there is none."""
    names = lake.batches()
    try:
        found = lake.scan("posts").filter(pl.col("post") == post).collect()
        found = without_text(found, lake.scan("removals").filter(pl.col("removed") == post).collect())
    except (LakeError, pl.exceptions.PolarsError, OSError):
        if lake.batches() == names:
            raise
        return find(lake, post)  # rows were erased meanwhile, and what was being read replaced
    return found.row(0, named=True) if found.height else None
