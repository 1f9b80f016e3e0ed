"""Every feature, stated a second time in SQL, agrees with the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from drawn_tables import drawn_tables
from hypothesis import HealthCheck, given, settings
from nasty_tables import ACTION_VALUES, DAY, HORIZON, Tables, features_of, history_of, moment, nasty_tables

from clout.features.compute import IDS, compute, prepare

FAMILIES = ("message", "timing", "messenger", "audience")
SQL = Path(__file__).parent

# The code sums logs in whole numbers of 1/2**20, each rounded by at most half of one: so a mean differs by no more,
# and a mean of such means by twice as much.
FIXED_POINT = re.compile(r"_log_mean_(same_\w+_)?\d+d$|^outcome_level_365d$|^engagers_selectivity_mean_30d$")
TWICE_FIXED_POINT = "engagers_influence_mean_30d"
HALF_UNIT = 2.0**-21
# A variance is a mean of squares minus the square of a mean, both rounded as above; its root is compared squared.
DEVIATION = re.compile(r"_log_std_\d+d$")


@contextmanager
def database(tables: Tables, judged: pl.DataFrame) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB with `tables` and the posts to judge, each at its `t`."""
    values = pl.DataFrame({"kind": list(ACTION_VALUES), "value": list(ACTION_VALUES.values())})
    with duckdb.connect(config={"threads": 1}) as connection:
        for name, frame in {**tables, "judged": judged, "action_values": values}.items():
            naive = frame.with_columns(pl.col(pl.Datetime("us", "UTC")).dt.replace_time_zone(None))
            connection.register(f"{name}_in", naive.to_arrow())
            connection.execute(f"CREATE TABLE {name} AS FROM {name}_in")
        microseconds = HORIZON // timedelta(microseconds=1)
        connection.execute(f"SET VARIABLE horizon = to_microseconds({microseconds})")
        connection.execute((SQL / "history.sql").read_text())
        yield connection


def by_sql(tables: Tables, judged: pl.DataFrame) -> pl.DataFrame:
    """One row a post of `judged` (with `t`), in its order: post, then every feature but the wording."""
    answer = judged.select("post")
    with database(tables, judged) as connection:
        for family in FAMILIES:
            found = pl.from_arrow(connection.execute((SQL / f"{family}.sql").read_text()).to_arrow_table())
            assert isinstance(found, pl.DataFrame)
            answer = answer.join(found, on="post", how="left", maintain_order="left", validate="1:1")
    return answer


def floats(column: pl.Series) -> np.ndarray:
    return column.cast(pl.Float64).to_numpy()


def largest_log(tables: Tables) -> float:
    """The largest log1p(outcome) that could occur."""
    most = max([*tables["counts"]["count"].to_list(), tables["actions"].height], default=0)
    return float(np.log1p(most * sum(ACTION_VALUES.values())))


def differences(tables: Tables, got: pl.DataFrame, expected: pl.DataFrame) -> dict[str, list[object]]:
    """Feature → [post, code, SQL] of the first row on which they differ."""
    found: dict[str, list[object]] = {}
    for name in expected.columns[1:]:
        ours, theirs = floats(got[name]), floats(expected[name])
        relative, absolute = (0.0, 0.0) if expected.schema[name].is_integer() else (1e-9, 1e-12)
        if FIXED_POINT.search(name):
            absolute = HALF_UNIT
        if name == TWICE_FIXED_POINT:
            absolute = 2 * HALF_UNIT
        if DEVIATION.search(name):
            ours, theirs, absolute = ours**2, theirs**2, HALF_UNIT * (2 + 2 * largest_log(tables))
        wrong = ~np.isclose(ours, theirs, rtol=relative, atol=absolute, equal_nan=True)
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            found[name] = [int(wrong.sum()), got["post"][first], got[name][first], expected[name][first]]
    return found


def compare(tables: Tables, judged: pl.DataFrame) -> dict[str, list[object]]:
    """What differs between the code and the SQL on the posts of `judged`."""
    got = compute(judged, prepare(history_of(tables)))
    t = "as_of" if "as_of" in judged.columns else "happened_at"
    expected = by_sql(tables, judged.with_columns(t=pl.col(t)))
    assert set(expected.columns) == set(got.columns) - {*IDS[1:], "wording_lift"}
    return differences(tables, got, expected)


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


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drawn_tables())
def test_drawn_tables(tables: Tables) -> None:
    assert not compare(tables, tables["posts"])
