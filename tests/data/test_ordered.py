"""Sorting column by column is sorting by all columns."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from clout.data.ordered import changes, in_order

ROWS = st.lists(
    st.tuples(st.none() | st.sampled_from(["b", "a", "é", "B"]), st.none() | st.integers(0, 2)), max_size=12
)


def frame(rows: list[tuple[str | None, int | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"name": pl.String, "number": pl.Int64}, orient="row").with_row_index("row")


@given(ROWS)
def test_one_column_after_the_other_is_all_at_once(rows: list[tuple[str | None, int | None]]) -> None:
    whole = frame(rows)
    assert_frame_equal(in_order(whole, "name", "number"), whole.sort("name", "number", maintain_order=True))


def test_where_a_column_changes() -> None:
    rows = frame([(None, 1), (None, 1), ("a", 1), ("a", 2), ("a", None), ("a", None)])
    assert rows.select(changes("name"))["name"].to_list() == [True, False, True, False, False, False]
    assert rows.select(c=changes("name", "number"))["c"].to_list() == [True, False, True, True, True, False]
    assert frame([]).select(c=changes("name"))["c"].to_list() == []
