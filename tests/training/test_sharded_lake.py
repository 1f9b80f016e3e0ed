"""A lake in shards tells training what a lake in memory tells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from bits import unequal
from here_engine import HereEngine
from trained_society import Studied, TrainedSociety
from two_networks import emigrated

from clout.data.lake import Lake
from clout.features.compute import compute
from clout.models.scale import Scale
from clout.training import pipeline
from clout.training.dataset import build
from clout.training.sharded_lake import ShardedLake
from clout.training.whole_lake import WholeLake


@pytest.fixture(scope="module")
def whole(studied: Studied) -> WholeLake:
    return studied.dataset.store


@pytest.fixture(scope="module")
def shards(
    trained: TrainedSociety, studied: Studied, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ShardedLake]:
    folder = tmp_path_factory.mktemp("shards")
    with ShardedLake.open(trained.lake, studied.params, folder, HereEngine.open, lambda _: None, 3) as store:
        yield store
    assert not [*folder.iterdir()]


def test_labels(whole: WholeLake, shards: ShardedLake) -> None:
    assert shards.labels().equals(whole.labels())


def test_what_was_known_before_each_post(whole: WholeLake, shards: ShardedLake) -> None:
    asked = whole.labels().select("post", "account").sample(fraction=0.5, shuffle=True, seed=3)
    told, expected = shards.measured(asked), whole.measured(asked)
    assert told.columns == expected.columns
    assert told.height == asked.height
    texts = ["post", "account", "network", "happened_at", "kind", "lang", "text"]
    assert told.select(texts).equals(expected.select(texts))
    assert not unequal(told, expected)
    own = [name for name in told.columns if name.startswith("own_")]
    assert told.select("followers", *own).equals(expected.select("followers", *own))


def test_who_is_judged_at_a_moment(whole: WholeLake, shards: ShardedLake, studied: Studied) -> None:
    at = studied.dataset.plan.rolling[1].start
    assert shards.posting(at).equals(whole.posting(at))
    assert whole.posting(at).height > 100


@pytest.mark.parametrize("share", [1, 5])
def test_posts_that_accounts_are_judged_by(share: int, whole: WholeLake, shards: ShardedLake, studied: Studied) -> None:
    at, words = studied.dataset.plan.rolling[1].start, studied.dataset.wording
    accounts = None if share == 1 else whole.posting(at)["account"].gather_every(share)
    [expected] = whole.account_posts(at, words, accounts)
    parts = [(part.posts, pl.concat(part.features)) for part in shards.account_posts(at, words, accounts)]
    posts, features = (pl.concat(part) for part in zip(*parts, strict=True))
    order = posts.select(row=pl.arg_sort_by("account", "happened_at", "post"))["row"]
    columns = ["post", "account", "network", "log", "age_days"]
    assert posts[order].select(columns).equals(expected.posts.select(columns))
    assert not unequal(features[order], pl.concat(expected.features))


def test_what_happened_to_some_accounts(whole: WholeLake, shards: ShardedLake) -> None:
    accounts = whole.labels()["account"].unique().sort().gather_every(9)
    told, expected = shards.history_of(accounts), whole.history_of(accounts)
    assert told.outcomes.equals(expected.outcomes)
    for name, key in (("posts", "post"), ("actions", "actor"), ("profiles", "at"), ("accounts", "account")):
        mine, theirs = (getattr(one, name).sort(pl.col("account", key, "^(at|post)$")) for one in (told, expected))
        columns = [column for column in theirs.columns if column in mine.columns]
        assert mine.select(columns).equals(theirs.select(columns)), name
    assert {"post", "actor", "at", "weight", "acted"} <= set(told.actions.columns)


@pytest.mark.parametrize("erased", [False, True])
def test_the_past_of_some_accounts(erased: bool, whole: WholeLake, shards: ShardedLake, studied: Studied) -> None:
    as_of = studied.dataset.plan.rolling[1].start if erased else None
    posts = whole.history.posts.filter(pl.col("happened_at") > studied.dataset.plan.rolling[1].start).head(300)
    accounts = posts["account"].unique()
    told, expected = (compute(posts, store.streams_of(accounts, as_of)) for store in (shards, whole))
    assert not unequal(told, expected)


def test_rows_of_tables(whole: WholeLake, shards: ShardedLake) -> None:
    for table, frame in whole.tables.items():
        told = pl.concat(shards.rows(table, *frame.columns))
        assert told.sort(pl.all()).equals(frame.sort(pl.all())), table


def test_a_training_is_the_same_to_the_last_byte(
    trained: TrainedSociety, studied: Studied, shards: ShardedLake
) -> None:
    made = pipeline.make(shards, trained.lake, studied.params, Scale("1", {})).content
    kept = {path.name: path.read_text() for path in trained.trained.directory.iterdir()}
    differ = [name for name, content in made.items() if content != kept[name]]
    assert not differ
    assert len(made) > 15


def test_without_some_networks(studied: Studied, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.append(emigrated(studied.dataset.store.tables, 5), source="two networks")
    with ShardedLake.open(lake, studied.params, tmp_path, HereEngine.open, lambda _: None, 2) as store:
        dataset = build(store, studied.params)
    assert dataset.left_out == {"tiny": 5}
    assert dataset.frame.equals(studied.dataset.frame)
