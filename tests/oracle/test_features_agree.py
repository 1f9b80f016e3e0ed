"""Every feature, stated a second time in SQL, agrees with the code."""

from __future__ import annotations

import polars as pl
import pytest
from drawn_tables import drawn_tables
from hypothesis import HealthCheck, given, settings
from nasty_tables import DAY, Tables, features_of, moment, nasty_tables
from oracle import compare

from clout.features.compute import IDS


@pytest.mark.parametrize("seed", range(4))
def test_nasty_tables(seed: int) -> None:
    tables = nasty_tables(seed)
    assert not compare(tables, tables["posts"])


def test_nasty_tables_reach_every_feature() -> None:
    drawn = pl.concat([features_of(nasty_tables(seed)) for seed in range(4)])
    names = [name for name in drawn.columns if name not in {*IDS, "wording_lift"}]
    assert not [name for name in names if drawn[name].count() < 20 or drawn[name].drop_nulls().n_unique() < 2]


def test_posts_judged_at_another_moment() -> None:
    tables = nasty_tables(5)
    assert not compare(tables, tables["posts"].with_columns(as_of=pl.lit(moment(40 * DAY))))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drawn_tables())
def test_drawn_tables(tables: Tables) -> None:
    assert not compare(tables, tables["posts"])
