"""What made a bundle: the same code has the same digest wherever it lies, and a checkout says which commit it is."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import lightgbm
import pytest
from mlflow import MlflowClient
from trained_society import TrainedSociety

from clout.training.provenance import FOLDERS, LOCK, code_digest, origin, provenance
from clout.training.tracking import bundle_of_run

UNKNOWN = {"commit": None, "as_committed": None, "lock": None}


@pytest.fixture
def installed(tmp_path: Path, root: Path) -> Path:
    """The packages as they lie where they are installed: without lock and repository."""
    for folder in FOLDERS:
        shutil.copytree(root / folder, tmp_path / "clout" / folder)
    return tmp_path / "clout"


@pytest.fixture
def checkout(tmp_path: Path) -> Callable[..., str]:
    """Git in a small checkout at tmp_path/checkout."""
    place = tmp_path / "checkout"
    (place / "training").mkdir(parents=True)
    (place / "training" / "fit.py").write_text("trees = 1\n")
    (place / LOCK).write_text("locked\n")

    def git(*words: str) -> str:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        return subprocess.run(
            ["git", "-C", place, *who, *words], check=True, capture_output=True, text=True
        ).stdout.strip()

    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "-m", "first")
    return git


def test_the_code_is_the_same_wherever_it_lies_and_one_stands(installed: Path, root: Path) -> None:
    expected = code_digest(root)
    with chdir(installed.parent):
        assert code_digest(installed) == code_digest() == expected


def test_a_changed_source_is_other_code(installed: Path) -> None:
    digests = {code_digest(installed)}
    for name in ("fit.py", "card.md.j2"):
        file = installed / "training" / name
        file.write_text(file.read_text() + "\n")
        digests.add(code_digest(installed))
    (installed / "models" / "scale.py").rename(installed / "models" / "scales.py")
    digests.add(code_digest(installed))
    assert len(digests) == 4


def test_what_is_no_source_is_no_code(installed: Path) -> None:
    before = code_digest(installed)
    (installed / "training" / "notes.md").write_text("a thought")
    (installed / "README.md").write_text("another")
    assert code_digest(installed) == before


def test_the_libraries_that_compute_are_named() -> None:
    made_by = provenance()
    assert set(made_by) == {"clout", "code", "python", "libraries"}
    assert set(made_by["libraries"]) == {"lightgbm", "numpy", "polars", "scikit-learn", "scipy"}
    assert made_by["libraries"]["lightgbm"] == lightgbm.__version__


def test_a_checkout_says_its_commit_and_its_lock(checkout: Callable[..., str], tmp_path: Path) -> None:
    lock = hashlib.sha256(b"locked\n").hexdigest()
    commit = checkout("rev-parse", "HEAD")
    assert origin(tmp_path / "checkout") == {"commit": commit, "as_committed": True, "lock": lock}


def test_a_changed_source_is_not_as_committed_a_changed_document_is(
    checkout: Callable[..., str], tmp_path: Path
) -> None:
    place = tmp_path / "checkout"
    (place / "README.md").write_text("new words")
    assert origin(place)["as_committed"] is True
    (place / "training" / "fit.py").write_text("trees = 2\n")
    assert origin(place)["as_committed"] is False
    checkout("commit", "--quiet", "-am", "second")
    assert origin(place)["as_committed"] is True


def test_what_is_no_checkout_says_nothing_even_inside_of_one(
    installed: Path, checkout: Callable[..., str], tmp_path: Path
) -> None:
    assert checkout("status", "--porcelain") == ""
    inside = tmp_path / "checkout" / "site-packages"
    installed.rename(inside)
    assert origin(inside) == UNKNOWN


def test_a_lock_without_a_repository_is_told_alone(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text("locked\n")
    lock = hashlib.sha256(b"locked\n").hexdigest()
    assert origin(tmp_path) == {"commit": None, "as_committed": None, "lock": lock}


def test_a_bundle_and_its_run_say_what_made_them(trained: TrainedSociety) -> None:
    made_by = json.loads((trained.trained.directory / "provenance.json").read_text())
    came_from = json.loads((trained.trained.directory / "origin.json").read_text())
    client = MlflowClient(trained.tracking_uri)
    run = client.get_model_version_by_alias("clout", "champion").run_id
    assert run
    tags = client.get_run(run).data.tags
    assert set(came_from) == set(UNKNOWN)
    assert bundle_of_run(trained.tracking_uri, run) == trained.trained.version
    assert tags["clout.code"] == made_by["code"]
    assert tags["clout.data"] == trained.lake.fingerprint()
    assert (tags["clout.seed"], tags["clout.scale"]) == ("7", "1")
    for name, value in came_from.items():
        assert tags.get(f"clout.{name}") == (None if value is None else str(value))
