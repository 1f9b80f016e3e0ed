"""What work costs, each piece in a process of its own, so that no peak of memory is another's."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from threading import Thread
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
LOOK_SECONDS = 1.0
UNITS_PER_MIB = 2**20 if sys.platform == "darwin" else 2**10


def alone(work: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
    """What `work` gives, done by a fresh process that then ends, or as soon as this one is gone."""
    spawn, parent = get_context("spawn"), os.getpid()
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn, initializer=_end_with, initargs=(parent,)) as pool:
        return pool.submit(work, *arguments, **named).result()


def _end_with(parent: int) -> None:
    """Nothing; this process ends once its parent is another: whoever asked for its work was killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_SECONDS)
        os._exit(1)

    Thread(target=watch, daemon=True).start()


@dataclass(frozen=True)
class Cost:
    """What was spent: seconds on the clock, seconds of CPU, and the most memory this process ever held."""

    wall_seconds: float
    cpu_seconds: float
    peak_mib: float

    def told(self) -> dict[str, float]:
        """The same as plain values."""
        return {name: round(value, 1) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Meter:
    """Runs from the moment it is made."""

    wall: float = field(default_factory=time.perf_counter)
    cpu: float = field(default_factory=time.process_time)

    def read(self) -> Cost:
        """What was spent up to now."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / UNITS_PER_MIB
        return Cost(time.perf_counter() - self.wall, time.process_time() - self.cpu, peak)
