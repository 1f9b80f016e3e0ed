"""The folder that a benchmark works in."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def working_home(home: Path | None) -> Iterator[Path]:
    """A folder to work in: `home`, which stays, or a temporary one."""
    if home is not None:
        home.mkdir(parents=True, exist_ok=True)
        yield home
        return
    with tempfile.TemporaryDirectory(prefix="clout-bench-") as folder:
        yield Path(folder)
