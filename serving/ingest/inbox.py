"""The inbox: rows that were taken in and are not yet in the lake, safe on the disk before anybody is told so.

It is `inbox.db` in home, an SQLite file that the workers of a service share.
"""

from __future__ import annotations

import hmac
import json
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Literal

from clout.errors import CloutError
from clout.serving import own_file, write_ahead

FILE = "inbox.db"
MOST_WAITING = 100_000
REMEMBERED = timedelta(days=7)
WAIT_SECONDS = 10.0
MARK_BYTES = 16
PRAGMAS = ("synchronous=FULL", "secure_delete=ON")
TABLES = (
    "CREATE TABLE IF NOT EXISTS waiting (number INTEGER PRIMARY KEY AUTOINCREMENT, place TEXT, key TEXT, content TEXT)",
    # What came in lately, as keyed hashes: neither ids nor rows stay here.
    "CREATE TABLE IF NOT EXISTS seen (key BLOB PRIMARY KEY, content BLOB, moved_at REAL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS salt (salt BLOB)",
    # Of each lake, by the keyed hash of its place, the newest batch that was seen there.
    "CREATE TABLE IF NOT EXISTS lakes (place BLOB PRIMARY KEY, batch TEXT) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS seen_by_age ON seen (moved_at)",
)
Outcome = Literal["accepted", "duplicate", "conflict"]


class InboxError(CloutError):
    """The inbox cannot take rows now."""

    code = "inbox"


class InboxFullError(InboxError):
    """As many rows wait as may wait; what it says everybody may hear."""


@dataclass(frozen=True)
class Waiting:
    """A row that waits: its place in the line, its table, its key and its content as JSON."""

    number: int
    table: str
    key: str
    content: str


class Inbox:
    """The inbox in `home`; made when it is first needed. Threads and processes may share it."""

    def __init__(self, home: Path) -> None:
        self.file, self._lock = home / FILE, Lock()
        self._connection: sqlite3.Connection | None = None
        self._salt = b""

    def add(self, table: str, rows: Sequence[tuple[str, str]]) -> list[Outcome]:
        """What became of each of `rows`, key and content: on the disk all together, or after an error none of them.

        A row that came in before, and a second one of the same key, are not taken again.
        """
        with self._changing() as connection:
            if waiting(connection) + len(rows) > MOST_WAITING:
                raise InboxFullError(
                    f"{waiting(connection):,} rows wait to be moved to the lake; expected {MOST_WAITING:,} at most"
                )
            return [self._add(connection, table, *row) for row in rows]

    def first(self, most: int) -> list[Waiting]:
        """The rows that have waited longest, `most` of them."""
        with self._changing() as connection:
            found = connection.execute(
                "SELECT number, place, key, content FROM waiting ORDER BY number LIMIT ?", (most,)
            )
            return [Waiting(number, table, key, content) for number, table, key, content in found]

    def remove(self, rows: Sequence[Waiting], now: datetime) -> None:
        """Nothing; `rows` do not wait any more. They are recognised for `REMEMBERED`, should they come again."""
        with self._changing() as connection:
            connection.executemany("DELETE FROM waiting WHERE number = ?", [(row.number,) for row in rows])
            marks = [(now.timestamp(), self._mark(row.table, row.key)) for row in rows]
            connection.executemany("UPDATE seen SET moved_at = ? WHERE key = ?", marks)
            connection.execute("DELETE FROM seen WHERE moved_at < ?", ((now - REMEMBERED).timestamp(),))
        self._empty_log()

    def batch_of(self, lake: str) -> str | None:
        """The newest batch that was seen in the lake; None where none ever was."""
        with self._changing() as connection:
            found = connection.execute("SELECT batch FROM lakes WHERE place = ?", (self._mark(lake),)).fetchone()
            return None if found is None else str(found[0])

    def saw(self, lake: str, batch: str) -> None:
        """Nothing; `batch` is then the newest that was seen in the lake."""
        with self._changing() as connection:
            connection.execute("INSERT OR REPLACE INTO lakes VALUES (?, ?)", (self._mark(lake), batch))

    def all(self) -> list[Waiting]:
        """Every row that waits."""
        return self.first(-1)

    def erase(self, rows: Sequence[Waiting]) -> None:
        """Nothing; `rows` are gone for good, and nothing recognises them."""
        with self._changing() as connection:
            connection.executemany("DELETE FROM waiting WHERE number = ?", [(row.number,) for row in rows])
            connection.executemany(
                "DELETE FROM seen WHERE key = ?", [(self._mark(row.table, row.key),) for row in rows]
            )
        self._empty_log()

    def count(self) -> int:
        """How many rows wait, or a few more; whoever writes is not waited for."""
        with self._open() as connection:
            return waiting(connection)

    def close(self) -> None:
        """Nothing; the file is let go of."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _add(self, connection: sqlite3.Connection, table: str, key: str, content: str) -> Outcome:
        mark, told = self._mark(table, key), self._mark(content)
        known = connection.execute("SELECT content FROM seen WHERE key = ?", (mark,)).fetchone()
        if known is not None:
            return "duplicate" if known[0] == told else "conflict"
        connection.execute("INSERT INTO seen (key, content) VALUES (?, ?)", (mark, told))
        connection.execute("INSERT INTO waiting (place, key, content) VALUES (?, ?, ?)", (table, key, content))
        return "accepted"

    def _mark(self, *words: str) -> bytes:
        return hmac.digest(self._salt, json.dumps(words).encode(), "sha256")[:MARK_BYTES]

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """A connection whose changes are all on the disk when the block ends, or none of them."""
        with self._open() as connection, _whole(connection):
            yield connection

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._connection = self._connection or self._opened()
                yield self._connection
            except (sqlite3.Error, OSError) as error:
                raise InboxError(
                    f"the inbox {self.file} cannot be used ({error}); expected room and leave to write there"
                ) from error

    def _opened(self) -> sqlite3.Connection:
        own_file.make(self.file)
        connection = sqlite3.connect(self.file, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            write_ahead.keep_log(connection, WAIT_SECONDS)
            for pragma in PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            with _whole(connection):
                for statement in TABLES:
                    connection.execute(statement)
                made = "INSERT INTO salt SELECT ? WHERE NOT EXISTS (SELECT 1 FROM salt)"
                connection.execute(made, (secrets.token_bytes(32),))
                self._salt = connection.execute("SELECT salt FROM salt").fetchone()[0]
        except BaseException:
            connection.close()
            raise
        return connection

    def _empty_log(self) -> None:
        """Nothing; no row that was removed is left in the log beside the file, unless others are just reading it."""
        with self._open() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


@contextmanager
def _whole(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def waiting(connection: sqlite3.Connection) -> int:
    """How many rows wait, or a few more: counting from the first to the last takes no time."""
    first, last = connection.execute("SELECT min(number), max(number) FROM waiting").fetchone()
    return 0 if first is None else int(last - first + 1)
