"""What Prometheus reads: requests, latency, scores, and which model answers; summed over the workers of a service."""

from __future__ import annotations

import os
from collections import Counter as Counts
from collections.abc import Mapping, Sequence
from threading import Lock

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

SHARED = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
POINTS = tuple(range(10, 100, 10))
TOLD_EVERY = 100


class Metrics:
    """The figures of one process."""

    def __init__(self) -> None:
        self._own = CollectorRegistry()
        self._requests = Counter("clout_requests", "Requests answered.", ("route", "status"), registry=self._own)
        self._seconds = Histogram(
            "clout_request_seconds", "Time to answer.", ("route",), registry=self._own, buckets=SECONDS
        )
        self._scores = Histogram("clout_score", "Scores told.", ("network",), registry=self._own, buckets=POINTS)
        self._measured = Counter("clout_posts_measured", "Posts whose features were measured.", registry=self._own)
        self._missing = Counter(
            "clout_features_missing", "Posts on which a feature was missing.", ("feature",), registry=self._own
        )
        self._waiting, self._lacking, self._lock = 0, Counts[str](), Lock()
        self._model = self._gauge("clout_model_info", "1 for the model that answers.", "version", "scale_version")
        self._refused = self._gauge(
            "clout_champion_refused", "1 while a newer champion or newer data are there that could not be taken in."
        )
        self._store = self._gauge(
            "clout_store_up", "0 while the store of scores does not answer; 1 where there is none."
        )
        self._inbox = self._gauge("clout_inbox_rows", "Rows in the inbox that wait for the lake, or a few more.")
        self._ingested = Counter(
            "clout_ingested_rows", "Rows that were sent in.", ("table", "status"), registry=self._own
        )
        self._answering: tuple[str, str] | None = None

    def _gauge(self, name: str, words: str, *labels: str) -> Gauge:
        return Gauge(name, words, labels, registry=self._own, multiprocess_mode="mostrecent")

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Counts one answer."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def scored(self, network: str, score: float) -> None:
        """Counts one score."""
        self._scores.labels(network).observe(score)

    def measured(self, names: Sequence[str], matrix: npt.NDArray[np.float64]) -> None:
        """Counts the features that are missing in rows of (rows, features); told every `TOLD_EVERY` rows."""
        with self._lock:
            self._waiting += len(matrix)
            self._lacking.update(names[column] for column in np.isnan(matrix).nonzero()[1].tolist())
            if self._waiting < TOLD_EVERY:
                return
            self._tell_missing()

    def _tell_missing(self) -> None:
        self._measured.inc(self._waiting)
        for name, count in self._lacking.items():
            self._missing.labels(name).inc(count)
        self._waiting = 0
        self._lacking.clear()

    def serves(self, version: str, scale_version: str) -> None:
        """Names the model that answers; the one before it is 0 from now on."""
        if self._answering not in {None, (version, scale_version)}:
            self._model.labels(*self._answering).set(0)
        self._answering = (version, scale_version)
        self._model.labels(version, scale_version).set(1)

    def refuses(self, refused: bool) -> None:  # noqa: FBT001 - a state
        """Says whether something newer could not be taken in."""
        self._refused.set(int(refused))

    def store_answers(self, answers: bool) -> None:  # noqa: FBT001 - a state
        """Says whether the store of scores answers."""
        self._store.set(int(answers))

    def waits(self, rows: float) -> None:
        """Says how many rows wait in the inbox; not a number where that is not known."""
        self._inbox.set(rows)

    def took(self, table: str, counts: Mapping[str, int]) -> None:
        """Counts rows of a table that were sent in, by what became of them."""
        for status, rows in counts.items():
            self._ingested.labels(table, status).inc(rows)

    def text(self) -> bytes:
        """All figures, of every worker where they share a folder."""
        with self._lock:
            self._tell_missing()
        if not os.environ.get(SHARED):
            return generate_latest(self._own)
        every = CollectorRegistry()
        MultiProcessCollector(every)  # type: ignore[no-untyped-call]
        return generate_latest(every)
