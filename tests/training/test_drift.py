from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from clout.training.drift import Drift, TooFewPostsError, drift

MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
WEEK = timedelta(days=7)


def posts(weeks: float, start: datetime, seed: int, *, accounts: int = 300, a_week: int = 1400) -> pl.DataFrame:
    """Posts of accounts that differ much from each other, and by week a little."""
    chance, who = np.random.default_rng(seed), np.random.default_rng(99)
    count = round(weeks * a_week)
    account = chance.integers(accounts, size=count)
    at = [start + WEEK * float(share) * weeks for share in np.sort(chance.random(count))]
    level = who.normal(size=accounts)[account]
    return pl.DataFrame(
        {
            "account": [f"twitter/{number}" for number in account],
            "happened_at": at,
            "level": level + 0.3 * chance.normal(size=count),
            "chance": chance.normal(size=count),
            "rare": (chance.random(count) < 0.05).astype(float),
            "lang": chance.choice(["en", "de", "fr"], size=count, p=[0.7, 0.2, 0.1]).tolist(),
        }
    )


@pytest.fixture(scope="module")
def reference() -> pl.DataFrame:
    return posts(12, MONDAY, seed=1)


NAMES = ("level", "chance", "rare", "lang")
NEXT = MONDAY + 12 * WEEK


def by_name(found: list[Drift]) -> dict[str, Drift]:
    return {drift.feature: drift for drift in found}


@pytest.mark.parametrize("seed", range(5))
def test_an_ordinary_week_stays_on_the_floor(reference: pl.DataFrame, seed: int) -> None:
    found = drift(reference, posts(1, NEXT, seed=50 + seed), NAMES, seed)
    assert [one.feature for one in found] == list(NAMES)
    assert not [one.feature for one in found if one.drifted]


def test_a_shift_is_seen_and_only_where_it_is(reference: pl.DataFrame) -> None:
    week = posts(1, NEXT, seed=60).with_columns(pl.col("chance") + 0.5)
    found = by_name(drift(reference, week, NAMES, 0))
    assert [name for name, one in found.items() if one.drifted] == ["chance"]
    assert found["chance"].shift == pytest.approx(0.5, abs=0.1)


def test_what_goes_missing_is_seen(reference: pl.DataFrame) -> None:
    week = posts(1, NEXT, seed=61).with_columns(rare=pl.lit(None, pl.Float64))
    found = by_name(drift(reference, week, NAMES, 0))["rare"]
    assert found.drifted
    assert found.missing == (0.0, 1.0)
    assert found.distance == pytest.approx(1.0)
    assert found.shift is None


def test_what_was_never_seen_is_counted(reference: pl.DataFrame) -> None:
    words = pl.when(pl.int_range(pl.len()) % 5 == 0).then(pl.lit("eo")).otherwise(pl.col("lang"))
    week = posts(1, NEXT, seed=62).with_columns(lang=words, level=pl.col("level") + 100)
    found = by_name(drift(reference, week, NAMES, 0))
    assert found["lang"].drifted
    assert found["lang"].now[found["lang"].bins.index("never seen")] == pytest.approx(0.2, abs=0.01)
    assert found["level"].now[-2] == 1.0


def test_a_feature_never_known_before_is_seen_when_it_comes(reference: pl.DataFrame) -> None:
    nothing = reference.with_columns(chance=pl.lit(None, pl.Float64))
    assert by_name(drift(nothing, posts(1, NEXT, seed=63), NAMES, 0))["chance"].distance == pytest.approx(1.0)
    quiet = by_name(drift(nothing, nothing.tail(1400), NAMES, 0))["chance"]
    assert (quiet.distance, quiet.floor, quiet.shift) == (0.0, 0.0, None)


def test_the_floor_learns_what_weeks_do(reference: pl.DataFrame) -> None:
    """A value that goes up and down by the week is no drift when it goes up again."""
    swing = pl.when(pl.col("happened_at").dt.week() % 2 == 0).then(1.0).otherwise(0.0)
    week = posts(1, NEXT, seed=64).with_columns(chance=pl.col("chance") + 1.0)
    steady, swinging = (
        by_name(drift(frame, week, NAMES, 0))["chance"]
        for frame in (reference, reference.with_columns(chance=pl.col("chance") + swing))
    )
    assert steady.drifted
    assert not swinging.drifted
    assert swinging.floor > 2 * steady.floor


def test_the_floor_draws_accounts_not_posts(reference: pl.DataFrame) -> None:
    """Where a few accounts make the level, who happens to post moves it more than as many posts of many would."""
    few = drift(posts(12, MONDAY, seed=3, accounts=12), posts(1, NEXT, seed=4, accounts=12, a_week=400), ["level"], 0)
    many = drift(reference, posts(1, NEXT, seed=4, a_week=400), ["level"], 0)
    assert few[0].floor > 1.5 * many[0].floor


def test_a_reference_too_short_for_weeks_still_has_a_floor() -> None:
    found = by_name(drift(posts(1, MONDAY, seed=7), posts(1, MONDAY + WEEK, seed=8), NAMES, 0))
    assert all(one.floor > 0 for one in found.values())
    assert not any(one.drifted for one in found.values())


def test_the_order_of_rows_changes_nothing(reference: pl.DataFrame) -> None:
    week = posts(1, NEXT, seed=65)
    again = drift(reference.sample(fraction=1.0, shuffle=True, seed=1), week.reverse(), NAMES, 3)
    assert [(one.floor, one.distance) for one in again] == [
        pytest.approx((one.floor, one.distance)) for one in drift(reference, week, NAMES, 3)
    ]


def test_a_few_posts_are_refused(reference: pl.DataFrame) -> None:
    with pytest.raises(TooFewPostsError, match="got 20 posts as current; expected at least 50"):
        drift(reference, posts(1, NEXT, seed=1).head(20), NAMES, 0)
