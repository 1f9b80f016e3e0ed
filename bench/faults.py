"""What a running service stands: how soon it answers after a start, after `kill -9`, and what 10,000 requests leave behind.

Usage: python bench/faults.py [--requests N] [--home FOLDER] [--json]
"""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import asdict
from pathlib import Path
from threading import Thread
from typing import Annotated, Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import psutil
import typer
from measuring.home import working_home
from measuring.load import closed
from measuring.processes import alone
from measuring.servers import free_port, running
from measuring.sets import SOCIETY, lake_of, params_of
from measuring.tables import show

from clout.data.history import read_tables
from clout.data.lake import Lake
from clout.display import print_json, step_bar
from clout.features import warm
from clout.training import pipeline

ASK_SECONDS = 12.0
KILL_AFTER = 2.0


def prepare_home(home: Path) -> list[str]:
    """Some accounts of the society in `home`, where a champion lies."""
    if not (home / "champion.json").exists():
        lake, params = lake_of(SOCIETY, home), params_of(SOCIETY)
        with step_bar(pipeline.steps(params, lake)) as step:
            pipeline.train(lake, params, home, f"sqlite:///{home / 'mlflow.db'}", step)
    return list(read_tables(Lake(home / "lake"))["posts"]["account"].unique().sort().head(200))


def drafts(accounts: list[str]) -> list[bytes]:
    """A small request about each account."""
    return [json.dumps({"account": account, "text": "What did you read?"}).encode() for account in accounts]


def footprint(master: psutil.Process) -> dict[str, float]:
    """Memory and open files of the workers."""
    workers = master.children()
    return {
        "mib": sum(worker.memory_info().rss for worker in workers) / 2**20,
        "files": sum(worker.num_fds() for worker in workers),
    }


def endure(home: Path, accounts: list[str], requests: int) -> dict[str, Any]:
    """The cold start of one worker, and what so many requests leave."""
    port = free_port()
    warm.forget(home)
    with running(["clout", "serve"], "/readyz", places(home), port) as service:
        address, bodies = f"{service.url}/v1/posts:explain", drafts(accounts)
        first = closed(address, bodies, 1, 2)
        before, asked = footprint(psutil.Process(service.process.pid)), 0
        while asked < requests:
            asked += round(closed(address, bodies, 16, 5).rate * 5)
        after = footprint(psutil.Process(service.process.pid))
    return {"start_seconds": service.started_in, "first": asdict(first), "asked": asked} | {
        f"{what}_{when}": told[what] for when, told in (("before", before), ("after", after)) for what in told
    }


def kill(home: Path, accounts: list[str]) -> dict[str, Any]:
    """What those hear who ask two workers while one of them is killed, and how soon it is replaced."""
    port, heard = free_port(), list[tuple[float, int | str]]()
    with running(["clout", "serve"], "/readyz", {**places(home), "CLOUT_WORKERS": "2"}, port) as service:
        address, bodies = f"{service.url}/v1/posts:explain", drafts(accounts)
        asking = [Thread(target=ask, args=(address, bodies[place::4], heard)) for place in range(4)]
        for one in asking:
            one.start()
        time.sleep(KILL_AFTER)
        master = psutil.Process(service.process.pid)
        killed, began = master.children()[0].pid, time.monotonic()
        os.kill(killed, signal.SIGKILL)
        while len(alive(master) - {killed}) < 2:
            time.sleep(0.02)
        replaced = time.monotonic() - began
        for one in asking:
            one.join()
    lost = [what for _, what in heard if what != 200]
    return {
        "asked": len(heard),
        "lost": len(lost),
        "lost_as": sorted(map(str, set(lost))),
        "replaced_seconds": replaced,
    }


def ask(address: str, bodies: list[bytes], heard: list[tuple[float, int | str]]) -> None:
    """Nothing; asks for a while, each time on a new connection, and keeps what is heard."""
    until = time.monotonic() + ASK_SECONDS
    while time.monotonic() < until:
        for body in bodies:
            request = Request(address, body, {"Content-Type": "application/json"})  # noqa: S310 - our own program
            try:
                with urlopen(request, timeout=30) as answer:  # noqa: S310
                    heard.append((time.monotonic(), answer.status))
            except HTTPError as error:
                heard.append((time.monotonic(), error.code))
            except (URLError, OSError) as error:
                heard.append((time.monotonic(), type(error).__name__))


def alive(master: psutil.Process) -> set[int]:
    """The workers that run."""
    return {child.pid for child in master.children() if child.status() != psutil.STATUS_ZOMBIE}


def places(home: Path) -> dict[str, str]:
    """Where the service finds what it needs."""
    return {"CLOUT_HOME": str(home), "CLOUT_LAKE": str(home / "lake")}


def main(
    requests: Annotated[int, typer.Option(help="Requests between both looks at memory and files.")] = 10_000,
    home: Annotated[Path | None, typer.Option(help="Folder of the lake and the champion.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Start, ask, kill, and tell what happened."""
    with working_home(home) as folder:
        home = folder.absolute()
        accounts = alone(prepare_home, home)
        told = {"endured": alone(endure, home, accounts, requests), "killed": alone(kill, home, accounts)}
    if as_json:
        print_json(told)
        return
    endured, killed = told["endured"], told["killed"]
    rows = [("first, one worker", endured["start_seconds"]), ("again, two workers", killed["start_seconds"])]
    show("Until a verified model answers", ("start on one core", "s"), rows, 1)
    rows = [(when, endured[f"mib_{when}"], endured[f"files_{when}"]) for when in ("before", "after")]
    show(f"{endured['asked']:,} requests", ("", "MiB", "open files"), rows, 1)
    heads = ("requests", "lost", "replaced after s")
    show(
        "One of two workers killed under load",
        heads,
        [(killed["asked"], killed["lost"], killed["replaced_seconds"])],
        1,
    )


if __name__ == "__main__":
    typer.run(main)
