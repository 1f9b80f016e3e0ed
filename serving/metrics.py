"""What Prometheus reads: requests, latency, scores, and which model answers; summed over the workers of a service."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

SHARED = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
POINTS = tuple(range(10, 100, 10))


class Metrics:
    """The figures of one process."""

    def __init__(self) -> None:
        self._own = CollectorRegistry()
        self._requests = Counter("clout_requests", "Requests answered.", ("route", "status"), registry=self._own)
        self._seconds = Histogram(
            "clout_request_seconds", "Time to answer.", ("route",), registry=self._own, buckets=SECONDS
        )
        self._scores = Histogram("clout_score", "Scores told.", ("network",), registry=self._own, buckets=POINTS)
        self._model = Gauge(
            "clout_model_info",
            "1 for the model that answers.",
            ("version", "scale_version"),
            registry=self._own,
            multiprocess_mode="mostrecent",
        )
        self._refused = Gauge(
            "clout_champion_refused",
            "1 while a newer champion or newer data are there that could not be taken in.",
            registry=self._own,
            multiprocess_mode="mostrecent",
        )
        self._answering: tuple[str, str] | None = None

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Counts one answer."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def scored(self, network: str, score: float) -> None:
        """Counts one score."""
        self._scores.labels(network).observe(score)

    def serves(self, version: str, scale_version: str) -> None:
        """Names the model that answers; the one before it is 0 from now on."""
        if self._answering not in {None, (version, scale_version)}:
            self._model.labels(*self._answering).set(0)
        self._answering = (version, scale_version)
        self._model.labels(version, scale_version).set(1)

    def refuses(self, refused: bool) -> None:  # noqa: FBT001 - a state
        """Says whether something newer could not be taken in."""
        self._refused.set(int(refused))

    def text(self) -> bytes:
        """All figures, of every worker where they share a folder."""
        if not os.environ.get(SHARED):
            return generate_latest(self._own)
        every = CollectorRegistry()
        MultiProcessCollector(every)  # type: ignore[no-untyped-call]
        return generate_latest(every)
