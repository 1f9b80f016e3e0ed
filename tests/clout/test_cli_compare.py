"""`clout compare`, typed as people type it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from trained_society import Retrained, TrainedSociety
from typer.testing import CliRunner, Result

from clout.cli import app
from clout.models import registry


@dataclass(frozen=True)
class Compared:
    """What the command said, for programs, and the page it wrote."""

    told: dict[str, Any]
    page: str


def clout(home: Path, *arguments: str) -> Result:
    """What the command did."""
    return CliRunner().invoke(app, arguments, env={"CLOUT_HOME": str(home), "CLOUT_LAKE": ""})


def refusal(home: Path, *arguments: str) -> str:
    """The one line on stderr with which a command is refused."""
    done = clout(home, *arguments)
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.fixture(scope="module")
def compared(retrained: Retrained, tmp_path_factory: pytest.TempPathFactory) -> Compared:
    home = shutil.copytree(retrained.home, tmp_path_factory.mktemp("compared") / "home")
    file = home / "page.html"
    done = clout(home, "compare", "champion", "challenger", "--json", "--html", str(file))
    assert done.exit_code == 0, done.output
    assert registry.comparison_file(home).read_text() == file.read_text()
    return Compared(json.loads(done.stdout), file.read_text())


def test_json_has_the_keys_of_the_document(compared: Compared, root: Path) -> None:
    told, document = compared.told, (root / "docs" / "compare.md").read_text()
    assert list(told) == ["versions", "differs", "accuracy", "moves"]
    (to,) = told["moves"]["to"].values()
    keys = {*told, *told["versions"][0], *told["differs"], *told["accuracy"], *told["moves"], *to, *to["movers"][0]}
    assert not {key for key in keys if f"`{key}`" not in document}


def test_both_are_named_and_only_what_was_set_differs(
    compared: Compared, trained: TrainedSociety, retrained: Retrained
) -> None:
    told = compared.told
    versions = [trained.trained.version, retrained.told["version"]]
    assert [about["version"] for about in told["versions"]] == versions
    assert [about["name"] for about in told["versions"]] == ["champion", "challenger"]
    assert told["differs"]["parameters"] == {"seed": [7, 8], "splits.origins": [3, 2], "fit.trees": [60, 50]}
    assert not told["differs"]["features"]
    assert not told["differs"]["action_values"]


def test_accuracy_and_moves_are_told(compared: Compared, retrained: Retrained) -> None:
    told, second = compared.told, retrained.told["version"]
    assert told["accuracy"]["reason"] is None
    assert 200 <= told["accuracy"]["posts"] <= retrained.told["metrics"]["posts"]
    assert set(told["accuracy"]["figures"]["spearman"]) == {about["version"] for about in told["versions"]}
    assert list(told["moves"]["to"]) == [second]
    assert told["moves"]["accounts"] > 200
    assert second in compared.page


def test_for_people_it_is_tables_and_an_empty_lake_leaves_accuracy(retrained: Retrained, tmp_path: Path) -> None:
    home = shutil.copytree(retrained.home, tmp_path / "home")
    done = clout(home, "compare", "champion", "challenger", "--data", str(tmp_path / "empty"))
    assert done.exit_code == 0
    assert "B less A" in registry.comparison_file(home).read_text()
    text = " ".join(line.strip() for line in done.stdout.splitlines())
    for words in ("what differs", "parameters: splits.origins", "Spearman within accounts", "B less A"):
        assert words in text
    assert "whose scores move the lake " in text
    assert "has no posts; expected those of the accounts to score: give one with --lake" in text


def test_what_was_not_kept_leaves_the_rest(retrained: Retrained, tmp_path: Path) -> None:
    home = shutil.copytree(retrained.home, tmp_path / "home")
    (home / "judged" / f"{retrained.told['version']}.parquet").unlink()
    told = json.loads(clout(home, "compare", "champion", "challenger", "--json", "--data", str(tmp_path / "no")).stdout)
    assert told["accuracy"]["reason"].startswith(f"cannot read what {retrained.told['version']} said")
    assert told["differs"]["parameters"]


def test_other_action_values_make_errors_and_scores_incomparable(retrained: Retrained, tmp_path: Path) -> None:
    home = shutil.copytree(retrained.home, tmp_path / "home")
    version = other_values(home / "bundles" / retrained.told["version"])
    told = json.loads(clout(home, "compare", "champion", version, "--json").stdout)
    assert "to expect other outcomes" in told["accuracy"]["reason"]
    assert "other action values" in told["moves"]["reason"]
    assert told["differs"]["action_values"]["like"] == [1.0, 5.0]


def other_values(directory: Path) -> str:
    """The version of a bundle beside this one that says it was trained with other action values."""
    from clout.models import bundle  # noqa: PLC0415

    whole = bundle.read(directory)
    files: dict[str, bytes | str] = dict(whole.files)
    for name in ("params.json", "data.json"):
        content = whole.json(name)
        content["action_values"]["like"] = 5.0
        files[name] = bundle.to_json(content)
    version = bundle.write(directory.parent / "new", files)
    (directory.parent / "new").rename(directory.parent / version)
    return version


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("champion",), "got 1 version; expected two or more of champion, challenger and versions"),
        (("champion", "champion"), "got champion and champion, which are both "),
        (("champion", "nothing"), "got 'nothing'; expected champion, challenger or a version"),
        (
            ("champion", "challenger", "--html", "gone/page.html"),
            "cannot write gone/page.html: there is no folder gone",
        ),
    ],
)
def test_what_cannot_be_compared_is_told_in_one_line(
    arguments: tuple[str, ...], words: str, retrained: Retrained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert refusal(retrained.home, "compare", *arguments, "--data", "empty").startswith(f"error: {words}")
    assert list(tmp_path.iterdir()) == []


def test_a_version_and_its_alias_are_one(retrained: Retrained, trained: TrainedSociety) -> None:
    words = refusal(retrained.home, "compare", "champion", "challenger", trained.trained.version)
    assert f"got champion and {trained.trained.version}, which are both" in words
