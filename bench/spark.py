"""What Spark adds on this machine: the same features by two processes and by Spark's local[2], one after the other.

Usage: python bench/spark.py [ACTIONS…] [--home FOLDER] [--json]
"""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from measuring.flood import Flood, pour
from measuring.home import working_home
from measuring.processes import alone
from measuring.tables import show
from psutil import Process

from clout.data.lake import Lake
from clout.display import print_json
from clout.features.sharded import run
from clout.features.sharded.processes import Processes
from clout.features.sharded.spark import SparkEngine
from clout.training.config import Params

SIZES = (5_000_000, 50_000_000)
WORKERS = 2
ENGINES = ("processes", "spark")


def opened(engine: str) -> AbstractContextManager[run.Engine]:
    """The engine of a name, with two workers."""
    return SparkEngine.open(f"local[{WORKERS}]") if engine == "spark" else Processes.open(WORKERS)


def measured(engine: str, lake: Path, out: Path) -> dict[str, Any]:
    """What an engine took, with all processes that it began."""
    params, begun = Params(), time.perf_counter()
    with opened(engine) as ready:
        started = time.perf_counter() - begun
        told = run.measure(Lake(lake), out, ready, params.label.horizon, params.action_values)
        wall, own = time.perf_counter() - begun, Process()
        spent = [one.cpu_times() for one in (own, *own.children(recursive=True))]
    shutil.rmtree(out)
    return {
        "engine": engine,
        "actions": told.actions,
        "start_seconds": started,
        "wall_seconds": wall,
        "cpu_seconds": sum(one.user + one.system + one.children_user + one.children_system for one in spent),
    }


def measure(folder: Path, actions: int) -> list[dict[str, Any]]:
    """Both engines on a lake of so many actions."""
    lake = Lake(folder / "lake")
    if lake.is_empty():
        alone(pour, Flood(actions), lake)
    told = []
    for engine in ENGINES:
        told.append(alone(measured, engine, folder / "lake", folder / "out"))
        print(told[-1], file=sys.stderr)
    return told


def main(
    actions: Annotated[list[int] | None, typer.Argument(help="Sizes.", show_default="5 and 50 million")] = None,
    home: Annotated[Path | None, typer.Option(help="Folder to keep lakes in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Measure both engines."""
    if find_spec("pyspark") is None:
        print("PySpark is not installed: `make spark`", file=sys.stderr)
        return
    with working_home(home) as folder:
        found = [one for size in actions or SIZES for one in measure(folder / str(size), size)]
    if as_json:
        print_json(found)
        return
    heads = ("engine", "actions", "start s", "wall s", "CPU s")
    show("The same features by two processes and by Spark", heads, [tuple(one.values()) for one in found], 1)


if __name__ == "__main__":
    typer.run(main)
