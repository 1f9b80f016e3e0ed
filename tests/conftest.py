"""What tests of every folder share."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]

pytest_plugins = ["mastodon_server", "score_store", "scored_home", "trained_society"]

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# How long an example takes says something of the machine alone.
settings.register_profile("clout", deadline=None)
settings.load_profile("clout")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests later, those of a real network last, everything else in its order."""
    later = ("slow", "network_real")
    items.sort(key=lambda item: [item.get_closest_marker(name) is not None for name in later][::-1])


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def packages() -> dict[str, Path]:
    """Import name → folder of every package and sub-package that goes into the wheel."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    parts = {name: name.split(".") for name in listed["packages"]}
    return {name: ROOT.joinpath(listed["package-dir"][".".join(part[:2])], *part[2:]) for name, part in parts.items()}


@pytest.fixture(scope="session")
def modules(packages: dict[str, Path]) -> dict[str, Path]:
    """Import name → file of every module in the packages."""
    return {
        name if file.stem == "__init__" else f"{name}.{file.stem}": file
        for name, folder in packages.items()
        for file in sorted(folder.glob("*.py"))
    }


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets: CLOUT_TEST_DATA or ../shared/data; where there is none the test skips."""
    folder = Path(os.environ.get("CLOUT_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "politicians.parquet").is_file():
        pytest.skip(f"no politicians.parquet in {folder}: set CLOUT_TEST_DATA to the folder of the real data sets")
    return folder
