"""The audit log of a home: who made which model champion, when and why, one line a step, never rewritten.

Each line carries the sha256 of the line before it, so that a line changed, taken out or put in later shows.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FILE = "audit.jsonl"
PREVIOUS = "previous"


@dataclass(frozen=True)
class Asked:
    """Who asks for a change, when, and why."""

    when: datetime
    who: str
    why: str = ""


@dataclass(frozen=True)
class Entry:
    """One step of one change.

    `what` is train, promote, rollback or mend; `outcome` is done, refused or failed, and `detail` says more. `former`
    was champion before. `checks` are the results of the checks, mutes and their reasons among them.
    """

    when: str
    who: str
    why: str
    what: str
    step: str
    outcome: str
    version: str
    former: str | None = None
    detail: str = ""
    checks: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, asked: Asked, what: str, step: str, outcome: str, version: str, **more: Any) -> Entry:  # noqa: ANN401
        """The line of a step that somebody asked for; `more` are the fields that need not be there."""
        when = asked.when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return cls(when, asked.who, asked.why, what, step, outcome, version, **more)

    def told(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return dict(self.__dict__)


@dataclass(frozen=True)
class Log:
    """What the file says: its entries, where its chain breaks, and lines that a kill broke off."""

    entries: tuple[Entry, ...] = ()
    breaks: tuple[str, ...] = ()
    broken_off: tuple[int, ...] = ()

    def told(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        entries = [entry.told() for entry in self.entries]
        return {"entries": entries, "breaks": list(self.breaks), "broken_off": list(self.broken_off)}


def append(home: str | Path, entry: Entry) -> None:
    """Nothing; the entry is on disk as the last line. Whoever appends holds the lock of the home."""
    file = Path(home) / FILE
    content = file.read_bytes() if file.exists() else b""
    # A line that a kill broke off stays as it is, on a line of its own.
    start = b"" if content.endswith(b"\n") or not content else b"\n"
    lines = _lines(content)
    record = {**entry.told(), PREVIOUS: _sha256(lines[-1]) if lines else ""}
    line = json.dumps(record, ensure_ascii=False, allow_nan=False).encode()
    with file.open("ab", buffering=0) as stream:
        stream.write(start + line + b"\n")
        os.fsync(stream.fileno())


def read(home: str | Path) -> Log:
    """What was done in this home, first to last; an empty log where nothing was."""
    file = Path(home) / FILE
    lines = _lines(file.read_bytes()) if file.exists() else []
    records = [_record(line) for line in lines]
    entries = tuple(Entry(**{k: v for k, v in record.items() if k != PREVIOUS}) for record in records if record)
    broken_off = tuple(number for number, record in enumerate(records, 1) if not record)
    return Log(entries, tuple(_breaks(lines, records)), broken_off)


def _breaks(lines: list[bytes], records: list[dict[str, Any] | None]) -> Iterator[str]:
    before = ""
    for number, (line, record) in enumerate(zip(lines, records, strict=True), 1):
        if record and record[PREVIOUS] != before:
            yield (
                f"line {number} does not carry the sha256 of the line before it: there a line was changed, taken out or "
                "put in after it was written"
            )
        before = _sha256(line)


def _lines(content: bytes) -> list[bytes]:
    lines = content.split(b"\n")
    return lines if lines[-1] else lines[:-1]


def _record(line: bytes) -> dict[str, Any] | None:
    """What a line says; None when it was broken off."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    known = {*Entry.__dataclass_fields__, PREVIOUS}
    return record if isinstance(record, dict) and set(record) == known else None


def _sha256(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
