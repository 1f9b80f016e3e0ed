"""`clout up`: rounds over files that are dropped, beside a bad source, once at a time, whatever kills them."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import polars as pl
import pytest
from asked import free_port
from scored_home import Scored
from trained_society import TrainedSociety
from typer.testing import CliRunner

from clout.cli import app
from clout.commands.live import seconds_of
from clout.commands.round import one_round
from clout.data.lake import Lake
from clout.errors import CloutError
from clout.models import watch_log
from clout.serving.live.hold import held
from clout.serving.store.live_runs import BROKEN_OFF, FAILED, OK, LiveRun
from clout.serving.store.scores import Store
from clout.settings import Settings

MAPPING = """
network = "commons"
[posts]
post = "post"
account = "account"
happened_at = "happened_at"
text = "text"
kind = { constant = "original" }
"""
SOURCES = """
[[source]]
kind = "table"
name = "bad"
files = "nowhere/*.csv"
map = "posts.toml"

[[source]]
kind = "table"
name = "good"
files = "drop/*.csv"
map = "posts.toml"
"""
ROUND = """
import sys
from datetime import datetime
from pathlib import Path
from clout.commands.round import one_round
from clout.settings import Settings
now = datetime.fromisoformat(sys.argv[2])
one_round(Settings(home=Path(sys.argv[1])), lambda: now, lambda do: do())
"""


def day(number: int, hour: int = 0) -> datetime:
    """A day of February 2025; the society ends with the 13th, and was last scored as of the 14th."""
    return datetime(2025, 2, number, hour, tzinfo=UTC)


def given_sources(home: Path) -> Path:
    """The home, which then has a good source without files and a bad one."""
    (home / "drop").mkdir()
    (home / "posts.toml").write_text(MAPPING)
    (home / "sources.toml").write_text(SOURCES)
    return home


def drop(home: Path, name: str, at: datetime, posts: int = 40) -> None:
    """A file of posts, by authors of the lake and one nobody knows; the last of them has no author."""
    known = Lake(home / "lake").read("posts").filter(network="commons")
    authors = known["account"].unique().sort().str.strip_prefix("commons/").to_list()
    rows = [
        {
            "post": f"{name}-{n}",
            "account": [*authors, "stranger"][n % 7 - 4],
            "happened_at": at.isoformat(),
            "text": "Hi",
        }
        for n in range(posts)
    ]
    rows[-1]["account"] = ""
    pl.DataFrame(rows).write_csv(home / "drop" / f"{name}.csv")


def played(home: Path, now: datetime) -> dict[str, LiveRun]:
    """What became of each part of a round at a moment."""
    return {run.source: run for run in one_round(Settings(home=home), lambda: now, lambda do: do())}


def told_scores(home: Path) -> list[tuple[object, ...]]:
    """Every row of scores, but for the run that gave it."""
    with closing(sqlite3.connect(home / "scores.db")) as store:
        columns = "account, as_of, model_version, bridge, score, low, high, detail"
        return store.execute(f"SELECT {columns} FROM scores ORDER BY account, as_of, model_version, bridge").fetchall()  # noqa: S608


def test_three_rounds_over_files_that_are_dropped(scored: Scored, tmp_path: Path) -> None:
    home = given_sources(scored.copy(tmp_path / "home").home)
    drop(home, "a", day(15, 10))
    first = played(home, day(15, 12))
    assert (first["bad"].outcome, first["good"].outcome, first["score"].outcome) == (FAILED, OK, OK)
    assert "there is no folder" in str(first["bad"].error)
    assert (first["good"].rows, first["good"].rejected) == (39, 1)
    assert first["score"].model_version == scored.champion
    assert first["watch"].outcome == FAILED, "what this champion was trained on is not here"
    before = told_scores(home)
    quiet = played(home, day(15, 14))
    assert [*quiet] == ["bad", "good", "watch"], "scores of the day are there"
    assert (quiet["good"].rows, quiet["good"].rows_ever) == (0, 39)
    drop(home, "b", day(16, 10))
    third = played(home, day(16, 12))
    assert (third["good"].rows, third["good"].rows_ever, third["score"].outcome) == (39, 78, OK)
    after = told_scores(home)
    assert {*before} < {*after}
    with Store.open(scored_url(home)) as store:
        assert store.newest_run().as_of == day(16, 12)  # type: ignore[union-attr]
        assert store.latest("commons/stranger").as_of == day(16, 12)  # type: ignore[union-attr]


def scored_url(home: Path) -> str:
    return f"sqlite:///{home / 'scores.db'}"


def test_a_clock_that_goes_back_rewrites_nothing(scored: Scored, tmp_path: Path) -> None:
    home = given_sources(scored.copy(tmp_path / "home").home)
    before = told_scores(home)
    drop(home, "a", day(9, 10))
    back = played(home, day(10))
    assert (back["good"].rows, back["score"].outcome) == (39, OK)
    after = told_scores(home)
    assert {*before} < {*after}
    added = {row[:2] for row in {*after} - {*before}}
    assert {moment for _, moment in added} == {"2025-02-14 00:00:00.000000"}, "whoever is new joins the newest scores"
    assert "commons/stranger" in {account for account, _ in added}


def test_the_champion_is_watched_when_data_came_or_the_day_is_new(trained: TrainedSociety, tmp_path: Path) -> None:
    home = given_sources(trained.copy(tmp_path / "home"))
    now = datetime.fromisoformat(trained.model.data["data_through"]) + timedelta(hours=1)
    (home / "sources.toml").write_text(SOURCES.replace("nowhere", "drop"))
    assert {name: run.outcome for name, run in played(home, now).items()} == dict.fromkeys(
        ("bad", "good", "score", "watch"), OK
    )
    [seen] = watch_log.read(home)
    assert (seen["version"], seen["when"]) == (trained.model.version, now.isoformat(timespec="seconds"))
    assert [*played(home, now + timedelta(minutes=1))] == ["bad", "good"]


def test_sources_are_tried_as_they_are_asked_to_be(tmp_path: Path) -> None:
    home, asked = given_sources(tmp_path), list[Callable[[], object]]()
    (home / "drop" / "one.csv").write_text("post,account,happened_at,text\n1,ann,2025-02-14T10:00:00Z,Hi\n")
    done = one_round(Settings(home=home), lambda: day(15), asked.append)
    assert [(run.source, run.rows) for run in done] == [("bad", 0), ("good", 0)]
    assert len(asked) == 2


def test_from_the_shell_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = given_sources(tmp_path)
    monkeypatch.setenv("CLOUT_HOME", str(home))
    done = CliRunner().invoke(app, ["up", "--once", "--json"])
    assert done.exit_code == 1
    assert [(run["source"], run["outcome"]) for run in json.loads(done.stdout)] == [("bad", FAILED), ("good", OK)]
    assert "there is no champion yet, so nothing is scored: train one with `clout train`" in done.stderr
    (home / "nowhere").mkdir()
    done = CliRunner().invoke(app, ["up", "--once"])
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["source", "bad", "good"]
    listed = json.loads(CliRunner().invoke(app, ["runs", "--json"]).stdout)
    assert [(run["source"], run["outcome"]) for run in listed] == [
        ("good", OK),
        ("bad", OK),
        ("good", OK),
        ("bad", FAILED),
    ]
    assert CliRunner().invoke(app, ["runs"]).stdout.count("\n") == 5


def test_from_the_shell_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUT_HOME", str(tmp_path))
    assert "nothing was run here yet" in CliRunner().invoke(app, ["runs"]).stdout
    for words, said in (
        (["up"], "there is no champion in"),
        (["up", "--once"], "sources.toml; expected the sources to read"),
        (["up", "--every", "1y"], "got --every '1y'; expected from 1s to 30d"),
    ):
        done = CliRunner().invoke(app, words)
        assert (done.exit_code, said in done.stderr) == (2, True), done.stderr
    (tmp_path / "champion.json").touch()
    done = CliRunner().invoke(app, ["up"])
    assert (done.exit_code, "sources.toml; expected the sources to read" in done.stderr) == (2, True), done.stderr
    given_sources(tmp_path)
    for what, words in (("round", ["up", "--once"]), ("up", ["up"])):
        with held(tmp_path, what, day(1)):
            done = CliRunner().invoke(app, words)
        assert done.exit_code == 2
        assert f"process {os.getpid()} on " in done.stderr


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("1h", 3600), ("1d", 86_400), ("0.5h", 1800)])
def test_a_length_of_time(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "0s", "-1h", "31d", "1 week", "10", "nanh", "infs"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(CloutError, match="expected from 1s to 30d"):
        seconds_of(text)


def killed_when(home: Path, now: datetime, there: Callable[[], bool]) -> int:
    """How a process that plays a round ended, which is killed once something is there."""
    with subprocess.Popen([sys.executable, "-c", ROUND, home, now.isoformat()]) as child:
        while child.poll() is None:
            if there():
                child.kill()
            time.sleep(0.002)
    return child.returncode


@pytest.mark.slow
def test_after_kills_rows_and_scores_are_those_of_an_undisturbed_round(scored: Scored, tmp_path: Path) -> None:
    now, homes = day(15, 12), [given_sources(scored.copy(tmp_path / name).home) for name in ("calm", "shot")]
    for home in homes:
        for number in range(12):
            drop(home, f"part-{number:02}", day(15, 1) + timedelta(minutes=number))
    calm, shot = homes
    played(calm, now)
    receipts = len(Lake(shot / "lake").receipts())
    came = lambda: len([*(shot / "lake" / "receipts").glob("*.json")]) >= receipts + 5  # noqa: E731
    assert killed_when(shot, now, came) == -signal.SIGKILL
    half = len(Lake(shot / "lake").receipts())
    assert receipts < half < receipts + 12
    assert killed_when(shot, now, lambda: scoring(shot)) == -signal.SIGKILL
    last = played(shot, now)
    assert last["score"].outcome == OK
    with Store.open(scored_url(shot)) as store:
        assert [run.source for run in store.live_runs.newest(99) if run.outcome == BROKEN_OFF] == ["score", "good"]
        assert last["good"].rows_ever + 40 >= 12 * 39
    assert Lake(shot / "lake").fingerprint() == Lake(calm / "lake").fingerprint()
    assert told_scores(shot) == told_scores(calm)


def scoring(home: Path) -> bool:
    """Whether a run that scores goes on."""
    with closing(sqlite3.connect(home / "scores.db")) as store:
        asked = "SELECT count(*) FROM live_runs WHERE source = 'score' AND outcome IS NULL"
        return bool(store.execute(asked).fetchone()[0])


@pytest.mark.slow
def test_the_loop_serves_reads_and_drains(scored: Scored, tmp_path: Path) -> None:
    home, port = given_sources(scored.copy(tmp_path / "home").home), free_port()
    drop(home, "a", day(14, 10))
    environment = {**os.environ, "CLOUT_HOME": str(home), "CLOUT_PORT": str(port)}
    command = [sys.executable, "-m", "clout", "up", "--every", "1h"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as loop:
        wait_for(
            lambda: (
                answers(port, 'clout_source_rows_total{source="good"} 39.0') and answers(port, 'ok{source="score"} 1.0')
            )
        )
        loop.terminate()
        assert loop.wait(60) == 0
    assert not answers(port, "")


def wait_for(there: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 90
    while not there():
        assert time.monotonic() < give_up
        time.sleep(0.1)


def answers(port: int, words: str) -> bool:
    """Whether the figures of the service on a port say so."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            return words in answer.read().decode()
    except (URLError, OSError):
        return False
