"""The store of scores: what every account was given at every moment, by which model and why, never changed afterwards.

It stands apart from the lake, in SQLite or PostgreSQL; any number may read while one writes. All moments have a time
zone, UTC when they come out.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    Boolean,
    ColumnElement,
    Engine,
    Row,
    Select,
    Table,
    and_,
    delete,
    exists,
    func,
    insert,
    not_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from clout.serving.store import engine as store_engine
from clout.serving.store.feedback import Feedback
from clout.serving.store.keys import Keys
from clout.serving.store.live_runs import LiveRuns
from clout.serving.store.rows import Judge, Record, Run, Step, StoreError, Usual
from clout.serving.store.tables import FEEDBACK, FORGETTING, MODELS, RUNS, SCORES, USUAL

_LATER = SCORES.alias("later")
# A second run at the same moment, by another model, is what is shown from then on; the first serves as bridge.
_SUPERSEDED = exists().where(
    _LATER.c.account == SCORES.c.account,
    _LATER.c.as_of == SCORES.c.as_of,
    not_(_LATER.c.bridge),
    _LATER.c.run > SCORES.c.run,
)
_SHOWN = not_(SCORES.c.bridge) & not_(_SUPERSEDED)
_FIELDS = [field for field in Record.__dataclass_fields__ if field != "bridge"]
_BRIDGE = type_coerce(not_(_SHOWN), Boolean).label("bridge")
_RECORDS = select(*(SCORES.c[field] for field in _FIELDS), _BRIDGE)
_STEPS = select(*(SCORES.c[field] for field in Step.__dataclass_fields__ if field != "bridge"), _BRIDGE)
_OLDEST_FIRST = (SCORES.c.as_of, SCORES.c.run, not_(SCORES.c.bridge))


class Store:
    """One store of scores; close it, or use it in a `with` block. Threads may share it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str, patience: float | None = None) -> Self:
        """The store at `url`, made when it is not there, its tables brought up to date.

        With `patience`, a PostgreSQL server that is silent for so many seconds is given up.
        """
        return cls(store_engine.open_engine(url, patience))

    def settle(self) -> None:
        """Nothing; an SQLite file holds all by itself, so that a copy of it lacks nothing, unless others are reading it."""
        store_engine.settle(self._engine)

    def close(self) -> None:
        """Nothing; all connections are closed."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def keys(self) -> Keys:
        """The keys of the service, which are kept in the same database."""
        return Keys(self._engine)

    @property
    def live_runs(self) -> LiveRuns:
        """What was done with live sources, which is kept in the same database."""
        return LiveRuns(self._engine)

    @property
    def feedback(self) -> Feedback:
        """What people reported, which is kept in the same database."""
        return Feedback(self._engine)

    def remember(self, judge: Judge) -> None:
        """Nothing; what the model calls things is kept for as long as the store. To be called before its first run."""
        self._add(MODELS, [judge.__dict__])

    def begin(self, run: Run) -> Run:
        """The run with its id. Begun before, of the same moment, model and lake, it is gone on with."""
        self._add(RUNS, [{name: value for name, value in run.__dict__.items() if name != "id"}])
        same = (RUNS.c[name] == getattr(run, name) for name in ("as_of", "model_version", "lake_fingerprint"))
        return Run(**self._read(select(RUNS).where(*same))[0]._mapping)

    def write(self, run: Run, records: Iterable[Record]) -> int:
        """How many of the records are new: all of them are there afterwards, or after an error none more than before.

        One transaction; hand in some thousands at a time. A record already written, by the same model for the same
        account and moment, stays as it was.
        """
        rows = sorted((_row(run, record) for record in records), key=lambda row: (row["account"], row["bridge"]))
        return self._add(SCORES, rows) if rows else 0

    def finish(self, run: Run, at: datetime) -> Run:
        """The run, finished at this moment, with the number of accounts that it shows."""
        count = select(func.count()).where(SCORES.c.as_of == run.as_of, SCORES.c.run == run.id, not_(SCORES.c.bridge))
        with store_engine.writing(self._engine) as connection:
            done = replace(run, finished_at=at, accounts=connection.execute(count).scalar_one())
            figures = {"finished_at": done.finished_at, "accounts": done.accounts}
            connection.execute(update(RUNS).where(RUNS.c.id == run.id).values(figures))
        return done

    def forget(self, account: str) -> dict[str, int]:
        """How many rows of the account were erased, by table; on SQLite their bytes are overwritten too."""
        with store_engine.writing(self._engine) as connection:
            connection.execute(insert(FORGETTING).values(account=account))
            rows = {
                table.name: connection.execute(delete(table).where(table.c.account == account)).rowcount
                for table in (SCORES, FEEDBACK)
            }
            connection.execute(delete(FORGETTING).where(FORGETTING.c.account == account))
        store_engine.empty_log(self._engine)
        return rows

    def run_of(self, as_of: datetime, model_version: str) -> Run | None:
        """The newest run at this moment by this model, finished or not."""
        return self._run(select(RUNS).where(RUNS.c.as_of == as_of, RUNS.c.model_version == model_version))

    def moment_between(self, since: datetime, until: datetime) -> datetime | None:
        """The newest moment of a run, finished or not, from `since` to before `until`."""
        run = self._run(select(RUNS).where(RUNS.c.as_of >= since, RUNS.c.as_of < until))
        return None if run is None else run.as_of

    def run_at(self, as_of: datetime) -> Run | None:
        """The newest run at this moment, by any model, finished or not."""
        return self._run(select(RUNS).where(RUNS.c.as_of == as_of))

    def newest_run(self, network: str | None = None) -> Run | None:
        """The newest finished run, of those that scored accounts of the network when one is named."""
        runs = select(RUNS).where(RUNS.c.finished_at.is_not(None))
        if network is not None:
            here = (SCORES.c.as_of == RUNS.c.as_of, SCORES.c.network == network, SCORES.c.run == RUNS.c.id)
            runs = runs.where(exists().where(*here))
        return self._run(runs)

    def written(self, as_of: datetime, model_version: str) -> set[str]:
        """The accounts that already have a score, or no score for want of evidence, at this moment by this model."""
        of = (SCORES.c.as_of == as_of, SCORES.c.model_version == model_version, not_(SCORES.c.bridge))
        return {row.account for row in self._read(select(SCORES.c.account).where(*of))}

    def scored(self, run: Run) -> list[tuple[str, str, str | None]]:
        """(account, network, size group) of all that have a score at the run's moment by its model, in order."""
        found = select(SCORES.c.account, SCORES.c.network, SCORES.c.size_group).where(_of(run))
        return [(row.account, row.network, row.size_group) for row in self._read(found.order_by(SCORES.c.account))]

    def records_of(self, run: Run, accounts: Sequence[str]) -> tuple[Record, ...]:
        """The records of those of `accounts`, some hundreds at most, that have a score in the run."""
        return self._records(_of(run) & SCORES.c.account.in_(accounts))

    def keep_usual(self, run: Run, told: Iterable[Usual]) -> None:
        """Nothing; what is usual in the run is kept. What was kept before stays as it was."""
        rows = [
            {**one.__dict__, "size_group": one.size_group or "", "quantiles": json.dumps(one.quantiles)}
            | {"as_of": run.as_of, "model_version": run.model_version}
            for one in told
        ]
        if rows:
            self._add(USUAL, rows)

    def usual(self, run: Run, network: str, size_group: str | None) -> Usual | None:
        """What is usual in the run in a size group, or in all of a network; None where too few were scored."""
        of = {"as_of": run.as_of, "model_version": run.model_version, "network": network}
        of["size_group"] = size_group or ""
        found = self._read(select(USUAL).where(*(USUAL.c[name] == value for name, value in of.items())))
        return Usual(network, size_group, found[0].accounts, json.loads(found[0].quantiles)) if found else None

    def judge(self, model_version: str) -> Judge | None:
        """The model as it was remembered."""
        found = self._read(select(MODELS).where(MODELS.c.model_version == model_version))
        return Judge(**found[0]._mapping) if found else None

    def latest(self, account: str) -> Record | None:
        """The newest shown record of the account."""
        return self._newest(SCORES.c.account == account)

    def latest_before(self, account: str, moment: datetime) -> Record | None:
        """The newest shown record of the account from strictly before the moment."""
        return self._newest((SCORES.c.account == account) & (SCORES.c.as_of < moment))

    def history(self, account: str, since: datetime, until: datetime) -> tuple[Record, ...]:
        """The shown records of the account from `since` to `until`, both included, oldest first."""
        return tuple(record for record in self.with_bridges(account, since, until) if not record.bridge)

    def with_bridges(self, account: str, since: datetime, until: datetime) -> tuple[Record, ...]:
        """The same with the bridges between models, each before what is shown of its moment: see `models.change`."""
        return self._records((SCORES.c.account == account) & SCORES.c.as_of.between(since, until))

    def steps(self, account: str, since: datetime, until: datetime) -> tuple[Step, ...]:
        """The same without reasons, which take long to unpack."""
        within = (SCORES.c.account == account) & SCORES.c.as_of.between(since, until)
        return tuple(Step(**row._mapping) for row in self._read(_STEPS.where(within).order_by(*_OLDEST_FIRST)))

    def scores_at(self, as_of: datetime, network: str, size_group: str | None = None) -> npt.NDArray[np.float64]:
        """The shown scores of a network at a moment, or of one size group of it, in rising order."""
        scores = select(SCORES.c.score).where(
            SCORES.c.as_of == as_of, SCORES.c.network == network, SCORES.c.score.is_not(None), _SHOWN
        )
        if size_group is not None:
            scores = scores.where(SCORES.c.size_group == size_group)
        return np.sort(np.array([row.score for row in self._read(scores)], dtype=np.float64))

    def find(self, network: str, handle: str) -> tuple[str, ...]:
        """The accounts whose newest record bears this handle, in any case, with or without @; newest first."""
        newest = select(func.max(_LATER.c.as_of)).where(_LATER.c.account == SCORES.c.account).scalar_subquery()
        bearers = select(SCORES.c.account, SCORES.c.as_of).where(
            SCORES.c.network == network, SCORES.c.handle_sought == _sought(handle), SCORES.c.as_of == newest
        )
        return tuple(dict.fromkeys(row.account for row in self._read(bearers.order_by(SCORES.c.as_of.desc()))))

    def all_of(self, account: str) -> dict[str, list[dict[str, Any]]]:
        """Every row of the account by table, as plain values for JSON, oldest first, bridges too."""
        reports = [report.told_to_the_account() for report in self.feedback.of(account)]
        return {"scores": [record.told() for record in self._records(SCORES.c.account == account)], "feedback": reports}

    def _add(self, table: Table, rows: list[dict[str, Any]]) -> int:
        """How many rows were not there yet."""
        dialect = sqlite if self._engine.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(table).on_conflict_do_nothing()
        with store_engine.writing(self._engine) as connection:
            return connection.execute(statement, rows, execution_options={"preserve_rowcount": True}).rowcount

    def _read(self, statement: Select[Any]) -> list[Row[Any]]:
        with store_engine.reading(self._engine) as connection:
            return list(connection.execute(statement))

    def _run(self, runs: Select[Any]) -> Run | None:
        found = self._read(runs.order_by(RUNS.c.as_of.desc(), RUNS.c.id.desc()).limit(1))
        return Run(**found[0]._mapping) if found else None

    def _newest(self, which: ColumnElement[bool]) -> Record | None:
        found = self._read(_RECORDS.where(which, _SHOWN).order_by(SCORES.c.as_of.desc()).limit(1))
        return _record(found[0]) if found else None

    def _records(self, which: ColumnElement[bool]) -> tuple[Record, ...]:
        return tuple(_record(row) for row in self._read(_RECORDS.where(which).order_by(*_OLDEST_FIRST)))


