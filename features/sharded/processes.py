"""Tasks on the processors of this machine, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from clout.errors import CloutError

T = TypeVar("T")
# Polars' allocator keeps what is free for ten seconds in place of half of one, numpy's keeps it to the end: to get memory
# anew takes a quarter of the time.
ALONE = {
    "POLARS_MAX_THREADS": "1",
    "_RJEM_MALLOC_CONF": "dirty_decay_ms:10000",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
}


class ProcessesError(CloutError):
    """A process of this machine ended before its task did."""

    code = "processes"


@dataclass(frozen=True)
class Processes:
    """An engine of some processes of this machine."""

    pool: ProcessPoolExecutor
    workers: int

    @classmethod
    @contextmanager
    def open(cls, workers: int) -> Iterator[Processes]:
        """So many processes, which end with the block; tasks that wait then are not begun."""
        apart = multiprocessing.get_context("forkserver")
        with _one_thread_each():
            pool = ProcessPoolExecutor(workers, mp_context=apart, initializer=_keep_to_itself)
            try:
                yield cls(pool, workers)
            finally:
                pool.shutdown(cancel_futures=True)

    def map(self, task: Callable[[int], T], numbers: Iterable[int]) -> list[T]:
        """What `task` returns for each of `numbers`, in their order; when one fails, none runs any more."""
        asked = [self.pool.submit(task, number) for number in numbers]
        try:
            return [future.result() for future in asked]
        except BrokenProcessPool as error:
            raise ProcessesError(
                f"one of {self.workers} processes was ended from outside, as happens when memory runs out; expected each to "
                "end its task: make memory free, or take more shards or fewer workers where the command has them"
            ) from error
        finally:
            for future in asked:
                future.cancel()
            wait(asked)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


def _keep_to_itself() -> None:
    """Nothing; a process of a server that was started before is told, too."""
    os.environ.update(ALONE)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """A block whose processes find what polars asks when it is first imported, wherever that is; then all is as it was."""
    before = {name: os.environ.get(name) for name in ALONE}
    os.environ.update(ALONE)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
