"""A store is made, kept up to date and shared; what is not one is refused in words."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from score_store import day, record, run
from sqlalchemy import Engine, text

from clout.serving.store import engine as store_engine
from clout.serving.store.engine import VERSION_TABLE, open_engine, reading, writing
from clout.serving.store.rows import Judge, StoreError
from clout.serving.store.scores import Store
from clout.serving.store.tables import METADATA

OPENING = """
import os, sys, time
from sqlalchemy import Engine, event
from clout.serving.store.scores import Store

def opened():
    event.listen(Engine, "commit", lambda _: time.sleep(0.2))
    Store.open(sys.argv[1]).close()
    os._exit(0)

children = [os.fork() or opened() for _ in range(4)]
sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


NEW_FILES = """
import os, sqlite3, sys, time
from clout.serving.store import engine

def makes(file, at):
    while time.time() < at:
        pass
    made = sqlite3.connect(file)
    engine._set_up(made, None)
    made.execute("BEGIN IMMEDIATE")
    made.execute("CREATE TABLE IF NOT EXISTS t (a)")
    made.commit()
    os._exit(0)

for number in range(25):
    at = time.time() + 0.01
    children = [os.fork() or makes(f"{sys.argv[1]}/{number}.db", at) for _ in range(6)]
    if any([os.waitpid(child, 0)[1] for child in children]):
        sys.exit("one was refused")
"""


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    opened = open_engine(store_url)
    yield opened
    opened.dispose()


def test_the_steps_make_the_tables_the_code_uses(engine: Engine):
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []


def test_a_store_is_opened_again_as_it_is(store_url: str, store: Store):
    store.write(store.begin(run(0)), [record(0)])
    with Store.open(store_url) as again:
        assert again.latest("x/1") == record(0)


def test_many_may_open_a_store_that_is_not_there_yet(store_url: str):
    opening = subprocess.run([sys.executable, "-c", OPENING, store_url], capture_output=True, check=False)
    assert (opening.stderr, opening.returncode) == (b"", 0)


def test_many_may_give_a_new_file_its_log_at_once(tmp_path: Path):
    opening = subprocess.run([sys.executable, "-c", NEW_FILES, tmp_path], capture_output=True, check=False)
    assert (opening.stderr, opening.returncode) == (b"", 0)


def test_threads_may_make_several_stores_at_once(tmp_path: Path):
    urls = [f"sqlite:///{tmp_path / str(number)}.db" for number in range(6)]
    together = Barrier(len(urls))

    def opened(url: str) -> None:
        together.wait()
        Store.open(url).close()

    with ThreadPoolExecutor(len(urls)) as threads:
        assert list(threads.map(opened, urls)) == [None] * len(urls)


def test_a_store_that_is_up_to_date_is_opened_while_somebody_writes(engine: Engine, store_url: str):
    with writing(engine) as connection:
        connection.execute(text("INSERT INTO models VALUES ('m', 's', '{}', '{}')"))
        with Store.open(store_url) as other:
            assert other.judge("m") is None


def test_readers_see_whole_batches_while_one_is_written(store: Store):
    seen, done = set(), Event()
    begun = store.begin(run(0))

    def read() -> None:
        while not done.is_set():
            seen.add(store.scores_at(day(0), "x").size)

    reader = Thread(target=read)
    reader.start()
    for batch in range(20):
        store.write(begun, [record(0, f"x/{batch}-{number}") for number in range(50)])
    done.set()
    reader.join()
    assert len(seen) > 1
    assert {size % 50 for size in seen} == {0}


