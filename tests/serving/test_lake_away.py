"""Rows wait in the inbox while the lake that they belong to is away; a new one is not begun in its place."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from threading import Event, Thread

import fsspec
import pytest
from ingest_rows import NOW, post

from clout.data.arrivals import frame, judged
from clout.data.erasure import ASKED, erase
from clout.data.lake import Lake
from clout.data.tombstones import Tombstones
from clout.serving.ingest import mover as movers
from clout.serving.ingest.inbox import Inbox
from clout.serving.ingest.mover import Mover

AWAY = "is away or another: it lacks the batch"
REMOTE = "memory://away/lake"


@pytest.fixture(params=["folder", "URL"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    yield str(tmp_path / "home" / "lake") if request.param == "folder" else REMOTE
    files = fsspec.filesystem("memory")
    if files.exists("/away"):
        files.rm("/away", recursive=True)


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    opened = Inbox(tmp_path / "home")
    yield opened
    opened.close()


def put(inbox: Inbox, *numbers: int, **more: object) -> None:
    rows = judged("posts", [post(number, **more) for number in numbers], NOW, Tombstones())
    inbox.add("posts", [(row.key, row.content) for row in rows])


def move(inbox: Inbox, place: str) -> int:
    return Mover(inbox, place, lambda: NOW).move()


def carry(place: str, to: str) -> None:
    files, root = fsspec.core.url_to_fs(place)
    files.mv(root, fsspec.core.url_to_fs(to)[1], recursive=True)


def is_there(place: str) -> bool:
    files, root = fsspec.core.url_to_fs(place)
    return bool(files.exists(root))


def test_rows_wait_while_the_lake_is_away(inbox: Inbox, place: str, tmp_path: Path) -> None:
    put(inbox, 1)
    move(inbox, place)
    carry(place, f"{place}-elsewhere")
    put(inbox, 2)
    for _ in range(2):
        with pytest.raises(movers.LakeError, match=AWAY):
            move(inbox, place)
    inbox.close()
    again = Inbox(tmp_path / "home")
    with pytest.raises(movers.LakeError, match=AWAY):
        move(again, place)
    assert not is_there(place)
    carry(f"{place}-elsewhere", place)
    assert move(again, place) == 1
    again.close()
    assert Lake(place).read("posts")["post"].to_list() == ["f/1", "f/2"]


def test_an_older_or_another_lake_in_its_place_gets_no_rows(inbox: Inbox, place: str) -> None:
    put(inbox, 1)
    move(inbox, place)
    files, root = fsspec.core.url_to_fs(place)
    files.cp(root, f"{root}-older", recursive=True)
    put(inbox, 2)
    move(inbox, place)
    files.mv(root, f"{root}-newest", recursive=True)
    files.mv(f"{root}-older", root, recursive=True)
    put(inbox, 3)
    with pytest.raises(movers.LakeError, match=AWAY):
        move(inbox, place)
    assert inbox.count() == 1


def test_a_lake_that_somebody_was_erased_from_is_the_same(inbox: Inbox, place: str) -> None:
    put(inbox, 1)
    move(inbox, place)
    erase(Lake(place), ["f/ann"], ASKED, date(2026, 3, 2))
    put(inbox, 2, account="f/ben")
    assert move(inbox, place) == 1
    assert Lake(place).read("posts")["account"].to_list() == ["f/ben"]


def test_a_lake_that_files_filled_is_known_before_the_first_row_comes(inbox: Inbox, place: str) -> None:
    Lake(place).append(
        {"posts": frame("posts", [judged("posts", [post(1)], NOW, Tombstones())[0].content])}, source="x"
    )
    Mover(inbox, place, lambda: NOW).look()
    carry(place, f"{place}-elsewhere")
    put(inbox, 2)
    with pytest.raises(movers.LakeError, match=AWAY):
        move(inbox, place)


def test_where_there_is_no_lake_looking_makes_nothing(inbox: Inbox, place: str) -> None:
    Mover(inbox, place, lambda: NOW).look()
    assert not inbox.file.exists()
    assert not is_there(place)


def test_a_lake_that_goes_away_meanwhile_takes_no_row_with_it(
    inbox: Inbox, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(inbox, 1)
    move(inbox, place)
    put(inbox, 2)
    append = Lake.append

    def late(lake: Lake, *given: object, **named: object) -> object:
        carry(place, f"{place}-elsewhere")
        return append(lake, *given, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "append", late)
        with pytest.raises(movers.LakeError, match=AWAY):
            move(inbox, place)
    assert [row.key for row in inbox.all()] == ['["f/2"]']


def test_the_log_says_once_that_rows_wait(
    inbox: Inbox, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = str(tmp_path / "home" / "lake")
    put(inbox, 1)
    move(inbox, place)
    carry(place, f"{place}-elsewhere")
    put(inbox, 2)
    monkeypatch.setattr(movers, "MOVE_SECONDS", 0.01)
    monkeypatch.setattr(movers, "MOVE_SHARE", 0.0)
    mover, stop = Mover(inbox, place, lambda: NOW), Event()
    follower = Thread(target=mover.run, args=(stop,))
    follower.start()
    stop.wait(0.5)
    assert caplog.text.count(AWAY) == 1
    carry(f"{place}-elsewhere", place)
    while inbox.count():
        assert follower.is_alive()
        stop.wait(0.01)
    stop.set()
    follower.join()
    assert Lake(place).read("posts").height == 2


def test_what_the_document_says_lets_a_new_lake_begin(inbox: Inbox, tmp_path: Path, root: Path) -> None:
    place = str(tmp_path / "home" / "lake")
    put(inbox, 1)
    move(inbox, place)
    carry(place, f"{place}-elsewhere")
    put(inbox, 2)
    [statements] = re.findall(r"```sql\n(.*?)```", (root / "docs" / "ingest-api.md").read_text(), re.DOTALL)
    inbox.close()
    with sqlite3.connect(inbox.file) as connection:
        connection.executescript(statements)
    connection.close()
    put(inbox, 1)
    assert move(inbox, place) == 2
    assert sorted(Lake(place).read("posts")["post"]) == ["f/1", "f/2"]
