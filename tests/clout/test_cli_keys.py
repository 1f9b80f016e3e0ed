"""`clout keys`: the secret is shown once, and nothing that is kept holds it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from clout.cli import app
from clout.serving.edge.keys import digest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLOUT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CLOUT_ACTOR", "amy")
    for name in ("STORE", "LAKE"):
        monkeypatch.delenv(f"CLOUT_{name}", raising=False)
    return tmp_path / "home"


def keys(*words: str) -> Result:
    return CliRunner().invoke(app, ["keys", *words])


def told(*words: str) -> list[dict[str, str]]:
    done = keys(*words, "--json")
    assert done.exit_code == 0, done.stderr
    answer = json.loads(done.stdout)
    return answer if isinstance(answer, list) else [answer]


def test_a_key_is_shown_once(home: Path) -> None:
    [made] = told("create", "app", "--scope", "score", "--scope", "read")
    mark, key_id, secret = made["key"].split("_", 2)
    assert (mark, key_id, made["scopes"], made["expires_at"]) == ("clout", made["id"], ["read", "score"], None)
    assert len(secret) == 43
    listed = told("list")
    assert listed == [{name: value for name, value in made.items() if name != "key"}]
    everything = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert digest(secret).encode() in everything
    assert secret.encode() not in everything


def test_no_two_keys_are_the_same(home: Path) -> None:
    made = [told("create", "app", "--scope", "read")[0]["key"] for _ in range(3)]
    assert home.is_dir()
    assert len({word for key in made for word in key.split("_", 2)[1:]}) == 6


def test_people_are_told_too(home: Path) -> None:
    assert "there is no key yet" in keys("list").stdout
    made = keys("create", "app", "--scope", "ingest", "--days", "2")
    key, line = made.stdout.strip().split("\n")
    assert key.startswith("clout_")
    assert "it is not shown again. It opens ingest; revoke it: clout keys revoke" in line
    listed = keys("list").stdout
    assert "ingest" in listed
    assert key.split("_", 2)[2] not in listed
    assert (home / "scores.db").is_file()


def test_revoking(home: Path) -> None:
    [made] = told("create", "app", "--scope", "admin")
    assert told("revoke", made["id"])[0]["state"] == "revoked"
    assert told("list")[0]["state"] == "revoked"
    lines = [json.loads(line) for line in (home / "requests.jsonl").read_text().splitlines()]
    assert [(line["who"], line["did"], line["key"]) for line in lines] == [
        ("amy", "keys create", made["id"]),
        ("amy", "keys revoke", made["id"]),
    ]
    assert all(line["at"].endswith("+00:00") for line in lines)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("create", "app", "--scope", "write"), "error: got the scope 'write'; expected one or more of read, score"),
        (("create", " ", "--scope", "read"), "error: got ' ' as name of a key; expected"),
        (("create", "app", "--scope", "read", "--days", "0"), "error: got --days 0; expected more than 0"),
        (("revoke", "nope"), "error: got 'nope'; expected the id of a key: see `clout keys list`"),
    ],
)
def test_what_cannot_be_is_told(words: tuple[str, ...], error: str, home: Path) -> None:
    done = keys(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert error in done.stderr
    assert not (home / "requests.jsonl").exists()
