"""Workers of `clout serve`: they share the load, one that dies is replaced, and none outlives its master."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import httpx
import psutil
import pytest
from asked import JSON, free_port

from clout.serving.active_model import Loaded

CLOUT = Path(sys.executable).parent / "clout"
WAIT_SECONDS = 60.0
LOST = 3  # the one in flight, and those that had been handed to the worker already

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Served:
    """A service of two workers: its master, and where it answers."""

    master: psutil.Popen
    url: str

    def workers(self) -> set[int]:
        """The processes that answer, or soon will."""
        return {child.pid for child in self.master.children() if not has_ended(child.pid)}

    def listening(self) -> set[int]:
        """The processes that answer."""
        return {worker for worker in self.workers() if listens(worker)}

    def scored(self, account: str) -> int:
        """The status of one request."""
        body = {"account": account, "text": "Again and again"}
        return httpx.post(f"{self.url}/v1/posts:score", json=body, headers=JSON, timeout=30).status_code


def until(true: Callable[[], bool]) -> float:
    """How long it took for something to become true."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < WAIT_SECONDS
        time.sleep(0.05)
    return time.monotonic() - began


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=30).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[Served]:
    port = free_port()
    settings = {"CLOUT_HOME": str(home), "CLOUT_PORT": str(port), "CLOUT_WORKERS": "2"}
    master = psutil.Popen([CLOUT, "serve"], env={**os.environ, **settings}, stdout=subprocess.DEVNULL)
    served = Served(master, f"http://127.0.0.1:{port}")
    until(lambda: len(served.listening()) == 2)
    until(lambda: is_ready(served.url))
    yield served
    if master.is_running():
        master.terminate()
        master.wait()


def test_a_worker_that_is_killed_under_load_is_replaced(served: Served, loaded: Loaded) -> None:
    statuses: list[int | str] = []
    killed = served.listening().pop()

    def ask() -> None:
        for _ in range(60):
            try:
                statuses.append(served.scored(loaded.example))
            except httpx.TransportError as error:  # what was in flight
                statuses.append(type(error).__name__)

    load = Thread(target=ask)
    load.start()
    time.sleep(0.2)
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(served.listening() - {killed}) == 2)
    load.join()
    lost = [status for status in statuses if isinstance(status, str)]
    assert len(lost) <= LOST
    assert set(statuses) - {200} <= {"RemoteProtocolError", "ReadError", "ConnectError"}


def test_figures_of_all_workers_are_summed(served: Served, loaded: Loaded) -> None:
    before = told(served)
    for _ in range(12):
        assert served.scored(loaded.example) == 200
    until(lambda: told(served) >= before + 12)  # an answer is counted once it is sent
    assert told(served) == before + 12


def told(served: Served) -> float:
    wanted = 'clout_requests_total{route="/v1/posts:score",status="200"} '
    lines = httpx.get(f"{served.url}/metrics", timeout=30).raise_for_status().text.splitlines()
    return sum(float(line.removeprefix(wanted)) for line in lines if line.startswith(wanted))


def test_no_worker_outlives_its_master(served: Served) -> None:
    workers = served.workers()
    served.master.kill()
    served.master.wait()
    until(lambda: all(has_ended(worker) for worker in workers))


def listens(process: int) -> bool:
    """Whether a process takes connections."""
    try:
        return any(found.status == psutil.CONN_LISTEN for found in psutil.Process(process).net_connections("tcp"))
    except psutil.NoSuchProcess:
        return False


def has_ended(process: int) -> bool:
    """Whether a process runs no more, reaped or not."""
    try:
        return psutil.Process(process).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
