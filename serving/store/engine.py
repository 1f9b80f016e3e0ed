"""The connection to the database of the score store: an SQLite file or a PostgreSQL database, at the newest tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from clout.errors import without_passwords
from clout.serving import own_file, write_ahead
from clout.serving.store import reach
from clout.serving.store.rows import StoreError

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = "store_version"
WAIT_SECONDS, SETTLE_SECONDS = 60, 2
# Alembic keeps what it is doing in module variables.
_ALEMBIC = Lock()
_UPGRADING = 6_074_117_225  # any number that no other program locks the database by


def open_engine(url: str, patience: float | None = None) -> Engine:
    """The engine of the database at `url`, whose tables are the newest; a new SQLite file is made with its folder.

    A PostgreSQL server that is silent for `patience` seconds is given up; None waits for its answer for ever.
    """
    place = _place(url)
    _make_file(place)
    is_file = place.get_backend_name() == "sqlite"
    engine = create_engine(place, hide_parameters=True, connect_args={} if is_file else reach.times(place))
    if is_file:
        event.listen(engine, "connect", _set_up)
        event.listen(engine, "begin", _begin)
    else:
        reach.guard(engine, patience)
    try:
        _upgrade(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def mark(url: str) -> tuple[int, int] | None:
    """What tells the SQLite file at `url` from another in its place; None where there is no file, or PostgreSQL."""
    place = _place(url)
    if place.get_backend_name() != "sqlite" or not place.database:
        return None
    try:
        found = Path(place.database).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one state of the store throughout, whatever others write meanwhile."""
    isolation = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with _told(engine), engine.connect().execution_options(**isolation) as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection whose changes are all there when the block ends, or none of them."""
    with _told(engine), engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


def empty_log(engine: Engine) -> None:
    """Nothing; no row that was deleted is left in the log beside an SQLite file. Others may be reading: then it waits."""
    if engine.dialect.name == "sqlite":
        with _told(engine), engine.connect() as connection:
            connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")


def settle(engine: Engine) -> None:
    """Nothing; what was written is in the SQLite file itself, for whoever copies it alone.

    It stays in the log beside the file, which is as safe, where others read for longer than `SETTLE_SECONDS`.
    """
    if engine.dialect.name == "sqlite":
        with suppress(SQLAlchemyError, sqlite3.Error), engine.connect() as connection:
            cursor = connection.connection.cursor()
            cursor.execute(f"PRAGMA busy_timeout={SETTLE_SECONDS * 1000}")
            try:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                cursor.execute(f"PRAGMA busy_timeout={WAIT_SECONDS * 1000}")


def _place(url: str) -> URL:
    try:
        place = make_url(url)
    except ArgumentError as error:
        raise StoreError(f"cannot read the URL of the score store; {_EXPECTED}") from error
    if place.get_backend_name() not in {"sqlite", "postgresql"}:
        raise StoreError(f"got {_told_place(place)} as score store; {_EXPECTED}")
    return place.set(drivername="postgresql+psycopg") if place.drivername == "postgresql" else place


def _told_place(place: URL) -> str:
    """The URL as people may see it."""
    return without_passwords(place.render_as_string())


def _make_file(place: URL) -> None:
    """Nothing; the file of SQLite is there, with its folder."""
    named = place.database or ""
    if place.get_backend_name() != "sqlite" or not named or named.startswith((":memory:", "file:")):
        return
    try:
        own_file.make(Path(named).absolute())
    except OSError as error:
        raise StoreError(f"cannot make the file of the score store {named} ({error}); {_EXPECTED}") from error


_EXPECTED = (
    "expected an SQLite file such as sqlite:///scores.db or a PostgreSQL database such as "
    "postgresql+psycopg://user@host/name: set CLOUT_STORE"
)


def _set_up(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """Readers do not wait for a writer, writers wait for each other, and what is deleted is overwritten."""
    connection.cursor().execute(f"PRAGMA busy_timeout={WAIT_SECONDS * 1000}")
    write_ahead.keep_log(connection, WAIT_SECONDS)
    for pragma in ("foreign_keys=ON", "secure_delete=ON"):
        connection.cursor().execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """Who will write waits for the others here: a transaction that starts to write later may be refused."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _told(engine: Engine) -> Iterator[None]:
    """A block whose database errors are told in our words."""
    place = _told_place(engine.url)
    try:
        yield
    except IntegrityError as error:
        raise StoreError(
            f"the score store {place} refused a row ({_reason(error)}); expected rows of a run that was begun, by a "
            "model that the store was told of: begin the run first, and tell it of the model of each bridge"
        ) from error
    except SQLAlchemyError as error:
        raise StoreError(
            f"the score store {place} cannot be used ({_reason(error)}); expected a database of its own that can be "
            "reached and written: see CLOUT_STORE, then try again"
        ) from error


def _reason(error: SQLAlchemyError) -> str:
    """What the database said, without its further lines, which hold rows; raises our own error when it is one."""
    reason = getattr(error, "orig", None) or error
    if isinstance(reason, StoreError):
        raise reason from None
    return str(reason).strip().split("\n")[0]


def _upgrade(engine: Engine) -> None:
    """Nothing; every step that was missing has been taken, all or none."""
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    with reading(engine) as connection:
        if _version(connection) == head:
            return
    with _ALEMBIC, writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_UPGRADING})"))
        _check_known(connection, _version(connection))
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["configured"] = {"connection": connection, "version_table": VERSION_TABLE}
        command.upgrade(config, "head")


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def _check_known(connection: Connection, version: str | None) -> None:
    place = _told_place(connection.engine.url)
    known = [step.revision for step in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]
    if version is None and (others := inspect(connection).get_table_names()):
        raise StoreError(
            f"got {place}, which holds tables of another program ({', '.join(sorted(others)[:3])}); expected an empty "
            "database or a score store: set CLOUT_STORE to a database of its own"
        )
    if version is not None and version not in known:
        raise StoreError(
            f"the score store {place} is at version {version}; expected {known[0]} or older: a newer Clout has "
            "made it so; use that one, or set CLOUT_STORE to another store"
        )
