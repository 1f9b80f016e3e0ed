"""Figures that were measured apart from any service, on a made-up society: files that programs in `bench/` write."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def measured(name: str) -> dict[str, Any] | None:
    """The figures of a name; None where nobody has measured them or the file cannot be read."""
    try:
        return dict(json.loads((files(__package__) / "figures" / f"{name}.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
