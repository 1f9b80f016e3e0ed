"""What was seen by watches of a home, one JSON line each: `<home>/watch.jsonl`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FILE = "watch.jsonl"
KEPT = ("version", "verdict", "act", "since", "through", "posts", "ripe", "drifted_share")


def append(home: Path, told: Mapping[str, Any], now: datetime) -> Path:
    """The file that now ends with when, which model, the verdict and the headline figures."""
    accuracy = {figure["name"]: figure["now"] for figure in told["accuracy"]}
    line = {"when": now.astimezone(UTC).isoformat(timespec="seconds"), **{name: told[name] for name in KEPT}}
    text = json.dumps(line | {"accuracy": accuracy}, ensure_ascii=False) + "\n"
    file = home / FILE
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(handle, (("" if _ends_whole(handle) else "\n") + text).encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    return file


def _ends_whole(handle: int) -> bool:
    """Whether the file is empty or ends with a line break, as it does unless a write was cut off."""
    size = os.lseek(handle, 0, os.SEEK_END)
    return size == 0 or os.pread(handle, 1, size - 1) == b"\n"


def read(home: Path) -> list[dict[str, Any]]:
    """The lines, oldest first; one that was cut off is left out."""
    file = home / FILE
    found = []
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found
