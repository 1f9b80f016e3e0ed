"""`clout ingest wikipedia`, typed as people type it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result
from wikimedia_stand_in import StandIn, wikimedia

from clout.cli import app

CONTACT = ("--contact", "ops@example.org")


@pytest.fixture(scope="module")
def where() -> Iterator[tuple[str, ...]]:
    """The options that lead to a world with one article, read three days ago."""
    world = StandIn()
    world.add("Ann", {(datetime.now(UTC) - timedelta(days=3)).date(): 4}, ["A", "B"])
    with wikimedia(world) as urls:
        yield tuple(word for name, url in urls.items() for word in (f"--{name}", url))


@pytest.fixture(autouse=True)
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of pages in the folder that one stands in."""
    monkeypatch.chdir(tmp_path)
    for name in ("CLOUT_HOME", "CLOUT_LAKE"):
        monkeypatch.delenv(name, raising=False)
    Path("pages.csv").write_text("account,page\nx/ann,en.wikipedia.org/wiki/Ann\nx/bob,en.wikipedia.org/wiki/Bob\n")


def clout(*arguments: str) -> Result:
    """What the command did."""
    return CliRunner().invoke(app, ["ingest", "wikipedia", *arguments])


def test_pages_go_into_the_lake_and_are_told(where: tuple[str, ...]) -> None:
    done = clout("--pages", "pages.csv", *CONTACT, *where)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("wikipedia into .clout/lake\n")
    assert ["standings", "2", "0"] in [line.split() for line in done.stdout.splitlines()]
    assert "no_such_page" in done.stdout
    assert "was declared, not checked" in done.stdout


def test_programs_are_told_the_same(where: tuple[str, ...]) -> None:
    told = json.loads(clout("--pages", "pages.csv", *CONTACT, *where, "--json").stdout)
    assert (told["pages"], told["rows"], told["rejected"]) == (2, {"standings": 2}, {"no_such_page": 1})


@pytest.mark.parametrize(
    ("rows", "contact", "words"),
    [
        ("x/bob,en.wikipedia.org/wiki/Bob\n", "ops@example.org", "no page of pages.csv could be read in full; rejects"),
        ("x/ann,en.wikipedia.org/wiki/Ann\n", "ops", "got the contact 'ops'; expected an e-mail address or a URL"),
    ],
)
def test_a_mistake_is_told_in_one_line(rows: str, contact: str, words: str, where: tuple[str, ...]) -> None:
    Path("pages.csv").write_text(f"account,page\n{rows}")
    done = clout("--pages", "pages.csv", "--contact", contact, *where)
    assert done.exit_code == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
