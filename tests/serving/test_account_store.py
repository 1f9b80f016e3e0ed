"""The store as a service has it: opened late, tried again, its runs kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest
from score_store import day, record, run
from small_bundle import contract

from clout.serving.accounts import kept as account_store
from clout.serving.accounts.kept import FEWEST, NO_STORE, NOWHERE, AccountStore
from clout.serving.store.rows import Judge, StoreError
from clout.serving.store.scores import Store


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'home' / 'scores.db'}"


@pytest.fixture
def kept(url: str) -> Iterator[AccountStore]:
    """A store that knows the model `a`, which is small."""
    store = AccountStore(lambda: url)
    store.open().remember(Judge("a", "scale-a", contract().model_dump_json(), '{"text_characters": null}'))
    yield store
    store.open().close()


def test_it_is_opened_when_it_is_asked_for(url: str, tmp_path: Path) -> None:
    store = AccountStore(lambda: url)
    assert not (tmp_path / "home").exists()
    assert store.state() == "ok"
    assert store.open() is store.open()
    assert (tmp_path / "home" / "scores.db").exists()


def test_where_there_is_none() -> None:
    assert NOWHERE.state() == NO_STORE
    with pytest.raises(StoreError, match="expected one that"):
        NOWHERE.open()


def test_what_cannot_be_opened_is_tried_again_but_not_at_once(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(account_store, "monotonic", lambda: clock[0])
    (tmp_path / "home").write_text("a file where a folder should be")
    store = AccountStore(lambda: url)
    for _ in range(2):
        with pytest.raises(StoreError, match="cannot make the file"):
            store.open()
    (tmp_path / "home").unlink()
    clock[0] += account_store.RETRY_SECONDS - 0.1
    with pytest.raises(StoreError, match="cannot make the file"):
        store.open()
    clock[0] += 0.1
    assert store.state() == "ok"


def moved_into_place(place: Path) -> None:
    """A store that knows the model `b` alone is put where another was."""
    beside = place.with_name("beside.db")
    with Store.open(f"sqlite:///{beside}") as other:
        other.remember(Judge("b", "scale-b", contract().model_dump_json(), "{}"))
    for log in ("-wal", "-shm"):
        place.with_name(place.name + log).unlink(missing_ok=True)
    beside.rename(place)


def test_a_file_that_was_replaced_is_opened_anew(
    kept: AccountStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [monotonic()]
    monkeypatch.setattr(account_store, "monotonic", lambda: clock[0])
    before = kept.open()
    assert kept.words("a")
    moved_into_place(tmp_path / "home" / "scores.db")
    assert kept.open() is before
    clock[0] += account_store.LOOK_SECONDS
    after = kept.open()
    assert (after.judge("a"), after.judge("b") is not None) == (None, True)
    with pytest.raises(StoreError, match="does not hold the words of the model a"):
        kept.words("a")
    clock[0] += account_store.LOOK_SECONDS
    assert kept.open() is after


def test_a_file_that_is_gone_is_told_and_not_made_again(
    kept: AccountStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [monotonic()]
    monkeypatch.setattr(account_store, "monotonic", lambda: clock[0])
    file = tmp_path / "home" / "scores.db"
    kept.open()
    file.unlink()
    for _ in range(2):
        clock[0] += account_store.RETRY_SECONDS
        with pytest.raises(StoreError, match="the file of the score store is gone; expected it where it was"):
            kept.open()
    assert not file.exists()
    moved_into_place(file)
    clock[0] += account_store.RETRY_SECONDS
    assert kept.open().judge("b")


def test_a_store_that_cannot_be_reached_says_why() -> None:
    store = AccountStore(lambda: "postgresql://clout:secret@127.0.0.1:1/scores")
    assert "cannot be used" in store.state()
    assert "secret" not in store.state()


def test_a_place_is_told_when_the_run_is_finished(kept: AccountStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_store, "FEWEST", 2)
    store = kept.open()
    begun = store.begin(run(0))
    rows = [
        record(0, f"x/{number}", float(number), size_group="odd" if number % 2 else "even") for number in (10, 11, 12)
    ]
    store.write(begun, [*rows, record(0, "x/none", None), record(0, "y/1", 5.0)])
    assert kept.places(rows[1]) == (None, None)
    finished = store.finish(begun, day(0))
    network, group = zip(*(kept.places(row) for row in rows), strict=True)
    assert network == pytest.approx([0, 100 / 3, 200 / 3])
    assert group == (0, None, 50)
    assert kept.places(replace(rows[2], size_group=None)) == (network[2], None)
    assert kept.places(record(0, "x/none", None)) == (None, None)
    store.forget("x/10")
    assert kept.scores(finished, "x").tolist() == [10, 11, 12]
    kept.forget_places()
    assert kept.scores(finished, "x").tolist() == [11, 12]


def test_there_is_no_place_among_a_few(kept: AccountStore) -> None:
    store = kept.open()
    begun = store.begin(run(0))
    store.write(
        begun,
        [
            record(0, f"{network}/{number}", 30.0)
            for network, few in (("x", 0), ("y", 1))
            for number in range(FEWEST - few)
        ],
    )
    store.finish(begun, day(0))
    assert kept.places(record(0, "x/1", 40.0)) == (100, 100)
    assert kept.places(record(0, "y/1", 40.0)) == (None, None)


def test_a_run_that_went_on_is_read_again(kept: AccountStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_store, "FEWEST", 1)
    store = kept.open()
    begun = store.begin(run(0))
    store.write(begun, [record(0, "x/1", 20.0)])
    store.finish(begun, day(0))
    assert kept.places(record(0, "x/1", 20.0))[0] == 0
    store.write(begun, [record(0, "x/2", 10.0)])
    store.finish(begun, day(1))
    assert kept.places(record(0, "x/1", 20.0))[0] == 50


def test_words_are_those_the_store_remembers(kept: AccountStore) -> None:
    words = kept.words("a")
    assert words.contract.names == (*contract().names, "outcome_beyond_model_365d")
    assert words.quantiles == {"text_characters": None}
    assert kept.words("a") is words
    with pytest.raises(StoreError, match="does not hold the words of the model b"):
        kept.words("b")


def test_a_run_of_another_model_is_another(kept: AccountStore) -> None:
    row = replace(record(0), model_version="b")
    assert kept.places(row) == (None, None)


def test_a_closed_store_has_all_in_its_file(tmp_path: Path) -> None:
    file = tmp_path / "scores.db"
    store = AccountStore(lambda: f"sqlite:///{file}")
    store.open().remember(Judge("a", "scale-a", "{}", "{}"))
    with Store.open(f"sqlite:///{file}") as other:
        assert other.judge("b") is None
        store.close()
        assert file.with_name("scores.db-wal").stat().st_size == 0
    assert store.open().judge("a") is not None
    store.close()
    store.close()
