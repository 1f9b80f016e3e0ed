"""Rows that come in are judged by the rules of their table, and put together again as they were."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clout.data import arrivals
from clout.data.arrivals import Arrival, judged
from clout.data.erasure import ASKED, erase
from clout.data.lake import Lake
from clout.data.tables import SCHEMAS, validate
from clout.data.tombstones import Tombstones

NOW = datetime(2026, 3, 2, tzinfo=UTC)
TIMES = {"happened_at": "2026-03-01T14:30:00Z", "known_at": "2026-03-01T16:30:00.123456+02:00"}
POST = {"post": "f/1", "account": "f/ann", "network": "f", "kind": "original", **TIMES}
ACTION = {"action": "f/a", "post": "f/1", "account": "f/ann", "actor": "f/ben", "kind": "like", **TIMES}
COUNT = {"post": "f/1", "kind": "like", "count": 3, **TIMES, "retrospective": False}
ROWS = {"posts": POST, "actions": ACTION, "counts": COUNT}


def judge(table: str, *rows: dict[str, Any]) -> list[Arrival]:
    return judged(table, rows, NOW, Tombstones())


@pytest.mark.parametrize("table", ROWS)
def test_a_good_row_comes_back_as_the_table_keeps_it(table: str) -> None:
    [arrival] = judge(table, ROWS[table])
    assert (arrival.code, arrival.detail, arrival.column) == ("", "", None)
    kept = arrivals.frame(table, [arrival.content])
    expected, _ = validate(table, pl.DataFrame([ROWS[table]]), NOW)
    assert kept.equals(expected)
    assert kept.schema == SCHEMAS[table]


@pytest.mark.parametrize(
    ("table", "changes", "code", "column"),
    [
        ("counts", {"count": -1}, "negative_number", None),
        ("counts", {"count": "x"}, "wrong_type", "count"),
        ("counts", {"count": 1.5}, "not_a_whole_number", "count"),
        ("counts", {"count": float("nan")}, "not_a_number", "count"),
        ("counts", {"count": float("inf")}, "wrong_type", "count"),
        ("counts", {"count": 10**30}, "wrong_type", "count"),
        ("counts", {"count": True}, "wrong_type", "count"),
        ("counts", {"count": [1]}, "wrong_type", "count"),
        ("counts", {"count": {}}, "wrong_type", "count"),
        ("counts", {"count": None}, "missing_value", "count"),
        ("counts", {"kind": "hate"}, "unknown_kind", None),
        ("counts", {"retrospective": "perhaps"}, "wrong_type", "retrospective"),
        ("counts", {"a/b": 1}, "unknown_column", "a/b"),
        ("counts", {"row": 1}, "unknown_column", "row"),
        ("counts", {"reason": "mine"}, "unknown_column", "reason"),
        ("posts", {"happened_at": 1772461800}, "unreadable_time", "happened_at"),
        ("posts", {"happened_at": "yesterday"}, "unreadable_time", "happened_at"),
        ("posts", {"happened_at": "2027-01-01T00:00:00Z"}, "future", None),
        ("posts", {"happened_at": None}, "missing_time", "happened_at"),
        ("posts", {"known_at": "2026-02-01T00:00:00Z"}, "known_before_happened", None),
        ("posts", {"post": ""}, "missing_id", "post"),
        ("posts", {"post": "1"}, "id_without_network", None),
        ("posts", {"post": "g/1"}, "other_network", None),
        ("posts", {"text": "x" * 100_001}, "text_too_long", None),
        ("actions", {"actor": None}, "missing_id", "actor"),
    ],
)
def test_a_bad_row_is_refused_for_the_reason_its_table_has(
    table: str, changes: dict[str, Any], code: str, column: str | None
) -> None:
    other = {**ROWS[table], "happened_at": "2026-02-28T00:00:00Z", "post": "f/9", "action": "f/z"}
    other = {name: value for name, value in other.items() if name in SCHEMAS[table]}
    first, second = judge(table, {**ROWS[table], **changes}, other)
    assert (first.code, first.column, first.key, first.content) == (code, column, "", "")
    assert first.detail
    assert (second.code, bool(second.key)) == ("", True)


@pytest.mark.parametrize(
    ("changes", "words", "column"),
    [
        ({"retrospective": None}, "retrospective is missing", "retrospective"),
        ({"known_at": None, "post": ""}, "post, known_at are missing", None),
    ],
)
def test_what_is_missing_is_named(changes: dict[str, Any], words: str, column: str | None) -> None:
    [arrival] = judge("counts", {**COUNT, **changes})
    assert (arrival.detail, arrival.column) == (words, column)


@pytest.mark.parametrize("row", [7, None, "é" * 100, [COUNT], True, 1.5])
def test_what_is_no_row_is_refused_by_itself(row: object) -> None:
    first, second, third = judge("counts", {**COUNT, "post": "f/9"}, row, COUNT)
    assert (first.code, second.code, third.code) == ("", "wrong_type", "")
    assert second.detail.startswith("got ")
    assert "expected an object with the columns post, kind" in second.detail
    assert second.column is None


def test_whole_numbers_and_truths_may_be_written_as_text() -> None:
    same = judge("counts", COUNT)[0].content
    assert judge("counts", {**COUNT, "count": "3", "retrospective": "no"})[0].content == same
    assert judge("counts", {**COUNT, "count": 3.0})[0].content == same


def test_the_first_of_a_key_stays() -> None:
    told = judge("counts", COUNT, COUNT, {**COUNT, "count": 4}, {**COUNT, "kind": "view"})
    assert [arrival.code for arrival in told] == ["", "duplicate", "conflicting_duplicate", ""]
    assert told[0].key != told[3].key


def test_a_row_of_somebody_who_was_forgotten_is_refused(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    erase(lake, ["f/ann"], ASKED, date(2026, 3, 1))
    rows = [{**POST, "text": "secret"}, {**POST, "post": "f/2", "account": "f/ben"}]
    told = judged("posts", rows, NOW, lake.tombstones())
    assert [arrival.code for arrival in told] == ["forgotten", ""]
    assert told[0].key == '["f/1"]'
    assert "secret" not in told[0].content
    [action] = judged("actions", [ACTION], NOW, lake.tombstones())
    assert (action.code, action.key, action.content) == ("forgotten", "", "")


VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.integers(), max_size=1)
)


@given(
    st.sampled_from(sorted(ROWS)),
    st.lists(st.dictionaries(st.sampled_from([*SCHEMAS["posts"], *SCHEMAS["counts"], "x"]), VALUES), max_size=8),
)
def test_whatever_comes_each_row_has_its_verdict(table: str, changes: list[dict[str, Any]]) -> None:
    told = judge(table, *({**ROWS[table], **change} for change in changes))
    assert len(told) == len(changes)
    assert all(bool(arrival.code) != bool(arrival.key and arrival.content) for arrival in told)
    good = [arrival.content for arrival in told if not arrival.code]
    frame = arrivals.frame(table, good)
    again, refused = validate(table, frame, NOW)
    assert again.equals(frame)
    assert refused.is_empty()
