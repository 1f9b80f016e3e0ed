"""What each feature earns: what the rolling blocks gain when it joins a random part of the others (its Shapley value).

Usage: python bench/ablation.py [--orders N] [--write] [--home FOLDER] [--json]

Features stand in for each other, so few are missed alone. Here they join one by one, in N random orders and each order
reversed, and a feature is told the mean of what it added; all gains add up to what all features have together (Shapley
1953; Covert, Lundberg and Lee 2020). The last block stays closed. Features that the politicians do not have, or that earn
nothing there, are told as on the simulated society.
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
from measuring.home import working_home
from measuring.sets import SOCIETY, at_hand, lake_of, params_of
from measuring.tables import show, watched
from rich.console import Console

from clout.display import print_json
from clout.features.catalogue import CONTRACT
from clout.training import metrics
from clout.training.config import Params
from clout.training.dataset import Dataset, build
from clout.training.fit import fit
from clout.training.heads import choose_trees, log_counts
from clout.training.metrics import Floats
from clout.training.whole_lake import WholeLake

FILE = Path(__file__).parents[1] / "docs" / "ablation.json"
MEASURES = ("r2", "spearman")
SEEDS = range(4)
ORDERS, SOCIETY_SHARE, PEOPLE = 12, 3, 1_000
STEP, MOST_TREES = 0.15, 120
CLEAR = 2.0


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

    def worth(self, names: Iterable[str], seed: int) -> Floats:
        """R² and Spearman, the mean of the blocks, of heads that have the features `names` alone; 0 without any."""
        chosen = set(names)
        columns = [place for place, name in enumerate(CONTRACT.names) if name in chosen]
        if not columns:
            return np.zeros(len(MEASURES))
        return np.mean([_judge(fold, columns, self.params, seed) for fold in self.folds], 0)


def _judge(fold: Fold, columns: Sequence[int], params: Params, seed: int) -> tuple[float, float]:
    names, directions = [CONTRACT.names[place] for place in columns], [CONTRACT.directions[place] for place in columns]
    seeded = params.model_copy(update={"seed": seed})
    booster = fit(fold.matrix[:, columns], fold.target, seeded, names, directions)
    margin = np.asarray(booster.predict(fold.judged[:, columns]))
    ranked = metrics.spearman(margin, fold.truth) if np.ptp(margin) else 0.0
    return metrics.r_squared(margin, fold.truth), ranked


def bench_of(dataset: Dataset, params: Params) -> Bench:
    """The rolling blocks of a dataset, with large steps and as many trees as do best on them."""
    large = params.model_copy(
        update={"fit": params.fit.model_copy(update={"learning_rate": STEP, "trees": MOST_TREES})}
    )
    folds = tuple(_folds(dataset))
    known = tuple(name for name in CONTRACT.names if dataset.frame[name].n_unique() > 1)
    mains = [fit(fold.matrix, fold.target, large, CONTRACT.names, CONTRACT.directions) for fold in folds]
    trees = choose_trees(mains, [fold.judged for fold in folds], [fold.truth for fold in folds], MOST_TREES)
    return Bench(folds, known, large.with_trees(trees))


def _folds(dataset: Dataset) -> Iterable[Fold]:
    for block in dataset.plan.rolling:
        taught = dataset.frame.filter(block.taught())
        judged = dataset.frame.filter(block.judged() & (pl.col("ripe_at") < dataset.plan.final.start))
        yield Fold(CONTRACT.matrix(taught), log_counts(taught), CONTRACT.matrix(judged), log_counts(judged))


def orders_of(count: int, orders: int, seed: int) -> list[list[int]]:
    """Random orders of `count` features, each followed by its reverse."""
    rng = np.random.default_rng(seed)
    drawn = [rng.permutation(count).tolist() for _ in range(orders)]
    return [either for order in drawn for either in (order, order[::-1])]


def gains_of(bench: Bench, order: Sequence[int], seed: int) -> Floats:
    """What each known feature adds when they join in this order, (features, 2)."""
    names = [bench.known[place] for place in order]
    worth = np.array([bench.worth(names[:end], seed) for end in range(len(names) + 1)])
    gains = np.empty((len(names), len(MEASURES)))
    gains[list(order)] = np.diff(worth, axis=0)
    return gains


def told_of(bench: Bench, gains: Floats) -> dict[str, Any]:
    """The mean gain of each feature over the orders of `gains` (orders, features, 2), and what is lost by group.

    An order and its reverse are one draw, so the standard errors are those of the means of pairs. `both` is the mean of the
    two measures, by which a feature earns.
    """
    measured = np.concatenate([gains, gains.mean(2, keepdims=True)], 2)
    pairs = measured.reshape(-1, 2, *measured.shape[1:]).mean(1)
    mean, error = pairs.mean(0), pairs.std(0, ddof=1) / np.sqrt(len(pairs))
    features = {
        name: {
            f"{measure}_{what}": float(values[place, column])
            for column, measure in enumerate((*MEASURES, "both"))
            for what, values in (("gain", mean), ("error", error))
        }
        for place, name in enumerate(bench.known)
    }
    full = np.array([bench.worth(bench.known, seed) for seed in SEEDS])
    return {
        "trees": bench.params.fit.trees,
        "orders": len(gains),
        "posts_judged": sum(len(fold.truth) for fold in bench.folds),
        "full": dict(zip(MEASURES, full.mean(0).tolist(), strict=True)),
        "noise": dict(zip(MEASURES, (full.std(0, ddof=1) * np.sqrt(2 / len(SEEDS))).tolist(), strict=True)),
        "features": features,
        "groups": _groups(bench, full.mean(0)),
    }


def _groups(bench: Bench, full: Floats) -> dict[str, dict[str, float]]:
    """What is lost without each whole group."""
    members: dict[str, list[str]] = {}
    for spec in CONTRACT.features:
        if spec.name in bench.known:
            members.setdefault(spec.group, []).append(spec.name)
    lost = {}
    for group, names in watched([*members.items()], "without one group"):
        rest = [name for name in bench.known if name not in names]
        left = np.mean([bench.worth(rest, seed) for seed in SEEDS], 0)
        lost[group] = {f"{measure}_loss": float(value) for measure, value in zip(MEASURES, full - left, strict=True)}
    return lost


def verdict(gain: Mapping[str, float]) -> str:
    """`clearly` when a mean gain is beyond two standard errors, `earns` when it is above 0, else `no`."""
    if gain["both_gain"] <= 0:
        return "no"
    return "clearly" if gain["both_gain"] > CLEAR * gain["both_error"] else "earns"


def for_the_docs(figures: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The gain of each feature on the politicians, or on the society where they do not have it or it earns more there."""
    told = {}
    for name in CONTRACT.names:
        sets = [data for data in figures if name in figures[data]["features"]]
        earning = [data for data in sets if verdict(figures[data]["features"][name]) != "no"]
        for data in [*earning, *sets][:1]:
            gain = figures[data]["features"][name]
            rounded = {measure: round(value, 5) for measure, value in gain.items() if not measure.startswith("both")}
            told[name] = {"data": data, **rounded, "earns": verdict(gain)}
    return told


