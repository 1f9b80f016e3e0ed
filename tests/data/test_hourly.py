"""Sums by the hour, against adding up one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from clout.data.hourly import HOUR, Hours, Usual, sums, together
from clout.data.moments import Ints

START = datetime(2024, 1, 1, 0, 30, tzinfo=UTC)
MONTH = timedelta(days=30)
ROWS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(-3, 45 * 24 * 60), st.integers(-3, 9)), max_size=20)
Rows = list[tuple[str, int, int]]


def timed(rows: Rows) -> pl.DataFrame:
    """(network, minutes after START, amount) rows."""
    return pl.DataFrame(
        [(network, START + minutes * timedelta(minutes=1), amount) for network, minutes, amount in rows],
        schema={"network": pl.String, "at": pl.Datetime("us", "UTC"), "amount": pl.Int64},
        orient="row",
    )


def summed(rows: Rows) -> pl.DataFrame:
    frame = timed(rows)
    return sums(Hours.of(frame), {"amount": frame["amount"].to_numpy(), "n": np.ones(frame.height, np.int64)})


def before(rows: Rows, table: pl.DataFrame) -> dict[str, Ints]:
    """What the month before each row held."""
    hours = Hours.of(timed(rows))
    return {name: sums[hours.places] for name, sums in Usual.of(table).before(hours).items()}


def hour(at: datetime) -> datetime:
    return at.replace(minute=0)


@settings(max_examples=200, deadline=None)
@given(ROWS, st.integers(0, 20))
def test_a_month_is_the_seven_hundred_and_twenty_hours_before_the_hour(rows: Rows, cut: int) -> None:
    """However the rows were cut into parts."""
    frame = timed(rows)
    table = together([summed(rows[:cut]), summed(rows[cut:])])
    got = before(rows, table)
    for place, (network, at, _) in enumerate(frame.iter_rows()):
        month = [
            amount
            for other, then, amount in frame.iter_rows()
            if other == network and hour(at) - MONTH <= hour(then) < hour(at)
        ]
        assert (got["amount"][place], got["n"][place]) == (sum(month), len(month))


def test_an_hour_knows_nothing_of_itself() -> None:
    rows: Rows = [("a", 0, 5), ("a", 29, 7), ("a", 30, 1), ("a", 30 * 24 * 60 + 30, 1)]
    assert before(rows, summed(rows))["amount"].tolist() == [0, 0, 12, 1]
    assert timedelta(minutes=60) == HOUR
