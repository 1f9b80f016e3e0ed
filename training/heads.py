"""All heads of a model, and what they say about posts they never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.training.config import Params
from clout.training.dataset import Dataset, Step
from clout.training.fit import MAIN, Binned, fit, quantile
from clout.training.matrix import Floats, Matrix, Part, cut, judged, slices
from clout.training.splits import Block

if TYPE_CHECKING:
    import lightgbm as lgb

STAGES = (0.05, 0.1, 0.15, 0.25, 0.35, 0.5, 0.65, 0.8, 1.0)


@dataclass(frozen=True)
class Heads:
    """Boosters by head: main, low and high (quantiles of the outcome), and one a kind of action.

    `taught_through` is when the newest outcome they learned from was known.
    """

    boosters: dict[str, lgb.Booster]
    taught_through: object

    def margins(self, matrix: Matrix, trees: int | None = None) -> dict[str, Floats]:
        """The margins of every head, each (n,), from its first `trees` trees (all of them when None)."""
        told = {head: np.empty(len(matrix)) for head in self.boosters}
        first = 0
        for rows in slices(matrix):
            for head, booster in self.boosters.items():
                told[head][first : first + len(rows)] = np.asarray(booster.predict(rows, num_iteration=trees))
            first += len(rows)
        return told

    def main(self, matrix: Matrix, trees: int | None = None) -> Floats:
        """The margins of the main head, (n,), as `margins` gives them."""
        return judged(lambda rows: np.asarray(self.boosters["main"].predict(rows, num_iteration=trees)), matrix)


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
        return replace(self, frame=cut(self.frame, pl.Series(mask)), margins=margins)


def log_counts(frame: pl.DataFrame, kind: str | None = None) -> Floats:
    """log1p of the outcome, or of one kind's count (NaN where not reported), (n,)."""
    return frame[kind or "outcome"].cast(pl.Float64).log1p().fill_null(np.nan).to_numpy()


def fit_main(dataset: Dataset, block: Block, params: Params) -> lgb.Booster:
    """The main head for a block, from outcomes known before it of accounts that may be learned from."""
    taught = dataset.part(block.taught())
    target = log_counts(taught.select("outcome"))
    return fit(taught.features(dataset.contract), target, params, dataset.contract.names, dataset.contract.directions)


def fit_heads(
    dataset: Dataset, block: Block, params: Params, kinds: tuple[str, ...], main: lgb.Booster | None = None
) -> Heads:
    """The heads for a block, from outcomes known before it of accounts that may be learned from.

    `main` is what `fit_main` gave for the block, where it did.
    """
    taught = dataset.part(block.taught())
    labels = taught.select("outcome", "ripe_at", *kinds)
    tail = (1 - params.intervals.level) / 2
    objectives = {"main": MAIN, "low": quantile(tail), "high": quantile(1 - tail), **dict.fromkeys(kinds, MAIN)}
    boosters: dict[str, lgb.Booster] = {}
    if main is not None:
        boosters["main"] = main
        del objectives["main"]
    binned = None
    for head, objective in objectives.items():
        target = log_counts(labels, head if head in kinds else None)
        known = np.flatnonzero(~np.isnan(target))
        if binned is None or not np.array_equal(known, binned.places):
            binned = Binned(taught.features(dataset.contract), known, params, dataset.contract.names)
        boosters[head] = binned.fit(target[known], dataset.contract.directions, objective)
    return Heads(boosters, labels["ripe_at"].max())


def learnable_kinds(dataset: Dataset, params: Params) -> tuple[str, ...]:
    """Kinds of action with a head of their own: counted, and not always the same, on enough early posts.

    A kind that a source does not report, or that never happens, teaches nothing.
    """
    first = dataset.part(dataset.plan.rolling[0].taught()).select(*dataset.kinds)
    enough = params.splits.min_posts // 5
    return tuple(
        kind for kind in dataset.kinds if first[kind].count() >= enough and first[kind].fill_null(0).n_unique() > 1
    )


def held_out(dataset: Dataset, params: Params, kinds: tuple[str, ...], step: Step) -> HeldOut:
    """The rolling blocks' posts with the margins of models fitted before each block, with as many trees as do best.

    The main heads say how many that are, so that the others never grow more.
    """
    blocks, mains, frames = dataset.plan.rolling, [], []
    for number, block in enumerate(blocks):
        step(f"rolling origin {number + 1} of {len(blocks)} ({block.start:%Y-%m-%d})")
        mains.append(fit_main(dataset, block, params))
        frames.append(dataset.cut(block.judged() & (pl.col("ripe_at") < dataset.plan.final.start)))
    matrices = [Part.of(frame).features(dataset.contract) for frame in frames]
    trees = choose_trees(mains, matrices, [log_counts(frame) for frame in frames], params.fit.trees)
    step(f"rolling origins: the other heads, with {trees} trees")
    fewer = params.with_trees(trees)
    heads = [fit_heads(dataset, block, fewer, kinds, main) for block, main in zip(blocks, mains, strict=True)]
    margins = [part.margins(matrix, trees) for part, matrix in zip(heads, matrices, strict=True)]
    joined = {head: np.concatenate([part[head] for part in margins]) for head in margins[0]}
    told = [
        frame.with_columns(block=pl.lit(number), taught_through=pl.lit(part.taught_through))
        for number, (frame, part) in enumerate(zip(frames, heads, strict=True))
    ]
    return HeldOut(pl.concat(told), joined, trees, tuple(heads))


def stages(most: int) -> list[int]:
    """The numbers of trees, up to `most`, that are tried."""
    return sorted({max(1, round(most * share)) for share in STAGES})


def choose_trees(mains: Sequence[lgb.Booster], matrices: Sequence[Matrix], truths: Sequence[Floats], most: int) -> int:
    """The number of trees, of `most`, whose main heads err least on the blocks they did not see (mean of the blocks).

    A few posts need few trees: later ones would learn their accidents.
    """
    tried = stages(most)
    errors = [_errors(main, matrix, truth, tried) for main, matrix, truth in zip(mains, matrices, truths, strict=True)]
    return tried[int(np.argmin(np.mean(errors, axis=0)))]


def _errors(booster: lgb.Booster, matrix: Matrix, truth: Floats, tried: Sequence[int]) -> Floats:
    """The mean squared error after each number of trees in `tried`, (tried,); no tree is asked twice."""
    total, first = np.zeros(len(tried)), 0
    for rows in slices(matrix):
        left = truth[first : first + len(rows)].copy()
        for number, (before, stage) in enumerate(pairwise([0, *tried])):
            left -= np.asarray(booster.predict(rows, start_iteration=before, num_iteration=stage - before))
            total[number] += np.square(left).sum()
        first += len(rows)
    return total / len(truth)
