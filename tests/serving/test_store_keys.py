"""Keys are kept beside the scores, as they were made; revoking is for good."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from score_store import day, record, run
from sqlalchemy import text

from clout.serving.edge.keys import Key
from clout.serving.store import engine
from clout.serving.store.engine import open_engine, reading, writing
from clout.serving.store.rows import StoreError
from clout.serving.store.scores import Store

KEY = Key("aa", "the app", ("read", "score"), "0" * 64, day(0))


def test_a_key_comes_back_as_it_was(store: Store) -> None:
    later = Key("ab", "Zoë's", ("admin",), "1" * 64, day(1), day(30))
    store.keys.add(later)
    store.keys.add(KEY)
    assert store.keys.all() == (KEY, later)


def test_two_keys_of_one_id_are_refused(store: Store) -> None:
    store.keys.add(KEY)
    with pytest.raises(StoreError, match="refused a row"):
        store.keys.add(replace(KEY, digest="1" * 64))
    assert store.keys.all() == (KEY,)


def test_revoking_is_for_good(store: Store) -> None:
    store.keys.add(KEY)
    other = replace(KEY, id="ab")
    store.keys.add(other)
    revoked = replace(KEY, revoked_at=day(2))
    assert store.keys.revoke("aa", day(2)) == revoked
    assert store.keys.revoke("aa", day(5)) == revoked
    assert store.keys.all() == (revoked, other)
    assert store.keys.revoke("zz", day(2)) is None


def copied(file: Path) -> tuple[Key, ...]:
    """The keys in a copy of the store's file, and of nothing beside it."""
    copy = file.with_name("copy.db")
    shutil.copyfile(file, copy)
    with Store.open(f"sqlite:///{copy}") as opened:
        return opened.keys.all()


def test_a_copy_of_the_file_alone_has_every_key_and_revocation(tmp_path: Path) -> None:
    file = tmp_path / "scores.db"
    with Store.open(f"sqlite:///{file}") as store, Store.open(f"sqlite:///{file}") as service:
        assert service.keys.all() == ()
        store.keys.add(KEY)
        assert copied(file) == (KEY,)
        store.keys.revoke("aa", day(2))
        assert copied(file) == (replace(KEY, revoked_at=day(2)),)


def test_a_key_is_kept_while_others_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "SETTLE_SECONDS", 0)
    url = f"sqlite:///{tmp_path / 'scores.db'}"
    with Store.open(url) as store:
        other = open_engine(url)
        with reading(other) as connection:
            connection.execute(text("SELECT * FROM keys")).all()
            store.keys.add(KEY)
        other.dispose()
        assert store.keys.all() == (KEY,)


def test_a_store_from_before_there_were_keys_keeps_its_scores(store: Store, store_url: str) -> None:
    store.write(store.begin(run(0)), [record(0)])
    before = open_engine(store_url)
    with writing(before) as connection:
        for table in ("keys", "feedback", "usual", "live_runs"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("UPDATE store_version SET version_num = '0001'"))
    before.dispose()
    with Store.open(store_url) as again:
        again.keys.add(KEY)
        assert again.keys.all() == (KEY,)
        assert again.latest("x/1") == record(0)
