"""What was done with each live source, in the store beside the scores: when, how it ended, and how many rows came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Select, delete, func, insert, select, update

from clout.serving.store.engine import reading, writing
from clout.serving.store.tables import LIVE_RUNS

OK, FAILED, BROKEN_OFF = "ok", "failed", "broken_off"
KEPT = 1_000
MOST_SOURCES = 100


@dataclass(frozen=True)
class LiveRun:
    """One time that a source was read, or that accounts were scored or the champion watched.

    `outcome` is None while it goes on; then `OK`, `FAILED`, or `BROKEN_OFF`, and only a run that was killed has no end.
    `rows` are new in the lake; `rows_ever` counts all runs of the source up to this one. `succeeded_at` is when one last
    ended well, `lake_fingerprint` the data that accounts were scored by.
    """

    id: int
    source: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    rows: int
    rejected: int
    error: str | None
    model_version: str | None
    lake_fingerprint: str | None
    succeeded_at: datetime | None
    rows_ever: int
    rejected_ever: int

    def told(self) -> dict[str, Any]:
        """The run as plain values for JSON."""
        moments = ("started_at", "ended_at", "succeeded_at")
        return self.__dict__ | {name: getattr(self, name) and getattr(self, name).isoformat() for name in moments}


class LiveRuns:
    """The runs in the store behind `engine`; of each source the newest `KEPT` stay."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(
        self, source: str, at: datetime, model_version: str | None = None, lake_fingerprint: str | None = None
    ) -> int:
        """The id of a run that begins now."""
        row = {"source": source, "started_at": at, "rows": 0, "rejected": 0, "rows_ever": 0, "rejected_ever": 0}
        row |= {"model_version": model_version, "lake_fingerprint": lake_fingerprint}
        carried = select(*(LIVE_RUNS.c[name] for name in ("succeeded_at", "rows_ever", "rejected_ever")))
        with writing(self._engine) as connection:
            for before in connection.execute(_newest_first(carried, source).limit(1)):
                row |= before._mapping
            begun = int(connection.execute(insert(LIVE_RUNS).values(row).returning(LIVE_RUNS.c.id)).scalar_one())
            _drop_old(connection, source)
        return begun

    def count(self, run: int, rows: int, rejected: int) -> None:
        """Nothing; so many more rows came in and were rejected."""
        new = {"rows": rows, "rejected": rejected}
        more = {f"{name}{ever}": LIVE_RUNS.c[f"{name}{ever}"] + new[name] for name in new for ever in ("", "_ever")}
        self._update(run, more)

    def end(self, run: int, at: datetime, outcome: str, error: str | None = None) -> None:
        """Nothing; the run ended so, with the words of an error where there was one."""
        succeeded = {"succeeded_at": at} if outcome == OK else {}
        self._update(run, {"ended_at": at, "outcome": outcome, "error": error, **succeeded})

    def break_off(self) -> None:
        """Nothing; runs without an end were broken off. Only to be asked for while none goes on."""
        with writing(self._engine) as connection:
            going_on = LIVE_RUNS.c.outcome.is_(None)
            connection.execute(update(LIVE_RUNS).where(going_on).values(outcome=BROKEN_OFF))

    def newest(self, most: int) -> tuple[LiveRun, ...]:
        """The newest runs, newest first."""
        return self._read(select(LIVE_RUNS).order_by(LIVE_RUNS.c.id.desc()).limit(most))

    def last(self, source: str, outcome: str) -> LiveRun | None:
        """The newest run of a source that ended so."""
        found = self._read(_newest_first(select(LIVE_RUNS), source).where(LIVE_RUNS.c.outcome == outcome).limit(1))
        return found[0] if found else None

    def last_of_each(self) -> tuple[LiveRun, ...]:
        """The newest run of each source, by name; of at most `MOST_SOURCES`, those that ran last."""
        newest = select(func.max(LIVE_RUNS.c.id)).group_by(LIVE_RUNS.c.source)
        runs = select(LIVE_RUNS).where(LIVE_RUNS.c.id.in_(newest)).order_by(LIVE_RUNS.c.id.desc()).limit(MOST_SOURCES)
        return tuple(sorted(self._read(runs), key=lambda run: run.source))

    def _update(self, run: int, values: dict[str, Any]) -> None:
        with writing(self._engine) as connection:
            connection.execute(update(LIVE_RUNS).where(LIVE_RUNS.c.id == run).values(values))

    def _read(self, runs: Select[Any]) -> tuple[LiveRun, ...]:
        with reading(self._engine) as connection:
            return tuple(LiveRun(**row._mapping) for row in connection.execute(runs))


def _newest_first(runs: Select[Any], source: str) -> Select[Any]:
    return runs.where(LIVE_RUNS.c.source == source).order_by(LIVE_RUNS.c.id.desc())


def _drop_old(connection: Connection, source: str) -> None:
    """Nothing; of the source only the newest `KEPT` runs are there."""
    kept = _newest_first(select(LIVE_RUNS.c.id), source).limit(KEPT)
    connection.execute(delete(LIVE_RUNS).where(LIVE_RUNS.c.source == source, LIVE_RUNS.c.id.not_in(kept)))
