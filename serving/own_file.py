"""Files that hold what is nobody else's business: rows, scores, keys, who asked."""

from __future__ import annotations

import os
from pathlib import Path

OWN = 0o600


def make(file: Path) -> None:
    """Nothing; `file` and its folder are there. If it is new, its owner alone may read it; else it keeps its mode."""
    file.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(file, os.O_CREAT, OWN))
