"""Rows of features in slices: what they are, in which order, and what is not copied."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from clout.features.catalogue import CONTRACT
from clout.training.matrix import SLICE, FrameRows, cut, judged, slices

COUNT = SLICE + 7
FRAME = pl.DataFrame({name: pl.int_range(COUNT, eager=True).cast(pl.Float64) for name in CONTRACT.names}).with_columns(
    pl.when(pl.int_range(pl.len()) % 3 > 0).then(CONTRACT.names[-1])
)


def test_rows_are_those_of_the_matrix() -> None:
    mask = pl.Series(np.arange(COUNT) % 2 == 1)
    rows, whole = FrameRows.of(FRAME, CONTRACT, mask), CONTRACT.matrix(FRAME.filter(mask))
    assert len(rows) == len(whole)
    assert np.array_equal(rows[10:20], whole[10:20], equal_nan=True)
    places = np.array([5, 5, 0, 99])
    assert np.array_equal(rows[places], whole[places], equal_nan=True)


def test_slices_are_all_rows_in_order() -> None:
    rows = FrameRows.of(FRAME, CONTRACT)
    assert [len(part) for part in slices(rows)] == [SLICE, 7]
    assert np.array_equal(judged(lambda part: part[:, 0], rows), np.arange(COUNT))
    assert judged(lambda part: part[:, 0], FrameRows.of(FRAME.clear(), CONTRACT)).shape == (0,)


@pytest.mark.parametrize(
    "places", [[], [0], [3, 4, 5], [3, 5], list(range(9))], ids=["none", "one", "together", "apart", "all"]
)
def test_a_cut_has_the_rows_of_its_mask(places: list[int]) -> None:
    frame = pl.DataFrame({"row": range(9)})
    mask = pl.Series([row in places for row in range(9)])
    assert cut(frame, mask)["row"].to_list() == places


def test_rows_that_stand_together_are_not_copied() -> None:
    frame = pl.DataFrame({"row": range(9)})
    part = cut(frame, frame.select(pl.col("row").is_between(2, 6)).to_series())
    assert np.shares_memory(part["row"].to_numpy(), frame["row"].to_numpy())
