"""What the inbox has taken is there for whoever opens it next; what it could not take, it has nothing of."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clout.serving.ingest import inbox as inboxes
from clout.serving.ingest.inbox import Inbox, InboxError

NOW = datetime(2026, 3, 2, tzinfo=UTC)
A, B = ('["f/a"]', '{"post": "f/a"}'), ('["f/b"]', '{"post": "f/b"}')


NEW_INBOXES = """
import os, sys, time
from pathlib import Path
from clout.serving.ingest.inbox import Inbox

def opens(inbox, at):
    while time.time() < at:
        pass
    try:
        inbox.add("posts", [("a", "b")])
    except BaseException:
        os._exit(1)
    os._exit(0)

for number in range(60):
    at = time.time() + 0.01
    children = [os.fork() or opens(Inbox(Path(sys.argv[1]) / str(number)), at) for _ in range(6)]
    if any([os.waitpid(child, 0)[1] for child in children]):
        sys.exit("one was refused")
"""


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    opened = Inbox(tmp_path / "home")
    yield opened
    opened.close()


def contents(home: Path) -> list[str]:
    """What somebody else finds there."""
    other = Inbox(home)
    found = [row.content for row in other.all()]
    other.close()
    return found


def test_what_was_taken_is_there_for_others(inbox: Inbox, tmp_path: Path) -> None:
    assert inbox.add("posts", [A, B]) == ["accepted", "accepted"]
    assert contents(tmp_path / "home") == [A[1], B[1]]
    assert inbox.count() == 2
    assert [row.number for row in inbox.first(1)] == [1]


def test_a_row_is_taken_once(inbox: Inbox) -> None:
    other = (A[0], '{"post": "else"}')
    assert inbox.add("posts", [A, A, other, B]) == ["accepted", "duplicate", "conflict", "accepted"]
    assert inbox.add("posts", [B, other, A]) == ["duplicate", "conflict", "duplicate"]
    assert inbox.add("counts", [A]) == ["accepted"]
    assert inbox.count() == 3


def test_what_was_moved_is_recognised_for_a_week(inbox: Inbox) -> None:
    inbox.add("posts", [A, B])
    inbox.remove(inbox.first(1), NOW)
    assert (inbox.count(), inbox.add("posts", [A])) == (1, ["duplicate"])
    inbox.remove([], NOW + timedelta(days=6, hours=23))
    assert inbox.add("posts", [A]) == ["duplicate"]
    inbox.remove([], NOW + timedelta(days=7, seconds=1))
    assert inbox.add("posts", [A, B]) == ["accepted", "duplicate"]


def test_nothing_that_was_removed_or_erased_is_left_in_the_files(inbox: Inbox, tmp_path: Path) -> None:
    def held() -> bytes:
        return b"".join(file.read_bytes() for file in sorted((tmp_path / "home").glob("inbox.db*")))

    inbox.add("posts", [A, B, ('["f/c"]', '{"post": "f/c"}')])
    assert b"f/a" in held()
    inbox.remove(inbox.first(1), NOW)
    assert b"f/a" not in held()
    inbox.erase(inbox.first(1))
    assert b"f/b" not in held()
    assert b"f/c" in held()
    assert inbox.add("posts", [A, B]) == ["duplicate", "accepted"]


def test_a_full_inbox_takes_nothing_of_a_request(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inboxes, "MOST_WAITING", 2)
    inbox.add("posts", [A])
    with pytest.raises(InboxError, match="1 rows wait to be moved to the lake; expected 2 at most"):
        inbox.add("posts", [B, ('["f/c"]', "{}")])
    assert inbox.count() == 1
    assert inbox.add("posts", [B]) == ["accepted"]
    inbox.remove(inbox.all(), NOW)
    assert inbox.add("counts", [A]) == ["accepted"]


def test_a_full_disk_takes_nothing_of_a_request(inbox: Inbox, tmp_path: Path) -> None:
    inbox.add("posts", [A])
    assert inbox._connection
    [pages] = inbox._connection.execute("PRAGMA page_count").fetchone()
    inbox._connection.execute(f"PRAGMA max_page_count={pages}")
    many = [(f'["f/{number}"]', "x" * 1000) for number in range(100)]
    with pytest.raises(InboxError, match=r"inbox\.db cannot be used \(database or disk is full\); expected room"):
        inbox.add("posts", [B, *many])
    assert contents(tmp_path / "home") == [A[1]]
    inbox._connection.execute("PRAGMA max_page_count=1000000")
    assert set(inbox.add("posts", [B, *many])) == {"accepted"}


def test_what_cannot_be_an_inbox_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InboxError, match="cannot be used"):
        Inbox(tmp_path / "file").add("posts", [A])
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "inbox.db").write_text("no database, but long enough to be looked at as one " * 40)
    broken = Inbox(tmp_path / "home")
    for _ in range(2):
        with pytest.raises(InboxError, match="file is not a database"):
            broken.add("posts", [A])


def test_it_is_on_the_disk_before_the_answer(inbox: Inbox) -> None:
    inbox.count()
    assert inbox._connection
    names = ("journal_mode", "synchronous", "secure_delete")
    assert [inbox._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names] == ["wal", 2, 1]


def test_threads_and_processes_share_it(inbox: Inbox, tmp_path: Path) -> None:
    program = (
        "import sys, json; from pathlib import Path; from clout.serving.ingest.inbox import Inbox\n"
        "inbox = Inbox(Path(sys.argv[1]))\n"
        "print(json.dumps([inbox.add('posts', [(str(n), 'x')])[0] for n in range(30)]))"
    )
    home = tmp_path / "home"
    others = [subprocess.Popen([sys.executable, "-c", program, home], stdout=subprocess.PIPE) for _ in range(2)]
    with ThreadPoolExecutor(4) as threads:
        mine = list(threads.map(lambda number: inbox.add("posts", [(str(number % 30), "x")])[0], range(60)))
    theirs = [outcome for other in others for outcome in json.loads(other.communicate()[0])]
    assert (mine + theirs).count("accepted") == 30
    assert set(mine + theirs) == {"accepted", "duplicate"}
    assert inbox.count() == 30


def test_processes_that_open_a_new_one_at_once_all_may(tmp_path: Path) -> None:
    """As workers do that a service has just started."""
    ended = subprocess.run(
        [sys.executable, "-c", NEW_INBOXES, str(tmp_path)], capture_output=True, text=True, check=False, timeout=120
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_what_breaks_on_the_way_leaves_nothing(inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = inbox._add

    def broken(connection: sqlite3.Connection, table: str, key: str, content: str) -> str:
        if key == B[0]:
            raise sqlite3.OperationalError("disk I/O error")
        return whole(connection, table, key, content)

    monkeypatch.setattr(inbox, "_add", broken)
    with pytest.raises(InboxError, match="disk I/O error"):
        inbox.add("posts", [A, B])
    assert contents(tmp_path / "home") == []
    monkeypatch.undo()
    assert inbox.add("posts", [A, B]) == ["accepted", "accepted"]
