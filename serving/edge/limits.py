"""How much one may ask, and how much is answered at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from time import monotonic

from starlette.types import Message, Receive

from clout.serving.problems import ProblemError

MOST_NAMES = 10_000
ROUNDING = 1e-9


@dataclass(frozen=True)
class Allowance:
    """What is left to somebody after a request: `limit` at once at most, `remaining` now, all again after `reset` s.

    `wait` is after how many seconds the next request is answered; 0 where this one is.
    """

    limit: int
    remaining: int
    reset: int
    wait: int

    @property
    def headers(self) -> dict[str, str]:
        """The same as headers of an answer."""
        told = {"RateLimit-Limit": self.limit, "RateLimit-Remaining": self.remaining, "RateLimit-Reset": self.reset}
        return {name: str(value) for name, value in (told | ({"Retry-After": self.wait} if self.wait else {})).items()}


class Buckets:
    """A bucket of tokens for each name: it holds `burst`, and `rate` come in each second. A request takes one.

    Of more than `MOST_NAMES` names, those that asked longest ago are forgotten, which fills their buckets.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    @classmethod
    def share(cls, rate: float, burst: int, workers: int) -> Buckets:
        """The buckets of one of several workers that share a rate; requests come to each about as often."""
        return cls(rate / workers, max(1, burst // workers))

    def take(self, name: str) -> Allowance:
        """What is left to `name` after one more request; none is taken where there is none."""
        now = self._clock()
        tokens, at = self._left.pop(name, (float(self._burst), now))
        tokens = min(float(self._burst), tokens + (now - at) * self._rate)
        wait = 0 if tokens + ROUNDING >= 1 else max(1, ceil((1 - tokens) / self._rate))
        tokens -= 0 if wait else 1
        self._left[name] = tokens, now
        if len(self._left) > MOST_NAMES:
            self._left.popitem(last=False)
        return Allowance(self._burst, int(tokens + ROUNDING), ceil((self._burst - tokens) / self._rate), wait)


class InFlight:
    """How many requests are being answered now; more than `most` are refused at once."""

    def __init__(self, most: int) -> None:
        self._most, self._count = most, 0

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """A block that counts; raises `ProblemError` where there are too many."""
        if self._count >= self._most:
            raise self._too_busy()
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1

    def while_read(self, receive: Receive) -> Receive:
        """The same, but a request does not count while its body is awaited: who sends it slowly holds no place."""
        whole = False

        async def received() -> Message:
            nonlocal whole
            if whole:
                return await receive()
            with self._one_less():
                message = await receive()
            whole = not message.get("more_body", False)
            return message

        return received

    @contextmanager
    def _one_less(self) -> Iterator[None]:
        """A block in which a request that counts does not; raises `ProblemError` where there are too many after it."""
        self._count -= 1
        try:
            yield
        finally:
            self._count += 1
        if self._count > self._most:
            raise self._too_busy()

    def _too_busy(self) -> ProblemError:
        detail = f"got a request beside {self._most} others; expected at most {self._most} at once"
        return ProblemError("too_busy", detail, (), {"Retry-After": "1"})


def too_many(allowance: Allowance, rate: float) -> ProblemError:
    """The problem of somebody who asks too often."""
    detail = f"got more than {rate:g} requests a second for long; expected the next one after {allowance.wait} s"
    return ProblemError("too_many_requests", detail)
