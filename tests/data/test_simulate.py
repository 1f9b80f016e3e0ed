from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError
from scipy.stats import spearmanr
from typer.testing import CliRunner

from clout.cli import app
from clout.data.lake import Lake
from clout.data.simulate import Simulation, SimulationError, Society, configure, fill, simulate, truth_of
from clout.data.tables import SCHEMAS, validate

SMALL = Society(accounts=300, days=30)
BUSY = Society(accounts=600, days=60)
VALUES = {"like": 1.0, "reshare": 2.0, "reply": 2.0, "quote": 3.0}
RIPE = timedelta(days=8)


@pytest.fixture(scope="module")
def small() -> Simulation:
    return simulate(SMALL)


@pytest.fixture(scope="module")
def busy() -> Simulation:
    return simulate(BUSY)


@pytest.fixture(scope="module")
def outcomes(busy: Simulation) -> pl.DataFrame:
    """Ripe posts with their outcome and, under `true_…`, what was expected."""
    ripe = busy.tables["posts"].filter(pl.col("happened_at") < BUSY.end - RIPE)
    worth = pl.col("kind").replace_strict(VALUES)
    counts = [(pl.col("kind") == kind).sum().alias(kind) for kind in VALUES]
    drawn = busy.tables["actions"].group_by("post").agg(worth.sum().alias("outcome"), *counts)
    truth = busy.truth["posts"].drop("account").rename(lambda name: name if name == "post" else f"true_{name}")
    return ripe.join(truth, on="post").join(drawn, on="post", how="left").fill_null(0)


def rows_of(simulation: Simulation, table: str) -> pl.DataFrame:
    return simulation.tables[table]


def rank_correlation(left: pl.Series, right: pl.Series) -> float:
    return float(spearmanr(left, right).statistic)


def delays(simulation: Simulation) -> pl.Series:
    published = simulation.tables["posts"].select("post", t0="happened_at")
    joined = simulation.tables["actions"].join(published, on="post")
    return (joined["happened_at"] - joined["t0"]).dt.total_seconds() / 60


def test_a_seed_gives_the_same_society(small: Simulation):
    again = simulate(SMALL)
    assert all(again.tables[name].equals(small.tables[name]) for name in SCHEMAS)
    assert all(again.truth[name].equals(frame) for name, frame in small.truth.items())


def test_another_seed_gives_another(small: Simulation):
    other = simulate(SMALL.model_copy(update={"seed": 8}))
    assert not other.tables["posts"].equals(small.tables["posts"])


@pytest.mark.parametrize("table", SCHEMAS)
def test_every_row_is_valid(small: Simulation, table: str):
    accepted, rejected = validate(table, small.tables[table], SMALL.end)
    assert rejected.is_empty()
    assert accepted.equals(small.tables[table])


def test_volumes(busy: Simulation):
    posts, actions = rows_of(busy, "posts"), rows_of(busy, "actions")
    assert 10_000 < posts.height < 30_000
    assert 4 < actions.height / posts.height < 15
    per_account = posts.group_by("account").len()["len"].sort(descending=True)
    assert per_account.head(30).sum() > 0.25 * posts.height


def test_half_of_the_first_day_comes_within_24_minutes(busy: Simulation):
    minutes = delays(busy)
    assert minutes.filter(minutes < 1440).median() == pytest.approx(24, abs=3)
    late = (minutes > 7 * 1440).mean()
    assert isinstance(late, float)
    assert 0.0005 < late < 0.02


def test_actions_follow_their_post_and_come_once(busy: Simulation):
    actions = rows_of(busy, "actions")
    assert (delays(busy) > 0).all()
    assert not actions.select("post", "kind", "actor").is_duplicated().any()
    assert (actions["actor"] != actions["account"]).all()
    assert actions["happened_at"].is_sorted()


def test_nothing_is_known_after_the_end(busy: Simulation):
    for table in ("profiles", "posts", "actions"):
        newest = rows_of(busy, table)["known_at"].max()
        assert newest is not None
        assert newest < BUSY.end


def test_the_truth_is_what_happens_on_average(outcomes: pl.DataFrame):
    for kind in VALUES:
        assert outcomes[kind].sum() / outcomes[f"true_{kind}"].sum() == pytest.approx(1, abs=0.2)


