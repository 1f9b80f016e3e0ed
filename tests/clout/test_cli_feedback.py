"""`clout feedback`: what people reported, as they wrote it, until somebody closes it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from clout.cli import app
from clout.serving.store.feedback import Report
from clout.serving.store.scores import Store

AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SAID = "[red]not[/red] me\nsecond line"
REPORT = Report("aa", AT, "not_me", "forum/1", SAID, "amy@example.org", "/why/forum/1")
BARE = Report("ab", AT, "objection", None, "No score, please.", None, None)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLOUT_HOME", str(tmp_path))
    monkeypatch.setenv("CLOUT_ACTOR", "amy")
    monkeypatch.delenv("CLOUT_STORE", raising=False)
    return tmp_path


@pytest.fixture
def reported(home: Path) -> Path:
    with Store.open(f"sqlite:///{home / 'scores.db'}") as store:
        for report in (REPORT, BARE):
            assert store.feedback.add(report)
    return home


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["feedback", *words])


def listed(*words: str) -> list[str]:
    return [report["id"] for report in json.loads(run("list", "--json", *words).stdout)]


@pytest.mark.usefixtures("reported")
def test_reports_are_listed_as_they_were_written() -> None:
    told = run("list").stdout
    assert "aa  2026-03-01T09:30  not me, about forum/1, open\n    [red]not[/red] me\n    second line\n" in told
    assert "    contact: amy@example.org\n    page: /why/forum/1\n" in told
    assert "ab  2026-03-01T09:30  objection, open\n    No score, please.\n" in told
    assert json.loads(run("list", "--json").stdout)[0] == REPORT.told()


def test_closing_one_takes_it_off_the_list(reported: Path) -> None:
    done = run("close", "aa", "--note", "Unlinked.")
    assert (done.exit_code, done.stdout) == (0, "closed aa\n")
    assert listed() == ["ab"]
    assert listed("--all") == ["aa", "ab"]
    assert "closed\n    [red]not[/red] me\n    second line\n" in run("list", "--all").stdout
    assert "    note: Unlinked.\n" in run("list", "--all").stdout
    assert json.loads(run("close", "ab", "--json").stdout)["state"] == "closed"
    notes = [json.loads(line) for line in (reported / "requests.jsonl").read_text().splitlines()]
    assert [(line["who"], line["did"], line["report"]) for line in notes] == [
        ("amy", "feedback close", "aa"),
        ("amy", "feedback close", "ab"),
    ]


@pytest.mark.usefixtures("home")
def test_nothing_to_list() -> None:
    assert run("list").stdout == "nobody has reported anything that is still open\n"
    assert run("list", "--json").stdout == "[]\n"


def test_a_reference_that_is_none_is_told(home: Path) -> None:
    done = run("close", "zz")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "error: got 'zz'; expected the reference of a report: see `clout feedback list --all`\n"
    assert not (home / "requests.jsonl").exists()
