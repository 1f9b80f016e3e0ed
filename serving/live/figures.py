"""What Prometheus reads of the live sources, from the store of scores each time it asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from clout.serving.accounts.kept import AccountStore
from clout.serving.store.live_runs import BROKEN_OFF, FAILED, LiveRun
from clout.serving.store.rows import StoreError

LABELS = ("source",)


class _Figures:
    """The figures of the newest run of each source, as a registry collects them."""

    def __init__(self, runs: Iterable[LiveRun]) -> None:
        self._runs = tuple(runs)

    def collect(self) -> Iterator[Metric]:
        """The figures; a source that never came in has no moment of it."""
        last = GaugeMetricFamily("clout_source_last_try_timestamp_seconds", "When it was last begun.", labels=LABELS)
        good = GaugeMetricFamily(
            "clout_source_last_success_timestamp_seconds", "When it last ended well.", labels=LABELS
        )
        ok = GaugeMetricFamily("clout_source_ok", "0 where the last run failed or was broken off.", labels=LABELS)
        rows = CounterMetricFamily("clout_source_rows", "New rows it has brought in.", labels=LABELS)
        rejected = CounterMetricFamily("clout_source_rejected_rows", "Rows of it that were rejected.", labels=LABELS)
        for run in self._runs:
            of = (run.source,)
            _date(last, of, run.started_at)
            _date(good, of, run.succeeded_at)
            ok.add_metric(of, int(run.outcome not in {FAILED, BROKEN_OFF}))
            rows.add_metric(of, run.rows_ever)
            rejected.add_metric(of, run.rejected_ever)
        yield from (last, good, ok, rows, rejected)


def read(store: AccountStore) -> bytes:
    """The figures of the newest run of each source of the store; nothing where that went away meanwhile."""
    try:
        return text(store.open().live_runs.last_of_each())
    except StoreError:
        return b""


def text(runs: Iterable[LiveRun]) -> bytes:
    """The figures of the newest run of each source in Prometheus' format."""
    registry = CollectorRegistry()
    registry.register(_Figures(runs))
    return generate_latest(registry)


def _date(figure: GaugeMetricFamily, of: tuple[str], moment: datetime | None) -> None:
    if moment is not None:
        figure.add_metric(of, moment.timestamp())
