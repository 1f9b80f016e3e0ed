"""Any source gets into the lake piece by piece: each row once, each piece whole, and a broken-off run goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import archive_samples as samples
import polars as pl
import pytest

from clout.data.lake import Lake
from clout.data.sources.archive import Archive
from clout.data.sources.source import Piece, cursor, take
from clout.data.tables import REJECTS, SCHEMAS

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NO_REJECTS = pl.DataFrame(schema=REJECTS)


class Pieces:
    """A source of posts, each piece some numbers; the cursor is how many pieces are done."""

    name, note = "pieces", "made up"

    def __init__(self, *pieces: list[str], broken_after: int | None = None) -> None:
        self._pieces, self._broken_after = pieces, broken_after

    def pull(self, since: str | None) -> Iterator[Piece]:
        """The pieces from the cursor on."""
        for place in range(int(since or 0), len(self._pieces)):
            if place == self._broken_after:
                raise ConnectionError("gone")
            posts = pl.DataFrame({"post": [f"x/{name}" for name in self._pieces[place]]}).with_columns(
                account=pl.lit("x/ann"),
                network=pl.lit("x"),
                happened_at=pl.lit("2023-01-01T00:00:00Z"),
                known_at=pl.lit("2023-01-01T00:00:00Z"),
                kind=pl.lit("original"),
            )
            end = place + 1 == len(self._pieces)
            yield Piece({"posts": posts}, NO_REJECTS, "" if end else str(place + 1), (place + 1) / len(self._pieces))


def rows(lake: Lake) -> list[str]:
    """The posts of a lake."""
    return sorted(lake.read("posts")["post"])


def test_pieces_are_batches_and_progress_is_told(tmp_path: Path) -> None:
    lake, told = Lake(tmp_path), list[tuple[str, float]]()
    taken = take(lake, Pieces(["1", "2"], ["3"]), NOW, lambda step, share: told.append((step, share)))
    assert (taken.rows, taken.went_on) == ({"posts": 3}, False)
    assert [(batch.source, batch.note, batch.rows) for batch in lake.receipts()] == [
        ("pieces", "made up", {"posts": 2}),
        ("pieces", "made up", {"posts": 1}),
    ]
    assert told == [("reading pieces", 0.0), ("reading pieces", 0.5), ("reading pieces", 1.0)]


def test_a_run_that_broke_off_goes_on_and_a_whole_one_begins_anew(tmp_path: Path) -> None:
    lake, pieces = Lake(tmp_path), (["1"], ["2"], ["3"])
    with pytest.raises(ConnectionError):
        take(lake, Pieces(*pieces, broken_after=2), NOW)
    assert cursor(lake, "pieces") == "2"
    taken = take(lake, Pieces(*pieces), NOW)
    assert (taken.went_on, taken.rows, rows(lake)) == (True, {"posts": 1}, ["x/1", "x/2", "x/3"])
    again = take(lake, Pieces(*pieces), NOW)
    assert (again.went_on, again.rows, again.already_there) == (False, {}, {"posts": 3})


def test_a_cursor_is_of_its_source_alone(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with pytest.raises(ConnectionError):
        take(lake, Pieces(["1"], ["2"], broken_after=1), NOW)
    assert cursor(lake, "another") is None


def test_rows_that_break_a_rule_are_counted_in_each_piece(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    taken = take(lake, Pieces(["1", "1"], ["1", "2"]), NOW)
    assert (taken.rows, taken.already_there, taken.rejected) == ({"posts": 2}, {"posts": 1}, {"duplicate": 1})


def dump(path: Path, count: int = 400) -> Path:
    """A dump of submissions and comments on them, one line in twenty broken or refused."""
    lines = [
        samples.submission(n, created_utc=32_600_000_000 if n % 40 == 0 else 1_700_000_000 + n)
        if n % 4 == 0
        else samples.comment(n, f"t3_s{n // 4 * 4:06}")
        for n in range(count)
    ]
    return samples.written_zst(path, [*lines, "no object", ["none"]])


def test_a_reply_gets_the_author_of_the_post_it_is_on(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    submissions = samples.written_zst(tmp_path / "RS.zst", [samples.submission(1)])
    replies = [samples.comment(2, "t3_s000001"), samples.comment(3, "t1_c000002"), samples.comment(4, "t3_unknown")]
    comments = samples.written_zst(tmp_path / "RC.zst", replies)
    take(lake, Archive(submissions, NOW), NOW)
    taken = take(lake, Archive(comments, NOW), NOW)
    assert lake.read("actions")["account"].to_list() == ["reddit/ann1", "reddit/ben2"]
    assert taken.rejected == {"unknown_post": 1}


def test_in_pieces_of_any_size_the_lake_ends_the_same(tmp_path: Path) -> None:
    path, found = dump(tmp_path / "r.zst"), []
    for size in (1_000, 150, 37):
        lake = Lake(tmp_path / str(size))
        taken = take(lake, Archive(path, NOW, size=size), NOW)
        found.append((lake.fingerprint(), taken.rejected))
    assert found[0] == found[1] == found[2]
    assert found[0][1]["unreadable_row"] == 2
    assert found[0][1]["future"] == found[0][1]["unknown_post"] / 3 == 10


CHILD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from clout.data.lake import Lake
from clout.data.sources.archive import Archive
from clout.data.sources.source import take
now = datetime(2026, 1, 1, tzinfo=UTC)
take(Lake(sys.argv[1]), Archive(Path(sys.argv[2]), now, size=20), now, lambda *_: print("piece", flush=True))
"""


def killed(lake: Path, path: Path, pieces: int, wait: float) -> bool:
    """Whether a process that takes the archive in was killed, some seconds after so many pieces."""
    command = [sys.executable, "-c", CHILD, str(lake), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        for _ in range(pieces):
            child.stdout.readline()
        try:
            child.wait(wait)
        except subprocess.TimeoutExpired:
            os.kill(child.pid, signal.SIGKILL)
    return child.returncode == -signal.SIGKILL


@pytest.mark.slow
def test_after_kills_the_lake_holds_the_rows_of_an_undisturbed_run(tmp_path: Path) -> None:
    path, chance = dump(tmp_path / "r.zst"), random.Random(5)  # noqa: S311
    calm, shot = Lake(tmp_path / "calm"), Lake(tmp_path / "shot")
    take(calm, Archive(path, NOW, size=20), NOW)
    kills = [killed(tmp_path / "shot", path, chance.randint(1, 4), chance.random() / 20) for _ in range(4)]
    assert any(kills)
    if cursor(shot, path.name):
        assert take(shot, Archive(path, NOW, size=20), NOW).went_on
    assert shot.fingerprint() == calm.fingerprint()
    for table in SCHEMAS:
        assert shot.read(table).equals(calm.read(table))
    assert shot.rejects().collect().equals(calm.rejects().collect())
    assert [batch.batch for batch in shot.receipts()] == [batch.batch for batch in calm.receipts()]


def test_accounts_that_the_source_says_are_minors_are_forgotten(tmp_path: Path) -> None:
    class Young(Pieces):
        def pull(self, since: str | None) -> Iterator[Piece]:
            """The posts of ann, and then that she is a minor."""
            yield from super().pull(since)
            accounts = pl.DataFrame({"account": ["x/ann"], "network": ["x"], "minor": ["true"]})
            yield Piece({"accounts": accounts}, NO_REJECTS, "", 1.0)

    lake = Lake(tmp_path)
    taken = take(lake, Young(["1"]), NOW)
    assert (taken.rejected, rows(lake), len(lake.tombstones())) == ({"minor": 1}, [], 1)
