"""The wheel holds every tracked file of the packages, under its import name, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"


def tracked(root: Path) -> list[str]:
    """The paths git tracks, relative to the repository."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True)
    return listing.stdout.rstrip("\0").split("\0")


def import_path(file: str, packages: dict[str, Path], root: Path) -> str | None:
    """Where the wheel should hold a tracked file, None for files outside the packages."""
    for name, folder in sorted(packages.items(), reverse=True):
        if folder in (root / file).parents:
            return f"{name.replace('.', '/')}/{(root / file).relative_to(folder).as_posix()}"
    return None


def test_wheel_holds_what_git_tracks(root: Path, packages: dict[str, Path], tmp_path: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    files = tracked(root)
    for file in files:
        (source / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / file, source / file)
    subprocess.run([sys.executable, "-c", BUILD, out], cwd=source, capture_output=True, check=True)
    with ZipFile(next(out.glob("clout-*.whl"))) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    expected = {path for file in files if (path := import_path(file, packages, root)) is not None}
    assert held == expected
