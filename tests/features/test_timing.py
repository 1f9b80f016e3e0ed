"""When the post goes out, against what the account had posted before."""

from __future__ import annotations

import pytest
from nasty_tables import DAY, HOUR, Published, features_of, tables_of

# BEGINNING is a Monday, midnight.
NOON = 100 * DAY + 12 * HOUR


def last(*times: int, delay: int = 0) -> dict[str, float | None]:
    """The features of the newest of one account's posts, published at `times` in order."""
    posts = [Published(0, at, delay) for at in times]
    return features_of(tables_of(posts, [], [], [])).filter(post=f"log/p{len(times) - 1}").row(0, named=True)


def test_hour_and_day() -> None:
    got = last(2 * DAY + 13 * HOUR + HOUR // 4)
    assert (got["hour_utc"], got["weekday"]) == (pytest.approx(13.25), 3)


def test_nothing_posted_before() -> None:
    got = last(NOON)
    missing = ("post_gap_hours_last", "hour_share_90d", "weekday_share_90d")
    assert [got[name] for name in missing] == [None] * 3
    assert [got[f"posts_count_{days}d"] for days in (1, 30)] == [0, 0]


@pytest.mark.parametrize(("days", "name"), [(1, "posts_count_1d"), (30, "posts_count_30d")])
def test_a_window_is_open_at_both_ends(days: int, name: str) -> None:
    edge = NOON - days * DAY
    assert last(edge, NOON)[name] == 0
    assert last(edge + 1, NOON)[name] == 1
    assert last(NOON - 1, NOON)[name] == 1
    assert last(NOON, NOON)[name] == 0


def test_the_gap_is_that_to_the_newest_post() -> None:
    assert last(0, NOON - 36 * HOUR, NOON)["post_gap_hours_last"] == pytest.approx(36, rel=1e-12)


def test_posts_known_late_are_not_seen_before() -> None:
    assert last(NOON - 2 * HOUR, NOON, delay=HOUR)["posts_count_1d"] == 1
    assert last(NOON - 2 * HOUR, NOON, delay=2 * HOUR)["posts_count_1d"] == 0


def test_habits() -> None:
    week = [NOON - days * DAY for days in (28, 21, 14)]
    got = last(*week, NOON - DAY - HOUR, NOON)
    assert (got["hour_share_90d"], got["weekday_share_90d"]) == (0.75, 0.75)


def test_other_accounts_do_not_count() -> None:
    posts = [Published(0, NOON), Published(1, NOON - HOUR)]
    got = features_of(tables_of(posts, [], [], []))
    assert got["posts_count_1d"].to_list() == [0, 0]
