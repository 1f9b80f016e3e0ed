"""What runs of features cost that go on from one another, over a past that grows: beside one run over everything.

Usage: python bench/chain.py [ACTIONS] [--days N] [--runs N] [--shards N] [--no-whole] [--home FOLDER] [--json]

Made-up actions come in by days; after each part of the time one run measures what is new.
"""

from __future__ import annotations

import shutil
import sys
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from measuring.flood import NETWORK, Flood
from measuring.home import working_home
from measuring.processes import alone
from measuring.tables import show

from clout.data.lake import Lake
from clout.display import print_json
from clout.features.sharded.run import Chain
from clout.features.sharded.work import STATE
from features import in_shards

COSTS = ("actions", "posts", "wall_seconds", "cpu_seconds", "peak_mib", "actions_a_second")


def pour(flood: Flood, lake: Lake, begin: int, end: int) -> None:
    """Nothing; the lake then holds some of the flood's batches."""
    for number, batch in enumerate(islice(flood.batches(begin), end - begin), begin):
        lake.append(batch, source=f"{NETWORK} {number}")


def measure(folder: Path, flood: Flood, runs: int, shards: int | None, *, whole: bool) -> list[dict[str, Any]]:
    """What each run took, and with `whole` what one took over everything, without a state."""
    lake, told, before = Lake(folder / "lake"), list[dict[str, Any]](), None
    ends = [flood.slices * number // runs + 1 for number in range(runs + 1)]
    for number, (begin, end) in enumerate(zip([0, *ends[1:-1]], ends[1:], strict=True)):
        alone(pour, flood, lake, begin, end)
        out = folder / f"out{number}"
        shutil.rmtree(out, ignore_errors=True)
        chain = Chain(keeps_state=True, after=before)
        cost = alone(in_shards, folder / "lake", out, None if before else shards, chain)
        told.append({"run": number + 1, **{name: cost[name] for name in COSTS}, "state_mib": _mib(out / STATE)})
        print(told[-1], file=sys.stderr)
        if before:
            shutil.rmtree(before)
        before = out
    if whole:
        cost = alone(in_shards, folder / "lake", folder / "whole", shards)
        shutil.rmtree(folder / "whole")
        told.append({"run": "whole", **{name: cost[name] for name in COSTS}, "state_mib": 0.0})
    return told


def _mib(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*.parquet")) / 2**20


def main(
    actions: Annotated[int, typer.Argument(help="How many actions in all.")] = 20_000_000,
    days: Annotated[int, typer.Option(help="Over how many days.")] = 900,
    runs: Annotated[int, typer.Option(help="How many runs.")] = 10,
    shards: Annotated[int | None, typer.Option(help="Shards of all runs.", show_default="by size of the first")] = None,
    whole: Annotated[bool, typer.Option(help="Measure everything at the end, too.")] = True,  # noqa: FBT002 - a flag
    home: Annotated[Path | None, typer.Option(help="Folder to work in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Measure a chain of runs."""
    with working_home(home) as folder:
        flood = Flood(actions, days)
        told = {"days": days, "actions": actions, "runs": measure(folder, flood, runs, shards, whole=whole)}
    if as_json:
        print_json(told)
        return
    heads = ("run", "new actions", "posts", "wall s", "CPU s", "peak MiB", "actions/s", "state MiB")
    show(f"{runs} runs over {days} days", heads, [tuple(one.values()) for one in told["runs"]], 1)


if __name__ == "__main__":
    typer.run(main)
