"""`clout attack`, typed as people type it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from trained_society import TrainedSociety
from typer.testing import CliRunner, Result

from clout.cli import app

QUICK = ("--posts", "10", "--base", "2", "--targets", "3", "--budget", "100")


def clout(home: Path, *arguments: str) -> Result:
    """What the command did."""
    return CliRunner().invoke(app, ["attack", *arguments], env={"CLOUT_HOME": str(home), "CLOUT_LAKE": ""})


def test_json_has_the_keys_of_the_document(trained: TrainedSociety, root: Path, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    done = clout(trained.home, "--kind", "throwaways", *QUICK, "--json", "--html", str(file))
    assert done.exit_code == 0, done.output
    told, document = json.loads(done.stdout), (root / "docs" / "attacks.md").read_text()
    (attack,) = told["attacks"]
    (base,) = attack["bases"]
    keys = {*told, *told["bases"][0], *attack, *base, *base["points"], *base["points"]["clout"], *attack["others"]}
    assert not {key for key in keys if f"`{key}`" not in document}
    assert (told["budget"], base["targets"], attack["amount"]) == (100, 3, 100.0)
    assert file.read_text().count("<svg") == 2


def test_for_people_it_is_a_table_and_a_version_may_be_named(trained: TrainedSociety) -> None:
    done = clout(trained.home, trained.trained.version, "--kind", "followers", *QUICK, "--base", "5")
    assert done.exit_code == 0, done.output
    assert "about 2 (3 accounts" in done.stdout
    assert "about 5 (3 accounts" in done.stdout
    assert "promised at most 0 points" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--kind", "hypnosis"), "got the kind 'hypnosis'; expected all or one of throwaways"),
        (("--base", "900", "--posts", "10"), "got --base 900, but none of the"),
        (("nobody",), "got 'nobody'; expected champion, challenger or a version"),
        (("--html", "gone/page.html"), "cannot write gone/page.html: there is no folder gone"),
    ],
)
def test_what_cannot_be_tried_is_told_in_one_line(
    arguments: tuple[str, ...], words: str, trained: TrainedSociety
) -> None:
    done = clout(trained.home, *arguments)
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    assert done.stderr.startswith(f"error: {words}")
    assert done.stderr.count("\n") == 1
