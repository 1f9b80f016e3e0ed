"""The audit log: whole lines, a chain, and what a kill or a hand does to it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clout.models import audit
from clout.models.audit import Asked, Entry

ASKED = Asked(datetime(2026, 3, 2, 14, 30, tzinfo=UTC), "amy@desk", "„why“ not")


def write(home: Path, *versions: str) -> Path:
    """The file, after a line for each version."""
    for version in versions:
        audit.append(home, Entry.of(ASKED, "promote", "pointer", "done", version))
    return home / audit.FILE


def test_what_is_written_is_read(tmp_path: Path) -> None:
    checks = [{"code": "CLOUT003", "status": "finding", "muted": "few posts"}]
    entry = Entry.of(ASKED, "promote", "checks", "refused", "b", former="a", detail="it has\na finding", checks=checks)
    audit.append(tmp_path, entry)
    audit.append(tmp_path, entry)
    log = audit.read(tmp_path)
    assert log == audit.Log((entry, entry))
    assert (entry.when, entry.who, entry.why) == ("2026-03-02T14:30:00Z", "amy@desk", "„why“ not")
    assert json.loads(json.dumps(log.told()))["entries"][1]["checks"] == checks


def test_where_nothing_was_done_the_log_is_empty(tmp_path: Path) -> None:
    assert audit.read(tmp_path) == audit.Log()
    assert list(tmp_path.iterdir()) == []


def test_a_line_is_never_rewritten(tmp_path: Path) -> None:
    before = write(tmp_path, "a", "b").read_bytes()
    assert write(tmp_path, "c").read_bytes().startswith(before)


@pytest.mark.parametrize("cut", [1, 2, 40, 200])
def test_a_line_broken_off_by_a_kill_breaks_nothing(tmp_path: Path, cut: int) -> None:
    file = write(tmp_path, "a", "b")
    file.write_bytes(file.read_bytes()[:-cut])
    log = audit.read(tmp_path)
    whole = cut == 1
    assert [entry.version for entry in log.entries] == (["a", "b"] if whole else ["a"])
    assert (log.breaks, log.broken_off) == ((), () if whole else (2,))
    write(tmp_path, "c", "d")
    log = audit.read(tmp_path)
    assert [entry.version for entry in log.entries] == (["a", "b"] if whole else ["a"]) + ["c", "d"]
    assert (log.breaks, log.broken_off) == ((), () if whole else (2,))


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines(keepends=True)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda rows: [rows[0], rows[1].replace("amy", "bob"), *rows[2:]], 3),
        (lambda rows: [rows[0], *rows[2:]], 2),
        (lambda rows: rows[1:], 1),
        (lambda rows: [rows[0], rows[0], *rows[1:]], 2),
        (lambda rows: [rows[1], rows[0], *rows[2:]], 1),
        (lambda rows: [rows[0], "garbage\n", *rows[2:]], 3),
    ],
    ids=["changed", "taken out", "first taken out", "put in", "swapped", "spoilt"],
)
def test_a_hand_in_the_log_is_seen_where_it_was(tmp_path: Path, change, line: int) -> None:  # noqa: ANN001
    file = write(tmp_path, "a", "b", "c", "d")
    file.write_text("".join(change(lines(file))))
    assert audit.read(tmp_path).breaks[0].startswith(f"line {line} does not carry the sha256 of the line before it")


def test_lines_with_more_or_less_than_an_entry_are_no_entries(tmp_path: Path) -> None:
    file = write(tmp_path, "a")
    with file.open("a") as stream:
        stream.write('{"when": "now"}\n[1]\n')
    log = audit.read(tmp_path)
    assert ([entry.version for entry in log.entries], log.broken_off) == (["a"], (2, 3))