def print_set(name: str, told: dict[str, Any]) -> None:
    """Nothing; the tables of one set go to stdout."""
    full, noise = told["full"], told["noise"]
    title = (
        f"{name}: {told['posts_judged']:,} posts of the rolling blocks, {told['orders']} orders, {told['trees']} trees, "
        f"R² {full['r2']:.4f}, Spearman {full['spearman']:.4f}; noise ±{noise['r2']:.4f} and ±{noise['spearman']:.4f}"
    )
    groups = {spec.name: spec.group for spec in CONTRACT.features}
    rows = [
        (
            feature,
            groups[feature],
            *(f"{gain[f'{measure}_gain']:+.4f} ±{gain[f'{measure}_error']:.4f}" for measure in MEASURES),
            verdict(gain),
        )
        for feature, gain in sorted(told["features"].items(), key=lambda item: -item[1]["both_gain"])
    ]
    show(title, ("feature", "group", "R² gained", "Spearman gained", "earns"), rows, 4)
    whole = [(group, *losses.values()) for group, losses in told["groups"].items()]
    show(f"{name}: without a whole group", ("group", "R² lost", "Spearman lost"), whole, 4)


def measured_on(name: str, folder: Path, orders: int) -> dict[str, Any]:
    """The figures of one set, its lake in `folder`."""
    params = params_of(name)
    bench = bench_of(build(WholeLake.read(lake_of(name, folder, PEOPLE), params), params), params)
    drawn = orders_of(len(bench.known), orders, params.seed)
    gains = [gains_of(bench, order, params.seed + draw // 2) for draw, order in watched([*enumerate(drawn)], name)]
    return told_of(bench, np.array(gains))


def main(
    orders: Annotated[int, typer.Option(min=2, help="Random orders; each is gone through both ways.")] = ORDERS,
    write: Annotated[bool, typer.Option(help="Write docs/ablation.json.")] = False,  # noqa: FBT002 - a flag
    home: Annotated[Path | None, typer.Option(help="Folder to keep lakes in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Let features join in random orders, refit after each, and tell what they add to the rolling blocks."""
    figures: dict[str, Any] = {}
    with working_home(home) as folder:
        for name in [name for name in ("politicians", SOCIETY) if at_hand(name)]:
            asked = orders if name != SOCIETY else max(2, orders // SOCIETY_SHARE)
            figures[name] = measured_on(name, folder / name, asked)
            if not as_json:
                print_set(name, figures[name])
    if as_json:
        print_json(figures)
    told = for_the_docs(figures)
    idle = [name for name in CONTRACT.names if name not in told or told[name]["earns"] == "no"]
    Console(stderr=as_json).print(f"earn nothing, or are nowhere known: {', '.join(idle) or 'none'}\n", soft_wrap=True)
    if write:
        FILE.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
