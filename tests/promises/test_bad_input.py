"""Bad rows are counted and leave no trace; what cannot go on says why in one line and leaves all as it was."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from full_disk import KB, no_room_beyond
from typer.testing import CliRunner, Result
from unseen_network import MAPPING, Note, notes, write

from clout.cli import app
from clout.data.lake import Lake
from clout.training.config import Params
from clout.training.dataset import build
from clout.training.whole_lake import WholeLake

QUICK = ("--set", "fit.trees=5", "--set", "fit.threads=1", "--set", "splits.origins=2")
GOOD = notes(600)
FIRST = GOOD[0]
STRANGER = replace(FIRST, writer="stranger")
BAD = (
    replace(FIRST, note="future", published="2999-01-01 00:00"),
    replace(FIRST, note="past", published="1970-01-01 00:00"),
    replace(FIRST, note="yesterday", published="yesterday"),
    replace(FIRST, note="timeless", published=""),
    replace(FIRST, note="", thumbs=5),
    replace(FIRST, note="nobody", writer=""),
    replace(FIRST, note="long", body="x" * 1_000_000),
    replace(FIRST),
    replace(FIRST, body="another text", thumbs=99_999),
)
UNREADABLE = (
    replace(STRANGER, note="words", thumbs="many", answers="few", passes="none"),
    replace(STRANGER, note="nan", thumbs="NaN", answers="nan", passes="inf"),
    replace(STRANGER, note="below", thumbs=-1, answers=-2, passes=-3),
    replace(STRANGER, note="halves", thumbs=0.5, answers="1e400", passes="0x10"),
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in; the home is `.clout` in it."""
    monkeypatch.chdir(tmp_path)
    for name in ("CLOUT_HOME", "CLOUT_LAKE", "CLOUT_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def clout(*arguments: str) -> Result:
    """What the command did."""
    return CliRunner().invoke(app, arguments)


def ingest(rows: list[Note], lake: str = ".clout/lake", mapping: str = MAPPING) -> dict[str, dict[str, int]]:
    """What `clout ingest table` tells of the rows."""
    write(Path(), rows, mapping)
    done = clout("ingest", "table", "notes.csv", "--map", "chirp.toml", "--lake", lake, "--json")
    assert done.exit_code == 0, done.stderr
    return dict(json.loads(done.stdout))


def refusal(*arguments: str) -> str:
    """The one line on stderr with which a command is refused."""
    done = clout(*arguments)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a folder but locks and MLflow's, which also logs what failed."""
    found = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith((".lock", "mlflow.db"))]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_bad_rows_are_counted_by_reason() -> None:
    told = ingest([*GOOD, *BAD, *UNREADABLE])
    assert told["rows"] == {"posts": 604, "counts": 1818}
    assert told["rejected"] == {
        "conflicting_duplicate": 2,
        "duplicate": 6,
        "future": 1,
        "missing_id": 5,
        "missing_time": 1,
        "negative_number": 3,
        "not_a_number": 2,
        "not_a_whole_number": 1,
        "text_too_long": 1,
        "too_early": 1,
        "unreadable_time": 1,
        "wrong_type": 6,
    }
    assert "text_too_long" in clout("lake").stdout


def test_bad_rows_leave_no_trace_in_what_is_learned() -> None:
    """Not even counts of posts that nobody has, and posts that nobody counted."""
    ingest(GOOD, "clean")
    ingest([*BAD[:5], *GOOD, *BAD[5:], *UNREADABLE], "dirty")
    clean, dirty = (build(WholeLake.read(Lake(lake), Params()), Params()) for lake in ("clean", "dirty"))
    assert dirty.frame.equals(clean.frame)
    assert dirty.texts.equals(clean.texts)
    assert dirty.wording.to_json() == clean.wording.to_json()
    assert dirty.plan == clean.plan


def test_empty_and_strange_texts_are_texts() -> None:
    strange = [
        "",
        "   ",
        "\u0000",
        "👨‍👩‍👧" * 30,
        "\u202eright to left",
        "a\nb\r\nc",
        '"quoted, with commas"',
        "x" * 100_000,
    ]
    rows = [replace(row, body=strange[number]) if number < len(strange) else row for number, row in enumerate(GOOD)]
    assert ingest(rows)["rejected"] == {}
    dataset = build(WholeLake.read(Lake(".clout/lake"), Params()), Params())
    told = dict(zip(dataset.frame["post"], dataset.texts, strict=True))
    assert [told[f"chirp/{row.note}"] for row in rows[:8]] == strange
    assert dataset.frame["wording_lift"].is_infinite().sum() == 0


