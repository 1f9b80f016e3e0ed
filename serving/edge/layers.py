"""What every request passes on its way to a route, outermost first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from logging import Logger
from typing import Self

from starlette.middleware import Middleware

from clout.serving.edge.cross_origin import CrossOrigin
from clout.serving.edge.gate import HERE_ALONE, Access, Gate
from clout.serving.edge.keys import NO_KEYS, Key, KeyRing
from clout.serving.edge.limits import Buckets, InFlight
from clout.serving.edge.request_log import RequestLog, audit_log, error_stream_log
from clout.serving.edge.safe_headers import SafeHeaders
from clout.serving.guard import Guard
from clout.serving.metrics import Metrics
from clout.settings import Settings

ASKED = ("Authorization", "X-Api-Key", "Content-Type", "X-Confirm", "X-Request-Id", "If-None-Match")
TOLD = ("X-Request-Id", "ETag", "Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


@dataclass(frozen=True)
class Edge:
    """How a service meets those who ask; as it stands, it is open to this machine alone and knows no key."""

    access: Access = HERE_ALONE
    ring: KeyRing = NO_KEYS
    rate: float = 0.0
    burst: int = 1
    in_flight: int = 64
    workers: int = 1
    origins: tuple[str, ...] = ()
    audit: Logger | None = None
    every: Logger | None = None

    @classmethod
    def of(
        cls, settings: Settings, read: Callable[[], Iterable[Key]], now: Callable[[], datetime], workers: int = 1
    ) -> Self:
        """The edge of a worker of `workers`, as the settings say; `read` gives the keys there are."""
        return cls(
            Access(settings.open, settings.host),
            KeyRing(read, now),
            settings.rate,
            settings.burst,
            settings.in_flight,
            workers,
            tuple(origin.strip() for origin in (settings.cors_origins or "").split(",") if origin.strip()),
            audit_log(settings.home),
            error_stream_log() if settings.log == "json" else None,
        )

    def layers(self, metrics: Metrics) -> list[Middleware]:
        """The layers around the routes."""
        buckets = Buckets.share(self.rate, self.burst, self.workers) if self.rate else None
        return [
            Middleware(RequestLog, self.audit, self.every),
            Middleware(SafeHeaders),
            Middleware(Guard, metrics=metrics),
            *([self._cors()] if self.origins else []),
            Middleware(Gate, self.access, self.ring, buckets, InFlight(self.in_flight), self.rate),
        ]

    def _cors(self) -> Middleware:
        return Middleware(
            CrossOrigin,
            allow_origins=self.origins,
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=ASKED,
            expose_headers=TOLD,
        )


OPEN_HERE = Edge()
