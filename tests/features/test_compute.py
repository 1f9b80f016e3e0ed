"""From posts and the past to one row a post."""

from __future__ import annotations

import polars as pl
import pytest
from nasty_tables import DAY, HOUR, Acted, Published, Tables, features_of, history_of, moment, nasty_tables, tables_of

from clout.data.tables import SCHEMAS
from clout.features.catalogue import CONTRACT
from clout.features.compute import IDS, compute, prepare, root_names


@pytest.fixture(scope="module")
def tables() -> Tables:
    return nasty_tables(2, posts=60)


def test_columns_rows_and_order(tables: Tables) -> None:
    got = compute(tables["posts"], prepare(history_of(tables)))
    assert got.columns == [*IDS, *CONTRACT.names]
    assert set(got.drop(IDS).dtypes) == {pl.Float64}
    assert got.select(IDS).equals(tables["posts"].select(IDS))


def test_values_are_finite_or_missing(tables: Tables) -> None:
    got = compute(tables["posts"], prepare(history_of(tables))).drop(IDS)
    assert got.select(pl.all().is_finite().all()).row(0) == (True,) * got.width
    assert CONTRACT.matrix(got).shape == got.shape


def test_without_any_past() -> None:
    empty = {name: pl.DataFrame(schema=schema) for name, schema in SCHEMAS.items()}
    post = tables_of([Published(0, 0, text="Hi!")], [], [], [])["posts"]
    got = compute(post, prepare(history_of(empty))).row(0, named=True)
    assert (got["text_chars"], got["posts_count_1d"], got["outcome_count_all"]) == (3, 0, 0)
    assert got["outcome_level_365d"] is got["followers_last"] is None


def test_no_posts(tables: Tables) -> None:
    got = compute(tables["posts"].clear(), prepare(history_of(tables)))
    assert got.shape == (0, len(IDS) + len(CONTRACT.names))


def test_wording_is_carried_in(tables: Tables) -> None:
    streams = prepare(history_of(tables))
    lifts = pl.Series([0.25, None, -1.0])
    assert compute(tables["posts"][:3], streams, lifts)["wording_lift"].to_list() == lifts.to_list()
    assert compute(tables["posts"][:3], streams)["wording_lift"].to_list() == [None] * 3


def test_when_the_post_itself_is_known_does_not_matter(tables: Tables) -> None:
    streams = prepare(history_of(tables))
    late = tables["posts"].with_columns(known_at=pl.col("happened_at") + pl.duration(days=500))
    assert compute(late, streams).equals(compute(tables["posts"], streams))


def test_a_post_can_be_judged_with_what_is_known_later() -> None:
    posts = [Published(0, 12 * HOUR)]
    tables = tables_of([*posts, Published(5, 50 * DAY)], [Acted(0, 60, HOUR)], [], [])
    streams = prepare(history_of(tables))
    judged = tables["posts"][:1].with_columns(as_of=pl.lit(moment(20 * DAY)))
    then, now = compute(tables["posts"][:1], streams), compute(judged, streams)
    assert (then["outcome_count_all"][0], now["outcome_count_all"][0]) == (0, 1)
    assert then["hour_utc"][0] == now["hour_utc"][0] == 12
    assert now["post_gap_hours_last"][0] == pytest.approx(19.5 * 24)


def test_among_leaves_one_account_and_all_networks(tables: Tables) -> None:
    streams = prepare(history_of(tables))
    cut = streams.among(["log/0"])
    keys = {name: stream.frame[stream.key[0]].unique().to_list() for name, stream in cut.by_name.items()}
    assert len(keys.pop("network_outcomes")) > 1 < len(keys.pop("network_opening"))
    assert {key for found in keys.values() for key in found} == {"log/0"}


def test_every_looked_up_column_exists(tables: Tables) -> None:
    streams = prepare(history_of(tables))
    for name in root_names():
        source, column, width = name.split("|")
        stream = streams.by_name[source]
        assert column in (stream.lasts if width == "last" else stream.totals)


def test_features_of_every_table_are_the_same_twice(tables: Tables) -> None:
    assert features_of(tables).equals(features_of(tables))
