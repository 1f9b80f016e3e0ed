"""A PostgreSQL server that hangs is given up soon, and not asked by everybody."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from sqlalchemy import make_url, text

from clout.serving.accounts.kept import AccountStore
from clout.serving.store.engine import open_engine, reading
from clout.serving.store.reach import RETRY_SECONDS, Reach, times
from clout.serving.store.rows import StoreError


class Way:
    """A way to a server that may be broken, its clock, and how often somebody tried it."""

    def __init__(self) -> None:
        self.broken, self.tries, self.seconds = True, 0, 0.0
        self.reach = Reach(self.go, lambda: self.seconds)

    def go(self) -> str:
        """A connection, unless the server is broken."""
        self.tries += 1
        if self.broken:
            raise ConnectionError("silent")
        return "connected"

    def connect(self) -> Any:  # noqa: ANN401
        """What the reach gives."""
        return self.reach(None, None, [], {})


@pytest.fixture
def hanging() -> Iterator[str]:
    """The URL of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"postgresql://clout@127.0.0.1:{server.getsockname()[1]}/scores"


def test_a_server_that_never_answers_is_given_up_once_for_all(hanging: str) -> None:
    store = AccountStore(lambda: hanging)
    with ThreadPoolExecutor(16) as threads:
        told = set(threads.map(lambda _: store.state(), range(64)))
    assert len(told) == 1
    assert "connection timeout expired" in told.pop()


def test_while_one_opens_a_store_that_was_refused_the_others_are_told_at_once() -> None:
    begun, done = Event(), Event()
    urls: Iterator[str | None] = iter(["scores.db"])

    def url() -> str | None:
        for first in urls:
            return first
        begun.set()
        done.wait(10)
        return None

    store = AccountStore(url)
    assert "cannot read the URL" in store.state()
    store._refused = (float("-inf"), StoreError("refused before"))
    with ThreadPoolExecutor(1) as threads:
        trying = threads.submit(store.state)
        begun.wait(10)
        assert store.state() == "refused before"
        assert not trying.done()
        done.set()
        assert "there is no store of scores here" in trying.result()


def test_after_a_failure_nobody_tries_for_a_while() -> None:
    way = Way()
    for _ in range(3):
        with pytest.raises(ConnectionError, match="silent"):
            way.connect()
    assert way.tries == 1
    way.broken, way.seconds = False, RETRY_SECONDS
    assert [way.connect() for _ in range(3)] == ["connected"] * 3
    assert way.tries == 4


def test_then_one_tries_and_the_others_fail_at_once() -> None:
    way, begun, done = Way(), Event(), Event()
    with pytest.raises(ConnectionError):
        way.connect()
    way.broken, way.seconds, plain = False, RETRY_SECONDS, way.go

    def slow() -> str:
        begun.set()
        done.wait(10)
        return plain()

    way.reach._connect = slow
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(way.connect)
        begun.wait(10)
        with pytest.raises(ConnectionError, match="silent"):
            way.connect()
        assert not first.done()
        done.set()
        assert first.result() == "connected"


def test_what_the_url_says_itself_holds() -> None:
    assert times(make_url("postgresql://host/name")) == {"connect_timeout": 2, "tcp_user_timeout": 5000}
    assert times(make_url("postgresql://host/name?connect_timeout=9")) == {"tcp_user_timeout": 5000}


def test_a_server_that_falls_silent_is_given_up_and_asked_again(postgresql: Callable[[], str]) -> None:
    engine = open_engine(postgresql(), 0.5)
    with pytest.raises(StoreError, match="wait timeout expired"), reading(engine) as connection:
        connection.execute(text("SELECT pg_sleep(60)"))
    with reading(engine) as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    engine.dispose()
