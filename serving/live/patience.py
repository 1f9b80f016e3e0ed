"""Trying again what may go well the next time, and giving up what takes too long."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

from clout.data.sources.live.passing import PassingError
from clout.errors import CloutError


class OvertimeError(BaseException):
    """What was done took too long. No `except Exception` on the way keeps it from ending what was done."""


def tried(do: Callable[[], object], waits: Iterable[float], sleep: Callable[[float], object]) -> None:
    """Nothing, once `do` went well; after an error that may pass it is done again, after each of `waits` seconds."""
    for wait in waits:
        try:
            do()
        except Exception as error:
            if not may_pass(error):
                raise
            sleep(wait)
        else:
            return
    do()


def may_pass(error: Exception) -> bool:
    """Whether another try may go better: not where Clout refuses what it got, unless it says so."""
    return isinstance(error, PassingError) or not isinstance(error, CloutError)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """A block of the main thread that ends with `OvertimeError` after so many seconds."""

    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise OvertimeError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
