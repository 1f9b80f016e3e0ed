"""All heads of a model, and what they say about posts they never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.training.config import Params
from clout.training.dataset import Dataset, Step
from clout.training.fit import MAIN, fit, quantile
from clout.training.splits import Block

if TYPE_CHECKING:
    import lightgbm as lgb

Floats = npt.NDArray[np.float64]
STAGES = (0.05, 0.1, 0.15, 0.25, 0.35, 0.5, 0.65, 0.8, 1.0)


@dataclass(frozen=True)
class Heads:
    """Boosters by head: main, low and high (quantiles of the outcome), and one a kind of action.

    `taught_through` is when the newest outcome they learned from was known.
    """

    boosters: dict[str, lgb.Booster]
    taught_through: object

    def margins(self, matrix: Floats, trees: int | None = None) -> dict[str, Floats]:
        """The margins of every head, each (n,), from its first `trees` trees (all of them when None)."""
        return {
            head: np.asarray(booster.predict(matrix, num_iteration=trees)) for head, booster in self.boosters.items()
        }

    def main(self, matrix: Floats, trees: int | None = None) -> Floats:
        """The margins of the main head, (n,), as `margins` gives them."""
        return np.asarray(self.boosters["main"].predict(matrix, num_iteration=trees))


@dataclass(frozen=True)
class HeldOut:
    """Posts of the rolling blocks as judged by models that had learned only from outcomes known before them.

    `frame` holds their rows of the dataset plus `block`, the number of the rolling block, and `taught_through`, when the
    newest outcome learned from was known; `margins` has one (n,) a head. `trees` is the number of trees they were made with,
    `heads` those of each block.
    """

    frame: pl.DataFrame
    margins: dict[str, Floats]
    trees: int
    heads: tuple[Heads, ...]

    def log_count(self, kind: str | None = None) -> Floats:
        """log1p of the outcome, or of one kind's count (NaN where not reported), (n,)."""
        return log_counts(self.frame, kind)

    def rows(self, mask: npt.NDArray[np.bool_]) -> HeldOut:
        """The rows of a boolean mask."""
        margins = {head: values[mask] for head, values in self.margins.items()}
        return replace(self, frame=self.frame.filter(pl.Series(mask)), margins=margins)


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
            head: fit(matrix, values, params, dataset.contract.names, dataset.contract.directions, objective)
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
    """The rolling blocks' posts with the margins of models fitted before each block, with as many trees as do best."""
    frames, heads = [], []
    for number, block in enumerate(dataset.plan.rolling):
        step(f"rolling origin {number + 1} of {len(dataset.plan.rolling)} ({block.start:%Y-%m-%d})")
        judged = dataset.frame.filter(block.judged() & (pl.col("ripe_at") < dataset.plan.final.start))
        heads.append(fit_heads(dataset, block, params, kinds))
        learned = pl.lit(heads[-1].taught_through)
        frames.append(judged.with_columns(block=pl.lit(number), taught_through=learned))
    matrices = [dataset.contract.matrix(frame) for frame in frames]
    trees = choose_trees(heads, matrices, [log_counts(frame) for frame in frames], params.fit.trees)
    margins = [part.margins(matrix, trees) for part, matrix in zip(heads, matrices, strict=True)]
    joined = {head: np.concatenate([part[head] for part in margins]) for head in margins[0]}
    return HeldOut(pl.concat(frames), joined, trees, tuple(heads))


def stages(most: int) -> list[int]:
    """The numbers of trees, up to `most`, that are tried."""
    return sorted({max(1, round(most * share)) for share in STAGES})


def choose_trees(heads: Sequence[Heads], matrices: Sequence[Floats], truths: Sequence[Floats], most: int) -> int:
    """The number of trees, of `most`, whose main heads err least on the blocks they did not see (mean of the blocks).

    A few posts need few trees: later ones would learn their accidents.
    """
    tried = stages(most)
    errors = [
        np.mean(
            [
                np.mean((truth - part.main(matrix, stage)) ** 2)
                for part, matrix, truth in zip(heads, matrices, truths, strict=True)
            ]
        )
        for stage in tried
    ]
    return tried[int(np.argmin(errors))]
