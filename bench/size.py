"""What training costs by size: simulated societies of 50,000, 200,000 and 1,000,000 posts, and the politicians.

Usage: python bench/size.py [POSTS…] [--home FOLDER] [--json]    (0 stands for the politicians, from raw files)
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer
from measuring.home import working_home
from measuring.processes import Meter, alone
from measuring.sets import SOCIETY, at_hand, lake_of, params_of
from measuring.tables import Cell, show

from clout.data.lake import Lake
from clout.display import print_json, step_bar
from clout.training import pipeline

SIZES = (50_000, 200_000, 1_000_000)
POSTS_PER_PERSON = 40
REAL = "politicians"


def fill(name: str, home: Path, people: int) -> dict[str, Any]:
    """What it took to put a set into a lake, and how many posts and actions it has."""
    meter = Meter()
    rows = {receipt.source: receipt.rows for receipt in lake_of(name, home, people).receipts()}
    total = {table: sum(counts.get(table, 0) for counts in rows.values()) for table in ("posts", "actions")}
    return {**total, "cost": meter.read().told()}


def train(name: str, home: Path) -> dict[str, Any]:
    """What it took from the lake to the registered bundle; of the politicians, from their raw files."""
    meter, params = Meter(), params_of(name)
    lake = lake_of(name, home) if name == REAL else Lake(home / "lake")
    with step_bar(pipeline.steps(params, lake)) as step:
        trained = pipeline.train(lake, params, home, f"sqlite:///{home / 'mlflow.db'}", step)
    cost = meter.read().told()
    found = [check["code"] for check in trained.checks if check["status"] == "finding"]
    return {"cost": cost, "version": trained.version, "findings": found}


def measure(posts: int, folder: Path) -> dict[str, Any]:
    """One size, each part in a process of its own."""
    name = SOCIETY if posts else REAL
    if posts:
        filled = alone(fill, name, folder, posts // POSTS_PER_PERSON)
        return {"set": name, "filling": filled.pop("cost"), **filled, **alone(train, name, folder)}
    trained = alone(train, name, folder / "trained")
    filled = alone(fill, name, folder / "filled", 0)
    return {"set": f"{name}, from raw files", "filling": filled.pop("cost"), **filled, **trained}


def per_thousand(told: dict[str, Any]) -> dict[str, float]:
    """Seconds and MiB for every thousand posts."""
    return {name: value * 1000 / told["posts"] for name, value in told["cost"].items()}


def print_sizes(figures: list[dict[str, Any]]) -> None:
    """Nothing; the tables go to stdout."""
    heads = ("", "posts", "actions", "filled in s", "wall s", "CPU s", "peak MiB", "findings")
    rows = [
        (told["set"], told["posts"], told["actions"], told["filling"]["wall_seconds"], *told["cost"].values(), found)
        for told in figures
        for found in [", ".join(told["findings"]) or "none"]
    ]
    show("Training, from lake to registered bundle", heads, rows, 0)
    each = [(told["set"], told["posts"], *per_thousand(told).values()) for told in figures]
    show("The same for every 1,000 posts", ("", "posts", "wall s", "CPU s", "peak MiB"), each, 2)
    growth: list[Sequence[Cell]] = [
        (f"{less['posts']:,} to {more['posts']:,}", *(after / before for before, after in _grown(less, more)))
        for less, more in pairwise(figures)
        if less["set"] == more["set"]
    ]
    if growth:
        show("Times as much (linear: as posts, or less)", ("", "posts", "wall", "CPU", "peak"), growth, 2)


def _grown(less: dict[str, Any], more: dict[str, Any]) -> list[tuple[float, float]]:
    names = less["cost"]
    return [(less["posts"], more["posts"]), *((less["cost"][name], more["cost"][name]) for name in names)]


def main(
    posts: Annotated[list[int] | None, typer.Argument(help="Sizes; 0 for the politicians.", show_default="all")] = None,
    home: Annotated[Path | None, typer.Option(help="Folder to keep lakes and models in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Train at several sizes and tell the time, the CPU and the peak memory of each."""
    with working_home(home) as folder:
        sizes = [size for size in posts or (*SIZES, 0) if size or at_hand(REAL)]
        figures = []
        for size in sizes:
            figures.append(measure(size, folder / str(size)))
            print(figures[-1], file=sys.stderr)
    print_json(figures) if as_json else print_sizes(figures)


if __name__ == "__main__":
    typer.run(main)
