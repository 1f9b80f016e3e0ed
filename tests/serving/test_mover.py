"""Rows go from the inbox to the lake once, whatever breaks off on the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Event, Thread
from time import monotonic

import filelock
import pytest
from ingest_rows import NOW, action, count, post

from clout.data.arrivals import judged
from clout.data.erasure import ASKED, erase
from clout.data.lake import Lake
from clout.data.tombstones import Tombstones
from clout.serving.ingest import mover as movers
from clout.serving.ingest.inbox import Inbox
from clout.serving.ingest.intake import erase_waiting
from clout.serving.ingest.mover import LOCK, Mover


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def lake(home: Path) -> Lake:
    return Lake(home / "lake")


@pytest.fixture
def inbox(home: Path) -> Iterator[Inbox]:
    opened = Inbox(home)
    yield opened
    opened.close()


@pytest.fixture
def mover(inbox: Inbox, home: Path) -> Mover:
    return Mover(inbox, str(home / "lake"), lambda: NOW)


def put(inbox: Inbox, table: str, *rows: dict[str, object]) -> None:
    arrivals = judged(table, rows, NOW, Tombstones())
    inbox.add(table, [(arrival.key, arrival.content) for arrival in arrivals])


def test_rows_of_all_tables_are_moved_together(inbox: Inbox, mover: Mover, lake: Lake) -> None:
    put(inbox, "posts", post(1), post(2, text="Grüße\n\u0000"))
    put(inbox, "actions", action(1))
    put(inbox, "counts", count(1))
    assert mover.move() == 4
    assert (inbox.count(), mover.move()) == (0, 0)
    [receipt] = lake.receipts()
    assert (receipt.source, receipt.rows) == ("http", {"posts": 2, "actions": 1, "counts": 1})
    assert lake.read("posts")["text"].to_list() == ["text 1", "Grüße\n\u0000"]
    assert lake.read("counts")["happened_at"].to_list() == [datetime(2026, 3, 1, tzinfo=UTC)]


def test_many_rows_are_moved_in_parts(inbox: Inbox, mover: Mover, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movers, "BATCH", 2)
    put(inbox, "posts", *(post(number) for number in range(5)))
    assert mover.move() == 5
    assert [receipt.rows["posts"] for receipt in lake.receipts()] == [2, 2, 1]


@pytest.mark.parametrize("later", [0, 1])
def test_broken_off_before_the_inbox_knows_rows_are_not_moved_twice(
    inbox: Inbox, mover: Mover, lake: Lake, monkeypatch: pytest.MonkeyPatch, later: int
) -> None:
    put(inbox, "posts", post(1), post(2))

    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(inbox, "remove", broken)
        with pytest.raises(KeyboardInterrupt):
            mover.move()
    put(inbox, "posts", *(post(number) for number in range(3, 3 + later)))
    assert mover.move() == 2 + later
    assert lake.read("posts")["post"].to_list() == ["f/1", "f/2", "f/3"][: 2 + later]


def test_one_moves_at_a_time(inbox: Inbox, mover: Mover, home: Path) -> None:
    put(inbox, "posts", post(1))
    with filelock.FileLock(home / LOCK):
        assert mover.move() == 0
    assert mover.move() == 1


def test_a_lake_that_cannot_be_written_leaves_rows_where_they_are(
    inbox: Inbox, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(inbox, "posts", post(1))
    (home / "lake").touch()
    mover, stop = Mover(inbox, str(home / "lake"), lambda: NOW), Event()
    follower = Thread(target=mover.run, args=(stop,), daemon=True)
    follower.start()
    give_up = monotonic() + 30
    while "rows wait in the inbox: cannot read the lake" not in caplog.text:
        assert follower.is_alive()
        assert monotonic() < give_up, caplog.text
        stop.wait(0.01)
    (home / "lake").unlink()
    while inbox.count():
        assert monotonic() < give_up, caplog.text
        mover.wake.set()
        stop.wait(0.01)
    stop.set()
    mover.wake.set()
    follower.join()
    assert Lake(home / "lake").read("posts").height == 1


def test_what_the_lake_has_otherwise_is_refused_there_and_waits_no_more(inbox: Inbox, mover: Mover, lake: Lake) -> None:
    put(inbox, "posts", post(1))
    mover.move()
    inbox.close()
    inbox.file.unlink()
    put(inbox, "posts", post(1, text="something else"), post(2))
    assert mover.move() == 2
    assert lake.read("posts")["text"].to_list() == ["text 1", "text 2"]
    assert lake.rejects().collect()["reason"].to_list() == ["conflicting_duplicate"]


def test_who_is_forgotten_meanwhile_does_not_come_into_the_lake(inbox: Inbox, mover: Mover, lake: Lake) -> None:
    put(inbox, "posts", post(1), post(2, account="f/ben"))
    erase(lake, ["f/ann"], ASKED, date(2026, 3, 2))
    mover.move()
    assert lake.read("posts")["account"].to_list() == ["f/ben"]
    assert inbox.count() == 0


def test_who_is_forgotten_does_not_wait_in_the_inbox(inbox: Inbox, lake: Lake, home: Path) -> None:
    assert erase_waiting(home, lake.tombstones()) == 0
    assert not inbox.file.exists()
    put(inbox, "posts", post(1), post(2, account="f/ben"))
    put(inbox, "actions", action(1, account="f/cyd", actor="f/ann"), action(2, account="f/cyd"))
    erase(lake, ["f/ann"], ASKED, date(2026, 3, 2))
    assert erase_waiting(home, lake.tombstones()) == 2
    assert [row.key for row in inbox.all()] == ['["f/2"]', '["f/a2"]']
    assert b"f/ann" not in b"".join(file.read_bytes() for file in home.glob("inbox.db*"))


def test_where_nothing_came_in_nothing_is_made(mover: Mover, home: Path) -> None:
    assert mover.move() == 0
    assert not home.exists()
