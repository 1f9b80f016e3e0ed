"""What reading a dump of Reddit costs by its length, beside reading the same lines as JSON alone, and runs killed at random.

Usage: python bench/archives.py [--lines N] [--kills N] [--home FOLDER] [--json]
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
import zstandard
from measuring.home import working_home
from measuring.processes import Meter, alone
from measuring.tables import show

from clout.data.lake import Lake
from clout.data.sources.archive import Archive
from clout.data.sources.container import open_box
from clout.data.sources.source import take
from clout.display import print_json

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BEGINNING = 1_690_000_000
PEOPLE = 50_000
COMMENTS = 4
WORDS = [f"word{number}" for number in range(2_000)]
TEXTS = 100_000
PIECE = 200
TABLES = ("accounts", "posts", "actions", "counts")


def lines(count: int) -> Iterator[bytes]:
    """A made-up dump: each submission is followed by comments on it or on one another; one line in 1,000 is broken."""
    chance = random.Random(7)  # noqa: S311 - nothing here is secret
    texts = [" ".join(chance.choices(WORDS, k=chance.randrange(5, 60))) for _ in range(TEXTS)]
    thread = last = ""
    for number in range(count):
        told = {
            "author": f"user{chance.randrange(PEOPLE)}",
            "created_utc": BEGINNING + number,
            "retrieved_on": BEGINNING + number + 900_000,
            "score": chance.randrange(-3, 60),
            "subreddit": "test",
            "id": f"{number + 36**6:x}",
        }
        text = texts[chance.randrange(TEXTS)]
        if number % (1 + COMMENTS) == 0:
            told |= {"title": text[:80], "selftext": text, "num_comments": COMMENTS}
            thread = last = f"t3_{told['id']}"
        else:
            told |= {"body": text, "link_id": thread, "parent_id": chance.choice((thread, last))}
            last = f"t1_{told['id']}"
        line = json.dumps(told).encode()
        yield (line[:-9] if number % 1_000 == 999 else line) + b"\n"


def write(path: Path, count: int) -> float:
    """How many MiB the lines have before they are packed."""
    size = 0
    with path.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as packed:
        for line in lines(count):
            size += packed.write(line)
    return size / 2**20


def as_json(path: Path) -> dict[str, Any]:
    """What it takes to unpack the lines and read each as JSON."""
    meter, broken = Meter(), 0
    for line in open_box(path).lines(path.name):
        try:
            json.loads(line or b"")
        except ValueError:
            broken += 1
    return {"rejected": broken, **meter.read().told()}


def taken(path: Path, lake: Path) -> dict[str, Any]:
    """What it takes to get the lines into a lake, each row checked and once."""
    meter = Meter()
    told = take(Lake(lake), Archive(path, NOW), NOW)
    return {"rows": told.rows.total(), "rejected": told.rejected.total(), **meter.read().told()}


def by_length(home: Path, count: int) -> list[dict[str, Any]]:
    """Each way of reading, for a tenth of the lines and for all."""
    found = []
    for length in (count // 10, count):
        path = home / f"RC-{length}.zst"
        size = write(path, length)
        ways = {
            "JSON alone": alone(as_json, path),
            "into a lake": alone(taken, path, home / f"lake-{length}"),
        }
        for way, cost in ways.items():
            each = {"lines_a_second": length / cost["wall_seconds"], "lines_a_cpu_second": length / cost["cpu_seconds"]}
            found.append({"lines": length, "mib": size, "way": way, **cost, **each})
    return found


def child(lake: Path, path: Path) -> None:
    """Nothing; a process that is to be killed takes the archive in, in small pieces, and tells each."""
    take(Lake(lake), Archive(path, NOW, size=PIECE), NOW, lambda *_: print("piece", flush=True))


def killed(lake: Path, path: Path, chance: random.Random) -> bool:
    """Whether a run was killed: some pieces after it began, and up to a twentieth of a second later."""
    command = [sys.executable, __file__, "--child", str(lake), "--dump", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 - this very file
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        for _ in range(chance.randrange(1, 4)):
            process.stdout.readline()
        try:
            process.wait(chance.random() / 20)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
    return process.returncode == -signal.SIGKILL


def kills(home: Path, count: int) -> dict[str, Any]:
    """How many runs were killed until the archive was in, and whether the lake is that of an undisturbed run."""
    chance = random.Random(11)  # noqa: S311 - nothing here is secret
    path = home / "killed.zst"
    write(path, 3 * count * PIECE)
    calm, shot = Lake(home / "calm"), Lake(home / "shot")
    take(calm, Archive(path, NOW, size=PIECE), NOW)
    shots = sum(killed(home / "shot", path, chance) for _ in range(count))
    take(shot, Archive(path, NOW, size=PIECE), NOW)
    same = calm.fingerprint() == shot.fingerprint() and calm.rejects().collect().equals(shot.rejects().collect())
    return {
        "kills": shots,
        "rows": {table: calm.read(table).height for table in TABLES},
        "same_rows_and_rejects": same and all(calm.read(table).equals(shot.read(table)) for table in TABLES),
    }


def main(
    lines: Annotated[int, typer.Option(help="Lines of the longer dump.")] = 1_000_000,
    kill: Annotated[int, typer.Option("--kills", help="Runs to kill.")] = 10,
    home: Annotated[Path | None, typer.Option(help="Keep dumps and lakes here.")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002 - a switch
    child_of: Annotated[Path | None, typer.Option("--child", hidden=True)] = None,
    dump: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure, and print what came out."""
    if child_of is not None and dump is not None:
        child(child_of, dump)
        return
    with working_home(home) as folder:
        found, shots = by_length(folder, lines) if lines else [], kills(folder, kill) if kill else None
    if as_json:
        print_json({"by_length": found, "killed": shots})
        return
    columns = ("lines", "mib", "way", "wall_seconds", "cpu_seconds", "peak_mib", "lines_a_second", "lines_a_cpu_second")
    heads = ("lines", "MiB", "read as", "seconds", "CPU s", "peak MiB", "lines/s", "lines/CPU s")
    show("A dump of Reddit", heads, [[row[name] for name in columns] for row in found], digits=0)
    if shots:
        verdict = "the same rows and rejects" if shots["same_rows_and_rejects"] else "OTHER ROWS"
        print(f"{shots['kills']} runs killed, then one that ended: {verdict} as an undisturbed run")
        raise typer.Exit(0 if shots["same_rows_and_rejects"] else 1)


if __name__ == "__main__":
    typer.run(main)
