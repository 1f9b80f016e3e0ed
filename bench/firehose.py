"""How many events a second the firehose brings into a lake on one core, beside the SDK's reading of the same frames.

Usage: python bench/firehose.py [--events N] [--json]
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "fixtures"))

import typer
from firehose_frames import Operation, commit, replaying
from measuring.tables import show

from clout.data.lake import Lake
from clout.data.sources.live.bluesky.firehose import Firehose
from clout.data.sources.live.bluesky.frames import operations, read
from clout.data.sources.source import take
from clout.display import print_json

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
UNTIL = BEGINNING + timedelta(days=30)
PEOPLE = 20_000
SILENCE = 1.0
# How often people post, like and repost; the rest takes a like back.
POSTS, LIKES, REPOSTS = 0.2, 0.6, 0.12
BY_SDK = 10_000
CUTS = (0.1, 0.5, 0.9)


def frames(count: int) -> Iterator[tuple[int, bytes]]:
    """A made-up stream: one operation a frame, as people cause it."""
    chance = random.Random(7)  # noqa: S311 - nothing here is secret
    posts: list[str] = []
    likes: list[tuple[str, str]] = []
    for seq in range(1, count + 1):
        person, moment = f"did:plc:{chance.randrange(PEOPLE):024d}", BEGINNING + timedelta(milliseconds=2 * seq)
        told, kind = moment.isoformat(), chance.random()
        operation: Operation
        if kind < POSTS or not posts:
            path = f"app.bsky.feed.post/{seq:013d}"
            text = "words and more of them " * chance.randrange(1, 9)
            operation = (
                "create",
                path,
                {"$type": "app.bsky.feed.post", "text": text, "langs": ["en"], "createdAt": told},
            )
            posts.append(f"at://{person}/{path}")
        elif kind < POSTS + LIKES + REPOSTS or not likes:
            name = f"app.bsky.feed.{'like' if kind < POSTS + LIKES else 'repost'}"
            subject = {
                "uri": posts[-1 - min(int(chance.expovariate(1 / 500)), len(posts) - 1)],
                "cid": "bafy" + "a" * 55,
            }
            operation = ("create", f"{name}/{seq:013d}", {"$type": name, "subject": subject, "createdAt": told})
            likes += [(person, operation[1])] if kind < POSTS + LIKES else []
        else:
            person, path = likes.pop(chance.randrange(len(likes)))
            operation = ("delete", path, None)
        yield seq, commit(seq, moment, person, operation)


def taken(folder: Path, host: str, until: datetime = UNTIL, size: int | None = None) -> Lake:
    """The lake with what came by."""
    lake = Lake(folder)
    source = Firehose(lake, until, host=host, silence=SILENCE, **({} if size is None else {"size": size}))
    source.name = "firehose"
    take(lake, source, until)
    return lake


def decoded(stream: list[tuple[int, bytes]]) -> None:
    """Nothing; every record was unpacked."""
    for _, packed in stream:
        frame = read(packed)
        assert frame is not None  # noqa: S101 - they are ours
        for _ in operations(frame.said, frame.time):
            pass


def by_sdk(stream: list[tuple[int, bytes]]) -> None:
    """Nothing; every record became a model of the SDK."""
    from atproto import CAR, models, parse_subscribe_repos_message  # noqa: PLC0415 - seconds
    from atproto_subscription.frames import Frame  # noqa: PLC0415

    for _, packed in stream:
        said = parse_subscribe_repos_message(Frame.from_bytes(packed))
        blocks = CAR.from_bytes(said.blocks).blocks
        for operation in said.ops:
            if operation.cid is not None:
                models.get_or_create(blocks[operation.cid], strict=False)


def rate(events: int, do: Callable[[], object], waited: float = 0.0) -> dict[str, float]:
    """Events a second of wall time, but for what was waited at the end, and of processor time."""
    wall, cpu = time.perf_counter(), time.process_time()
    do()
    return {
        "events": events,
        "a_second": events / (time.perf_counter() - wall - waited),
        "a_cpu_second": events / (time.process_time() - cpu),
    }


def measure(folder: Path, events: int) -> dict[str, Any]:
    """Every figure; this process and the host that replays share the one core that they are given."""
    stream = list(frames(events))
    by_sdk(stream[:100])  # which loads it
    with replaying(stream) as host:
        found = {"into a lake": rate(events, lambda: taken(folder / "whole", host), SILENCE)}
        whole = Lake(folder / "whole")
        same = {}
        for cut in CUTS:
            until = BEGINNING + timedelta(milliseconds=2 * events * cut)
            taken(folder / f"{cut}", host, until, events // 7)
            same[f"{cut:.0%}"] = taken(folder / f"{cut}", host).fingerprint() == whole.fingerprint()
    found["unpacked"] = rate(events, lambda: decoded(stream))
    found["unpacked by the SDK's models"] = rate(min(events, BY_SDK), lambda: by_sdk(stream[:BY_SDK]))
    rows = {table: whole.read(table).height for table in ("posts", "actions", "removals")}
    size = sum(len(packed) for _, packed in stream) / events
    return {"by_way": found, "same_rows_from": same, "rows": rows, "bytes_a_frame": size}


def main(
    events: Annotated[int, typer.Option(help="Events to replay.")] = 300_000,
    as_json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002 - a switch
    core: Annotated[bool, typer.Option("--core", hidden=True)] = False,  # noqa: FBT002
) -> None:
    """Measure on one core, and print what came out."""
    if not core:
        threads = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
        command = [sys.executable, __file__, "--core", "--events", str(events), *(["--json"] if as_json else [])]
        done = subprocess.run(command, check=False, env={**os.environ, **threads})  # noqa: S603 - this program again
        raise typer.Exit(done.returncode)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with TemporaryDirectory() as folder:
        found = measure(Path(folder), events)
    if as_json:
        print_json(found)
    else:
        lines = [
            (way, *(figures[name] for name in ("events", "a_second", "a_cpu_second")))
            for way, figures in found["by_way"].items()
        ]
        show("The firehose on one core", ("way", "events", "events/s", "events/CPU s"), lines, digits=0)
        print(f"{found['bytes_a_frame']:,.0f} bytes a frame; rows: {found['rows']}")
        print(
            "broken off and gone on with: "
            + ", ".join(
                f"at {at} {'the same rows' if same else 'OTHER ROWS'}" for at, same in found["same_rows_from"].items()
            )
        )
    raise typer.Exit(0 if all(found["same_rows_from"].values()) else 1)


if __name__ == "__main__":
    typer.run(main)
