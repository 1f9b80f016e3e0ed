from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from clout.data.receipt import Receipt
from clout.training.volume import Volume, posts_a_day, rejects_share

MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
WEEK = timedelta(days=7)


def times(start: datetime, weeks: int, a_day: int) -> pl.Series:
    return pl.Series([start + timedelta(days=1) * (place / a_day) for place in range(weeks * 7 * a_day)])


def volume(a_day: int, reference_weeks: int = 8) -> Volume | None:
    start = MONDAY + reference_weeks * WEEK
    now = times(start, 1, a_day)
    return posts_a_day(times(MONDAY, reference_weeks, 20), now, start, start + WEEK)


@pytest.mark.parametrize(("a_day", "unusual"), [(20, False), (25, False), (9, True), (60, True)])
def test_half_or_double_is_unusual(a_day: int, unusual: bool) -> None:
    found = volume(a_day)
    assert found is not None
    assert found.unusual is unusual
    assert found.now == pytest.approx(a_day)
    assert found.before == pytest.approx(20, rel=0.02)


def test_a_week_without_posts_is_unusual() -> None:
    start = MONDAY + 8 * WEEK
    found = posts_a_day(times(MONDAY, 8, 20), pl.Series([], dtype=pl.Datetime("us", "UTC")), start, start + WEEK)
    assert found is not None
    assert found.unusual


def test_what_swings_is_allowed_to_swing() -> None:
    start = MONDAY + 8 * WEEK
    swinging = pl.concat([times(MONDAY + week * WEEK, 1, 40 if week % 2 else 8) for week in range(8)])
    found = posts_a_day(swinging, times(start, 1, 40), start, start + WEEK)
    assert found is not None
    assert not found.unusual


def test_a_feed_that_grows_may_grow_on() -> None:
    growing = pl.concat([times(MONDAY + week * WEEK, 1, 4 + 4 * week) for week in range(8)])
    start = MONDAY + 8 * WEEK
    found = posts_a_day(growing, times(start, 1, 36), start, start + WEEK)
    assert found is not None
    assert not found.unusual
    assert found.before == pytest.approx(26, rel=0.02)


def test_too_short_a_past_tells_nothing() -> None:
    assert volume(20, reference_weeks=2) is None


def test_rejects_of_the_newest_batch_stand_beside_those_before() -> None:
    batches = [
        Receipt(batch="a", number=1, source="a", rows={"posts": 90}, rejected={"late": 10}),
        Receipt(batch="b", number=2, source="b", rows={"posts": 50}, rejected={"late": 30, "twice": 20}),
    ]
    assert rejects_share(batches) == (0.1, 0.5)
    assert rejects_share([]) == (0.0, 0.0)
