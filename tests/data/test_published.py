"""One post by its id: its row as the lake has it, and exactly what its account's later features take it to have drawn."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from nasty_tables import Tables, history_of, nasty_tables

from clout.data.erasure import erase
from clout.data.lake import Lake
from clout.data.published import Published, find, outcomes_by_post
from clout.data.shelf import LakeError
from clout.data.tables import SCHEMAS, validate

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def tables() -> Tables:
    return nasty_tables(posts=120)


@pytest.fixture
def lake(tables: Tables, tmp_path: Path) -> Lake:
    """The posts in two batches."""
    made = Lake(tmp_path / "lake")
    posts, _ = validate("posts", tables["posts"], NOW)
    made.append({"posts": posts[:60]}, source="first.csv")
    made.append({"posts": posts[60:]}, source="second.csv")
    return made


def test_every_post_is_found_whole(lake: Lake) -> None:
    rows = lake.read("posts").to_dicts()
    assert len(rows) > 100
    assert [find(lake, row["post"]) for row in rows] == rows
    assert list(rows[0]) == SCHEMAS["posts"].names()


@pytest.mark.parametrize("name", ["", "log", "log/", "log/nobody's", "x" * 300, "log/\0", "\N{GRINNING FACE}"])
def test_other_names_are_no_post(lake: Lake, name: str) -> None:
    assert find(lake, name) is None
    assert Published(lake, outcomes_by_post(history_of(nasty_tables(posts=5)))).drew(name) is None


def test_what_posts_drew_is_what_the_history_says(tables: Tables, lake: Lake) -> None:
    history = history_of(tables)
    published, outcomes = Published(lake, outcomes_by_post(history)), history.outcomes
    known = {row["post"]: row for row in outcomes.to_dicts()}
    assert 20 < len(known) < tables["posts"].height
    for post in tables["posts"]["post"]:
        drew = published.drew(post)
        assert drew == (None if post not in known else {name: known[post][name] for name in drew or {}})
    kinds = set(outcomes.columns) - {"post", "account", "network", "published_at", "at"}
    assert set(drew := published.drew(next(iter(known))) or {}) == kinds, drew


def test_an_account_that_was_erased_leaves_no_post(lake: Lake) -> None:
    post, account = lake.read("posts").select("post", "account").row(0)
    others = lake.read("posts").filter(pl.col("account") != account)["post"]
    assert find(lake, post)
    erase(lake, [account], "asked", date(2026, 3, 1))
    assert find(lake, post) is None
    assert find(lake, others[0])


def test_a_file_that_is_damaged_is_told(lake: Lake) -> None:
    for receipt in lake.receipts():
        Path(lake.path("posts", receipt.stem)).unlink()
    with pytest.raises(LakeError, match="is missing"):
        find(lake, "log/1")


def test_one_that_was_asked_for_is_not_read_again(lake: Lake, tables: Tables) -> None:
    published = Published(lake, outcomes_by_post(history_of(tables)))
    post = tables["posts"]["post"][0]
    first = published.find(post)
    for receipt in lake.receipts():
        Path(lake.path("posts", receipt.stem)).unlink()
    assert first is not None
    assert published.find(post) == first
