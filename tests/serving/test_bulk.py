"""Posts judged shard by shard have the scores that the model gives them one at a time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from trained_society import TrainedSociety
from typer.testing import CliRunner

from clout.cli import app
from clout.data.history import load, read_tables
from clout.features.compute import compute, prepare
from clout.features.wording import Wording


@pytest.fixture(scope="module")
def out(trained: TrainedSociety, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `clout features --scores` wrote."""
    folder = tmp_path_factory.mktemp("bulk") / "out"
    given = [
        "features",
        str(folder),
        "--scores",
        "--shards",
        "3",
        "--workers",
        "2",
        "--lake",
        trained.lake.url,
        "--json",
    ]
    told = CliRunner().invoke(app, given, env={"CLOUT_HOME": str(trained.home)})
    assert told.exit_code == 0, told.output
    return folder


def read(out: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(out / name / "*.parquet")


def test_scores_are_those_of_the_model(out: Path, trained: TrainedSociety) -> None:
    model = trained.model
    history = load(read_tables(trained.lake), timedelta(days=model.data["horizon_days"]), model.data["action_values"])
    posts = history.posts.sort("post").gather_every(7)
    assert model.wording_path
    lifts = pl.Series(Wording.read(model.wording_path).values(posts["text"]))
    features = compute(posts, prepare(history), lifts)
    expected = model.score(features)
    got = read(out, "scores").join(posts.select("post"), on="post", how="semi").sort("post")
    for name in ("score", "score_low", "score_high", "expected_actions", "expected_like_high"):
        assert got[name].to_list() == expected[name].to_list()


def test_points_add_up_and_nobody_is_left_out(out: Path, trained: TrainedSociety) -> None:
    scores, posts = read(out, "scores"), read(out, "posts")
    assert scores.height == posts.height == read_tables(trained.lake)["posts"].height
    points = scores.select(pl.sum_horizontal("base_score", "^points_.*$")).to_series()
    assert (points - scores["score"]).abs().max() < 1e-9
    assert posts["wording_lift"].null_count() == 0


def test_scores_are_those_of_the_champion_alone() -> None:
    told = CliRunner().invoke(app, ["features", "x", "--scores", "--set", "label.horizon_days=3"])
    assert told.exit_code == 2
    assert "expected one of both" in told.stderr
