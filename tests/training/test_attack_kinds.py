"""What each attack leaves behind: rows that could be real, dated in the past, for the budget and no more."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from clout.data.history import load
from clout.data.simulate import Simulation
from clout.data.society.reactions import Actions
from clout.data.tables import validate
from clout.training.attacks.kinds import BOT_LIKES, KINDS, MOST_HASHTAGS, WARM_LIKES
from clout.training.attacks.scene import Rows, Scene, put
from clout.training.attacks.targets import known_posts, newest

BUDGET, POSTS, WEEK = 200, 10, timedelta(days=7)
VALUES = {"like": 1.0, "reshare": 2.0, "reply": 2.0, "quote": 3.0}


@pytest.fixture(scope="module")
def scene(society: Simulation) -> Scene:
    """Three targets of the society at its end."""
    at = society.tables["posts"]["known_at"].max()
    known = known_posts(load(society.tables, WEEK, VALUES), "commons", at)
    mine = newest(known, known["account"].unique().to_list(), POSTS).group_by("account").agg(pl.len(), pl.all().first())
    late = pl.col("happened_at") > known["happened_at"].min() + timedelta(days=20)
    targets = tuple(mine.filter(pl.col("len") == POSTS, late).sort("account")["account"].head(3))
    posts = newest(known, targets, POSTS)
    return Scene(society.tables, "commons", targets, posts, tuple(VALUES), at, WEEK, timedelta(days=90))


def left(scene: Scene, kind: str, budget: int = BUDGET, seed: int = 7) -> Rows:
    """The rows that an attack leaves."""
    return KINDS[kind].rows(scene, budget, np.random.default_rng(seed))


def on_targets(scene: Scene, rows: Rows) -> pl.DataFrame:
    """The actions on the targets."""
    return rows["actions"].filter(pl.col("account").is_in(scene.targets))


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_such_as_a_lake_takes_and_lie_in_the_past(scene: Scene, kind: str) -> None:
    for table, frame in left(scene, kind).items():
        accepted, rejected = validate(table, frame, scene.at)
        assert (rejected.height, accepted.height) == (0, frame.height)
        assert frame.schema == scene.tables[table].schema
        if "known_at" in frame.columns:
            assert frame.filter(pl.col("known_at") >= scene.at).is_empty()


@pytest.mark.parametrize("kind", KINDS)
def test_chance_comes_from_the_seed_alone(scene: Scene, kind: str) -> None:
    first, again = left(scene, kind), left(scene, kind)
    assert all(frame.equals(again[table]) for table, frame in first.items())
    assert first.keys() == again.keys()


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.needs_actors])
def test_every_target_gets_what_it_pays_for_in_time_to_count(scene: Scene, kind: str) -> None:
    rows = left(scene, kind)
    bought = on_targets(scene, rows).join(scene.posts.select("post", published="happened_at"), on="post")
    counts = bought.group_by("account").len()
    assert set(counts["account"]) == set(scene.targets)
    assert counts["len"].is_between(0.95 * BUDGET, BUDGET).all()
    late = pl.col("happened_at") - pl.col("published")
    assert bought.filter((late <= timedelta(0)) | (late > WEEK)).is_empty()
    assert bought.group_by("post").len()["len"].max() <= BUDGET // POSTS


@pytest.mark.parametrize("kind", ["throwaways", "aged", "bots"])
def test_hirelings_like_each_post_once(scene: Scene, kind: str) -> None:
    bought = on_targets(scene, left(scene, kind))
    assert bought["kind"].unique().to_list() == ["like"]
    assert not bought.select("post", "actor").is_duplicated().any()


def test_throwaways_are_new_and_act_on_nobody_else(scene: Scene) -> None:
    rows = left(scene, "throwaways")
    assert on_targets(scene, rows).height == rows["actions"].height
    assert rows["actions"].group_by("actor").agg(pl.col("account").n_unique())["account"].max() == 1
    since = scene.posts["happened_at"].min()
    assert rows["accounts"]["created_at"].is_between(since - timedelta(days=20), since).all()


def test_aged_accounts_liked_others_before(scene: Scene) -> None:
    rows = left(scene, "aged")
    warm = rows["actions"].filter(~pl.col("account").is_in(scene.targets))
    first = rows["actions"].join(warm, on="action", how="anti").group_by("actor").agg(pl.col("happened_at").min())
    assert warm.join(first, on="actor").filter(pl.col("happened_at") >= pl.col("happened_at_right")).is_empty()
    assert warm.group_by("actor").len()["len"].unique().to_list() == [WARM_LIKES]
    assert rows["accounts"]["created_at"].max() < scene.at - timedelta(days=200)


def test_bots_serve_all_buyers_and_like_thousands_of_posts_more(scene: Scene) -> None:
    rows = left(scene, "bots")
    assert on_targets(scene, rows).group_by("actor").agg(pl.col("account").n_unique())["account"].max() == 3
    assert rows["actions"].group_by("actor").len()["len"].min() > 0.99 * BOT_LIKES


@pytest.mark.parametrize("kind", ["throwaways", "aged", "bots", "fans"])
def test_nobody_else_gets_an_action_that_counts(scene: Scene, kind: str) -> None:
    elsewhere = left(scene, kind)["actions"].filter(~pl.col("account").is_in(scene.targets))
    posts = scene.tables["posts"].select("post", published="happened_at")
    late = elsewhere.join(posts, on="post").select(pl.col("happened_at") - pl.col("published")).to_series()
    assert late.len() == elsewhere.height
    assert (late > WEEK).all()


def test_pods_act_both_ways(scene: Scene) -> None:
    acts = left(scene, "pod")["actions"]
    for target in scene.targets:
        mates = set(acts.filter(pl.col("account") == target)["actor"])
        helped = set(acts.filter(pl.col("actor") == target)["account"])
        assert mates
        assert len(mates & helped) > 0.8 * len(mates)
        inside = acts.filter(pl.col("account").is_in(mates), pl.col("actor").is_in(mates))
        assert inside.select("account", "actor").unique().height > 0.5 * len(mates) * (len(mates) - 1)
    assert acts["kind"].n_unique() == 4
    assert set(acts["actor"]) <= {*scene.members, *scene.targets}


def test_a_fan_is_one_member_who_comes_again(scene: Scene) -> None:
    acts = left(scene, "fans")["actions"]
    each = acts.group_by("account").agg(pl.col("actor").n_unique(), pl.col("kind").n_unique())
    assert each["actor"].to_list() == [1, 1, 1]
    assert each["kind"].to_list() == [4, 4, 4]
    assert set(acts["actor"]) <= set(scene.members)


def test_bought_followers_show_in_every_profile_since(scene: Scene) -> None:
    after = put(scene.tables, left(scene, "followers"))["profiles"].sort("happened_at")
    before = scene.tables["profiles"].sort("happened_at")
    for target in scene.targets:
        was, now = (frame.filter(account=target)["followers"][-1] for frame in (before, after))
        assert now == was + BUDGET
    others = ~pl.col("account").is_in(scene.targets)
    assert (
        before.filter(others).sort("account", "happened_at").equals(after.filter(others).sort("account", "happened_at"))
    )


def test_churn_follows_and_drops_and_some_stay(scene: Scene) -> None:
    after = left(scene, "churn")["profiles"].sort("happened_at")
    before = scene.tables["profiles"].sort("happened_at")
    for target in scene.targets:
        was, now = (frame.filter(account=target) for frame in (before, after))
        gained = now["followers"][-1] - was["followers"][-1]
        assert 0.12 * BUDGET <= gained <= 0.15 * BUDGET
        steps = now["following"].diff().drop_nulls()
        assert (steps > 0).sum() > 20
        assert (steps < 0).sum() > 20


def test_hashtags_are_added_to_posts_of_the_window_and_nothing_else_changes(scene: Scene) -> None:
    rows = left(scene, "hashtags", budget=10_000)["posts"]
    was = rows.select("post").join(scene.tables["posts"], on="post", how="left", maintain_order="left")
    added = rows["n_hashtags"] - was["n_hashtags"]
    assert added.max() == MOST_HASHTAGS
    assert (rows["text"].str.count_matches("#") - was["text"].str.count_matches("#") == added).all()
    assert rows.drop("text", "n_hashtags").equals(was.select(rows.columns).drop("text", "n_hashtags"))


def test_volume_is_posts_with_nothing_in_them(scene: Scene) -> None:
    rows = left(scene, "volume")["posts"]
    assert rows.group_by("account").len()["len"].to_list() == [BUDGET] * 3
    assert rows["text"].unique().to_list() == [""]
    assert rows.filter(pl.col("happened_at") <= scene.at - scene.window).is_empty()


def test_a_row_takes_the_place_of_the_one_with_its_key() -> None:
    old = {"posts": pl.DataFrame({"post": ["a", "b"], "text": ["x", "y"]}), "counts": pl.DataFrame()}
    new = put(old, {"posts": pl.DataFrame({"post": ["b", "c"], "text": ["new", "more"]})})
    assert new["posts"].rows() == [("a", "x"), ("b", "new"), ("c", "more")]
    assert new["counts"] is old["counts"]


def test_an_act_that_is_not_known_yet_is_left_out(scene: Scene) -> None:
    at = np.array([scene.now - 3_000_000, scene.now - 1_000_000])
    acts = Actions(np.zeros(2, np.int64), np.zeros(2, np.int64), np.zeros(2, np.int64), at)
    assert scene.log("late", acts, scene.names("late", 1), scene.posts)["action"].to_list() == ["commons/attack-late-0"]
