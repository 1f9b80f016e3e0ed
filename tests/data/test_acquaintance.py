"""What was known of engagers, against looking through all actions for each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clout.data.acquaintance import SEEN, encode, seen_before

START = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
Row = tuple[int, int, timedelta, bool]
MOMENTS = st.builds(
    lambda days, ticks: days * DAY + ticks * TICK, st.sampled_from([0, 1, 30, 60, 90, 120, 180]), st.integers(-1, 1)
)
ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), MOMENTS, st.booleans()), max_size=14)


def known(rows: list[Row]) -> list[tuple[int, int, bool, bool, int]]:
    """What is known before each of (engager, account, after START, counts)."""
    schema = {"actor": pl.UInt32, "account": pl.UInt32, "at": pl.Datetime("us", "UTC"), "counts": pl.Boolean}
    timed = [(actor, account, START + at, counts) for actor, account, at, counts in rows]
    return seen_before(pl.DataFrame(timed, schema=schema, orient="row")).rows()


def one_by_one(rows: list[Row], actor: int, account: int, at: timedelta) -> tuple[int, int, bool, bool, int]:
    def acts(by: int, on: int | None, days: int, before: timedelta) -> list[Row]:
        return [
            row
            for row in rows
            if row[3] and row[0] == by and (on is None or row[1] == on) and before - days * DAY < row[2] < before
        ]

    mine = acts(actor, None, 30, at)
    answered = [row for row in mine if acts(row[1], actor, 30, row[2])]
    others = {row[1] for row in acts(actor, None, 90, at)} - {account}
    return len(mine), len(others), bool(acts(actor, account, 30, at)), bool(acts(account, actor, 30, at)), len(answered)


@settings(max_examples=300, deadline=None)
@given(ROWS)
def test_it_is_what_one_finds_looking_through_all_actions(rows: list[Row]) -> None:
    """An account's actions on itself count for nobody."""
    asked = [(actor, account, at, counts and actor != account) for actor, account, at, counts in rows]
    assert known(asked) == [one_by_one(asked, *row[:3]) for row in asked]


@pytest.mark.parametrize(("gap", "others"), [(90 * DAY, 0), (90 * DAY - TICK, 1)])
def test_an_account_is_forgotten_after_ninety_days(gap: timedelta, others: int) -> None:
    later = (0, 2, gap, True), (9, 9, 2 * gap, False)
    assert known([(0, 1, 0 * DAY, True), *later])[1][1] == others


def test_an_account_met_again_counts_once_and_for_longer() -> None:
    rows = [(0, 1, 0 * DAY, True), (0, 1, 50 * DAY, True), (0, 2, 130 * DAY, True), (0, 2, 141 * DAY, True)]
    assert [others for _, others, *_ in known(rows)] == [0, 0, 1, 0]


def test_nothing_asked_nothing_known() -> None:
    empty = pl.DataFrame(
        schema={"actor": pl.UInt32, "account": pl.UInt32, "at": pl.Datetime("us", "UTC"), "counts": pl.Boolean}
    )
    assert seen_before(empty).schema == SEEN
    assert seen_before(empty).is_empty()


def test_one_name_has_one_number_wherever_it_stands() -> None:
    first, second = encode(pl.Series(["a", "b", "a"]), pl.Series(["b", "c"]))
    assert first[0] == first[2] != first[1] == second[0] != second[1]
    assert first[0] != second[1]
    assert [len(part) for part in encode(pl.Series([], dtype=pl.String), pl.Series(["x"]))] == [0, 1]
