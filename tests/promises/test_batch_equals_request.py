"""A feature has the same bits in a batch of all posts and in a request about one."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest
from bits import NAMES, unequal
from drawn_tables import drawn_tables
from hypothesis import HealthCheck, given, settings
from nasty_tables import DAY, Tables, history_of, moment, nasty_tables

from clout.data.index import Index
from clout.data.simulate import Society, simulate
from clout.features.compute import Streams, compute, prepare
from clout.features.one_post import Lookups, measure, read


def one_by_one(posts: pl.DataFrame, streams: Streams) -> pl.DataFrame:
    """The features of each post as a request measures them, in the order of `posts`; those of one moment look up together."""
    indexes = {name: Index.of(one) for name, one in streams.by_name.items()}
    known = cache(lambda at: Lookups(indexes, at, at))
    rows = [
        measure(
            row,
            read(row),
            known(row.get("as_of", row["happened_at"])),
            logged=row["network"] in streams.logged,
            lift=None,
        )
        for row in posts.to_dicts()
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(NAMES, pl.Float64)).with_columns(posts["post"])


def strangers(posts: pl.DataFrame) -> pl.DataFrame:
    """The first posts again, of accounts and of a network nobody has heard of."""
    known = pl.concat_str(pl.lit("log/stranger"), pl.col("account"))
    of_known = posts[:3].with_columns(post=pl.lit("log/s") + pl.col("post"), account=known, network=pl.lit("log"))
    foreign = pl.lit("nowhere/") + pl.col("account")
    elsewhere = posts[:3].with_columns(post=pl.lit("nowhere/") + pl.col("post"), account=foreign)
    return pl.concat([of_known, elsewhere.with_columns(network=pl.lit("nowhere"))])


@pytest.fixture(scope="module")
def tables() -> Tables:
    return nasty_tables(posts=120)


@pytest.fixture(scope="module")
def streams(tables: Tables) -> Streams:
    return prepare(history_of(tables))


@pytest.fixture(scope="module")
def batch(tables: Tables, streams: Streams) -> pl.DataFrame:
    return compute(tables["posts"], streams)


def test_every_nasty_row(tables: Tables, streams: Streams, batch: pl.DataFrame) -> None:
    assert not unequal(one_by_one(tables["posts"], streams), batch)


def test_strangers(tables: Tables, streams: Streams) -> None:
    posts = strangers(tables["posts"])
    assert not unequal(one_by_one(posts, streams), compute(posts, streams))


def test_posts_judged_at_another_moment(tables: Tables, streams: Streams) -> None:
    posts = tables["posts"][::3].with_columns(as_of=pl.lit(moment(45 * DAY)))
    assert not unequal(one_by_one(posts, streams), compute(posts, streams))


def test_the_order_of_the_batch_does_not_matter(tables: Tables, streams: Streams, batch: pl.DataFrame) -> None:
    order = np.random.default_rng(1).permutation(batch.height)
    assert not unequal(compute(tables["posts"][order], streams), batch[order])


def test_the_rest_of_the_batch_does_not_matter(tables: Tables, streams: Streams, batch: pl.DataFrame) -> None:
    rng = np.random.default_rng(2)
    for size in (2, 3, 17, 60):
        rows = rng.choice(batch.height, size, replace=False)
        assert not unequal(compute(tables["posts"][rows], streams), batch[rows])


def test_one_account_at_a_time(tables: Tables, streams: Streams, batch: pl.DataFrame) -> None:
    """What a distributed engine does: shuffle by account, call the same code on each part."""
    parts = tables["posts"].partition_by("account", maintain_order=True)
    together = pl.concat([compute(part, streams.among(part["account"].head(1).to_list())) for part in parts])
    assert not unequal(together.sort("post"), batch.sort("post"))


def test_the_order_of_the_tables_does_not_matter(tables: Tables, batch: pl.DataFrame) -> None:
    shuffled = {name: frame.sample(fraction=1.0, shuffle=True, seed=4) for name, frame in tables.items()}
    assert not unequal(compute(tables["posts"], prepare(history_of(shuffled))), batch)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drawn_tables())
def test_any_tables(tables: Tables) -> None:
    streams = prepare(history_of(tables))
    posts = tables["posts"][:4]
    assert not unequal(one_by_one(posts, streams), compute(tables["posts"], streams)[:4])


def test_a_simulated_society() -> None:
    society = simulate(Society(accounts=300, days=40, networks=("commons", "square"))).tables
    streams = prepare(history_of(society))
    whole = compute(society["posts"], streams)
    rows = np.random.default_rng(3).choice(whole.height, 80, replace=False)
    assert not unequal(one_by_one(society["posts"][rows], streams), whole[rows])
