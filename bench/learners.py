"""How long LightGBM, as training uses it, XGBoost and scikit-learn's HistGradientBoosting take to know equally much.

Usage: python bench/learners.py [SET…] [--home FOLDER] [--json]    (society and politicians without a SET)

All learn the same rows with the same settings, as far as each has them, and are judged on the rolling blocks; the last
block stays closed. Of each it is told how long all its trees take and how well they do, then how long it takes until it is
as good as the one that ends worst. XGBoost is not among the packages of Clout: uv sync --group bench.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
import typer
from measuring.home import working_home
from measuring.processes import Meter, alone
from measuring.sets import NAMES, SOCIETY, at_hand, lake_of, params_of
from measuring.tables import show
from peers.learners import LEARNERS, Floats, Lesson

from clout.display import print_json
from clout.features.catalogue import CONTRACT
from clout.training import metrics
from clout.training.config import Params
from clout.training.dataset import build
from clout.training.heads import log_counts
from clout.training.whole_lake import WholeLake

PEOPLE = 2_000
SEEDS = range(3)
CHOICES = 30
MISSING = "no XGBoost here: run `uv sync --group bench`, or `pip install xgboost-cpu`, and then this again"


@dataclass(frozen=True)
class Fold:
    """What is taught before a rolling block, and the features and truth of the posts of the block."""

    lesson: Lesson
    asked: Floats
    truth: Floats


def keep_blocks(name: str, home: Path, people: int = PEOPLE) -> dict[str, int]:
    """The size of a set, whose rolling blocks are then in arrays at `home`, without features that are never known."""
    dataset = build(WholeLake.read(lake_of(name, home, people), params_of(name)), params_of(name))
    before_last, blocks = pl.col("ripe_at") < dataset.plan.final.start, dataset.plan.rolling
    first = CONTRACT.matrix(dataset.frame.filter(blocks[0].taught()))
    known = np.flatnonzero(~np.isnan(first).all(0))
    rows = 0
    for number, block in enumerate(blocks):
        taught = dataset.frame.filter(block.taught())
        judged = dataset.frame.filter(block.judged() & before_last)
        parts = {"matrix": CONTRACT.matrix(taught)[:, known], "target": log_counts(taught)}
        parts |= {"asked": CONTRACT.matrix(judged)[:, known], "truth": log_counts(judged)}
        np.savez(home / f"block{number}.npz", known=known, **parts)
        rows += taught.height
    return {"rows": rows, "blocks": len(blocks), "features": len(known)}


def folds_of(home: Path) -> Iterator[Fold]:
    """What `keep_blocks` kept."""
    for path in sorted(home.glob("block*.npz")):
        kept = np.load(path)
        names, directions = (
            tuple(of[column] for column in kept["known"]) for of in (CONTRACT.names, CONTRACT.directions)
        )
        yield Fold(Lesson(kept["matrix"], kept["target"], names, directions), kept["asked"], kept["truth"])


def seeded(params: Params, seed: int, trees: int) -> Params:
    """`params` with another seed and number of trees."""
    return params.model_copy(update={"seed": seed}).with_trees(trees)


def teach(learner: str, home: Path, params: Params) -> dict[str, Any]:
    """What teaching it all rolling blocks took, the quickest of the seeds, and its figures by number of trees, their means."""
    every = stages(params.fit.trees)
    costs, errors, ranks = [], [], []
    for seed in SEEDS:
        for fold in folds_of(home):
            meter = Meter()
            judge = LEARNERS[learner](fold.lesson, seeded(params, seed, params.fit.trees))
            costs.append(meter.read())
            told = judge(fold.asked, every)
            errors.append([float(np.mean((margin - fold.truth) ** 2)) for margin in told])
            ranks.append([metrics.spearman(margin, fold.truth) for margin in told])
    by_seed = np.array([(cost.wall_seconds, cost.cpu_seconds) for cost in costs]).reshape(len(SEEDS), -1, 2).sum(1)
    wall, cpu = np.min(by_seed, 0).tolist()
    return {
        "wall_seconds": wall,
        "cpu_seconds": cpu,
        "peak_mib": costs[-1].peak_mib,
        "trees": every,
        "squared_error": np.mean(errors, 0).tolist(),
        "spearman": np.mean(ranks, 0).tolist(),
    }


def time_of(learner: str, home: Path, params: Params, trees: int) -> dict[str, float]:
    """What teaching it so many trees takes on all rolling blocks, the quickest of the seeds."""
    found = []
    for seed in SEEDS:
        spent = np.zeros(2)
        for fold in folds_of(home):
            meter = Meter()
            LEARNERS[learner](fold.lesson, seeded(params, seed, trees))
            cost = meter.read()
            spent += cost.wall_seconds, cost.cpu_seconds
        found.append(spent)
    wall, cpu = np.min(found, 0).tolist()
    return {"seconds": wall, "cpu_seconds": cpu}


def stages(most: int) -> list[int]:
    """The numbers of trees, up to `most`, at which learners are judged."""
    return sorted({max(1, round(most * number / CHOICES)) for number in range(1, CHOICES + 1)})


def measure(name: str, home: Path) -> dict[str, Any]:
    """Each learner on one set: with all its trees, and as good as the one that ends worst."""
    params = params_of(name)
    size = alone(keep_blocks, name, home)
    taught = {learner: alone(teach, learner, home, params) for learner in LEARNERS if at_hand_here(learner)}
    same = max(min(told["squared_error"]) for told in taught.values())
    told = {}
    for learner, figures in taught.items():
        best = int(np.argmin(figures["squared_error"]))
        enough = next(place for place, error in enumerate(figures["squared_error"]) if error <= same)
        told[learner] = {
            **{name: figures[name] for name in ("wall_seconds", "cpu_seconds", "peak_mib")},
            "best": at(figures, best),
            "equal": at(figures, enough) | alone(time_of, learner, home, params, figures["trees"][enough]),
        }
    return {**size, "trees": params.fit.trees, "threads": params.fit.threads, "same_error": same, "learners": told}


def at(figures: Mapping[str, Any], place: int) -> dict[str, Any]:
    """The figures with the number of trees at `place`."""
    return {name: figures[name][place] for name in ("trees", "squared_error", "spearman")}


def at_hand_here(learner: str) -> bool:
    """Whether a learner is installed; where it is not, stderr says what to do."""
    there = learner != "XGBoost" or find_spec("xgboost") is not None
    if not there:
        print(f"SKIPPED XGBoost: {MISSING}", file=sys.stderr)
    return there


def print_set(name: str, told: Mapping[str, Any]) -> None:
    """Nothing; the tables of one set go to stdout."""
    learners = told["learners"]
    ours = learners["LightGBM"]["equal"]["seconds"]
    title = f"{name}: {told['rows']:,} rows in {told['blocks']} blocks, {told['features']} features, {told['threads']} threads"
    rows = [
        (learner, of["wall_seconds"], of["cpu_seconds"], of["peak_mib"], *of["best"].values())
        for learner, of in learners.items()
    ]
    heads = ("", f"{told['trees']} trees, s", "CPU s", "peak MiB", "best with trees", "squared error", "Spearman")
    show(title, heads, rows, 4)
    rows = [
        (
            learner,
            *(of["equal"][name] for name in ("seconds", "cpu_seconds")),
            of["equal"]["seconds"] / ours,
            *(of["equal"][name] for name in ("trees", "squared_error", "spearman")),
        )
        for learner, of in learners.items()
    ]
    heads = ("", "s", "CPU s", "times LightGBM's", "trees", "squared error", "Spearman")
    show(f"{name}: until the squared error is {told['same_error']:.4f}", heads, rows, 4)


def main(
    sets: Annotated[list[str] | None, typer.Argument(help=f"Some of {', '.join(NAMES)}.")] = None,
    home: Annotated[Path | None, typer.Option(help="Folder to keep lakes in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Teach each learner the same rows, and tell how long it takes to be as good as the others."""
    os.environ.pop("OMP_NUM_THREADS", None)  # scikit-learn takes its threads from there
    with working_home(home) as folder:
        names = [name for name in sets or (SOCIETY, "politicians") if at_hand(name)]
        figures = {name: measure(name, folder / name) for name in names}
    if as_json:
        print_json(figures)
        return
    for name, told in figures.items():
        print_set(name, told)


if __name__ == "__main__":
    typer.run(main)
