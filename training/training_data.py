"""Labelled posts as pandas frames, with splits in time as scikit-learn takes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from clout.data.lake import Lake
from clout.errors import CloutError
from clout.training.config import Params
from clout.training.dataset import Dataset

Rows = npt.NDArray[np.intp]
FACTS = ("account", "network", "happened_at", "ripe_at", "cold", "outcome")


class SplitsError(CloutError):
    """Splits in time were asked of rows they were not made for."""

    code = "splits"


@dataclass(frozen=True)
class TimeSplits:
    """The rolling blocks as a cross-validator: each is judged by what was known before it began.

    Accounts held back for the cold start are judged and never taught.
    """

    rows: int
    blocks: tuple[tuple[Rows, Rows], ...]

    def split(self, X: object = None, y: object = None, groups: object = None) -> Iterator[tuple[Rows, Rows]]:  # noqa: ARG002, N803
        """The row numbers to teach and to judge, a pair a block, oldest first."""
        got = self.rows if X is None else len(X)  # type: ignore[arg-type]
        if got != self.rows:
            raise SplitsError(f"got {got:,} rows to split; expected the {self.rows:,} of the data: leave none out")
        yield from self.blocks

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:  # noqa: ARG002, N803
        """How many blocks there are."""
        return len(self.blocks)


@dataclass(frozen=True)
class TrainingData:
    """Posts whose outcome was known before the last block began, oldest first.

    `X` holds the features and `posts` the facts: account, network, happened_at, ripe_at, cold, outcome, text and one
    column a kind of action; both are indexed by post. `cv` are the rolling blocks. The last block stays closed.
    """

    X: pd.DataFrame
    posts: pd.DataFrame
    cv: TimeSplits
    params: Params
    lake: Lake
    measured: Dataset

    @property
    def y(self) -> pd.Series[float]:
        """The outcome: the actions a post drove, weighed by their values."""
        return self.posts["outcome"]

    @property
    def groups(self) -> pd.Series[str]:
        """The account of each post."""
        return self.posts["account"]

    @property
    def when(self) -> pd.Series[pd.Timestamp]:
        """When each post was published."""
        return self.posts["happened_at"]

    @property
    def frame(self) -> pd.DataFrame:
        """Post, account, network and features: what a model's `score` and `explain` take."""
        ids = self.posts[["account", "network"]].reset_index()
        return pd.concat([ids.set_index(self.X.index), self.X], axis=1)

    def __repr__(self) -> str:
        accounts, features = self.groups.nunique(), len(self.X.columns)
        return (
            f"{len(self.X):,} posts of {accounts:,} accounts, {features} features, {len(self.cv.blocks)} blocks in time"
        )


def training_data(measured: Dataset, params: Params, lake: Lake) -> TrainingData:
    """The posts of a dataset that were ripe before its last block."""
    early = measured.where(pl.col("ripe_at") < measured.plan.final.start)
    frame = measured.frame.filter(early)
    texts = measured.texts.filter(early).to_list()
    index = pd.Index(frame["post"].to_list(), name="post")
    facts = {name: frame[name].to_list() for name in (*FACTS, *measured.kinds)}
    posts = pd.DataFrame(facts | {"text": texts}, index=index)
    features = pd.DataFrame(measured.matrix(early), columns=list(measured.contract.names), index=index)
    blocks = tuple((_rows(frame, block.taught()), _rows(frame, block.judged())) for block in measured.plan.rolling)
    return TrainingData(features, posts, TimeSplits(frame.height, blocks), params, lake, measured)


def _rows(frame: pl.DataFrame, condition: pl.Expr) -> Rows:
    return np.flatnonzero(frame.select(condition).to_series().to_numpy())
