"""Rows that are not what their posts say are found, by features, outcomes, clocks and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from tampered import with_tables

from clout.data.history import erased_from
from clout.training.checks import rows
from clout.training.checks.check import Verdict
from clout.training.checks.evidence import Evidence
from clout.training.checks.rows import RowsAreWhatPostsSay, recount

Row = Mapping[str, object]
NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
POST = {"post": "p", "account": "me", "network": "n", "happened_at": NOON, "known_at": NOON + HOUR}


def verdict(evidence: Evidence) -> Verdict:
    return RowsAreWhatPostsSay().verdict(evidence)


def with_rows(sound: Evidence, **columns: pl.Expr) -> Evidence:
    """The same with other values in the rows that were learned from and judged."""
    frame = sound.dataset.frame.with_columns(**columns)
    return replace(sound, judged=sound.judged.with_columns(**columns), dataset=replace(sound.dataset, frame=frame))


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ({"followers_last": pl.col("followers_last") + 1e-9}, "followers_last of "),
        ({"posts_count_30d": pl.col("posts_count_30d").shift(1)}, "posts_count_30d of "),
        ({"outcome": pl.col("outcome") + 1}, "outcome of "),
        ({"like": pl.col("like").shift(1)}, "like of "),
        ({"ripe_at": pl.col("ripe_at") - HOUR}, "ripe_at of "),
        ({"account": pl.col("account").shift(1)}, "account of "),
        ({"wording_lift": pl.col("wording_lift") + pl.col("outcome") / 1e6}, "wording_lift of "),
    ],
)
def test_rows_that_say_something_else_are_found(columns: dict[str, pl.Expr], named: str, sound: Evidence) -> None:
    told = verdict(with_rows(sound, **columns))
    assert told.status == "finding"
    assert named in told.detail


def test_features_that_see_the_future_are_found_by_erasing_it(sound: Evidence) -> None:
    """Streams whose totals come a week early are the same for every row, but not where there is no future."""
    streams = sound.store.streams
    early = {
        name: replace(stream, frame=stream.frame.with_columns(pl.col("at") - WEEK))
        for name, stream in streams.by_name.items()
    }
    leaking = replace(streams, by_name={**streams.by_name, "outcomes": early["outcomes"]})
    store = replace(sound.store)
    store.__dict__["streams"] = leaking
    told = verdict(replace(sound, dataset=replace(sound.dataset, store=store)))
    assert told.status == "finding"
    assert "erased from" in told.detail or "measured again" in told.detail


@pytest.mark.parametrize("table", ["posts", "actions", "profiles"])
def test_a_row_known_before_it_happened_is_found(table: str, sound: Evidence) -> None:
    first = pl.int_range(pl.len()) == 0
    known = pl.when(first).then(pl.col("happened_at") - HOUR).otherwise(pl.col("known_at"))
    early = with_tables(sound, {table: sound.store.tables[table].with_columns(known_at=known)})
    assert f"1 rows of {table} known before they happened" in verdict(early).detail


def test_the_sample_has_posts_of_many_accounts_after_a_few_moments(sound: Evidence) -> None:
    sample = rows._sample(sound)
    assert rows.POSTS // 2 < sample.height <= rows.POSTS
    assert sample["as_of"].n_unique() == rows.MOMENTS
    assert (sample["happened_at"] >= sample["as_of"]).all()
    assert not sample["happened_at"].is_sorted()
    assert rows._sample(sound).equals(sample)


def action(
    kind: str = "like", actor: str = "you", late: timedelta = HOUR, known: timedelta | None = None, weight: float = 1
) -> Row:
    at, told = NOON + late, NOON + (known or late)
    return {"kind": kind, "actor": actor, "happened_at": at, "known_at": told, "weight": weight}


@pytest.mark.parametrize(
    ("actions", "likes"),
    [
        ([action(), action()], 1),
        ([action(), action(actor="she")], 2),
        ([action(actor="me")], 0),
        ([action(late=WEEK)], 1),
        ([action(late=WEEK + timedelta(microseconds=1))], 0),
        ([action(late=timedelta())], 0),
        ([action(known=WEEK + HOUR)], 0),
        ([action(kind="view")], 0),
        ([action(weight=0.5), action(actor="she", weight=0.25)], 0.75),
        ([action(late=2 * HOUR, weight=0.5), action(known=DAY, weight=0.25)], 0.5),
    ],
)
def test_actions_are_counted_by_hand(actions: list[Row], likes: float) -> None:
    assert recount(POST, actions, [], frozenset({"like"}), WEEK) == ({"like": likes}, NOON + WEEK)


def count(number: int, days: float, kind: str = "like", late: bool = False) -> Row:
    at = NOON + timedelta(days=days)
    return {"kind": kind, "count": number, "happened_at": at, "known_at": at + HOUR, "retrospective": late}


@pytest.mark.parametrize(
    ("counts", "expected", "ripe"),
    [
        ([count(5, 8)], {"like": 5}, NOON + timedelta(days=8, hours=1)),
        ([count(5, 8), count(9, 20)], {"like": 5}, NOON + timedelta(days=8, hours=1)),
        ([count(3, 2), count(5, 8)], {"like": 5}, NOON + timedelta(days=8, hours=1)),
        ([count(5, 80, late=True)], {"like": 5}, NOON + WEEK),
        ([count(5, 8), count(2, 9, "reshare")], {"like": 5}, NOON + timedelta(days=8, hours=1)),
    ],
)
def test_counts_are_read_by_hand(counts: list[Row], expected: dict[str, int], ripe: datetime) -> None:
    assert recount(POST, [], counts, frozenset(), WEEK) == (expected, ripe)


def test_erasing_leaves_no_count_of_a_post_that_had_not_ripened() -> None:
    posts = pl.DataFrame({"post": ["old", "young"], "happened_at": [NOON - 2 * WEEK, NOON - HOUR]})
    posts = posts.with_columns(known_at="happened_at")
    read = pl.lit(NOON + 50 * WEEK)
    counts = posts.select("post", happened_at=read, known_at=read, retrospective=pl.lit(value=True))
    left = erased_from({"posts": posts, "counts": counts}, NOON, WEEK)
    assert left["counts"]["post"].to_list() == ["old"]
    assert left["posts"]["post"].to_list() == ["old", "young"]
