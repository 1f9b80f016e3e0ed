"""All heads of a model, and what they say about posts they never saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.features.catalogue import CONTRACT
from clout.training.config import Params
from clout.training.dataset import Dataset, Step
from clout.training.fit import MAIN, fit, quantile
from clout.training.splits import Block

if TYPE_CHECKING:
    import lightgbm as lgb

Floats = npt.NDArray[np.float64]
DIRECTIONS = tuple(feature.direction for feature in CONTRACT.features)


@dataclass(frozen=True)
class Heads:
    """Boosters by head: main, low and high (quantiles of the outcome), and one a kind of action.

    `taught_through` is when the newest outcome they learned from was known.
    """

    boosters: dict[str, lgb.Booster]
    taught_through: object

    def margins(self, matrix: Floats) -> dict[str, Floats]:
        """The margins of every head, each (n,)."""
        return {head: np.asarray(booster.predict(matrix)) for head, booster in self.boosters.items()}


@dataclass(frozen=True)
class HeldOut:
    """Posts of the rolling blocks as judged by models that had learned only from outcomes known before them.

    `frame` holds their rows of the dataset plus `block`, the number of the rolling block, and `taught_through`, when the
    newest outcome learned from was known; `margins` has one (n,) a head.
    """

    frame: pl.DataFrame
    margins: dict[str, Floats]

    def log_count(self, kind: str | None = None) -> Floats:
        """log1p of the outcome, or of one kind's count (NaN where not reported), (n,)."""
        return log_counts(self.frame, kind)

    def rows(self, mask: npt.NDArray[np.bool_]) -> HeldOut:
        """The rows of a boolean mask."""
        margins = {head: values[mask] for head, values in self.margins.items()}
        return HeldOut(self.frame.filter(pl.Series(mask)), margins)


def log_counts(frame: pl.DataFrame, kind: str | None = None) -> Floats:
    """log1p of the outcome, or of one kind's count (NaN where not reported), (n,)."""
    return frame[kind or "outcome"].cast(pl.Float64).log1p().fill_null(np.nan).to_numpy()


def fit_heads(dataset: Dataset, block: Block, params: Params, kinds: tuple[str, ...]) -> Heads:
    """The heads for a block, from outcomes known before it of accounts that may be learned from."""
    taught = dataset.where(block.taught())
    frame, matrix = dataset.frame.filter(taught), dataset.matrix(taught)
    target = log_counts(frame)
    tail = (1 - params.intervals.level) / 2
    wanted = {"main": (target, MAIN), "low": (target, quantile(tail)), "high": (target, quantile(1 - tail))}
    wanted |= {kind: (log_counts(frame, kind), MAIN) for kind in kinds}
    return Heads(
        {
            head: fit(matrix, values, params, CONTRACT.names, DIRECTIONS, objective)
            for head, (values, objective) in wanted.items()
        },
        frame["ripe_at"].max(),
    )


def learnable_kinds(dataset: Dataset, params: Params) -> tuple[str, ...]:
    """Kinds of action with a head of their own: counted, and not always the same, on enough early posts.

    A kind that a source does not report, or that never happens, teaches nothing.
    """
    first = dataset.frame.filter(dataset.plan.rolling[0].taught())
    enough = params.splits.min_posts // 5
    return tuple(
        kind for kind in dataset.kinds if first[kind].count() >= enough and first[kind].fill_null(0).n_unique() > 1
    )


def held_out(dataset: Dataset, params: Params, kinds: tuple[str, ...], step: Step) -> HeldOut:
    """The rolling blocks' posts with the margins of models fitted before each block."""
    frames, margins = [], []
    for number, block in enumerate(dataset.plan.rolling):
        step(f"rolling origin {number + 1} of {len(dataset.plan.rolling)} ({block.start:%Y-%m-%d})")
        judged = dataset.where(block.judged() & (pl.col("ripe_at") < dataset.plan.final.start))
        heads = fit_heads(dataset, block, params, kinds)
        frames.append(dataset.frame.filter(judged).with_columns(block=pl.lit(number), taught_through=pl.lit(heads.taught_through)))
        margins.append(heads.margins(dataset.matrix(judged)))
    return HeldOut(pl.concat(frames), {head: np.concatenate([part[head] for part in margins]) for head in margins[0]})
