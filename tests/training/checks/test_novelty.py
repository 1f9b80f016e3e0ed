"""Newest posts of another kind than those that taught are found."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from tampered import with_tables

from clout.training.checks.evidence import Evidence
from clout.training.checks.novelty import LEAST_POSTS, FeaturesHaveNotMoved, NothingUnseen


def test_features_that_moved_and_hold_reasons_are_found(sound: Evidence) -> None:
    newest = sound.dataset.plan.rolling[-1].judged()
    strong = [name for name in sound.model.contract.names if name.startswith("outcome_l")]
    moved = [pl.when(newest).then(pl.col(name) + 3).otherwise(pl.col(name)).alias(name) for name in strong]
    told = FeaturesHaveNotMoved().verdict(replace(sound, judged=sound.judged.with_columns(moved)))
    assert told.status == "finding"
    assert "outcome_l" in told.detail


def test_a_feature_without_a_part_in_the_reasons_may_move(sound: Evidence) -> None:
    moved = sound.judged.with_columns(text_chars=pl.col("text_chars") + 10_000)
    told = FeaturesHaveNotMoved().verdict(replace(sound, judged=moved))
    assert told.status == "passed"
    assert "text_chars" in told.detail


def test_too_few_posts_tell_nothing_of_drift(sound: Evidence) -> None:
    few = replace(sound, judged=sound.judged.tail(20))
    assert FeaturesHaveNotMoved().verdict(few).status == "not applicable"


@pytest.mark.parametrize(("column", "value"), [("lang", "eo"), ("kind", "quote"), ("network", "elsewhere")])
@pytest.mark.parametrize("posts", [LEAST_POSTS - 1, LEAST_POSTS])
def test_what_nobody_taught_is_found_once_it_is_often_enough(
    column: str, value: str, posts: int, sound: Evidence
) -> None:
    original = sound.store.tables["posts"].filter(pl.col("kind") == "original")
    known = original.filter(pl.col(column) != value) if column == "kind" else original
    changed = pl.when(pl.int_range(pl.len()) < posts).then(pl.lit(f"{value}-new")).otherwise(pl.col(column))
    newest = known.sort("happened_at", descending=True).with_columns(changed.alias(column))
    told = NothingUnseen().verdict(with_tables(sound, {"posts": newest}))
    assert told.status == ("finding" if posts >= LEAST_POSTS else "passed")
    assert (f"{column} {value}-new ({posts} posts)" in told.detail) is (posts >= LEAST_POSTS)
