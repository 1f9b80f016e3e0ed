"""`clout ingest archive`, typed as people type it."""

from __future__ import annotations

import json
from pathlib import Path

import archive_samples as samples
import pytest
from typer.testing import CliRunner, Result

from clout.cli import app


@pytest.fixture(autouse=True)
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Archives in the folder that one stands in."""
    monkeypatch.chdir(tmp_path)
    for name in ("CLOUT_HOME", "CLOUT_LAKE"):
        monkeypatch.delenv(name, raising=False)
    return samples.samples(tmp_path)


def clout(*arguments: str) -> Result:
    """What the command did."""
    return CliRunner().invoke(app, arguments)


def test_an_archive_goes_into_the_lake_and_is_told() -> None:
    done = clout("ingest", "archive", "x.zip")
    assert done.exit_code == 0
    assert done.stdout.startswith("x.zip is an archive of X (x), 2 files read\nx.zip into .clout/lake\n")
    assert ["posts", "8", "0"] in [line.split() for line in done.stdout.splitlines()]
    assert "taken as on 2023-06-01 (the archive says so)" in done.stdout
    assert clout("lake").stdout.count("the counts of an archive of X were read once") == 1
    assert "nothing new: the lake is as it was" in clout("ingest", "archive", "x.zip").stdout


def test_programs_are_told_the_same() -> None:
    done = clout("ingest", "archive", "analytics.csv", "--account", "twitter/17", "--json")
    told = json.loads(done.stdout)
    assert (told["kind"], told["files"], told["rows"], told["rejects"]) == ("x", 1, {"posts": 1, "counts": 4}, None)


def test_an_archive_of_which_no_post_is_accepted_is_an_error() -> None:
    samples.written_zip(Path("bad.zip"), samples.x_files([samples.tweet(1, created_at="soon")]))
    done = clout("ingest", "archive", "bad.zip")
    assert done.exit_code == 2
    assert "unreadable_time" in done.stdout
    assert "no post of bad.zip was accepted; rejects, with what was read and why: " in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["absent.zip"], "there is no file absent.zip; expected an archive"),
        (["analytics.csv"], "add --account twitter/ID"),
        (["x.zip", "--kind", "myspace"], "got the kind 'myspace'; expected one of x,"),
    ],
)
def test_a_mistake_is_told_in_one_line(arguments: list[str], words: str) -> None:
    done = clout("ingest", "archive", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
