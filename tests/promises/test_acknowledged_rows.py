"""A row that the service said it took is in the lake once, however often the service was killed meanwhile."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clout.data.lake import Lake
from clout.serving.ingest.inbox import Inbox
from clout.serving.ingest.mover import Mover

ROUNDS, WORKERS, EACH, KILLED = 6, 2, 7, -9
TABLES = ("posts", "counts")
# Each worker sends rows, says which were taken, and moves them; it goes on with what the one before it was unsure of.
WORKER = r"""
import sys
from pathlib import Path
from threading import Event, Thread

from ingest_rows import NOW, count, post
from clout.serving.ingest import intake as intakes, mover as movers
from clout.serving.ingest.answers import RowsRequest

home, worker, number, each = Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:])
movers.MOVE_SECONDS, movers.MOVE_SHARE, movers.BATCH = 0.0, 0.0, 40
intake = intakes.Intake(lambda: (home, str(home / "lake")), lambda: NOW)
Thread(target=intake.follow, args=(Event(),), daemon=True).start()
while True:
    for table, make in (("posts", post), ("counts", count)):
        rows = [make(number, post=f"f/{worker}-{number + extra}") for extra in range(each)]
        told = intake.take(table, RowsRequest(rows=rows))
        assert told.rejected == 0, told
        print(table, number, flush=True)
    number += each
"""


def killed(
    home: Path, begin: Mapping[str, int], wait: float, environment: Mapping[str, str]
) -> set[tuple[str, str, int]]:
    """(table, worker, number) of what workers that begin there said they took, until they were killed."""
    workers = {
        name: subprocess.Popen(
            [sys.executable, "-c", WORKER, home, name, str(number), str(EACH)],
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        for name, number in begin.items()
    }
    first = {
        name: "".join(process.stdout.readline() for _ in TABLES) for name, process in workers.items() if process.stdout
    }
    time.sleep(wait)
    for process in workers.values():
        process.kill()
    told = set()
    for name, process in workers.items():
        said = first[name] + process.communicate()[0]
        assert process.returncode == KILLED
        lines = [line.split() for line in said.splitlines(keepends=True) if line.endswith("\n")]
        told |= {(table, name, int(number)) for table, number in lines}
    return told


@pytest.mark.slow
def test_what_was_acknowledged_is_in_the_lake_once(tmp_path: Path, root: Path) -> None:
    home, chance = tmp_path / "home", random.Random(7)  # noqa: S311
    environment = {**os.environ, "PYTHONPATH": str(root / "tests" / "fixtures")}
    begin, told = {str(worker): 0 for worker in range(WORKERS)}, set[tuple[str, str, int]]()
    for _ in range(ROUNDS):
        told |= killed(home, begin, chance.uniform(0, 0.3), environment)
        done = {name: [number for table, of, number in told if (table, of) == ("counts", name)] for name in begin}
        begin = {name: max(numbers) + EACH for name, numbers in done.items()}
    inbox = Inbox(home)
    Mover(inbox, str(home / "lake"), lambda: datetime.now(UTC)).move()
    assert inbox.count() == 0
    inbox.close()
    for table in TABLES:
        there = Counter(Lake(home / "lake").read(table)["post"])
        said = {f"f/{name}-{number + extra}" for what, name, number in told if what == table for extra in range(EACH)}
        assert len(said) >= ROUNDS * WORKERS * EACH
        assert said <= there.keys()
        assert set(there.values()) == {1}
