from __future__ import annotations

import json

import numpy as np
import pytest

from clout.models.intervals import IntervalError, Intervals, spread

TABLE = ((0.1, 0.2, 0.3), (0.4, None, 0.6), (0.7, 0.8, 0.9))
RECORD = {
    "level": 0.9,
    "features": ["followers", "history"],
    "edges": [[10.0], [5.0]],
    "main": [list(row) for row in TABLE],
    "like": [[None] * 3] * 3,
    "default": {"main": 0.55, "like": 1.5},
}


def intervals() -> Intervals:
    return Intervals.from_json(RECORD)


@pytest.mark.parametrize(
    ("followers", "history", "offset"),
    [
        (np.nan, np.nan, 0.1),
        (np.nan, 4.9, 0.2),
        (np.nan, 5.0, 0.3),
        (9.0, np.nan, 0.4),
        (10.0, np.nan, 0.7),
        (11.0, 5.1, 0.9),
    ],
)
def test_a_row_has_the_offset_of_its_group(followers: float, history: float, offset: float):
    assert intervals().offsets("main", np.array([followers]), np.array([history])).tolist() == [offset]


def test_a_group_with_too_few_rows_has_the_default():
    followers, history = np.array([1.0, 1.0]), np.array([1.0, 9.0])
    assert intervals().offsets("main", followers, history).tolist() == [0.55, 0.6]
    assert intervals().offsets("like", followers, history).tolist() == [1.5, 1.5]


def test_no_rows_have_no_offsets():
    assert intervals().offsets("main", np.empty(0), np.empty(0)).tolist() == []


def test_json_keeps_it_exactly():
    assert json.loads(json.dumps(intervals().to_json())) == RECORD


def test_a_table_that_does_not_fit_its_edges_is_refused():
    with pytest.raises(IntervalError, match="the offsets of 'main' are 3 × 3; expected 4 × 3"):
        Intervals.from_json({**RECORD, "edges": [[10.0, 20.0], [5.0]]})
    with pytest.raises(IntervalError, match="no default offset for 'main'"):
        Intervals(0.9, ("a", "b"), ((10.0,), (5.0,)), {"main": TABLE}, {})


def test_crossed_quantiles_have_the_smallest_spread():
    assert spread(np.array([1.0, 2.0]), np.array([3.0, 1.0])).tolist() == [2.0, 0.001]
