"""The way from the inbox to the lake: in batches, by one worker at a time, each row once whatever breaks off."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from threading import Event
from time import monotonic

import filelock

from clout.data.arrivals import frame
from clout.data.lake import Lake
from clout.errors import CloutError
from clout.serving.ingest.inbox import Inbox

LOCK = "inbox.lock"
SOURCE = "http"
BATCH = 20_000
# A lake with many batches takes longer to append to: moving must stay a small share of the work.
MOVE_SECONDS, MOVE_SHARE = 3.0, 10.0
ENOUGH = 5_000

log = logging.getLogger("clout.serving")


class Mover:
    """What moves the rows of `inbox` to the lake at `lake`."""

    def __init__(self, inbox: Inbox, lake: str, now: Callable[[], datetime]) -> None:
        self._inbox, self._lake, self._now = inbox, lake, now
        self.wake = Event()

    def move(self) -> int:
        """How many rows were moved: all that waited; none while another process moves them.

        Broken off at any point, the same rows are moved again, and the lake knows those that it has.
        """
        if not self._inbox.file.exists():
            return 0
        try:
            with filelock.FileLock(self._inbox.file.parent / LOCK, blocking=False):
                return self._move_all()
        except filelock.Timeout:
            return 0

    def _move_all(self) -> int:
        lake, moved = Lake(self._lake), 0
        while rows := self._inbox.first(BATCH):
            contents: dict[str, list[str]] = defaultdict(list)
            for row in rows:
                contents[row.table].append(row.content)
            receipt = lake.append({table: frame(table, some) for table, some in contents.items()}, source=SOURCE)
            self._inbox.remove(rows, self._now())
            moved += len(rows)
            log.info("moved %d rows from the inbox to the lake; refused there: %s", len(rows), receipt.rejected or 0)
            if len(rows) < BATCH:  # what comes in meanwhile waits for others, so that batches are few
                break
        return moved

    def run(self, stop: Event) -> None:
        """Nothing, once `stop` is set; until then, every few seconds, what waits is moved, and what was left before."""
        while not stop.is_set():
            self.wake.clear()
            began = monotonic()
            self._try()
            self.wake.wait(max(MOVE_SECONDS, MOVE_SHARE * (monotonic() - began)))

    def _try(self) -> None:
        try:
            self.move()
        except CloutError as error:
            log.error("rows wait in the inbox: %s", error)  # noqa: TRY400 (the message says all)
        except Exception:
            log.exception("rows wait in the inbox")
