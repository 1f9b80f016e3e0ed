"""How fast made-up actions are made, and what it takes to append them to a lake, by how many there are already.

Usage: python bench/flood.py [--actions N]… [--star SHARE] [--home FOLDER] [--json]    (a home keeps the lakes)
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from measuring.flood import NETWORK, Flood
from measuring.home import working_home
from measuring.processes import Meter, alone
from measuring.tables import show

from clout.data.lake import Lake
from clout.display import print_json

SIZES = (1_000_000, 10_000_000)
TABLES = ("accounts", "posts", "actions")


def make(flood: Flood) -> dict[str, float]:
    """What it takes to make them, and nothing else."""
    meter = Meter()
    for _ in flood.batches():
        pass
    return asdict(meter.read())


def append(flood: Flood, folder: Path) -> dict[str, Any]:
    """What it takes to make them and to append them to an empty lake, and how much the last tenth took beside the first."""
    meter, lake, took = Meter(), Lake(folder / "lake"), []
    for number, batch in enumerate(flood.batches()):
        began = meter.read().cpu_seconds
        lake.append(batch, source=f"{NETWORK} {number}")
        took.append(meter.read().cpu_seconds - began)
    cost, receipts = asdict(meter.read()), lake.receipts()
    tenth = max(1, flood.slices // 10)
    return {
        "cost": cost,
        "last_tenth_to_first": float(np.mean(took[-tenth:]) / np.mean(took[1 : tenth + 1])),
        "bytes": {table: sum(receipt.bytes.get(table, 0) for receipt in receipts) for table in TABLES},
    }


def measure(flood: Flood, folder: Path) -> dict[str, Any]:
    """One size, each part in a process of its own."""
    making, appended = alone(make, flood), alone(append, flood, folder)
    size = {"actions": flood.actions, "posts": flood.posts, "accounts": flood.accounts, "batches": flood.slices + 1}
    speed = {
        what: flood.actions / cost["wall_seconds"] for what, cost in (("made", making), ("appended", appended["cost"]))
    }
    return {**size, "per_second": speed, "making": making, **appended}


def print_sizes(found: list[dict[str, Any]]) -> None:
    """Nothing; a table goes to stdout."""
    heads = (
        "actions",
        "batches",
        "made a second",
        "appended a second",
        "CPU s",
        "peak MiB",
        "last to first",
        "bytes each",
    )
    rows = [
        (
            f"{told['actions']:,}",
            told["batches"],
            *told["per_second"].values(),
            told["cost"]["cpu_seconds"],
            told["cost"]["peak_mib"],
            f"{told['last_tenth_to_first']:.2f}",
            f"{told['bytes']['actions'] / told['actions']:.1f}",
        )
        for told in found
    ]
    show("Made-up actions, and how they get into a lake", heads, rows, 0)


def main(
    actions: Annotated[list[int] | None, typer.Option(help="Actions.", show_default="1 and 10 million")] = None,
    star: Annotated[float, typer.Option(min=0, max=0.9, help="Share of all actions that one account takes.")] = 0.0,
    home: Annotated[Path | None, typer.Option(help="Folder to keep lakes in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Make actions up, put them into a lake, and tell what that takes."""
    found = []
    with working_home(home) as folder:
        for count in actions or SIZES:
            found.append(measure(Flood(count, star=star), folder / str(count)))
            print(found[-1], file=sys.stderr)
    print_json(found) if as_json else print_sizes(found)


if __name__ == "__main__":
    typer.run(main)
