"""`clout score`, and what `clout serve` and `clout build` say when they cannot, typed as people type them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import served_home
from typer.testing import CliRunner, Result

from clout.cli import app
from clout.serving.answers import Explained

TEXT = "A question: what did you read this week?"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return served_home.make(tmp_path_factory.mktemp("served"))


@pytest.fixture(autouse=True)
def home(served: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home the commands find."""
    monkeypatch.setenv("CLOUT_HOME", str(served))
    monkeypatch.delenv("CLOUT_LAKE", raising=False)
    return served


def clout(*arguments: str, stdin: str | None = None) -> Result:
    """What the command did."""
    return CliRunner().invoke(app, arguments, input=stdin)


def test_a_score_with_its_reasons_in_words() -> None:
    done = clout("score", "--text", TEXT, "--account", "commons/1")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    score = int(lines[0].removeprefix("score ").split(",")[0])
    table = {line.rsplit(maxsplit=1)[0].strip(): line.rsplit(maxsplit=1)[1] for line in lines if line[-1:].isdigit()}
    points = [int(table[name]) for name in ("wording", "format", "timing", "track record", "audience", "network")]
    assert int(table["a typical post"]) + sum(points) == int(table["this post"]) == score
    assert {"actions", "like", "reshare"} <= {line.split()[0] for line in lines if line}
    assert any("Words like these" in line for line in lines)


def test_json_is_what_the_service_answers() -> None:
    done = clout("score", "--text", TEXT, "--account", "commons/1", "--json")
    answer = Explained.model_validate_json(done.stdout)
    assert (answer.account, answer.evidence.source) == ("commons/1", "lake")


def test_a_post_as_json_and_from_stdin_say_the_same() -> None:
    post = json.dumps({"account": "commons/1", "text": TEXT, "happened_at": "2025-02-01T10:00:00Z"})
    typed, piped = clout("score", "--post", post, "--json"), clout("score", "--post", "-", "--json", stdin=post)
    assert typed.exit_code == 0
    assert typed.stdout == piped.stdout


def test_facts_stand_in_for_a_stranger() -> None:
    assert clout("score", "--post", '{"network": "commons", "account_facts": {"followers": 9}}').exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "expected --post with JSON, or --text and --account, or --all"),
        (("--post", "{}", "--text", "a"), "expected --post with JSON, or --text and --account, or --all"),
        (("--text", "a"), "Expected account (network/id), or network and handle"),
        (("--text", "a", "--account", "commons/nobody"), "nothing is known of commons/nobody"),
        (("--text", "a", "--account", "myspace/tom"), "got the network 'myspace'"),
        (("--text", " ", "--account", "commons/1"), "the post is empty"),
        (("--post", "{"), "Invalid JSON"),
        (("--post", '{"acount": "commons/1"}'), "/acount: no field has this name"),
    ],
)
def test_trouble_is_one_line(arguments: tuple[str, ...], said: str) -> None:
    done = clout("score", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


@pytest.mark.parametrize("command", [("score", "--text", "a", "--account", "commons/1"), ("serve",), ("build",)])
def test_without_a_champion(command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUT_HOME", str(tmp_path / "none"))
    done = clout(*command)
    assert done.exit_code == 2
    assert "there is no champion" in done.stderr
    assert "clout train" in done.stderr


def test_another_lake_can_be_asked(tmp_path: Path) -> None:
    done = clout("score", "--text", "a", "--account", "commons/1", "--lake", str(tmp_path / "lake"))
    assert done.exit_code == 2
    assert f"the lake {tmp_path / 'lake'} is empty" in done.stderr