def test_who_reads_before_writing_is_not_overtaken(engine: Engine, store: Store):
    other = Thread(target=lambda: store.remember(Judge("other", "s", "{}", "{}")))
    with writing(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM models")).scalar() == 2
        other.start()
        other.join(0.3)
        connection.execute(text("INSERT INTO models VALUES ('mine', 's', '{}', '{}')"))
    other.join()
    assert store.judge("mine")
    assert store.judge("other")


def test_a_newer_store_is_refused(engine: Engine, store_url: str):
    with writing(engine) as connection:
        connection.execute(text("UPDATE store_version SET version_num = '0999'"))
    with pytest.raises(StoreError, match=r"is at version 0999; expected 0005 or older: a newer Clout has made it so"):
        Store.open(store_url)


def test_the_database_of_another_program_is_refused_and_left_alone(store_url: str, tmp_path: Path):
    (tmp_path / "home").mkdir()
    engine = open_engine(store_url)
    with writing(engine) as connection:
        connection.execute(text(f"ALTER TABLE {VERSION_TABLE} RENAME TO alembic_version"))
    engine.dispose()
    for _ in range(2):
        with pytest.raises(
            StoreError, match=r"holds tables of another program \(alembic_version, .*; expected an empty"
        ):
            Store.open(store_url)


def test_a_failure_on_the_way_leaves_nothing(store_url: str, monkeypatch: pytest.MonkeyPatch):
    real = store_engine.command.upgrade

    def broken(*given: object) -> None:
        real(*given)
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(store_engine.command, "upgrade", broken)
        with pytest.raises(OSError, match="no space left"):
            Store.open(store_url)
    with Store.open(store_url) as store:
        assert store.newest_run() is None


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("scores.db", r"cannot read the URL of the score store; expected an SQLite file such as sqlite:///scores\.db"),
        ("mysql://amy:secret@host/name", r"got mysql://amy:\*\*\*@host/name as score store; expected an SQLite"),
        ("mysql://amy@host/name?password=secret", r"got mysql://amy@host/name\?password=\*\*\* as score store"),
        (
            "postgresql://amy@127.0.0.1:1/name?connect_timeout=2&password=secret&sslpassword=secret",
            r"/name\?connect_timeout=2&password=\*\*\*&sslpassword=\*\*\* cannot be used",
        ),
        ("postgresql://amy:secret@/name?host=/nowhere", r"store postgresql\+psycopg://amy:\*\*\*@.* cannot be used \("),
    ],
)
def test_what_cannot_be_a_store_is_refused_without_its_password(url: str, told: str):
    with pytest.raises(StoreError, match=told):
        Store.open(url)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"cannot make the file of the score store .*; expected an SQLite file"):
        Store.open(f"sqlite:///{tmp_path / 'file' / 'scores.db'}")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path):
    file = tmp_path / "scores.db"
    file.write_text("not a database, but long enough to be looked at as one " * 40)
    with pytest.raises(StoreError, match=r"cannot be used \(file is not a database\); expected a database of its own"):
        Store.open(f"sqlite:///{file}")


def test_sqlite_keeps_a_log_waits_and_holds_rows_together(tmp_path: Path):
    engine = open_engine(f"sqlite:///{tmp_path / 'scores.db'}")
    with reading(engine) as connection:
        names = ("journal_mode", "busy_timeout", "foreign_keys", "secure_delete")
        assert [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names] == ["wal", 60000, 1, 1]
    engine.dispose()


def test_what_is_forgotten_is_not_left_in_the_file(tmp_path: Path):
    file = tmp_path / "scores.db"

    def held() -> bytes:
        return b"".join(part.read_bytes() for part in sorted(tmp_path.glob("scores.db*")))

    with Store.open(f"sqlite:///{file}") as store:
        with writing(store._engine) as connection:
            connection.execute(text("INSERT INTO models VALUES ('a', 'scale-a', '{}', '{}')"))
        store.write(store.begin(run(0)), [record(0, "x/secret-account", handle="SecretHandle"), record(0, "x/other")])
        assert b"secret-account" in held()
        store.forget("x/secret-account")
        assert b"secret-account" not in held()
        assert b"secrethandle" not in held().lower()
        assert b"x/other" in held()
