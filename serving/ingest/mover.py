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
from clout.data.shelf import LakeError
from clout.errors import CloutError
from clout.serving.ingest.inbox import Inbox

LOCK = "inbox.lock"
SOURCE = "http"
BATCH = 20_000
# A lake with many batches takes longer to append to: moving must stay a small share of the work.
MOVE_SECONDS, MOVE_SHARE = 3.0, 10.0
ENOUGH = 5_000
WAITS = "rows wait in the inbox: %s"

log = logging.getLogger("clout.serving")


class Mover:
    """What moves the rows of `inbox` to the lake at `lake`."""

    def __init__(self, inbox: Inbox, lake: str, now: Callable[[], datetime]) -> None:
        self._inbox, self._lake, self._now = inbox, lake, now
        self.wake = Event()
        self._told = ""

    def move(self) -> int:
        """How many rows were moved: all that waited; none while another process moves them.

        Broken off at any point, the same rows are moved again, and the lake knows those that it has. A lake that was
        seen before and is away takes none: raises `LakeError`.
        """
        return self._alone(self._move_all) if self._inbox.file.exists() else 0

    def look(self) -> None:
        """Nothing; the inbox then knows the lake that is there, and waits for it should it go away before any row came."""
        lake = Lake(self._lake)
        if _batches(lake):
            self._inbox.file.parent.mkdir(parents=True, exist_ok=True)
            self._alone(lambda: len(self._seen(lake)))

    def run(self, stop: Event) -> None:
        """Nothing, once `stop` is set; until then, every few seconds, what waits is moved, and what was left before."""
        self._try(self.look)
        while not stop.is_set():
            self.wake.clear()
            began = monotonic()
            self._try(self.move)
            self.wake.wait(max(MOVE_SECONDS, MOVE_SHARE * (monotonic() - began)))

    def _alone(self, act: Callable[[], int]) -> int:
        try:
            with filelock.FileLock(self._inbox.file.parent / LOCK, blocking=False):
                return act()
        except filelock.Timeout:
            return 0

    def _move_all(self) -> int:
        lake, moved = Lake(self._lake), 0
        while rows := self._inbox.first(BATCH):
            contents: dict[str, list[str]] = defaultdict(list)
            for row in rows:
                contents[row.table].append(row.content)
            seen = self._seen(lake)
            _expect(lake, seen)
            receipt = lake.append({table: frame(table, some) for table, some in contents.items()}, source=SOURCE)
            if receipt.number:
                _expect(lake, {*seen, receipt.batch})  # one that went away meanwhile leaves the rows elsewhere
                self._inbox.saw(lake.shelf.place, receipt.batch)
            self._inbox.remove(rows, self._now())
            moved += len(rows)
            log.info("moved %d rows from the inbox to the lake; refused there: %s", len(rows), receipt.rejected or 0)
            if len(rows) < BATCH:  # what comes in meanwhile waits for others, so that batches are few
                break
        return moved

    def _seen(self, lake: Lake) -> set[str]:
        """The newest batch that the inbox saw in the lake, if it ever saw one; at first, the newest that is there."""
        known = self._inbox.batch_of(lake.shelf.place)
        if known is None and _batches(lake):
            known = lake.receipts()[-1].batch
            self._inbox.saw(lake.shelf.place, known)
        return set() if known is None else {known}

    def _try(self, act: Callable[[], object]) -> None:
        """Nothing; `act` is done, or the log says once why not."""
        told = self._told
        try:
            act()
            self._told = ""
        except Exception as error:
            self._told = f"{type(error).__name__}: {error}"
            if self._told != told:
                log.log(logging.ERROR, WAITS, error, exc_info=not isinstance(error, CloutError))


def _batches(lake: Lake) -> set[str]:
    """The batches of the lake, whatever edition of each is there."""
    try:
        return {name.split("-")[0] for name in lake.batches()}
    except OSError as error:
        raise LakeError(
            f"cannot read the lake {lake.url} ({error}); expected a folder or URL to read and write: see CLOUT_LAKE"
        ) from error


def expect_lake(inbox: Inbox, lake: Lake) -> None:
    """Nothing; raises `LakeError` where the lake lacks the newest batch that the inbox saw there: it is away, or another."""
    known = inbox.batch_of(lake.shelf.place)
    _expect(lake, set() if known is None else {known})


def _expect(lake: Lake, seen: set[str]) -> None:
    """Nothing; raises `LakeError` where the lake lacks a batch of `seen`: it is away, or it is another."""
    missing = seen - _batches(lake)
    if missing:
        raise LakeError(
            f"the lake {lake.url} is away or another: it lacks the batch {min(missing)[:12]}, which was there before; "
            "expected the lake that rows went to: put it back, or begin anew as docs/ingest-api.md says"
        )
