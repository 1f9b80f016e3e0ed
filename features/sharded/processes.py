"""Tasks on the processors of this machine, each in a process of its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Processes:
    """An engine of so many processes."""

    pool: ProcessPoolExecutor

    @classmethod
    def open(cls, workers: int) -> Processes:
        return cls(ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("forkserver")))

    def map(self, task: Callable[[int], T], numbers: Iterable[int]) -> list[T]:
        """What `task` returns for each of `numbers`, in their order."""
        return [*self.pool.map(task, numbers)]
