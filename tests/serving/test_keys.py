"""A key opens what it may for as long as it holds; a service knows what became of it within seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from time import monotonic, sleep

import pytest

from clout.serving.edge import keys
from clout.serving.edge.keys import HELD_SECONDS, KEPT_SECONDS, Key, KeyRing, NoKeyError
from clout.serving.problems import ProblemError
from clout.serving.store.rows import StoreError

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SECRET = "s3_cr-et"  # noqa: S105
TEXT = keys.written("aa", SECRET)
KEY = Key("aa", "app", ("read", "score"), keys.digest(SECRET), NOW)


class Shelf:
    """Keys that a ring reads, and the clock it goes by."""

    def __init__(self, *known: Key) -> None:
        self.known, self.reads, self.seconds, self.broken = known, 0, 0.0, False
        self.ring = KeyRing(self.read, lambda: NOW, lambda: self.seconds)

    def read(self) -> tuple[Key, ...]:
        """The keys, unless the store is broken."""
        self.reads += 1
        if self.broken:
            raise StoreError("gone")
        return self.known

    def find(self, given: str = TEXT) -> Key:
        """The key that the ring finds."""
        return asyncio.run(self.ring.find(given))


def until(true: Callable[[], bool]) -> None:
    """Nothing, as soon as something is true."""
    give_up = monotonic() + 10
    while not true():
        assert monotonic() < give_up
        sleep(0.001)


def test_a_key_is_found() -> None:
    shelf = Shelf(replace(KEY, id="bb"), KEY)
    assert shelf.find() == KEY


@pytest.mark.parametrize(
    "given",
    [
        "",
        "x",
        "clout",
        "clout_aa",
        "clout_aa_",
        f"clout_aa_{SECRET}x",
        f"clout_bb_{SECRET}",
        f"klout_aa_{SECRET}",
        SECRET,
        f"clout_aa_{keys.digest(SECRET)}",
        "clout__",
        "é",
    ],
)
def test_what_is_no_key_is_refused(given: str) -> None:
    with pytest.raises(
        ProblemError, match="got a key that there is not; expected one that `clout keys create`"
    ) as raised:
        Shelf(KEY).find(given)
    assert raised.value.kind.status == 401
    assert raised.value.headers == {"WWW-Authenticate": 'Bearer realm="clout", error="invalid_token"'}
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"revoked_at": NOW - timedelta(1)}, "revoked"),
        ({"expires_at": NOW}, "expired"),
        ({"expires_at": NOW - timedelta(1), "revoked_at": NOW}, "revoked"),
    ],
)
def test_a_key_that_does_not_hold_is_refused(changes: dict[str, datetime], told: str) -> None:
    with pytest.raises(ProblemError, match=f"got the key aa, which is {told}; expected"):
        Shelf(replace(KEY, **changes)).find()
    assert Shelf(replace(KEY, expires_at=NOW + timedelta(seconds=1))).find().id == "aa"


def test_the_store_is_read_every_few_seconds_and_not_for_each_request() -> None:
    shelf = Shelf(KEY)
    for _ in range(50):
        shelf.find()
    assert shelf.reads == 1
    shelf.seconds = KEPT_SECONDS
    shelf.find()
    assert shelf.reads == 2


def test_a_revoked_key_opens_nothing_within_five_seconds() -> None:
    shelf = Shelf(KEY)
    shelf.find()
    shelf.known, shelf.seconds = (replace(KEY, revoked_at=NOW),), 5.0
    with pytest.raises(ProblemError, match="which is revoked"):
        shelf.find()


def test_without_the_store_known_keys_hold_for_a_while() -> None:
    shelf = Shelf(KEY)
    shelf.find()
    shelf.broken, shelf.seconds = True, HELD_SECONDS - 1
    assert shelf.find() == KEY
    shelf.seconds = HELD_SECONDS + KEPT_SECONDS
    with pytest.raises(StoreError, match="gone"):
        shelf.find()
    shelf.broken = False
    shelf.seconds += KEPT_SECONDS
    assert shelf.find() == KEY


def test_keys_that_nobody_has_used_yet_hold_too(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keys, "IDLE_SECONDS", 0.005)
    shelf, stop = Shelf(KEY), Event()
    follower = Thread(target=shelf.ring.follow, args=(stop,))
    follower.start()
    for broken, seconds in ((False, 10 * KEPT_SECONDS), (True, KEPT_SECONDS), (True, KEPT_SECONDS), (True, 0.0)):
        until(lambda: shelf.ring._looked == shelf.seconds)
        shelf.broken = broken
        shelf.seconds += seconds
    stop.set()
    follower.join()
    assert shelf.find() == KEY
    assert caplog.text.count("the keys known before hold for 60 s at most: gone") == 1


def test_what_a_broken_store_said_is_told_to_all_and_not_asked_for_each() -> None:
    shelf = Shelf(KEY)
    shelf.broken = True
    for _ in range(5):
        with pytest.raises(StoreError, match="gone"):
            shelf.find()
    assert shelf.reads == 1


def test_while_one_request_tries_the_others_are_refused() -> None:
    shelf, begun, done = Shelf(KEY), Event(), Event()
    shelf.broken = True
    with pytest.raises(StoreError, match="gone"):
        shelf.find()
    shelf.seconds, shelf.broken, plain = KEPT_SECONDS, False, shelf.read

    def slow() -> tuple[Key, ...]:
        begun.set()
        done.wait(10)
        return plain()

    shelf.ring._read = slow
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(shelf.find)
        begun.wait(10)
        with pytest.raises(StoreError, match="gone"):
            shelf.find()
        assert not first.done()
        done.set()
        assert first.result() == KEY


def test_while_one_request_reads_the_others_go_on() -> None:
    shelf, begun, done = Shelf(KEY), Event(), Event()
    shelf.find()
    shelf.seconds = KEPT_SECONDS
    plain = shelf.read

    def slow() -> tuple[Key, ...]:
        begun.set()
        done.wait(10)
        return plain()

    shelf.ring._read = slow
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(shelf.find)
        begun.wait(10)
        assert shelf.find() == KEY
        assert not first.done()
        done.set()
        assert first.result() == KEY


def test_scopes() -> None:
    admin = replace(KEY, scopes=("admin",))
    assert [KEY.allows(scope) for scope in keys.SCOPES] == [True, True, False, False]
    assert all(admin.allows(scope) for scope in keys.SCOPES)
    assert keys.checked_scopes(["score", "read", "score"]) == ("read", "score")
    for scopes, got in ((["write"], "the scope 'write'"), ([], "no scope")):
        with pytest.raises(NoKeyError, match=f"got {got}; expected one or more of read, score, ingest, admin"):
            keys.checked_scopes(scopes)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb"])
def test_a_key_is_somebodys(name: str) -> None:
    with pytest.raises(NoKeyError, match="as name of a key; expected up to 100 letters"):
        keys.checked_name(name)


@pytest.mark.parametrize("days", [0, -1, 1e9, float("nan"), float("inf")])
def test_a_key_holds_for_some_days(days: float) -> None:
    with pytest.raises(NoKeyError, match=r"expected more than 0 and at most 36,500"):
        keys.checked_days(days)


def test_what_is_told_of_a_key_does_not_open_anything() -> None:
    told = replace(KEY, expires_at=NOW).told(NOW)
    assert told == {
        "id": "aa",
        "name": "app",
        "scopes": ["read", "score"],
        "state": "expired",
        "created_at": "2026-03-01T00:00:00+00:00",
        "expires_at": "2026-03-01T00:00:00+00:00",
        "revoked_at": None,
    }