def _of(run: Run) -> ColumnElement[bool]:
    """What has a score at the moment of a run by its model."""
    of = (SCORES.c.as_of == run.as_of, SCORES.c.model_version == run.model_version)
    return and_(*of, SCORES.c.score.is_not(None), not_(SCORES.c.bridge))


def _row(run: Run, record: Record) -> dict[str, Any]:
    """The record as its row in a run."""
    of_run = (record.model_version, record.scale_version) == (run.model_version, run.scale_version)
    if run.id is None or record.as_of != run.as_of or of_run == record.bridge:
        raise StoreError(
            f"got a {'bridge' if record.bridge else 'score'} of {record.account} at {record.as_of} by the model "
            f"{record.model_version} for the run {run.id} at {run.as_of} by {run.model_version}; expected a run that was "
            "begun, its moment, and its model for scores but another for bridges"
        )
    handle = None if record.handle is None else _sought(record.handle)
    detail = _packed(record.account, record.detail)
    return {**record.__dict__, "handle_sought": handle, "detail": detail, "run": run.id}


def _packed(account: str, detail: Mapping[str, Any]) -> bytes:
    try:
        told = json.dumps(detail, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise StoreError(
            f"cannot keep the detail of {account} ({error}); expected plain values for JSON, every number finite"
        ) from error
    return zlib.compress(told.encode())


def _record(row: Row[Any]) -> Record:
    return Record(**{**row._mapping, "detail": json.loads(zlib.decompress(row.detail))})


def _sought(handle: str) -> str:
    """A handle as it is compared."""
    return handle.removeprefix("@").lower()
