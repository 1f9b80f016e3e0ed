"""`clout forget` and `clout export`, typed as people type them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from clout.cli import app
from clout.data.lake import Lake
from clout.settings import read_settings

PEOPLE = 'network = "x"\n[accounts]\naccount = "id"\nhandle = "name"\nminor = "young"\n'
POSTS = 'network = "x"\n[posts]\npost = "id"\naccount = "by"\nhappened_at = "at"\n'


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, whose lake has two people and a post of each."""
    monkeypatch.chdir(tmp_path)
    for name in ("CLOUT_HOME", "CLOUT_LAKE", "CLOUT_STORE"):
        monkeypatch.delenv(name, raising=False)
    Path("people.toml").write_text(PEOPLE)
    Path("posts.toml").write_text(POSTS)
    Path("people.csv").write_text("id,name,young\n1,ann,\n2,ben,no\n")
    Path("posts.csv").write_text("id,by,at\n10,1,2025-03-01\n11,2,2025-03-02\n")
    for name in ("people", "posts"):
        assert clout("ingest", "table", f"{name}.csv", "--map", f"{name}.toml").exit_code == 0
    return tmp_path


def clout(*arguments: str, said: str | None = None) -> Result:
    """What the command did."""
    return CliRunner().invoke(app, arguments, input=said)


def test_an_account_is_forgotten_and_what_went_is_told():
    done = clout("forget", "x/@Ann", "--yes")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0] == "forgotten: x/1"
    assert [line.split() for line in done.stdout.splitlines()[2:4]] == [["accounts", "1"], ["posts", "1"]]
    assert Lake(".clout/lake").read("posts")["account"].to_list() == ["x/2"]
    again = clout("forget", "x/1", "--yes", "--json")
    assert json.loads(again.stdout) == {"accounts": ["x/1"], "erased": {}}
    assert "nothing was held; nothing will be taken in either" in clout("forget", "x/1", "--yes").stdout
    lake = json.loads(clout("lake", "--json").stdout)
    assert lake["forgotten"] == 1
    assert lake["rows"] == {"accounts": 1, "posts": 1}


def test_that_somebody_was_forgotten_is_written_down_but_not_who(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CLOUT_ACTOR", "amy@desk")
    assert clout("forget", "x/1", "--yes").exit_code == 0
    [line] = (read_settings().home / "requests.jsonl").read_text().splitlines()
    told = json.loads(line)
    assert (told["who"], told["did"]) == ("amy@desk", "forget")
    assert "x/1" not in line


def test_nothing_is_erased_where_nobody_can_confirm_it():
    done = clout("forget", "x/1", said="")
    assert done.exit_code == 2
    assert "nobody is there to confirm that x/1 is erased for good: add --yes if it is meant" in done.stderr
    assert Lake(".clout/lake").read("accounts").height == 2


def test_a_handle_of_nobody_is_told_and_changes_nothing():
    done = clout("forget", "x/@cid", "--yes")
    assert done.exit_code == 2
    assert "@cid is nobody's handle on x" in done.stderr
    assert len(Lake(".clout/lake").tombstones()) == 0


def test_an_export_is_printed_or_written_whole(home: Path):
    printed = json.loads(clout("export", "x/@ben").stdout)
    assert [row["post"] for row in printed["tables"]["posts"]] == ["x/11"]
    done = clout("export", "x/2", "--out", "ben.json", "--json")
    assert json.loads(done.stdout) == {"account": "x/2", "file": "ben.json"}
    written = json.loads((home / "ben.json").read_text())
    assert written | {"exported_at": None} == printed | {"exported_at": None}
    failed = clout("export", "x/2", "--out", "nowhere/ben.json")
    assert failed.exit_code == 2
    assert "could not write nowhere/ben.json" in failed.stderr
    nobody = clout("export", "x/9", "--out", "nine.json")
    assert (nobody.exit_code, (home / "nine.json").exists()) == (2, False)
    assert "nothing is held of x/9" in nobody.stderr


def test_a_minor_never_comes_in_and_what_was_there_goes():
    Path("people.csv").write_text("id,name,young\n2,ben,yes\n2,Ben,\n3,eva,\n")
    done = clout("ingest", "table", "people.csv", "--map", "people.toml", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["rows"], told["rejected"]) == ({"accounts": 1}, {"minor": 2})
    lake = Lake(".clout/lake")
    assert lake.read("accounts")["account"].to_list() == ["x/1", "x/3"]
    assert lake.read("posts")["account"].to_list() == ["x/1"], "what came before the flag is erased too"
    assert "ben" not in str(lake.rejects().collect().rows()).lower()
    assert lake.tombstones().erasures[0].reason == "minor"
    Path("posts.csv").write_text("id,by,at\n12,2,2025-03-03\n13,1,2025-03-03\n14,2,soon\n")
    later = json.loads(clout("ingest", "table", "posts.csv", "--map", "posts.toml", "--json").stdout)
    assert (later["rows"], later["rejected"]) == ({"posts": 1}, {"forgotten": 1, "unreadable_time": 1})
    assert set(lake.rejects().collect()["raw"]) == {""}
    same = json.loads(clout("ingest", "table", "people.csv", "--map", "people.toml", "--json").stdout)
    assert (same["number"], same["rows"]) == (0, {})


def test_a_minor_whose_row_does_not_have_its_id_is_not_kept_in_the_rejects():
    named = PEOPLE.replace('account = "id"', 'account = { column = "id", values = { "7" = "seven" } }')
    Path("people.toml").write_text(named.replace('handle = "name"\n', ""))
    Path("people.csv").write_text("id,name,young\n7,zoe,yes\n")
    done = clout("ingest", "table", "people.csv", "--map", "people.toml")
    assert done.exit_code == 2
    assert "no row of people.csv was accepted for any table" in done.stderr
    assert Lake(".clout/lake").rejects().collect().select("reason", "raw").rows() == [("minor", "")]
