"""Sorting column by column, some bits at a time, is sorting by all columns."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from clout.data.ordered import FEW_FALLS, Line, changes, in_order, order

ROWS = st.lists(
    st.tuples(st.none() | st.sampled_from(["b", "a", "é", "B"]), st.none() | st.integers(0, 2)), max_size=12
)

RUNS = st.lists(st.tuples(st.integers(0, 4), st.integers(-30, 30)), max_size=12)


def frame(rows: list[tuple[str | None, int | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"name": pl.String, "number": pl.Int64}, orient="row").with_row_index("row")


def _columns(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([run for run, _ in rows], np.int64), np.array([at for _, at in rows], np.int64)


@given(ROWS)
def test_one_column_after_the_other_is_all_at_once(rows: list[tuple[str | None, int | None]]) -> None:
    whole = frame(rows)
    assert_frame_equal(in_order(whole, "name", "number"), whole.sort("name", "number", maintain_order=True))


@pytest.mark.parametrize("kind", [np.int64, np.uint64])
@pytest.mark.parametrize(
    "widths", [(3,), (1 << 63,), (3, 9), (1 << 16, 1 << 40), (1 << 17, 5), (1 << 40, 1 << 40), (2, 1 << 50, 2)]
)
def test_many_rows_of_whole_numbers(widths: tuple[int, ...], kind: type) -> None:
    drawn, least = np.random.default_rng(7), 0 if kind is np.uint64 else -5
    keys = [drawn.integers(least, least + width, 5 * FEW_FALLS, dtype=kind) for width in widths]
    places = order(*keys)
    assert places is not None
    assert places.tolist() == np.lexsort(keys[::-1]).tolist()
    assert order(*(key[places] for key in keys)) is None


def test_sorted_parts_are_merged() -> None:
    keys = np.repeat([4, 1, 3], 500), np.tile(np.arange(0, 1000, 2), 3) % 900
    places = order(*keys)
    assert places is not None
    assert places.tolist() == np.lexsort(keys[::-1]).tolist()


@pytest.mark.parametrize("second", [1, 1_000_000, 1 << 56])
@given(RUNS, RUNS)
def test_what_comes_before_on_a_line(second: int, there: list[tuple[int, int]], asked: list[tuple[int, int]]) -> None:
    rows = sorted(there)
    numbers = {run: place for place, run in enumerate(sorted({run for run, _ in rows}))}
    line = Line.of(*_columns([(numbers[run], at * second) for run, at in rows]))
    known = [(numbers.get(run, -1), at * second) for run, at in asked]
    for some in (known, sorted(known)):
        before = [sum((numbers[of], at * second) < ask for of, at in rows) for ask in some]
        assert line.before(*_columns(some)).tolist() == before


def test_where_a_column_changes() -> None:
    rows = frame([(None, 1), (None, 1), ("a", 1), ("a", 2), ("a", None), ("a", None)])
    assert rows.select(changes("name"))["name"].to_list() == [True, False, True, False, False, False]
    assert rows.select(c=changes("name", "number"))["c"].to_list() == [True, False, True, True, True, False]
    assert frame([]).select(c=changes("name"))["c"].to_list() == []