def test_posts_tell_of_influence_but_are_noisy(outcomes: pl.DataFrame):
    assert 0.70 < rank_correlation(outcomes["true_expected_outcome"], outcomes["outcome"]) < 0.88
    assert 0.15 < (outcomes["outcome"] == 0).mean() < 0.5  # type: ignore[operator]


def test_planted_influence_shows_in_the_mean(busy: Simulation, outcomes: pl.DataFrame):
    means = outcomes.group_by("account").agg(pl.len().alias("posts"), pl.col("outcome").mean())
    judged = means.filter(pl.col("posts") >= 20).join(busy.truth["accounts"], on="account")
    assert judged.height > 100
    assert rank_correlation(judged["influence"], judged["outcome"]) > 0.9
    assert rank_correlation(judged["influence"], judged["outcome"]) > rank_correlation(
        judged["audience"], judged["outcome"]
    )


@pytest.mark.parametrize(
    ("trait", "kind", "sign"),
    [
        (pl.col("n_media") > 0, "like", 1),
        (pl.col("n_urls") > 0, "like", -1),
        (pl.col("text").str.contains("?", literal=True), "reply", 1),
        (pl.col("n_hashtags") > 2, "like", -1),
        (pl.col("kind") == "reply", "reshare", -1),
        (pl.col("text").str.contains("(?i)finally|surprising"), "like", 1),
        (pl.col("text").str.contains("(?i)webinar|reminder"), "like", -1),
    ],
)
def test_true_effects_show_within_accounts(outcomes: pl.DataFrame, trait: pl.Expr, kind: str, sign: int):
    own = (pl.col(kind).log1p() - pl.col(kind).log1p().mean().over("account")).alias("above_own")
    with_trait, without = (outcomes.with_columns(own).filter(rows)["above_own"] for rows in (trait, ~trait))
    error = np.sqrt(np.var(with_trait.to_numpy()) / len(with_trait) + np.var(without.to_numpy()) / len(without))
    difference = np.mean(with_trait.to_numpy()) - np.mean(without.to_numpy())
    assert sign * difference > 3 * error


def test_effects_are_told(small: Simulation):
    effects = small.truth["effects"]
    media = effects.filter(pl.col("effect") == "media", pl.col("kind") == "like")
    assert media["coefficient"].to_list() == [0.5]
    assert not effects.select("effect", "kind").is_duplicated().any()
    assert effects.filter(pl.col("effect") == "word:webinar").height == 4


def test_texts_say_what_the_columns_count(small: Simulation):
    posts = small.tables["posts"]
    for mark, column in (("#", "n_hashtags"), ("@", "n_mentions"), ("https://", "n_urls")):
        assert (
            posts["text"].str.count_matches(mark, literal=True).cast(pl.Int64).equals(posts[column], check_names=False)
        )


def test_profiles_grow_and_count_posts(small: Simulation):
    profiles = small.tables["profiles"].sort("account", "happened_at")
    for column in ("followers", "posts"):
        steps = profiles.select(pl.col(column).diff().over("account").alias("step"))["step"].drop_nulls()
        assert (steps >= 0).all()
        assert (steps > 0).any()
    assert set(profiles["account"]) == set(small.tables["posts"]["account"])


def test_most_actors_hardly_post(busy: Simulation):
    roles = busy.truth["accounts"].select(actor="account", role="role")
    acting = busy.tables["actions"].join(roles, on="actor")["role"].value_counts(normalize=True)
    share = dict(acting.iter_rows())
    assert share["lurker"] > 0.5


def test_bots_act_far_more_than_people(busy: Simulation):
    roles = busy.truth["accounts"].select(actor="account", role="role")
    acts = busy.tables["actions"].group_by("actor").len().join(roles, on="actor")
    usual = acts.group_by("role").agg(pl.col("len").median())
    median = dict(usual.iter_rows())
    assert median["bot"] > 3 * median["lurker"]


def added(small: Simulation, switches: dict[str, int], table: str) -> pl.DataFrame:
    """The rows of `table` that `switches` add; every row there was before must still be there."""
    before, after = small.tables[table], simulate(SMALL.model_copy(update=switches)).tables[table]
    columns = list(SCHEMAS[table])
    assert before.join(after, on=columns, how="anti", nulls_equal=True).is_empty()
    return after.join(before, on=columns, how="anti", nulls_equal=True)


