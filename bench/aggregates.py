"""The yardstick for features: the same aggregations of made-up actions in pandas, DuckDB and Polars, from Parquet on disk.

Usage: python bench/aggregates.py [--actions N]… [--home FOLDER] [--json]

Each runs in a process of its own. Their results are held beside each other: it ends with 1 when they differ.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from measuring.flood import Flood, pour
from measuring.home import working_home
from measuring.processes import Meter, alone
from measuring.tables import show
from peers.engines import WORKS

from clout.data.lake import Lake
from clout.display import print_json

ACTIONS = 5_000_000
ROUNDS, LARGE = 3, 20_000_000
SAME = 1e-6


def filled(folder: Path, actions: int) -> Lake:
    """The lake of `folder` with so many actions in it, made up unless they are there already."""
    lake = Lake(folder / "lake")
    if lake.is_empty():
        alone(pour, Flood(actions), lake)
    return lake


def files_of(lake: Lake, table: str) -> list[str]:
    """The Parquet files of a table."""
    return [lake.path(table, receipt.stem) for receipt in lake.receipts() if table in receipt.rows]


def work(what: str, engine: str, actions: Sequence[str], posts: Sequence[str]) -> dict[str, Any]:
    """What one engine made, and what that took."""
    meter = Meter()
    totals = WORKS[what][engine](actions, posts)
    return {"totals": totals, **asdict(meter.read())}


def measure(folder: Path, count: int) -> list[dict[str, Any]]:
    """Each aggregation of so many actions by each engine: the quickest of rounds that take turns, one where they are long."""
    lake = filled(folder, count)
    actions, posts = files_of(lake, "actions"), files_of(lake, "posts")
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for what, engine in competitors(count) * (ROUNDS if count <= LARGE else 1):
        told = alone(work, what, engine, actions, posts)
        told |= {"actions": count, "what": what, "engine": engine, "actions_per_second": count / told["wall_seconds"]}
        found[what, engine] = min(found.get((what, engine), told), told, key=lambda of: float(of["wall_seconds"]))
        print(told, file=sys.stderr)
    return [*found.values()]


def competitors(count: int) -> list[tuple[str, str]]:
    """Each aggregation with each engine that can do so many actions; stderr names those that cannot."""
    if count <= LARGE:
        return [(what, engine) for what, engines in WORKS.items() for engine in engines]
    print(f"SKIPPED pandas at {count:,} actions: it holds all of them in memory", file=sys.stderr)
    return [(what, engine) for what, engines in WORKS.items() for engine in engines if engine != "pandas"]


def differing(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """The aggregations of which two engines made something else, in words."""
    firsts: dict[tuple[int, str], Mapping[str, Any]] = {}
    wrong = []
    for told in found:
        first = firsts.setdefault((told["actions"], told["what"]), told)
        for name, total in told["totals"].items():
            if not math.isclose(total, first["totals"][name], rel_tol=SAME):
                said = f"{told['engine']} {total:g}, {first['engine']} {first['totals'][name]:g}"
                wrong.append(f"{told['what']}, {name}: {said}")
    return wrong


def print_found(found: Sequence[Mapping[str, Any]]) -> None:
    """Nothing; a table goes to stdout."""
    heads = ("", "actions", "engine", "wall s", "CPU s", "peak MiB", "million actions/s")
    costs = ("wall_seconds", "cpu_seconds", "peak_mib")
    rows = [
        (
            told["what"],
            told["actions"],
            told["engine"],
            *(told[cost] for cost in costs),
            told["actions_per_second"] / 1e6,
        )
        for told in found
    ]
    show("Aggregations from Parquet on disk", heads, rows, 2)


def main(
    actions: Annotated[list[int] | None, typer.Option(help="Actions to aggregate.", show_default=str(ACTIONS))] = None,
    home: Annotated[Path | None, typer.Option(help="Folder to keep lakes in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Aggregate the same actions with each engine and tell how long each takes, and how much memory."""
    with working_home(home) as folder:
        found = [told for count in actions or [ACTIONS] for told in measure(folder / str(count), count)]
    print_json(found) if as_json else print_found(found)
    if wrong := differing(found):
        print("\n".join(wrong), file=sys.stderr)
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
