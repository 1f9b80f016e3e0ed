"""Trouble of a source that may pass: the error that says so, and asking again after a while."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import TypeVar

from clout.errors import CloutError

PAUSES = (2.0, 8.0, 30.0)
UNTOLD, LONGEST = 60.0, 330.0
Wait = Callable[[float], object]
T = TypeVar("T")


class PassingError(CloutError):
    """Trouble of a source that may be over soon, so that another try is worth it; other `CloutError`s are not tried again."""

    code = "source_passing"


class Patience:
    """Asks again after `PAUSES`; `wait` waits, and `seed` spreads the waits, so that many do not ask at once."""

    def __init__(self, seed: str, wait: Wait) -> None:
        self._seed, self._wait, self._asked = seed, wait, 0

    def ask(
        self,
        question: Callable[[], T],
        troubles: tuple[type[Exception], ...],
        judge: Callable[[Exception], tuple[PassingError, float | None]],
    ) -> T:
        """What `question` gives, asked again where that may help.

        `judge` tells one of `troubles` as what may pass, with the seconds until a limit is lifted if it is one, or raises
        where asking again is of no use.
        """
        for pause in PAUSES:
            try:
                return question()
            except troubles as error:
                _, lifted = judge(error)
            self._wait(self._about(pause) if lifted is None else min(lifted + self._about(1.0), LONGEST))
        try:
            return question()
        except troubles as error:
            raise judge(error)[0] from error

    def _about(self, pause: float) -> float:
        """Half to one and a half times `pause`, another time with each question."""
        self._asked += 1
        return pause * (0.5 + sha256(f"{self._seed} {self._asked}".encode()).digest()[0] / 255)
