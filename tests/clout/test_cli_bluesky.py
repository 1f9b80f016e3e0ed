"""`clout ingest bluesky`, typed as people type it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from firehose_frames import commit, replaying
from typer.testing import CliRunner, Result

from clout.cli import app
from clout.data.lake import Lake

THEN = datetime(2026, 1, 1, tzinfo=UTC)
ANN = "did:plc:ann"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, with nothing set."""
    monkeypatch.chdir(tmp_path)
    for name in ("CLOUT_HOME", "CLOUT_LAKE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def clout(*arguments: str) -> Result:
    """What the command did."""
    return CliRunner().invoke(app, ["ingest", "bluesky", *arguments])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "got nothing to read; expected actors, lists or the firehose"),
        (("--actor", "ann"), "got the account 'ann'; expected a handle or an id"),
        (("--list", "mine"), "got the list 'mine'; expected its address"),
        (("--firehose", "--host", "bsky.network"), "expected one as in wss://bsky.example"),
        (("--actor", "ann.example", "--for", "1m"), "got --for without --firehose"),
        (("--firehose", "--for", "soon"), "got --for 'soon'; expected from 1s"),
        (("--firehose", "--host", "ws://127.0.0.1:1"), "broke off"),
    ],
    ids=lambda value: "-".join(value).replace("--", "") if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_is_told_in_a_line(arguments: tuple[str, ...], words: str) -> None:
    done = clout(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_firehose(folder: Path) -> None:
    post = {"text": "hi", "createdAt": THEN.isoformat()}
    frames = [(1, commit(1, THEN, ANN, ("create", "app.bsky.feed.post/p1", post)))]
    with replaying(frames) as host:
        shown = clout("--firehose", "--host", host)
    assert shown.exit_code == 0, shown.output
    assert "#commit: 1" in shown.stdout
    assert "dated back" in shown.stdout
    assert Lake(folder / ".clout" / "lake").read("posts")["post"].to_list() == [
        f"bluesky/at://{ANN}/app.bsky.feed.post/p1"
    ]