@pytest.mark.parametrize("size", [0, 100, 5_000])
def test_a_truncated_parquet_file_is_not_taken(size: int, folder: Path) -> None:
    write(folder, GOOD)
    pl.read_csv("notes.csv", infer_schema=False).write_parquet("notes.parquet")
    whole = Path("notes.parquet").read_bytes()
    Path("notes.parquet").write_bytes(whole[:size])
    words = refusal("ingest", "table", "notes.parquet", "--map", "chirp.toml")
    assert ("is empty" if size == 0 else "it is not a whole Parquet file") in words
    assert not Path(".clout").exists()
    Path("notes.parquet").write_bytes(whole)
    assert clout("ingest", "table", "notes.parquet", "--map", "chirp.toml").exit_code == 0


def test_a_missing_column_is_named(folder: Path) -> None:
    write(folder, GOOD, MAPPING.replace('"thumbs"', '"thumb"'))
    words = refusal("ingest", "table", "notes.csv", "--map", "chirp.toml")
    assert (
        "notes.csv lacks columns that the mapping names: 'thumb' for counts.kinds.like (did you mean thumbs?)" in words
    )
    assert not Path(".clout").exists()


def test_a_lake_with_a_damaged_file_is_not_learned_from(folder: Path) -> None:
    ingest(GOOD)
    (file,) = (folder / ".clout" / "lake" / "counts").iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-10])
    words = refusal("train", *QUICK)
    assert f"{file.name} has {len(whole) - 10:,} bytes and not the {len(whole):,} of its receipt" in words
    file.write_bytes(whole[:2000] + bytes(100) + whole[2100:])
    assert file.name in refusal("train", *QUICK)
    assert {path.name for path in (folder / ".clout").iterdir()} == {"lake"}


def test_a_full_disk_during_ingest_leaves_the_lake_as_it_was(folder: Path) -> None:
    ingest(GOOD[:300])
    before, held = files(folder / ".clout"), clout("lake", "--json").stdout
    write(folder, GOOD)
    with no_room_beyond(4 * KB):
        words = refusal("ingest", "table", "notes.csv", "--map", "chirp.toml")
    assert words.startswith("error: could not write to the lake .clout/lake (")
    assert "nothing of notes.csv was kept: make room" in words
    assert files(folder / ".clout") == before
    assert clout("lake", "--json").stdout == held
    assert ingest(GOOD)["already_there"] == {"posts": 300, "counts": 900}


@pytest.mark.slow
def test_a_full_disk_during_training_leaves_the_home_as_it_was(folder: Path, empty_store: Path) -> None:
    """Full at the first file of the bundle, at a later one, and when all but the store of MLflow has room."""
    ingest(GOOD)
    shutil.copy(empty_store, ".clout/mlflow.db")
    before = files(folder / ".clout")
    unkept, unlogged = (
        "could not keep the training in .clout (",
        "cannot log the training to sqlite:///.clout/mlflow.db (",
    )
    for room, words in ((0, unkept), (16 * KB, unkept), (400 * KB, unlogged)):
        with no_room_beyond(room):
            told = refusal("train", *QUICK)
        assert told.startswith(f"error: {words}")
        assert "then train again" in told
        assert files(folder / ".clout") == before
    done = clout("train", *QUICK, "--json")
    assert done.exit_code == 0, done.stderr
    assert Path(json.loads(done.stdout)["directory"]).is_dir()


@pytest.mark.slow
def test_a_store_out_of_reach_leaves_the_home_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest(GOOD)
    before = files(folder / ".clout")
    monkeypatch.setenv("CLOUT_TRACKING_URI", "bogus://me:secret@nowhere/db")
    told = refusal("train", *QUICK)
    assert told.startswith("error: cannot log the training to bogus://me:***@nowhere/db (")
    assert "secret" not in told
    assert files(folder / ".clout") == before


def test_a_home_that_is_a_file_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "file").touch()
    ingest(GOOD)
    monkeypatch.setenv("CLOUT_HOME", str(folder / "file"))
    for command in (["train", *QUICK], ["champion"], ["simulate"], ["lake"]):
        assert "file is a file; expected a folder, or a free name" in refusal(*command)


def test_a_lake_that_is_a_file_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "file").touch()
    for lake in ("file", "file/lake", f"file://{folder}/file"):
        monkeypatch.setenv("CLOUT_LAKE", lake)
        for command in (["train", *QUICK], ["lake"], ["simulate"]):
            told = refusal(*command)
            assert told.startswith(f"error: cannot open the lake {lake}: ")
            assert told.strip().endswith("/file is a file; expected a folder, or a free name")
