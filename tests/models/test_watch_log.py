from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from clout.models import watch_log

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
TOLD = {
    **dict.fromkeys(watch_log.KEPT, 0),
    "version": "abc",
    "accuracy": [{"name": "spearman", "now": 0.7}],
    "inputs": ["not", "kept"],
}


def test_each_watch_is_a_line(tmp_path: Path) -> None:
    assert watch_log.read(tmp_path) == []
    for _ in range(2):
        watch_log.append(tmp_path, TOLD, NOON)
    first, second = watch_log.read(tmp_path)
    assert first == second
    assert first["when"] == "2024-05-01T12:00:00+00:00"
    assert first["accuracy"] == {"spearman": 0.7}
    assert "inputs" not in first


def test_a_line_cut_off_harms_no_other(tmp_path: Path) -> None:
    file = watch_log.append(tmp_path, TOLD, NOON)
    whole = file.read_text()
    file.write_text(whole + whole[:20])
    watch_log.append(tmp_path, TOLD, NOON)
    assert [line["version"] for line in watch_log.read(tmp_path)] == ["abc", "abc"]
