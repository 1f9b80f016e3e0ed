"""What a training was made by: the code and the libraries that decide a bundle, and where that code came from."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from clout.models.bundle import ORIGIN
from clout.models.score_model import ScoreModel

MADE_BY = "provenance.json"
ROOT = Path(__file__).parents[1]
FOLDERS = ("data", "features", "models", "training")
SOURCES = {".py", ".j2"}
LIBRARIES = ("lightgbm", "numpy", "polars", "scikit-learn", "scipy")
LOCK = "uv.lock"


def provenance() -> dict[str, Any]:
    """What decides a bundle besides its data and parameters: the code, Python and the libraries that compute."""
    return {
        "clout": version("clout"),
        "code": code_digest(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def code_digest(root: Path = ROOT) -> str:
    """The sha256 of the sources that make models, the same in a checkout and in an installed package."""
    digest = hashlib.sha256()
    for name, file in _sources(root):
        digest.update(f"{name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _sources(root: Path) -> Iterator[tuple[str, Path]]:
    found = (file for folder in FOLDERS for file in (root / folder).rglob("*") if file.suffix in SOURCES)
    yield from sorted((file.relative_to(root).as_posix(), file) for file in found)


def tags(model: ScoreModel) -> dict[str, str]:
    """What is needed to make a model again, as a run in MLflow is tagged with it."""
    made_by, came_from = model.bundle.json(MADE_BY), model.bundle.json(ORIGIN)
    told = {"data": model.data["fingerprint"], "seed": model.params["seed"], "scale": model.scale_version}
    told |= {"code": made_by["code"], "python": made_by["python"]} | came_from
    return {f"clout.{name}": str(value) for name, value in told.items() if value is not None}


def origin(root: Path = ROOT) -> dict[str, Any]:
    """Where the code lay, for whoever would repeat it: `commit` of git, whether the code was `as_committed`, `lock`.

    `lock` is the sha256 of uv.lock. All are None where `root` is no checkout, as in an installed package.
    """
    lock = root / LOCK
    if not lock.is_file():
        return {"commit": None, "as_committed": None, "lock": None}
    changed = _git(root, "status", "--porcelain", "--", *FOLDERS, LOCK)
    return {
        "commit": _git(root, "rev-parse", "HEAD"),
        "as_committed": None if changed is None else not changed,
        "lock": hashlib.sha256(lock.read_bytes()).hexdigest(),
    }


def _git(root: Path, *arguments: str) -> str | None:
    """What git says of `root`; None where there is no git or no repository."""
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run([git, "-C", root, *arguments], capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip() if done.returncode == 0 else None
