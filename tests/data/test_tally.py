"""Totals in open windows, against counting them one by one."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clout.data.tally import Tally, encode, microseconds

EVENTS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12), st.integers(-2, 5)), max_size=20)
ASKED = st.lists(st.tuples(st.integers(0, 4), st.integers(-2, 15)), min_size=1, max_size=10)


def columns(rows: list[tuple[int, ...]], width: int) -> list[np.ndarray]:
    return list(np.array(rows, dtype=np.int64).reshape(-1, width).T)


@given(EVENTS, ASKED, st.none() | st.integers(1, 9))
def test_totals_are_those_counted_one_by_one(
    events: list[tuple[int, ...]], asked: list[tuple[int, ...]], width: int | None
) -> None:
    keys, at, amounts = columns(events, 3)
    got = Tally.of(keys, at, amounts).within(
        *columns(asked, 2), None if width is None else timedelta(microseconds=width)
    )
    expected = [
        sum(amount for key, at, amount in events if key == mine and t - (width or 100) < at < t) for mine, t in asked
    ]
    assert got.tolist() == expected


@given(EVENTS, ASKED)
def test_without_amounts_each_counts_one(events: list[tuple[int, ...]], asked: list[tuple[int, ...]]) -> None:
    keys, at, amounts = columns(events, 3)
    ones = Tally.of(keys, at, np.ones_like(amounts))
    assert Tally.of(keys, at).within(*columns(asked, 2)).tolist() == ones.within(*columns(asked, 2)).tolist()


@pytest.mark.parametrize(("t", "inside"), [(10, 0), (11, 1), (19, 1), (20, 0)])
def test_windows_are_open_at_both_ends(t: int, inside: int) -> None:
    tally = Tally.of(np.array([7]), np.array([10]))
    assert tally.within(np.array([7]), np.array([t]), timedelta(microseconds=10)).tolist() == [inside]


def test_keys_as_large_as_they_may_be_do_not_run_into_each_other() -> None:
    keys = np.array([2**32 - 2, 2**32 - 1])
    tally = Tally.of(keys, np.array([0, 2**53]))
    assert tally.within(keys, np.array([2**53 + 1, 2**53 + 1])).tolist() == [1, 1]


def test_one_name_has_one_number_wherever_it_stands() -> None:
    first, second = encode(pl.Series(["a", "b", "a"]), pl.Series(["b", "c"]))
    assert first[0] == first[2] != first[1] == second[0] != second[1]
    assert first[0] != second[1]
    assert [len(part) for part in encode(pl.Series([], dtype=pl.String), pl.Series(["x"]))] == [0, 1]


def test_times_are_whole_microseconds() -> None:
    times = pl.Series([0, 1_700_000_000_000_001]).cast(pl.Datetime("us", "UTC"))
    assert microseconds(times).tolist() == [0, 1_700_000_000_000_001]
