"""How many actions a second become features: made-up lakes of some sizes, shard by shard on two processors.

Usage: python bench/features.py [ACTIONS…] [--star SHARE] [--home FOLDER] [--json]
"""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from measuring.flood import Flood, pour
from measuring.home import working_home
from measuring.processes import Meter, alone
from measuring.tables import show

from clout.commands.training import chosen_params
from clout.data.history import load, read_tables
from clout.data.lake import Lake
from clout.display import print_json, step_bar
from clout.features.compute import compute, prepare
from clout.features.sharded import run
from clout.features.sharded.processes import Processes

T = TypeVar("T")
SIZES = (1_000_000, 5_000_000, 50_000_000)
AT_ONCE = 5_000_000
KLOUT = 521_000
WORKERS = 2
NO_CHAIN = run.Chain()


def metered(task: Callable[[int], T], number: int) -> tuple[T, float, float]:
    """What a task returns, the CPU seconds it took, and the most MiB that its process has had."""
    begun = time.process_time()
    result = task(number)
    return result, time.process_time() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@dataclass
class Metered:
    """An engine that notes what its tasks cost."""

    engine: Processes
    cpu: list[float] = field(default_factory=list)
    mib: list[float] = field(default_factory=list)

    def map(self, task: Callable[[int], T], numbers: Iterable[int]) -> list[T]:
        """What `task` returns for each of `numbers`."""
        told = self.engine.map(partial(metered, task), numbers)
        self.cpu += [cpu for _, cpu, _ in told]
        self.mib += [mib for _, _, mib in told]
        return [result for result, _, _ in told]


def in_shards(folder: Path, out: Path, shards: int | None = None, chain: run.Chain = NO_CHAIN) -> dict[str, Any]:
    """What it took to measure a lake shard by shard; peak memory is that of all processes together."""
    params, begun, own = chosen_params(None, None), time.perf_counter(), Meter()
    meaning = params.label.horizon, params.action_values
    with Processes.open(WORKERS) as engine, step_bar(run.STEPS) as step:
        noted = Metered(engine)
        told = run.measure(Lake(folder), out, noted, *meaning, shards, step, chain=chain)
    wall, own_cost = time.perf_counter() - begun, own.read().told()
    return {
        **told._asdict(),
        "wall_seconds": wall,
        "cpu_seconds": sum(noted.cpu) + own_cost["cpu_seconds"],
        "peak_mib": WORKERS * max(noted.mib) + own_cost["peak_mib"],
        "actions_a_second": told.actions / wall,
        "times_klout": told.actions / wall / KLOUT,
    }


def at_once(folder: Path) -> dict[str, Any]:
    """What it took to measure a lake in memory, as training does."""
    params, meter = chosen_params(None, None), Meter()
    history = load(read_tables(Lake(folder)), params.label.horizon, params.action_values)
    compute(history.posts, prepare(history)).write_parquet(folder.parent / "at_once.parquet")
    return meter.read().told()


def measure(folder: Path, actions: int, star: float) -> dict[str, Any]:
    """One size: the lake in shards, and at once where memory allows."""
    lake = Lake(folder / "lake")
    if lake.is_empty():
        alone(pour, Flood(actions, star=star), lake)
    told = {"star": star, "disk_mib": _mib(folder / "lake"), **alone(in_shards, folder / "lake", folder / "out")}
    if actions <= AT_ONCE:
        told["at_once"] = alone(at_once, folder / "lake")
    return told


def _mib(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*.parquet")) / 2**20


def print_figures(found: list[dict[str, Any]]) -> None:
    """Nothing; a table goes to stdout."""
    heads = (
        "actions",
        "posts",
        "accounts",
        "star",
        "wall s",
        "CPU s",
        "peak MiB",
        "actions/s",
        "times 521,000",
        "at once: CPU s",
        "peak MiB",
    )
    names = (
        "actions",
        "posts",
        "accounts",
        "star",
        "wall_seconds",
        "cpu_seconds",
        "peak_mib",
        "actions_a_second",
        "times_klout",
    )
    rows = []
    for told in found:
        once = told.get("at_once", {"cpu_seconds": math.nan, "peak_mib": math.nan})
        rows.append((*(told[name] for name in names), once["cpu_seconds"], once["peak_mib"]))
    show("From Parquet to features of all posts and accounts", heads, rows, 2)


def main(
    actions: Annotated[list[int] | None, typer.Argument(help="Sizes.", show_default="1, 5 and 50 million")] = None,
    star: Annotated[float, typer.Option(help="Share of all actions that one account draws.")] = 0.0,
    home: Annotated[Path | None, typer.Option(help="Folder to keep lakes in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Measure lakes of several sizes."""
    with working_home(home) as folder:
        found = []
        for size in actions or SIZES:
            found.append(measure(folder / str(size), size, star))
            print(found[-1], file=sys.stderr)
    print_json(found) if as_json else print_figures(found)


if __name__ == "__main__":
    typer.run(main)
