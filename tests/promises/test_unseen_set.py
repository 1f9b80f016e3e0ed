"""A set nobody has seen gives figures and scores from a mapping file alone, or a clear reason why it cannot."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result
from unseen_network import MAPPING, Note, notes, write

from clout.cli import app

QUICK = ("--set", "fit.trees=60", "--set", "fit.threads=1")
ACTIONS = """
network = "chirp"
[actions]
action = "note"
account = "writer"
actor = "body"
kind = { constant = "reshare" }
happened_at = { column = "published", format = "%Y-%m-%d %H:%M" }
"""
READ_AT_ONCE = MAPPING.replace("retrospective = true\n", "").replace(
    "{ constant = 2023-08-01T00:00:00Z }", '{ column = "published", format = "%Y-%m-%d %H:%M" }'
)
READ_LATE_ONCE = MAPPING.replace("retrospective = true", "retrospective = false")


@dataclass(frozen=True)
class Shell:
    """A folder in which `clout` is typed; its home is `home` in it."""

    folder: Path

    def clout(self, *arguments: str) -> Result:
        """What the command did."""
        environment = {"CLOUT_HOME": str(self.folder / "home"), "CLOUT_LAKE": "", "CLOUT_TRACKING_URI": ""}
        return CliRunner().invoke(app, list(arguments), env=environment)

    def ingest(self, rows: Iterable[Note], mapping: str = MAPPING) -> dict[str, Any]:
        """What `clout ingest table` tells of the rows."""
        write(self.folder, rows, mapping)
        files = [str(self.folder / name) for name in ("notes.csv", "chirp.toml")]
        done = self.clout("ingest", "table", files[0], "--map", files[1], "--json")
        assert done.exit_code == 0, done.stderr
        return dict(json.loads(done.stdout))

    def json(self, *arguments: str) -> dict[str, Any]:
        """What a command with --json tells."""
        done = self.clout(*arguments, "--json")
        assert done.exit_code == 0, done.stderr
        return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def open_shell(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Shell]:
    """Opens a shell in a folder of its own, whose MLflow store is there but empty."""

    def opened() -> Shell:
        folder = tmp_path_factory.mktemp("unseen")
        (folder / "home").mkdir()
        shutil.copy(empty_store, folder / "home" / "mlflow.db")
        return Shell(folder)

    return opened


@pytest.fixture(scope="module")
def shell(open_shell: Callable[[], Shell]) -> Shell:
    """Where the notes have been ingested and learned from."""
    shell = open_shell()
    assert shell.ingest(notes())["rows"] == {"posts": 1500, "counts": 4500}
    done = shell.clout("train", *QUICK)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("champion ")
    return shell


def leaves(tree: Any) -> Iterator[object]:  # noqa: ANN401 - any tree of JSON
    if isinstance(tree, dict | list):
        for part in tree.values() if isinstance(tree, dict) else tree:
            yield from leaves(part)
    else:
        yield tree


@pytest.mark.slow
@pytest.mark.parametrize("block", [(), ("--final",)], ids=["rolling", "final"])
def test_its_figures_are_sensible_and_under_the_same_keys(shell: Shell, block: tuple[str, ...]) -> None:
    told = shell.json("evaluate", "champion", *block)
    assert {"version", "block", "posts", "accounts", "model", "skill", "baselines", "groups", "deciles"} <= set(told)
    assert set(told["skill"]) == {"mean", "account_mean", "account_mean_90d", "poisson", "no_history"}
    assert all(math.isfinite(leaf) for leaf in leaves(told) if isinstance(leaf, float))
    model, mean = told["model"], told["baselines"]["account_mean"]
    assert model["spearman"]["value"] > mean["spearman"] > 0.3
    assert model["spearman"]["value"] > 0.6
    assert told["skill"]["mean"]["low"] > 0.3
    assert 0.6 < model["total_ratio"]["value"] < 1.5
    assert 0.8 < model["coverage"]["value"] < 0.98
    assert model["top_decile_lift"]["value"] > 2


@pytest.mark.slow
def test_the_card_tells_what_is_assumed(shell: Shell) -> None:
    version = shell.json("evaluate")["version"]
    bundle = shell.folder / "home" / "bundles" / version
    card, data = (bundle / "card.md").read_text(), json.loads((bundle / "data.json").read_text())
    assert data["retrospective"]
    assert "**Retrospective.** Some counts were read long after the posts." in card
    assert "- Counts of the notes were read once, in August 2023." in card
    assert "| chirp | " in card


@pytest.mark.slow
def test_its_posts_are_scored(shell: Shell) -> None:
    rows = notes()
    drawn = {
        writer: [int(str(row.thumbs)) for row in rows if row.writer == writer] for writer in {r.writer for r in rows}
    }
    order = sorted(drawn, key=lambda writer: float(np.mean(drawn[writer])))
    scores = []
    for writer in (order[0], order[30], order[-1]):
        told = shell.json("score", "--text", "a song by the river", "--account", f"chirp/{writer}")
        scores.append(told["score"])
        assert 1 < told["interval"]["low"] <= told["score"] <= told["interval"]["high"] < 100
        assert set(told["expected"]) == {"actions", "like", "reshare", "reply"}
    assert scores == sorted(scores)
    assert scores[-1] - scores[0] > 15


@pytest.mark.slow
def test_counts_of_chance_make_no_champion(open_shell: Callable[[], Shell]) -> None:
    shell, rows = open_shell(), notes()
    order = np.random.default_rng(1).permutation(len(rows))
    shell.ingest(
        replace(row, thumbs=rows[other].thumbs, answers=rows[other].answers, passes=rows[other].passes)
        for row, other in zip(rows, order, strict=True)
    )
    told = shell.json("train", *QUICK, "--set", "splits.origins=2")
    assert not told["champion"]
    assert told["checks"][0]["code"] == "CLOUT001"
    assert told["checks"][0]["status"] == "finding"
    assert "CLOUT001" in told["stopped_by"]
    done = shell.clout("evaluate")
    assert done.exit_code == 2
    assert "there is no champion" in done.stderr
    assert told["version"] in done.stderr


@pytest.mark.parametrize(
    ("rows", "mapping", "words"),
    [
        (notes(200), MAPPING, "got 200 posts with a known outcome; expected at least 500"),
        (notes(600, 1), MAPPING, "got posts of 1 account; expected at least 30: a score compares accounts"),
        (
            notes(600),
            READ_AT_ONCE,
            "none of the 600 posts has a known outcome 7 days after it (1,800 counts, 0 actions); expected counts read when",
        ),
        (
            notes(600),
            READ_LATE_ONCE,
            "got 0 posts with an outcome known before the last block (2023-06-03); expected at least 250",
        ),
        (
            notes(600),
            ACTIONS,
            "the lake has no posts (600 actions name only accounts); expected posts with the actions",
        ),
        (
            [replace(row, thumbs=0, answers=0, passes=0) for row in notes(600)],
            MAPPING,
            "each of the 600 posts with a known outcome drove 0 actions; expected outcomes that differ",
        ),
        (
            [replace(row, thumbs=3, answers=1, passes=0) for row in notes(600)],
            MAPPING,
            "each of the 600 posts with a known outcome drove 5 actions; expected outcomes that differ",
        ),
    ],
    ids=["few posts", "one account", "unripe", "no history", "no posts", "nothing happens", "always the same"],
)
def test_why_it_cannot_is_told_in_one_line(
    rows: list[Note], mapping: str, words: str, open_shell: Callable[[], Shell]
) -> None:
    shell = open_shell()
    shell.ingest(rows, mapping)
    before = {path: path.stat().st_mtime_ns for path in shell.folder.rglob("*")}
    done = shell.clout("train", *QUICK)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: {words}")
    assert ("retrospective = true in the mapping" in done.stderr) is (mapping == READ_LATE_ONCE)
    assert done.stderr.count("\n") == 1
    assert {path: path.stat().st_mtime_ns for path in shell.folder.rglob("*")} == before


@pytest.mark.slow
def test_a_network_too_small_for_a_scale_is_left_out_and_named(open_shell: Callable[[], Shell]) -> None:
    shell = open_shell()
    shell.ingest(notes(700))
    shell.ingest(notes(150, 12, seed=3), MAPPING.replace('"chirp"', '"peep"'))
    done = shell.clout("train", "--set", "fit.trees=5", "--set", "fit.threads=1", "--set", "splits.origins=2")
    assert done.exit_code == 0, done.stderr
    (bundle,) = (shell.folder / "home" / "bundles").iterdir()
    data = json.loads((bundle / "data.json").read_text())
    assert (list(data["networks"]), data["left_out"]) == (["chirp"], {"peep": 12})
    assert list(json.loads((shell.folder / "home" / "scale.json").read_text())["curves"]) == ["chirp"]
    assert "peep (12 accounts)" in (bundle / "card.md").read_text()
