"""An SQLite file with a log beside it: readers do not wait for whoever writes."""

from __future__ import annotations

import sqlite3
from time import monotonic, sleep
from typing import Any, Protocol

MOMENT_SECONDS = 0.01


class Connection(Protocol):
    """A connection to an SQLite file, as Python gives it or as SQLAlchemy passes it on."""

    def cursor(self) -> Any:  # noqa: ANN401
        """What runs statements."""


def keep_log(connection: Connection, seconds: float) -> None:
    """Nothing; the file has a log. SQLite does not wait, but refuses, where another connection is giving it one.

    That is tried again for so many seconds.
    """
    give_up = monotonic() + seconds
    while True:
        try:
            connection.cursor().execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > give_up:
                raise
            sleep(MOMENT_SECONDS)
        else:
            return
