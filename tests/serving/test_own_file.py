"""What is nobody else's business is in files that only their owner may read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from stat import S_IMODE

import pytest
from score_store import day

from clout.serving.edge.keys import Key
from clout.serving.edge.request_log import AUDIT, audit_log
from clout.serving.ingest.inbox import Inbox
from clout.serving.store.scores import Store


@pytest.fixture(autouse=True)
def everybody_may_read() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def store(home: Path) -> dict[str, int]:
    with Store.open(f"sqlite:///{home / 'scores.db'}") as opened:
        opened.keys.add(Key("aa", "app", ("read",), "0" * 64, day(0)))
        return modes(home)


def inbox(home: Path) -> dict[str, int]:
    opened = Inbox(home)
    opened.add("posts", [("1", "{}")])
    told = modes(home)
    opened.close()
    return told


def requests(home: Path) -> dict[str, int]:
    log = audit_log(home)
    log.info("", extra={"told": {}})
    log.handlers[0].close()
    return modes(home)


def modes(home: Path) -> dict[str, int]:
    return {file.name: S_IMODE(file.stat().st_mode) for file in home.iterdir()}


@pytest.mark.parametrize(("write", "name"), [(store, "scores.db"), (inbox, "inbox.db"), (requests, AUDIT)])
def test_it_is_made_for_its_owner_and_one_that_is_there_stays_as_it_is(
    tmp_path: Path, write: Callable[[Path], dict[str, int]], name: str
) -> None:
    made = write(tmp_path / "new")
    assert name in made
    assert set(made.values()) == {0o600}
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / name).touch(0o640)
    assert set(write(tmp_path / "old").values()) == {0o640}
