"""The programs of bench/, which find their neighbours beside themselves."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def program(root: Path) -> Iterator[Callable[[str], ModuleType]]:
    """A function that gives a module of bench/ by its name."""
    folder = str(root / "bench")
    sys.path.insert(0, folder)
    yield importlib.import_module
    sys.path.remove(folder)
