"""The loop: a service as one child of this process, and every so often a round as another, whose memory goes with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event
from time import monotonic
from types import FrameType

from clout.errors import CloutError

PARENT = "CLOUT_PARENT_PROCESS"
LOOK_SECONDS = 0.2
# A service drains within 15 s, and a round ends when a piece is written.
GRACE_SECONDS = 60.0
CLOUT = (sys.executable, "-m", "clout")
REFUSED = 2


class LoopError(CloutError):
    """The loop cannot go on."""

    code = "live_loop"


class Loop:
    """`serve` runs all the time, `round_` begins every `every` seconds, or when the one before has ended, if that is later."""

    def __init__(self, serve: Sequence[str], round_: Sequence[str], every: float, say: Callable[[str], object]) -> None:
        self._serve, self._round_, self._every, self._say = serve, round_, every, say
        self._rounds = 0

    def keep_up(self, stop: Event) -> None:
        """Nothing, once `stop` is set and all children have ended; raises `LoopError` where the service ends by itself.

        A first round that is refused as a whole ends the loop too: nothing would be any better the next time.
        """
        children = dict[str, subprocess.Popen[bytes]]()
        try:
            children["service"] = _start(self._serve)
            next_at = monotonic()
            while not stop.wait(LOOK_SECONDS):
                self._check_service(children["service"])
                self._look_after_round(children)
                if "round" not in children and monotonic() >= next_at:
                    children["round"] = _start(self._round_)
                    next_at = monotonic() + self._every
        finally:
            _end([*children.values()])

    def _check_service(self, service: subprocess.Popen[bytes]) -> None:
        if (code := service.poll()) is not None:
            raise LoopError(
                f"the service ended with {code}; expected it to run: see above what it said, then start again"
            )

    def _look_after_round(self, children: dict[str, subprocess.Popen[bytes]]) -> None:
        """Nothing; a round that has ended is not among the children any more."""
        code = children["round"].poll() if "round" in children else None
        if code is None:
            return
        del children["round"]
        self._rounds += 1
        if code == REFUSED and self._rounds == 1:
            raise LoopError("the first round was refused; expected it to go: mend what it said above, then start again")
        if code < 0:
            self._say(f"a round was ended by {signal.Signals(-code).name}; the next goes on where it stood")


@contextmanager
def told_to_stop(act: Callable[[], object]) -> Iterator[None]:
    """A block in which SIGTERM and SIGINT do `act`."""

    def heard(_signal: int, _frame: FrameType | None) -> None:
        act()

    before = {number: signal.signal(number, heard) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env={**os.environ, PARENT: str(os.getpid())})  # noqa: S603 (our own command)


def _end(children: Sequence[subprocess.Popen[bytes]]) -> None:
    """Nothing; the children have ended: by themselves when told to, else killed."""
    for child in children:
        child.terminate()
    give_up = monotonic() + GRACE_SECONDS
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.wait(max(0.0, give_up - monotonic()))
        child.kill()
        child.wait()
