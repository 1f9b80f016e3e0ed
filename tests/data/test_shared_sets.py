"""The real sets load through the mappings that come with Clout, in seconds, to the last row."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from clout.data.lake import Lake
from clout.data.sources.mapping import read_mapping
from clout.data.sources.table import ingest

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Real:
    """A file, and the rows and rejects that it has."""

    file: str
    rows: dict[str, int]
    rejected: dict[str, int] = field(default_factory=dict)


SETS = {
    "politicians": Real(
        "politicians.parquet", {"accounts": 518, "profiles": 518, "posts": 102_434, "counts": 2 * 80_179}
    ),
    "news_pages": Real(
        "news_pages.parquet",
        {"accounts": 82, "posts": 19_600, "counts": 2 * 19_850},
        {"duplicate": 750 + 2 * 500, "conflicting_duplicate": 1},
    ),
    "vaccine_tweets": Real("vaccine_tweets.parquet", {"accounts": 5_390, "posts": 8_082, "counts": 2 * 8_082}),
    "weibo_posts": Real("weibo_posts.parquet", {"accounts": 2_440, "posts": 3_387}),
    "weibo_actions": Real("weibo_actions.parquet", {"actions": 1_274_382}, {"duplicate": 724, "missing_time": 74}),
    "higgs": Real("higgs_actions.parquet", {"actions": 563_069}),
    "klout_twitter": Real("klout_twitter_sample.tsv", {"accounts": 55, "posts": 57, "actions": 1_000}),
    "klout_facebook": Real("klout_facebook_sample.tsv", {"accounts": 278, "posts": 288, "actions": 1_000}),
}


@pytest.fixture(scope="module")
def lakes(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Lake]:
    """A lake for each set that a test has loaded."""
    return {name: Lake(tmp_path_factory.mktemp(name)) for name in SETS if (shared_data / SETS[name].file).is_file()}


@pytest.mark.parametrize("name", SETS)
def test_a_set_loads_to_the_last_row(name: str, lakes: dict[str, Lake], shared_data: Path):
    if name not in lakes:
        pytest.skip(f"{shared_data} has no {SETS[name].file}")
    receipt = ingest(lakes[name], shared_data / SETS[name].file, read_mapping(name), NOW)
    assert receipt.rows == SETS[name].rows
    assert receipt.rejected == SETS[name].rejected
    assert receipt.note


@pytest.fixture
def politicians(lakes: dict[str, Lake], shared_data: Path) -> Lake:
    """The politicians."""
    ingest(lakes["politicians"], shared_data / "politicians.parquet", read_mapping("politicians"), NOW)
    return lakes["politicians"]


def test_reshares_of_politicians_are_posts_without_counts(politicians: Lake):
    posts, counts = politicians.read("posts"), politicians.read("counts")
    kinds = dict(posts["kind"].value_counts().iter_rows())
    assert kinds["reshare"] == 22_255
    assert sum(kinds.values()) == 102_434
    counted = counts.join(posts.select("post", sort="kind"), on="post")
    assert counted.height == counts.height
    assert "reshare" not in counted["sort"].unique().to_list()
    assert counts["retrospective"].all()


def test_an_action_on_a_weibo_post_finds_it(lakes: dict[str, Lake], shared_data: Path):
    if not {"weibo_posts", "weibo_actions"} <= lakes.keys():
        pytest.skip(f"{shared_data} lacks a Weibo file")
    lake = lakes["weibo_actions"]
    for name in ("weibo_posts", "weibo_actions"):
        ingest(lake, shared_data / SETS[name].file, read_mapping(name), NOW)
    orphans = lake.scan("actions").join(lake.scan("posts"), on=["post", "account"], how="anti")
    assert orphans.select(pl.len()).collect().item() == 0
    assert lake.read("profiles").is_empty()
    assert lake.read("counts").is_empty()
