"""A feature sees only what had happened and was known strictly before its post."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
import pytest
from bits import Difference, unequal
from drawn_tables import drawn_tables
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nasty_tables import BEGINNING, DAY, Tables, history_of, known_until, moment, nasty_tables

from clout.data.coverage import Coverage, coverage
from clout.data.history import known_before
from clout.data.simulate import Society, simulate
from clout.data.tables import SCHEMAS
from clout.features.compute import compute, prepare

TICK = timedelta(microseconds=1)


def features(posts: pl.DataFrame, tables: Tables, known: Coverage) -> pl.DataFrame:
    """The features of `posts` when the sources are known to cover `known`."""
    return compute(posts, prepare(history_of(tables, known)))


def moments(tables: Tables) -> list[datetime]:
    """Every time at which something was posted, and the tick after the last."""
    times = tables["posts"]["happened_at"].unique().sort().to_list()
    return [*times, times[-1] + TICK]


def changed(tables: Tables, as_of: datetime, whole: pl.DataFrame) -> list[Difference]:
    """What differs for the posts up to `as_of` when nothing from `as_of` on is known; `whole` are their features."""
    posts = tables["posts"].filter(pl.col("happened_at") <= as_of)
    past = features(posts, known_before(tables, as_of), known_until(tables, as_of))
    return unequal(past, whole.filter(pl.col("happened_at") <= as_of))


def later(tables: Tables) -> Tables:
    """Other rows, each dated after every post of `tables`."""
    end = tables["posts"]["happened_at"].max()
    assert isinstance(end, datetime)
    clocks = {name: [column for column in ("happened_at", "known_at") if column in SCHEMAS[name]] for name in SCHEMAS}
    return {
        name: frame.with_columns(
            *(pl.col(clock) + (end - BEGINNING) + TICK for clock in clocks[name]),
            *(pl.col(key) + "_later" for key in ("post", "action", "removed") if key in frame.columns),
        )
        for name, frame in nasty_tables(seed=9, posts=60).items()
        if clocks[name]
    }


@pytest.mark.parametrize("seed", range(3))
def test_erasing_the_future_changes_no_feature(seed: int) -> None:
    tables = nasty_tables(seed)
    whole = features(tables["posts"], tables, coverage(tables))
    times = moments(tables)[seed::8]
    assert not {str(time): found for time in times if (found := changed(tables, time, whole))}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drawn_tables(), st.integers(0, 12))
def test_erasing_the_future_of_any_tables_changes_no_feature(tables: Tables, place: int) -> None:
    whole = features(tables["posts"], tables, coverage(tables))
    times = moments(tables)
    assert not changed(tables, times[place % len(times)], whole)


def test_erasing_the_future_of_a_simulated_society_changes_no_feature() -> None:
    society = simulate(Society(accounts=300, days=40)).tables
    whole = features(society["posts"], society, coverage(society))
    times = moments(society)
    for time in times[len(times) // 5 :: len(times) // 5]:
        assert not changed(society, time, whole)


def test_a_future_added_changes_no_feature() -> None:
    tables = nasty_tables(5)
    known = coverage(tables)
    future = later(tables)
    both = {name: pl.concat([frame, future[name]]) if name in future else frame for name, frame in tables.items()}
    assert not unequal(features(tables["posts"], both, known), features(tables["posts"], tables, known))


def test_posts_judged_at_another_moment_see_nothing_from_then_on() -> None:
    tables = nasty_tables(6)
    for as_of in moments(tables)[20::50]:
        posts = tables["posts"].with_columns(as_of=pl.lit(as_of))
        past = features(posts, known_before(tables, as_of), known_until(tables, as_of))
        assert not unequal(past, features(posts, tables, coverage(tables)))


@pytest.mark.parametrize(
    ("happened", "known", "used"),
    [(-1, -1, True), (-1, 0, False), (-5, 1, False), (0, 0, False), (1, 1, False), (DAY, DAY, False)],
)
def test_a_profile_is_used_only_when_seen_and_known_before(happened: int, known: int, used: bool) -> None:
    tables = nasty_tables(1)
    post = tables["posts"].sort("happened_at")[-1:]
    account, time = post.select("account", "happened_at").row(0)
    seen = {
        "account": account,
        "happened_at": time + happened * TICK,
        "known_at": time + known * TICK,
        "followers": 123_456,
    }
    profiles = pl.concat([tables["profiles"], pl.DataFrame([seen], schema=SCHEMAS["profiles"])])
    answer = compute(post, prepare(history_of({**tables, "profiles": profiles})))
    assert (answer["followers_last"][0] == 123_456) is used


def test_nothing_that_ends_at_the_post_is_seen() -> None:
    """Actions, posts and outcomes of the very moment of the post come too late for it."""
    tables = nasty_tables(1)
    known = known_until(tables, moment(1000 * DAY))
    post = tables["posts"].filter(network="log").sort("happened_at")[-1:]
    time = post["happened_at"][0]
    action = tables["actions"].filter(pl.col("account") == post["account"][0])[:1]
    now = action.with_columns(action=pl.lit("log/now"), happened_at=pl.lit(time), known_at=pl.lit(time))
    ripening = pl.lit(time - timedelta(days=7))
    again = post.with_columns(post=pl.lit("log/again"))
    ripe = post.with_columns(post=pl.lit("log/ripe"), happened_at=ripening, known_at=ripening)
    more = {
        **tables,
        "actions": pl.concat([tables["actions"], now]),
        "posts": pl.concat([tables["posts"], again]),
    }
    before = features(post, tables, known)
    assert not unequal(features(post, more, known), before)
    ripened = features(post, {**tables, "posts": pl.concat([tables["posts"], ripe])}, known)
    assert ripened["outcome_count_all"][0] == before["outcome_count_all"][0]
    assert ripened["posts_count_30d"][0] == before["posts_count_30d"][0] + 1
