"""What each feature earns: the rolling blocks judged again without it. The last block stays closed.

Usage: python bench/ablation.py [--write] [--home FOLDER] [--json]

Features that the politicians never have known, and those that earn nothing there, are tried on the simulated society.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
import typer
from measuring.sets import SOCIETY, at_hand, lake_of, params_of, working_home
from measuring.tables import show, watched
from rich.console import Console

from clout.data.history import read_tables
from clout.display import print_json
from clout.features.catalogue import CONTRACT
from clout.training import metrics
from clout.training.config import Params
from clout.training.dataset import Dataset, build
from clout.training.fit import fit
from clout.training.heads import Heads, choose_trees, log_counts
from clout.training.metrics import Floats

FILE = Path(__file__).parents[1] / "docs" / "ablation.json"
MEASURES = ("r2", "spearman")
FULL_SEEDS, SEEDS = range(8), range(2)
CLEAR = 2.0
AT_ONCE = 4


@dataclass(frozen=True)
class Fold:
    """One rolling block: what is learned from before it, and what it is judged on."""

    matrix: Floats
    target: Floats
    judged: Floats
    truth: Floats


@dataclass(frozen=True)
class Bench:
    """The rolling blocks of one set, the features known in it, and the settings of every refit."""

    folds: tuple[Fold, ...]
    known: tuple[str, ...]
    params: Params

    def without(self, names: Iterable[str], seeds: Iterable[int]) -> Floats:
        """R² and Spearman, the mean of the blocks, of heads that never had the features `names`; (seeds, 2)."""
        dropped = set(names)
        columns = [place for place, name in enumerate(CONTRACT.names) if name in self.known and name not in dropped]
        return np.array(
            [np.mean([_judge(fold, columns, self.params, seed) for fold in self.folds], 0) for seed in seeds]
        )


def _judge(fold: Fold, columns: Sequence[int], params: Params, seed: int) -> tuple[float, float]:
    names, directions = [CONTRACT.names[place] for place in columns], [CONTRACT.directions[place] for place in columns]
    seeded = params.model_copy(update={"seed": seed})
    booster = fit(fold.matrix[:, columns], fold.target, seeded, names, directions)
    margin = np.asarray(booster.predict(fold.judged[:, columns]))
    return metrics.r_squared(margin, fold.truth), metrics.spearman(margin, fold.truth)


def bench_of(dataset: Dataset, params: Params) -> Bench:
    """The rolling blocks of a dataset, with as many trees as do best on them."""
    folds = tuple(_folds(dataset))
    known = tuple(name for name in CONTRACT.names if dataset.frame[name].n_unique() > 1)
    heads = [
        Heads({"main": fit(fold.matrix, fold.target, params, CONTRACT.names, CONTRACT.directions)}, None)
        for fold in folds
    ]
    trees = choose_trees(heads, [fold.judged for fold in folds], [fold.truth for fold in folds], params.fit.trees)
    return Bench(folds, known, params.model_copy(update={"fit": params.fit.model_copy(update={"trees": trees})}))


def _folds(dataset: Dataset) -> Iterable[Fold]:
    for block in dataset.plan.rolling:
        taught = dataset.frame.filter(block.taught())
        judged = dataset.frame.filter(block.judged() & (pl.col("ripe_at") < dataset.plan.final.start))
        yield Fold(CONTRACT.matrix(taught), log_counts(taught), CONTRACT.matrix(judged), log_counts(judged))


def ablate(bench: Bench, wanted: Sequence[str]) -> dict[str, Any]:
    """What is lost without each wanted feature, each group, and ever more of the features that earn least.

    `noise` is the standard deviation of a loss by the luck of the seeds alone. Losses are of the mean over the blocks.
    """
    full = bench.without((), FULL_SEEDS)
    noise = full.std(0, ddof=1) * np.sqrt(1 / len(FULL_SEEDS) + 1 / len(SEEDS))

    def loss(names: Iterable[str]) -> dict[str, float]:
        lost = full.mean(0) - bench.without(names, SEEDS).mean(0)
        return {f"{measure}_loss": float(value) for measure, value in zip(MEASURES, lost, strict=True)}

    features = {name: loss([name]) for name in watched(wanted, "without one feature")}
    members: dict[str, list[str]] = {}
    for spec in CONTRACT.features:
        if spec.name in bench.known:
            members.setdefault(spec.group, []).append(spec.name)
    groups = {group: loss(names) for group, names in watched([*members.items()], "without one group")}
    least_first = sorted(features, key=lambda name: sum(features[name].values()))
    ends = range(AT_ONCE, len(least_first) + 1, AT_ONCE)
    together = [{"dropped": least_first[:end], **loss(least_first[:end])} for end in watched(ends, "without ever more")]
    return {
        "trees": bench.params.fit.trees,
        "posts_judged": sum(len(fold.truth) for fold in bench.folds),
        "full": dict(zip(MEASURES, full.mean(0).tolist(), strict=True)),
        "noise": dict(zip(MEASURES, noise.tolist(), strict=True)),
        "features": features,
        "groups": groups,
        "together": together,
    }


def verdict(told: Mapping[str, Any], name: str) -> str:
    """`earns` when a loss is clear of the noise, `harms` when a gain is, else `nothing clear`."""
    losses = [told["features"][name][f"{measure}_loss"] / told["noise"][measure] for measure in MEASURES]
    if max(losses) > CLEAR:
        return "earns"
    return "harms" if min(losses) < -CLEAR else "nothing clear"


def verdicts(figures: Mapping[str, Any]) -> dict[str, list[str]]:
    """The features that earn nothing clear of noise, by the sets that were asked."""
    asked = {name: [data for data in figures if name in figures[data]["features"]] for name in CONTRACT.names}
    idle = {
        name: sets
        for name, sets in asked.items()
        if sets and not any(verdict(figures[data], name) == "earns" for data in sets)
    }
    kinds = sorted({tuple(sets) for sets in idle.values()})
    told = {" and ".join(sets): [name for name in idle if tuple(idle[name]) == sets] for sets in kinds}
    return told | {"nowhere known": [name for name, sets in asked.items() if not sets]}


def for_the_docs(figures: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The losses of each feature on the politicians, or on the society where only it has them known."""
    told = {}
    for name in CONTRACT.names:
        for data in figures:
            if name in figures[data]["features"]:
                losses = figures[data]["features"][name]
                told[name] = {"data": data, **{measure: round(value, 5) for measure, value in losses.items()}}
                break
    return told


