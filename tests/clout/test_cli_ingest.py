"""`clout ingest table` and `clout lake`, typed as people type them."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from clout.cli import app
from clout.data.lake import Lake
from clout.data.simulate import Society, simulate

MAPPING = """
network = "x"
note = "Read by hand."
[posts]
post = "id"
account = "who"
happened_at = "at"
"""
ROWS = "id,who,at\n1,ann,2023-01-01\n2,ann,soon\n3,bob,2023-01-03\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a table and its mapping, to stand in."""
    monkeypatch.chdir(tmp_path)
    for name in ("CLOUT_HOME", "CLOUT_LAKE"):
        monkeypatch.delenv(name, raising=False)
    Path("posts.csv").write_text(ROWS)
    Path("posts.toml").write_text(MAPPING)
    return tmp_path


def clout(*arguments: str) -> Result:
    """What the command did."""
    return CliRunner().invoke(app, arguments)


def test_a_table_goes_into_the_lake_and_is_told(home: Path):
    done = clout("ingest", "table", "posts.csv", "--map", "posts.toml")
    assert done.exit_code == 0
    assert "posts.csv into .clout/lake" in done.stdout
    assert [line.split() for line in done.stdout.splitlines()[2:3]] == [["posts", "2", "0"]]
    assert "unreadable_time" in done.stdout
    rejects = next(line for line in done.stdout.splitlines() if line.startswith("rejects are kept in "))
    assert Path(rejects.removeprefix("rejects are kept in ")).is_file()
    assert (home / ".clout" / "lake" / "posts").is_dir()


def test_the_second_time_says_that_nothing_is_new():
    clout("ingest", "table", "posts.csv", "--map", "posts.toml")
    done = clout("ingest", "table", "posts.csv", "--map", "posts.toml")
    assert done.exit_code == 0
    assert [line.split() for line in done.stdout.splitlines()[2:3]] == [["posts", "0", "2"]]
    assert "nothing new: the lake is as it was" in done.stdout


def test_json_tells_the_same(home: Path):
    done = clout("ingest", "table", "posts.csv", "--map", "posts.toml", "--lake", str(home / "other"), "--json")
    told = json.loads(done.stdout)
    assert told["rows"] == {"posts": 2}
    assert told["already_there"] == {}
    assert told["rejected"] == {"unreadable_time": 1}
    assert told["lake"] == str(home / "other")
    assert Path(told["rejects"]).is_file()
    shown = json.loads(clout("lake", "--lake", str(home / "other"), "--json").stdout)
    assert shown["rows"] == {"posts": 2}
    assert shown["rejected"] == {"unreadable_time": 1}
    assert [receipt["source"] for receipt in shown["receipts"]] == ["posts.csv"]
    assert len(shown["fingerprint"]) == 64


def test_the_lake_tells_of_actions_on_posts_that_are_not_there(home: Path):
    tables = simulate(Society(accounts=60, days=8)).tables
    Lake(home / "other").append({"actions": tables["actions"]}, source="log.csv")
    shown = json.loads(clout("lake", "--lake", str(home / "other"), "--json").stdout)
    assert shown["unmet"] == {"actions": tables["actions"]["post"].count()} != {"actions": 0}
    words = f"! {shown['unmet']['actions']:,} actions are on posts that are not in the lake"
    assert words in clout("lake", "--lake", str(home / "other")).stdout


def test_the_lake_is_shown(monkeypatch: pytest.MonkeyPatch, home: Path):
    monkeypatch.setenv("CLOUT_LAKE", str(home / "elsewhere"))
    assert "empty: fill it with clout ingest table" in clout("lake").stdout
    clout("ingest", "table", "posts.csv", "--map", "posts.toml")
    shown = clout("lake").stdout
    assert f"lake {home / 'elsewhere'}" in shown
    assert "posts.csv: Read by hand." in shown
    assert "unreadable_time" in shown
    assert "fingerprint " in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("gone.csv", "--map", "posts.toml"), "error: cannot read gone.csv"),
        (("posts.csv", "--map", "gone"), "error: there is no mapping gone; expected a TOML file"),
        (("posts.csv", "--map", "politicians"), "error: posts.csv lacks columns that the mapping names"),
        (("posts.csv", "--map", "posts.toml", "--lake", "nowhere://x"), "error: cannot open the lake nowhere://x"),
    ],
)
def test_an_error_is_one_line_on_stderr(arguments: tuple[str, ...], words: str, home: Path):
    done = clout("ingest", "table", *arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.startswith(words)
    assert done.stderr.count("\n") == 1
    assert not (home / ".clout").exists()


def test_a_file_without_a_good_row_is_an_error_but_its_rejects_are_kept():
    Path("posts.csv").write_text("id,who,at\n1,ann,soon\n")
    done = clout("ingest", "table", "posts.csv", "--map", "posts.toml")
    assert done.exit_code == 2
    assert "unreadable_time" in done.stdout
    assert "no row of posts.csv was accepted" in done.stderr


def test_posts_that_are_all_rejected_are_an_error_even_where_accounts_were_accepted():
    Path("posts.csv").write_text("id,who,at\n1,ann,soon\n2,bob,later\n")
    Path("posts.toml").write_text(MAPPING + '[accounts]\naccount = "who"\n')
    done = clout("ingest", "table", "posts.csv", "--map", "posts.toml", "--json")
    assert done.exit_code == 2
    assert json.loads(done.stdout)["rows"] == {"accounts": 2}
    assert "no row of posts.csv was accepted for posts: mend the rows or the mapping" in done.stderr


COUNTS = """
[counts]
post = "id"
happened_at = { constant = 2024-01-01T00:00:00Z }
kinds = { like = "likes" }
"""


@pytest.mark.parametrize(
    ("extra", "read_at", "refused"),
    [
        ("", "2024-01-01", True),
        ("retrospective = true", "2024-01-01", False),
        ("retrospective = false", "2024-01-01", False),
        ("", "2023-02-01", False),
    ],
)
def test_counts_read_long_after_must_say_what_that_means(extra: str, read_at: str, refused: bool, home: Path):
    Path("posts.csv").write_text("id,who,at,likes\n1,ann,2023-01-01,3\n2,ann,2023-01-02,5\n")
    Path("posts.toml").write_text(MAPPING + COUNTS.replace("2024-01-01", read_at) + extra)
    done = clout("ingest", "table", "posts.csv", "--map", "posts.toml")
    assert done.exit_code == (2 if refused else 0)
    assert ("read 364 days after their posts (the median); expected the mapping to say" in done.stderr) is refused
    assert (home / ".clout").exists() is not refused


def test_a_setting_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CLOUT_PORT", "eighty")
    done = clout("lake")
    assert done.exit_code == 2
    assert "error: cannot use CLOUT_PORT='eighty'" in done.stderr


def test_help_comes_at_once_and_loads_nothing_heavy():
    code = "import sys; from clout.cli import app; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"polars", "numpy", "pandas", "pydantic", "lightgbm", "mlflow", "bentoml"} & set(loaded)

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([Path(sys.executable).with_name("clout"), "--help"], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert b"ingest" in done.stdout
    assert after.ru_utime - before.ru_utime < 0.5  # seconds of CPU: a busy machine changes the time, hardly these