def test_bots_switched_off_take_only_their_rows(small: Simulation):
    without = simulate(SMALL.model_copy(update={"bots": 0.0}))
    bots = small.truth["accounts"].filter(pl.col("role") == "bot")["account"].to_list()
    assert bots
    assert without.tables["actions"].equals(small.tables["actions"].filter(~pl.col("actor").is_in(bots)))
    assert without.tables["posts"].equals(small.tables["posts"])
    assert without.tables["profiles"].equals(small.tables["profiles"])


def test_pods_add_only_actions_among_members(small: Simulation):
    switches = {"pods": 2, "pod_size": 5}
    members = simulate(SMALL.model_copy(update=switches)).truth["accounts"].drop_nulls("pod").select("account", "pod")
    assert members.group_by("pod").len()["len"].to_list() == [5, 5]
    extra = added(small, switches, "actions")
    both = extra.join(members, on="account").join(members.rename({"account": "actor"}), on="actor")
    assert both.height == extra.height > 100
    assert (both["pod"] == both["pod_right"]).all()
    assert all(added(small, switches, table).is_empty() for table in ("accounts", "profiles", "posts"))


def test_bought_likes_come_in_bursts_from_throwaways(small: Simulation):
    switches = {"bought_likes": 2, "likes_per_buyer": 200, "boosted_posts": 10}
    truth = simulate(SMALL.model_copy(update=switches)).truth
    extra = added(small, switches, "actions")
    buyers = truth["purchases"]
    assert extra.height == 400
    assert set(extra["account"]) == set(buyers["account"])
    assert buyers["amount"].to_list() == [200, 200]
    hired = truth["accounts"].filter(pl.col("role") == "throwaway")["account"].to_list()
    assert extra["actor"].is_in(hired).all()
    per_post = extra.group_by("post").agg(
        pl.len(), (pl.col("happened_at").max() - pl.col("happened_at").min()).alias("in")
    )
    assert (per_post["len"] == 20).all()
    assert (per_post["in"] <= timedelta(minutes=20)).all()
    assert set(added(small, switches, "accounts")["account"]) == set(hired)
    assert all(added(small, switches, table).is_empty() for table in ("profiles", "posts"))


def test_bought_followers_change_only_the_profiles_shown(small: Simulation):
    switches = {"bought_followers": 2, "followers_per_buyer": 500}
    bought = simulate(SMALL.model_copy(update=switches))
    assert all(bought.tables[table].equals(small.tables[table]) for table in ("accounts", "posts", "actions"))
    shown = bought.tables["profiles"]["followers"] - small.tables["profiles"]["followers"]
    assert shown.max() == 500
    changed = bought.tables["profiles"].filter(shown > 0)
    assert set(changed["account"]) == set(bought.truth["purchases"]["account"])
    since = bought.truth["purchases"].select("account", "since")
    assert changed.join(since, on="account").select((pl.col("happened_at") > pl.col("since")).all()).item()
    assert bought.truth["accounts"].equals(small.truth["accounts"])


def test_nobody_is_in_two_schemes():
    config = SMALL.model_copy(update={"pods": 1, "pod_size": 5, "bought_likes": 3, "bought_followers": 3})
    truth = simulate(config).truth
    schemers = [*truth["purchases"]["account"], *truth["accounts"].drop_nulls("pod")["account"]]
    assert len(schemers) == len(set(schemers)) == 11


def test_a_second_network_leaves_the_first_as_it_was(small: Simulation):
    both = simulate(SMALL.model_copy(update={"networks": ("commons", "square")}))
    first = both.tables["posts"].filter(pl.col("network") == "commons")
    assert first.equals(small.tables["posts"])
    people = both.truth["accounts"].filter(pl.col("role").is_in(["member", "lurker"]))
    qualities = people.group_by("person").agg(pl.col("quality").n_unique(), pl.len())
    assert (qualities["quality"] == 1).all()
    assert (qualities["len"] == 2).all()


def test_more_schemers_than_posters_are_refused():
    with pytest.raises(SimulationError, match="got bought likes for 300 accounts; expected at most"):
        simulate(SMALL.model_copy(update={"bought_likes": 300}))


def test_a_wrong_setting_is_told_in_words():
    with pytest.raises(SimulationError, match=r"got accounts = 3 for the society; expected another: .* equal to 50"):
        configure({"accounts": 3})


