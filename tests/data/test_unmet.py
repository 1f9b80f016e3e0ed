"""Actions and counts on posts that a lake does not hold are counted."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from clout.data.lake import Lake
from clout.data.simulate import Society, simulate


def test_actions_wait_for_their_posts(tmp_path: Path) -> None:
    lake, tables = Lake(tmp_path), simulate(Society(accounts=60, days=8)).tables
    posts, actions = tables["posts"], tables["actions"]
    first = actions["post"].drop_nulls()[0]
    waiting = actions.filter(pl.col("post") == first).height
    lake.append({"actions": actions, "posts": posts.filter(pl.col("post") != first)}, source="a")
    assert lake.unmet() == {"actions": waiting}
    lake.append({"posts": posts.filter(pl.col("post") == first)}, source="b")
    assert lake.unmet() == {}


def test_actions_on_an_account_wait_for_nothing(tmp_path: Path) -> None:
    lake, tables = Lake(tmp_path), simulate(Society(accounts=60, days=8)).tables
    lake.append({"actions": tables["actions"].with_columns(post=pl.lit(None, pl.String))}, source="a")
    assert lake.unmet() == {}
