"""What people reported of their scores, in the store beside them; bounded, so that no program can fill the disk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, func, insert, select, true, update

from clout.errors import CloutError
from clout.serving.store.engine import reading, writing
from clout.serving.store.tables import FEEDBACK

DAY = timedelta(days=1)
MOST_A_DAY, MOST_OPEN = 1_000, 10_000
OF_OTHERS = "contact"


class NoReportError(CloutError):
    """A report that there is not."""

    code = "report"


@dataclass(frozen=True)
class Report:
    """What somebody said, about an account or about none; `page` is where they were, `note` what was done about it."""

    id: str
    at: datetime
    kind: str
    account: str | None
    said: str
    contact: str | None
    page: str | None
    closed_at: datetime | None = None
    note: str | None = None

    @property
    def state(self) -> str:
        """`open` or `closed`."""
        return "open" if self.closed_at is None else "closed"

    def told(self) -> dict[str, Any]:
        """The report as plain values for JSON."""
        closed_at = self.closed_at and self.closed_at.isoformat()
        return {**self.__dict__, "at": self.at.isoformat(), "closed_at": closed_at, "state": self.state}

    def told_to_the_account(self) -> dict[str, Any]:
        """The same for whom it is about: how to reach whoever reported it is theirs."""
        return {name: value for name, value in self.told().items() if name != OF_OTHERS}


class Feedback:
    """The reports in the store behind `engine`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, report: Report) -> bool:
        """Whether the report is kept: of a day at most `MOST_A_DAY` are, and at most `MOST_OPEN` while they are open."""
        with writing(self._engine) as connection:
            today = _count(connection, FEEDBACK.c.at > report.at - DAY)
            if today >= MOST_A_DAY or _count(connection, FEEDBACK.c.closed_at.is_(None)) >= MOST_OPEN:
                return False
            connection.execute(insert(FEEDBACK).values(report.__dict__))
        return True

    def all(self) -> tuple[Report, ...]:
        """Every report, oldest first."""
        return self._read(true())

    def open(self) -> tuple[Report, ...]:
        """Those that nobody has closed, oldest first."""
        return self._read(FEEDBACK.c.closed_at.is_(None))

    def of(self, account: str) -> tuple[Report, ...]:
        """Those about an account, oldest first."""
        return self._read(FEEDBACK.c.account == account)

    def find(self, report_id: str) -> Report | None:
        """The report; None where there is none."""
        return next(iter(self._read(FEEDBACK.c.id == report_id)), None)

    def close(self, report_id: str, at: datetime, note: str | None) -> Report | None:
        """The report, closed; None where there is none. Closed before, it stays as it is."""
        with writing(self._engine) as connection:
            which = (FEEDBACK.c.id == report_id, FEEDBACK.c.closed_at.is_(None))
            connection.execute(update(FEEDBACK).where(*which).values(closed_at=at, note=note))
        return self.find(report_id)

    def _read(self, which: ColumnElement[bool]) -> tuple[Report, ...]:
        with reading(self._engine) as connection:
            found = connection.execute(select(FEEDBACK).where(which).order_by(FEEDBACK.c.at, FEEDBACK.c.id))
            return tuple(map(_report, found))


def _count(connection: Connection, which: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).select_from(FEEDBACK).where(which)).scalar_one()


def _report(row: Row[Any]) -> Report:
    return Report(**row._mapping)
