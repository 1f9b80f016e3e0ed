"""`clout ingest mastodon`, typed as people type it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mastodon_server import MastodonServer
from typer.testing import CliRunner, Result

from clout.cli import app


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that one stands in, without a lake."""
    monkeypatch.chdir(tmp_path)
    for name in ("CLOUT_HOME", "CLOUT_LAKE", "CLOUT_MASTODON_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def ingest(server: str, *arguments: str) -> Result:
    """What the command did."""
    return CliRunner().invoke(app, ["ingest", "mastodon", "--server", server, *arguments])


def test_accounts_go_into_the_lake_and_those_left_out_are_told(mastodon: MastodonServer) -> None:
    mastodon.post("ann", "one")
    done = ingest(mastodon.url, "--actor", "@ann", "--actor", "nobody")
    assert done.exit_code == 0
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["posts", "1", "0"] in rows
    assert ["unreachable", "1"] in rows
    assert "left out @nobody: the server does not have it (404): it is gone, or was never seen there" in done.stdout
    assert "counts are those that 127.0.0.1" in done.stdout


def test_programs_are_told_the_same_and_no_token_is_told_or_kept(
    mastodon: MastodonServer, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    mastodon.post("ann", "one")
    monkeypatch.setenv("CLOUT_MASTODON_TOKEN", "token-of-ben")
    done = ingest(mastodon.url, "--actor", "ann", "--json")
    told = json.loads(done.stdout)
    assert (told["rows"]["posts"], told["left_out"], told["rejects"]) == (1, {}, None)
    mastodon.fault("/api/v1/accounts/lookup", "status", status=401)
    refused = ingest(mastodon.url, "--actor", "ann")
    assert (refused.exit_code, "answered 401" in refused.stderr) == (2, True)
    kept = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert "token-of-ben" not in done.output + refused.output
    assert b"token-of-ben" not in kept


@pytest.mark.parametrize(
    ("server", "actor", "words"),
    [
        ("social.example", "ann", "got the server 'social.example'; expected its address as in https://social.example"),
        ("https://social.example", "a b", "got the account 'a b'; expected one as in @ann or @ann@social.example"),
    ],
)
def test_what_cannot_be_used_is_told(server: str, actor: str, words: str) -> None:
    done = ingest(server, "--actor", actor)
    assert (done.exit_code, words in done.stderr) == (2, True)


def test_no_account_at_all_is_an_error(mastodon: MastodonServer) -> None:
    done = ingest(mastodon.url, "--actor", "nobody")
    assert (done.exit_code, "no account was read: see why above" in done.stderr) == (2, True)
