"""What training costs when the lake is read in shards: made-up posts, from the lake to the registered bundle.

Usage: python bench/large.py [POSTS…] [--trees N] [--home FOLDER] [--json]

Nothing can be learned from these posts; they are for what so many of them cost. Memory is what all processes together
held of their own at one time; beside it files of the working folder are mapped, which is given back where memory is short.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer
from measuring.flood import Flood, pour
from measuring.home import working_home
from measuring.processes import Meter, alone
from measuring.tables import show

from clout.data.lake import Lake
from clout.display import print_json, step_bar
from clout.training import pipeline, stores
from clout.training.config import read_params

SIZES = (300_000, 1_000_000, 10_000_000)
ACTIONS_EACH = 2
TREES = 20
MIB = 2**20


@dataclass
class Held:
    """The most memory that a process and all it started held at one time, in MiB: of their own, and mapped files with it."""

    own_mib: float = 0.0
    with_files_mib: float = 0.0
    done: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        """Nothing; every half second all processes are looked at, until `done`."""
        this = psutil.Process()
        while not self.done.wait(0.5):
            seen = []
            for process in (this, *this.children(recursive=True)):
                with suppress(psutil.Error):
                    seen.append(process.memory_info())
            self.own_mib = max(self.own_mib, sum(memory.rss - memory.shared for memory in seen) / MIB)
            self.with_files_mib = max(self.with_files_mib, sum(memory.rss for memory in seen) / MIB)


@contextmanager
def watched() -> Iterator[Held]:
    """A block whose memory is looked at."""
    held = Held()
    looking = threading.Thread(target=held.look, daemon=True)
    looking.start()
    try:
        yield held
    finally:
        held.done.set()
        looking.join()


def train(posts: int, trees: int, home: Path) -> dict[str, Any]:
    """What it took from the lake to the registered bundle, and how long each step was."""
    params, lake, began = read_params(None, (f"fit.trees={trees}",)), Lake(home / "lake"), time.perf_counter()
    stores.ROWS_IN_MEMORY = 0
    steps: list[tuple[str, float]] = []
    with watched() as held, step_bar(pipeline.steps(params, lake)) as bar:

        def step(name: str) -> None:
            steps.append((name, round(time.perf_counter() - began, 1)))
            print(*steps[-1], round(held.own_mib), file=sys.stderr)
            bar(name)

        meter = Meter()
        trained = pipeline.train(lake, params, home, f"sqlite:///{home / 'mlflow.db'}", step)
        wall = meter.read().wall_seconds
    spent = os.times()
    cost = {"wall_seconds": wall, "cpu_seconds": sum(spent[:4]), "peak_mib": held.own_mib}
    mapped = held.with_files_mib - held.own_mib
    told = {"set": "flood", "posts": posts, "actions": posts * ACTIONS_EACH, "trees": trees, "version": trained.version}
    return {**told, "cost": cost, "mapped_mib": mapped, "steps": steps}


def measure(posts: int, trees: int, folder: Path) -> dict[str, Any]:
    """One size, in a process of its own."""
    lake = Lake(folder / "lake")
    if lake.is_empty():
        alone(pour, Flood(posts * ACTIONS_EACH, each=ACTIONS_EACH), lake)
    return alone(train, posts, trees, folder)


def print_sizes(figures: list[dict[str, Any]]) -> None:
    """Nothing; a table goes to stdout."""
    heads = ("posts", "actions", "wall s", "CPU s", "peak MiB", "and mapped", "CPU s a 1,000", "peak MiB a 1,000")
    rows = [
        (
            f"{told['posts']:,}",
            f"{told['actions']:,}",
            *told["cost"].values(),
            told["mapped_mib"],
            *(told["cost"][name] * 1_000 / told["posts"] for name in ("cpu_seconds", "peak_mib")),
        )
        for told in figures
    ]
    show(f"Training in shards, heads of {figures[0]['trees']} trees", heads, rows, 2)


def main(
    posts: Annotated[list[int] | None, typer.Argument(help="Sizes.", show_default="all")] = None,
    trees: Annotated[int, typer.Option(min=1, help="Most trees of a head.")] = TREES,
    home: Annotated[Path | None, typer.Option(help="Folder to keep lakes and models in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Train on lakes that are read in shards, and tell the time, the CPU and the peak memory of each."""
    with working_home(home) as folder:
        figures = [measure(size, trees, folder / f"{size}") for size in posts or SIZES]
    print_json(figures) if as_json else print_sizes(figures)


if __name__ == "__main__":
    typer.run(main)
