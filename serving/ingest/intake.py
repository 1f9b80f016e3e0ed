"""Taking rows in: each judged, those that are good in the inbox, and an answer about every one."""

from __future__ import annotations

import json
import logging
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from threading import Event

from clout.data.arrivals import Arrival, frame, judged
from clout.data.lake import Lake
from clout.data.shelf import TOMBSTONES, LakeError
from clout.data.tables import CONFLICT
from clout.data.tombstones import Tombstones
from clout.serving.ingest.answers import Ingested, RowResult, RowsRequest
from clout.serving.ingest.inbox import Inbox, InboxError, InboxFullError, Waiting
from clout.serving.ingest.mover import ENOUGH, Mover, expect_lake
from clout.serving.problems import ProblemError, escaped

RETRY_SECONDS = "10"
log = logging.getLogger(__name__)
DUPLICATE, CONFLICTING = "duplicate", "conflicting_duplicate"
NOT_HERE = (
    "this service takes no rows in, as one that carries its data; expected one that `clout serve` has started, "
    "or on its machine: `clout ingest table`"
)
NOT_KEPT = "the rows cannot be kept now, and none was; why is in the log of the service"
Places = Callable[[], tuple[Path, str] | None]


class Intake:
    """The way of rows into the lake. `places` gives home and the lake's URL, or None where no rows are taken in."""

    def __init__(self, places: Places, now: Callable[[], datetime]) -> None:
        self._places, self._now = places, now
        self._buried: tuple[Sequence[str], Tombstones] = ((), Tombstones())

    def follow(self, stop: Event) -> None:
        """Nothing, once `stop` is set; until then what comes in is moved to the lake every few seconds."""
        if self._places() is not None:
            self._way[2].run(stop)

    def take(self, table: str, asked: RowsRequest) -> Ingested:
        """What became of the rows of `asked`; raises `ProblemError`, and keeps none, where they cannot be kept."""
        if self._places() is None:
            raise ProblemError("no_intake", NOT_HERE)
        try:
            arrivals = judged(table, asked.rows, self._now(), self._tombstones())
            outcomes = self._kept(table, arrivals)
        except (InboxError, LakeError, OSError) as error:
            log.warning("rows could not be taken in: %s", error)
            told = str(error) if isinstance(error, InboxFullError) else NOT_KEPT
            raise ProblemError("inbox_unavailable", told, (), {"Retry-After": RETRY_SECONDS}) from error
        results = [_told(number, arrival, outcomes.get(number)) for number, arrival in enumerate(arrivals)]
        counts = Counter(result.status for result in results)
        return Ingested(
            accepted=counts["accepted"], duplicate=counts["duplicate"], rejected=counts["rejected"], results=results
        )

    def waiting(self) -> float:
        """How many rows wait in the inbox, or a few more; not a number while it cannot be read."""
        if self._places() is None or not self._way[0].file.exists():
            return 0
        try:
            return self._way[0].count()
        except InboxError:
            return math.nan

    @cached_property
    def _way(self) -> tuple[Inbox, Lake, Mover]:
        home, lake = self._places() or (Path(), "")
        inbox = Inbox(home)
        return inbox, Lake(lake), Mover(inbox, lake, self._now)

    def _kept(self, table: str, arrivals: Sequence[Arrival]) -> dict[int, str]:
        """What the inbox made of each row that it has to hold, by its number."""
        inbox, _, mover = self._way
        held = {number: arrival for number, arrival in enumerate(arrivals) if arrival.content}
        kept = inbox.add(table, [(arrival.key, arrival.content) for arrival in held.values()]) if held else []
        if held and inbox.count() >= ENOUGH:
            mover.wake.set()
        return dict(zip(held, kept, strict=True))

    def _tombstones(self) -> Tombstones:
        """The tombstones of the lake, read again when there are others."""
        lake = self._way[1]
        names = lake.shelf.names(TOMBSTONES)
        if names != self._buried[0]:
            self._buried = names, lake.tombstones()
        return self._buried[1]


NOWHERE = Intake(lambda: None, lambda: datetime.max.replace(tzinfo=UTC))


def expect_lake_of(home: Path, lake: Lake) -> None:
    """Nothing; raises `LakeError` where a service of `home` saw a batch in the lake that is not there now."""
    inbox = Inbox(home)
    if inbox.file.exists():
        with closing(inbox):
            expect_lake(inbox, lake)


def waiting_posts(home: Path, accounts: Collection[str]) -> list[str]:
    """The posts of `accounts` that wait in the inbox of `home`: what was counted on them names nobody else."""
    inbox = Inbox(home)
    if not inbox.file.exists():
        return []
    with closing(inbox):
        posts = [json.loads(row.content) for row in inbox.all() if row.table == "posts"]
    return [post["post"] for post in posts if post["account"] in accounts]


def erase_waiting(home: Path, tombstones: Tombstones) -> int:
    """How many rows of forgotten accounts left the inbox of `home`."""
    inbox = Inbox(home)
    if not inbox.file.exists():
        return 0
    by_table: dict[str, list[Waiting]] = defaultdict(list)
    with closing(inbox):
        for row in inbox.all():
            by_table[row.table].append(row)
        gone = [row for table, rows in by_table.items() for row in _named(table, rows, tombstones)]
        inbox.erase(gone)
    return len(gone)


def _named(table: str, rows: Sequence[Waiting], tombstones: Tombstones) -> list[Waiting]:
    marked = tombstones.name(frame(table, [row.content for row in rows]))
    return [row for row, named in zip(rows, marked, strict=True) if named]


def _told(number: int, arrival: Arrival, outcome: str | None) -> RowResult:
    place, code, detail = f"/rows/{number}", arrival.code, arrival.detail
    if DUPLICATE in {code, "" if code else outcome}:
        return RowResult(status="duplicate", pointer=place, code=None, detail=None)
    if not code and outcome == "accepted":
        return RowResult(status="accepted", pointer=place, code=None, detail=None)
    if not code:
        return RowResult(status="rejected", pointer=place, code=CONFLICTING, detail=CONFLICT)
    column = "" if arrival.column is None else f"/{escaped(arrival.column)}"
    return RowResult(status="rejected", pointer=place + column, code=code, detail=detail)
