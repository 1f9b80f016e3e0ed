"""The way to a PostgreSQL server that may be silent: nobody waits for it long, and no more than one at a time."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Any

from sqlalchemy import URL, Engine, event

# libpq knows no shorter time than 2 s. What was sent is to be received within the other, in milliseconds.
IN_TIME = {"connect_timeout": 2, "tcp_user_timeout": 5000}
RETRY_SECONDS = 3.0
ACTIVE = 1  # libpq's PQTRANS_ACTIVE: a command was sent, and its answer has not come


def times(place: URL) -> dict[str, int]:
    """How long a connection waits, but for what the URL says itself."""
    return {name: value for name, value in IN_TIME.items() if name not in place.query}


def guard(engine: Engine, patience: float | None) -> None:
    """Nothing; while the server behind `engine` cannot be reached, one at a time tries.

    A connection whose server is silent for `patience` seconds after a command is closed; None waits for ever.
    """
    event.listen(engine, "do_connect", Reach(engine.dialect.connect))
    if patience is not None:
        event.listen(engine, "connect", lambda connection, _: _hurry(connection, patience))


class Reach:
    """Connects by `connect`. After a failure the next try is made `RETRY_SECONDS` later, by one; others fail at once."""

    def __init__(self, connect: Callable[..., Any], clock: Callable[[], float] = monotonic) -> None:
        self._connect, self._clock = connect, clock
        self._trying = Lock()
        self._failed: tuple[float, Exception] | None = None

    def __call__(self, _dialect: object, _record: object, place: list[Any], options: dict[str, Any]) -> Any:  # noqa: ANN401
        """The connection; raises the driver's own error."""
        failed = self._failed
        if failed is None:
            return self._try(place, options)
        if self._clock() - failed[0] < RETRY_SECONDS or not self._trying.acquire(blocking=False):
            raise type(failed[1])(str(failed[1]))
        try:
            return self._try(place, options)
        finally:
            self._trying.release()

    def _try(self, place: list[Any], options: dict[str, Any]) -> Any:  # noqa: ANN401
        try:
            connection = self._connect(*place, **options)
        except Exception as error:
            self._failed = self._clock(), error
            raise
        self._failed = None
        return connection


def _hurry(connection: Any, patience: float) -> None:  # noqa: ANN401
    """Nothing; the connection waits no longer than so many seconds for the answer to a command, then it is closed."""
    wait = connection.wait

    def in_time(answering: Any, *given: Any, **named: Any) -> Any:  # noqa: ANN401
        try:
            return wait(answering, *given, **{"timeout": patience, **named})
        except Exception:
            if connection.pgconn.transaction_status == ACTIVE:
                connection.pgconn.finish()
            raise

    connection.wait = in_time
