"""One at a time: who works on a home says so, and whoever comes meanwhile is told who it is."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from clout.errors import CloutError
from clout.models import whole_file


class HeldError(CloutError):
    """Somebody else does it already."""

    code = "held"


@contextmanager
def held(home: Path, what: str, now: datetime) -> Iterator[None]:
    """A block that one process at a time runs for `what` in the home; another is refused at once, not kept waiting.

    A process that is killed holds nothing any more.
    """
    place = home.absolute()
    place.mkdir(parents=True, exist_ok=True)
    holder = place / f".{what}.holder"
    lock = FileLock(place / f".{what}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise HeldError(f"{_told(holder)}; expected one {what} at a time in {home}: wait until it has ended") from error
    try:
        whole_file.write(holder, f"process {os.getpid()} on {platform.node()} since {now:%Y-%m-%d %H:%M:%S} UTC")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _told(holder: Path) -> str:
    try:
        return f"{holder.read_text('utf-8')} is at it"
    except OSError:
        return "another process is at it"
