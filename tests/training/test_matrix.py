"""Rows of features in slices: what they are, in which order, and what is not copied."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from clout.features.catalogue import CONTRACT
from clout.training.matrix import SLICE, Part, cut, judged, slices

COUNT = SLICE + 7
FRAME = pl.DataFrame({name: pl.int_range(COUNT, eager=True).cast(pl.Float64) for name in CONTRACT.names}).with_columns(
    pl.when(pl.int_range(pl.len()) % 3 > 0).then(CONTRACT.names[-1])
)


def test_rows_are_those_of_the_matrix() -> None:
    mask = pl.Series(np.arange(COUNT) % 2 == 1)
    rows, whole = Part.of(FRAME, mask).features(CONTRACT), CONTRACT.matrix(FRAME.filter(mask))
    assert len(rows) == len(whole)
    assert np.array_equal(rows[10:20], whole[10:20], equal_nan=True)
    places = np.array([5, 5, 0, 99])
    assert np.array_equal(rows[places], whole[places], equal_nan=True)


def test_slices_are_all_rows_in_order() -> None:
    rows = Part.of(FRAME).features(CONTRACT)
    assert [len(part) for part in slices(rows)] == [SLICE, 7]
    assert np.array_equal(judged(lambda part: part[:, 0], rows), np.arange(COUNT))
    assert judged(lambda part: part[:, 0], Part.of(FRAME.clear()).features(CONTRACT)).shape == (0,)


def test_a_part_has_the_rows_of_its_mask() -> None:
    name, mask = CONTRACT.names[0], pl.Series(np.arange(COUNT) % 10 > 0)
    part, whole = Part.of(FRAME, mask), FRAME.filter(mask)
    assert len(part) == whole.height
    assert part.select(name, CONTRACT.names[-1]).equals(whole.select(name, CONTRACT.names[-1]))
    assert part[name].equals(whole[name])
    assert pl.concat(part.slices()).equals(whole)
    assert Part.of(FRAME).thinned(SLICE)[name].to_list() == FRAME[name].to_list()[::2]
    assert len(Part.of(FRAME).thinned(COUNT)) == COUNT


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