def print_set(name: str, told: dict[str, Any]) -> None:
    """Nothing; the tables of one set go to stdout."""
    full, noise = told["full"], told["noise"]
    title = (
        f"{name}: {told['posts_judged']:,} posts of the rolling blocks, {told['trees']} trees, "
        f"R² {full['r2']:.4f}, Spearman {full['spearman']:.4f}; noise ±{noise['r2']:.4f} and ±{noise['spearman']:.4f}"
    )
    groups = {spec.name: spec.group for spec in CONTRACT.features}
    rows = [
        (feature, groups[feature], *losses.values(), verdict(told, feature))
        for feature, losses in sorted(told["features"].items(), key=lambda item: -sum(item[1].values()))
    ]
    show(title, ("without", "group", "R² lost", "Spearman lost", "beyond noise"), rows, 4)
    whole = [(group, *losses.values()) for group, losses in told["groups"].items()]
    show(f"{name}: without a whole group", ("group", "R² lost", "Spearman lost"), whole, 4)
    more = [
        (", ".join(row["dropped"][-AT_ONCE:]), len(row["dropped"]), row["r2_loss"], row["spearman_loss"])
        for row in told["together"]
    ]
    heads = ("without these and all above", "features gone", "R² lost", "Spearman lost")
    show(f"{name}: without the weakest together", heads, more, 4)


def main(
    write: Annotated[bool, typer.Option(help="Write docs/ablation.json.")] = False,  # noqa: FBT002 - a flag
    home: Annotated[Path | None, typer.Option(help="Folder to keep lakes in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Refit without each feature and each group, and tell what is lost in the rolling blocks."""
    figures: dict[str, Any] = {}
    wanted: list[str] = list(CONTRACT.names)
    with working_home(home) as folder:
        for name in [name for name in ("politicians", SOCIETY) if at_hand(name)]:
            params = params_of(name)
            bench = bench_of(build(read_tables(lake_of(name, folder / name)), params), params)
            told = figures[name] = ablate(bench, [feature for feature in wanted if feature in bench.known])
            wanted = [
                feature for feature in wanted if feature not in told["features"] or verdict(told, feature) != "earns"
            ]
            if not as_json:
                print_set(name, told)
    if as_json:
        print_json({**figures, "earn_nothing": verdicts(figures)})
    for sets, names in verdicts(figures).items():
        Console(stderr=as_json).print(
            f"earn nothing clear of noise on {sets}: {', '.join(names) or 'none'}\n", soft_wrap=True
        )
    if write:
        FILE.write_text(json.dumps(for_the_docs(figures), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
