"""The list of live sources, and files that are dropped: each is read once, and a bad one does not stop the others."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import archive_samples as samples
import pytest
from unseen_network import notes, write

from clout.data.lake import Lake
from clout.data.sources.live.feeds import FeedsError, read_feeds, take_in
from clout.data.sources.live.files import DroppedError
from clout.data.sources.source import Taken

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TABLE = '[[source]]\nkind = "table"\nname = "chirp"\nfiles = "drop/*.csv"\nmap = "chirp.toml"\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a source of tables, and an empty folder that it watches."""
    (tmp_path / "drop").mkdir()
    write(tmp_path, [])
    (tmp_path / "sources.toml").write_text(TABLE)
    return tmp_path


def drop(home: Path, name: str, first: int, last: int) -> Path:
    """A file of these notes, dropped under a name."""
    write(home, notes(30)[first:last])
    return (home / "notes.csv").rename(home / "drop" / name)


def round_of(home: Path) -> Counter[str]:
    """What the first source of the home brings in."""
    taken = Taken("", "")
    take_in(read_feeds(home)[0], Lake(home / "lake"), NOW, taken.add)
    return taken.rows + taken.rejected


def test_a_dropped_table_comes_in_once_whatever_becomes_of_the_mapping(home: Path) -> None:
    drop(home, "a.csv", 0, 10)
    assert round_of(home) == {"posts": 10, "counts": 30}
    (home / "chirp.toml").rename(home / "kept.toml")
    assert round_of(home) == {}
    (home / "kept.toml").rename(home / "chirp.toml")
    drop(home, "b.csv", 5, 20)
    assert round_of(home) == {"posts": 10, "counts": 30}
    drop(home, "b.csv", 15, 25)
    assert round_of(home) == {"posts": 5, "counts": 15}
    assert [receipt.source for receipt in Lake(home / "lake").receipts()] == ["chirp/a.csv", *["chirp/b.csv"] * 2]


def test_a_file_that_is_being_written_waits(home: Path) -> None:
    drop(home, ".a.csv", 0, 10)
    assert round_of(home) == {}


def test_a_bad_file_does_not_stop_the_others_and_is_told_each_time(home: Path) -> None:
    (home / "drop" / "a.csv").write_text("one,two\n1,2\n")
    drop(home, "b.csv", 0, 10)
    taken = Taken("", "")
    with pytest.raises(DroppedError, match=r"a\.csv lacks columns that the mapping names"):
        take_in(read_feeds(home)[0], Lake(home / "lake"), NOW, taken.add)
    assert taken.rows == {"posts": 10, "counts": 30}
    with pytest.raises(DroppedError, match=r"a\.csv lacks"):
        round_of(home)


def test_dropped_archives_come_in_once(home: Path) -> None:
    (home / "sources.toml").write_text(TABLE.replace("table", "archive").replace('map = "chirp.toml"\n', ""))
    tweets = [samples.tweet(number) for number in range(1, 4)]
    samples.written_zip(home / "drop" / "x.csv", samples.x_files(tweets))
    assert round_of(home)["posts"] == 3
    assert Lake(home / "lake").receipts()[-1].cursor.startswith("whole ")
    assert round_of(home) == {}
    samples.written_zip(home / "drop" / "x.csv", samples.x_files([*tweets, samples.tweet(9)]))
    assert round_of(home)["posts"] == 1


def test_a_folder_that_is_not_there_is_told(home: Path) -> None:
    (home / "drop").rmdir()
    with pytest.raises(DroppedError, match=r"there is no folder .*drop; expected"):
        round_of(home)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("", "names no source"),
        ("[[source]", "cannot read .*sources.toml"),
        (TABLE.replace('"table"', '"tables"'), r"source 1: .*tables.* does not match.*expected each source"),
        (TABLE.replace("map", "maps"), "source 1: map: Field required; source 1: maps: Extra inputs"),
        (TABLE + TABLE, "got 'chirp' 2 times; expected a name of its own"),
        (TABLE.replace('"chirp"', '"score"'), "got 'score' as the name of a source"),
        (TABLE.replace('"chirp"', '"A b"'), "got 'A b' as the name"),
    ],
)
def test_a_list_that_cannot_be_used_says_what_to_do(home: Path, told: str, words: str) -> None:
    (home / "sources.toml").write_text(told)
    with pytest.raises(FeedsError, match=words):
        read_feeds(home)


def test_a_list_that_is_not_there_is_shown_by_example(tmp_path: Path) -> None:
    with pytest.raises(FeedsError, match=r"there is no .*sources\.toml; expected the sources to read.*kind = "):
        read_feeds(tmp_path)
