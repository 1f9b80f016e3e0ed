"""Services started to be asked, each on a port and a core of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

WAIT_SECONDS = 90
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
QUIET = {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "PYTHONWARNINGS": "ignore",
    "OMP_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
    "MLFLOW_TRACKING_URI": "sqlite://",
}


@dataclass(frozen=True)
class Running:
    """A service that answers at `url`, its first process, and the seconds until it answered."""

    url: str
    process: subprocess.Popen[bytes]
    started_in: float


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


def on_core(number: int) -> None:
    """Nothing; this process and those it starts from now on run on one core, where the system can do that."""
    if CORES:
        os.sched_setaffinity(0, {CORES[number % len(CORES)]})


@contextmanager
def running(command: Sequence[str], alive: str, environment: Mapping[str, str], port: int) -> Iterator[Running]:
    """A service on the first core, once `alive` answers; this process has the second. It is stopped in the end."""
    began, url = time.monotonic(), f"http://127.0.0.1:{port}"
    on_core(0)
    process = subprocess.Popen(  # noqa: S603 - our own programs
        command,
        env={**os.environ, **QUIET, **environment, "CLOUT_PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    on_core(1)
    try:
        wait_for(url + alive)
        yield Running(url, process, time.monotonic() - began)
    finally:
        os.killpg(process.pid, 15)
        process.wait(timeout=60)


def wait_for(url: str) -> None:
    """Nothing, as soon as `url` answers well."""
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        try:
            with urlopen(url, timeout=5):  # noqa: S310 - our own program
                return
        except (URLError, OSError):
            time.sleep(0.02)
    raise TimeoutError(f"{url} did not answer within {WAIT_SECONDS} s")