@pytest.mark.parametrize(
    "wrong", [{"accounts": 3}, {"lurkers": 1.5}, {"networks": ("a/b",)}, {"networks": ("a", "a")}, {"pod": 1}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object]):
    with pytest.raises(ValidationError):
        Society.model_validate(wrong)


def test_a_society_that_hardly_posts_is_whole():
    quiet = simulate(Society(accounts=50, days=8, lurkers=0.95, bots=0.0))
    assert all(quiet.tables[name].schema == schema for name, schema in SCHEMAS.items())
    assert quiet.tables["accounts"].height == 50
    assert 0 < quiet.tables["posts"].height < 100


def test_fill_twice_changes_nothing(tmp_path: Path):
    lake, config = Lake(tmp_path / "lake"), Society(accounts=60, days=10)
    first = fill(lake, config, tmp_path)
    assert first.source == "simulate"
    assert first.rows["posts"] == simulate(config).tables["posts"].height
    before = lake.fingerprint()
    assert fill(lake, config, tmp_path).number == 0
    assert lake.fingerprint() == before
    assert len(lake.receipts()) == 1
    names = sorted(file.name for file in (tmp_path / "lake-truth").iterdir())
    assert names == ["accounts.parquet", "effects.parquet", "posts.parquet", "purchases.parquet"]
    assert not list((tmp_path / "lake").rglob("*truth*"))


def test_each_lake_has_its_own_truth(tmp_path: Path):
    one, other = Lake(tmp_path / "lake"), Lake(tmp_path / "society")
    fill(one, Society(accounts=60, days=10), tmp_path)
    fill(other, Society(accounts=70, days=10), tmp_path)
    far = Lake(f"memory://{tmp_path.name}/far")
    fill(far, Society(accounts=80, days=10), tmp_path / "home")
    heights = [
        pl.read_parquet(truth_of(lake, tmp_path / "home") / "accounts.parquet").height for lake in (one, other, far)
    ]
    assert heights == [60, 70, 80]


def test_a_lake_told_as_a_url_of_this_disk_has_its_truth_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    fill(Lake(f"file://{tmp_path}/lake"), Society(accounts=60, days=10), tmp_path / "home")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lake", "lake-truth"]


def test_fill_refuses_a_lake_with_anything_else(tmp_path: Path):
    lake, config = Lake(tmp_path / "lake"), Society(accounts=60, days=10)
    fill(lake, config, tmp_path)
    with pytest.raises(SimulationError, match="expected an empty one, or this very society"):
        fill(lake, config.model_copy(update={"seed": 8}), tmp_path)
    other = Lake(tmp_path / "other")
    other.append({"accounts": simulate(config).tables["accounts"]}, source="people.csv")
    with pytest.raises(SimulationError, match=r"holds data of people\.csv"):
        fill(other, config, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


def test_fill_says_where_truth_could_not_be_written(tmp_path: Path):
    (tmp_path / "lake-truth.partial").write_text("a file, not a folder")
    lake = Lake(tmp_path / "lake")
    with pytest.raises(SimulationError, match="make room or name another home"):
        fill(lake, Society(accounts=60, days=10), tmp_path)
    assert lake.is_empty()


def test_the_command_fills_lake_and_truth(tmp_path: Path):
    variables = {"CLOUT_HOME": str(tmp_path)}
    arguments = ["simulate", "--accounts", "60", "--days", "20", "--bought-followers", "1", "--json"]
    first = CliRunner().invoke(app, arguments, env=variables)
    assert first.exit_code == 0, first.output
    told = json.loads(first.stdout)
    assert told["truth"] == str(tmp_path / "lake-truth")
    expected = simulate(Society(accounts=60, days=20, bought_followers=1))
    assert told["rows"] == {name: frame.height for name, frame in expected.tables.items() if frame.height}
    for name, frame in expected.truth.items():
        assert pl.read_parquet(tmp_path / "lake-truth" / f"{name}.parquet").equals(frame)
    again = CliRunner().invoke(app, arguments[:-1], env=variables)
    assert "nothing new: the lake is as it was" in again.stdout
    other = CliRunner().invoke(app, ["simulate", "--seed", "8"], env=variables)
    assert other.exit_code == 2
    assert "simulate into another home, or remove that lake first" in other.stderr
