"""What attacks buy: measured on the society, where everything but the attack is as it was."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from trained_society import TrainedSociety

from clout.data.history import load
from clout.data.lake import Lake
from clout.features.compute import prepare
from clout.training.accounts import MeasuredPosts, account_margins
from clout.training.attacks.kinds import KINDS
from clout.training.attacks.measure import UNSEEN, Trial, attack, count_steps, limit_of, prepare_trial
from clout.training.attacks.scene import put
from clout.training.attacks.targets import AttackError, Plan

PLAN = Plan(budget=200, bases=(2.0, 5.0), targets=5, posts=10)


@pytest.fixture(scope="module")
def trial(trained: TrainedSociety) -> Trial:
    return prepare_trial(trained.lake, trained.model, PLAN)


@pytest.fixture(scope="module")
def fans(trained: TrainedSociety) -> dict[str, Any]:
    return attack(trained.lake, trained.model, "fans", PLAN, curve=True)


def bought(told: dict[str, Any]) -> dict[float, dict[str, Any]]:
    """What the only attack bought, by base."""
    (only,) = told["attacks"]
    return {one["base"]: one for one in only["bases"]}


def test_scores_are_those_of_all_accounts_together(trial: Trial, trained: TrainedSociety) -> None:
    model, judge = trained.model, trial.judge
    history = load(trial.scene.tables, judge.before.horizon, model.data["action_values"])
    posts = MeasuredPosts.of(history, prepare(history), judge.voice.wording, judge.at)
    rows = account_margins([posts], model.main, rule=model.account)
    score = pl.Series("alone", model.score_margins(rows["margin"].to_numpy(), rows["network"].to_list()))
    both = trial.before.join(rows.with_columns(score), on="account")
    assert both.height == trial.before.height > 20
    assert both["clout"].equals(both["alone"])
    assert rows.filter(pl.col("account").is_in(trial.scene.targets))["lacks"].is_null().all()


def test_a_target_alone_is_moved_as_it_is_among_others(trial: Trial) -> None:
    together = trial.judge.scores(put(trial.scene.tables, rows_of(trial)))
    target = trial.scene.targets[0]
    rows = {name: frame.filter(account=target) for name, frame in rows_of(trial).items() if name == "actions"}
    alone = trial.judge.scores(put(trial.scene.tables, rows))
    before = trial.before.filter(account=target)["clout"][0]
    moved, by_itself = (frame.filter(account=target)["clout"][0] - before for frame in (together, alone))
    assert moved == pytest.approx(by_itself, abs=0.5)


def rows_of(trial: Trial) -> dict[str, pl.DataFrame]:
    """The rows of throw-away likes."""
    return KINDS["throwaways"].rows(trial.scene, PLAN.budget, np.random.default_rng(1))


def test_naive_scores_gain_what_they_count(fans: dict[str, Any]) -> None:
    for of in bought(fans).values():
        assert of["points"]["followers"] == {"median": 0.0, "p90": 0.0, "most": 0.0, "per_thousand": 0.0}
        assert of["points"]["per_post"]["median"] > of["points"]["likes"]["median"] > 1
        points = of["points"]["per_post"]
        assert points["median"] <= points["p90"] <= points["most"]
        assert points["per_thousand"] == pytest.approx(points["median"] * 1_000 / 200)
        assert of["worst"]["score"] == "per_post"
        assert of["worst"]["ratio"] == pytest.approx(of["points"]["clout"]["median"] / points["median"])
        assert of["best"] == {"score": "followers", "ratio": None}
        assert (of["limit"], of["within"], of["targets"]) == (None, None, 5)


def test_followers_move_only_the_naive_score_of_followers_but_for_ours(trained: TrainedSociety) -> None:
    told = attack(trained.lake, trained.model, "followers", PLAN)
    for of in bought(told).values():
        assert of["points"]["followers"]["median"] > 3
        assert of["points"]["likes"]["most"] == of["points"]["per_post"]["most"] == 0.0
        assert of["limit"] == 0.0
        assert 0 <= of["within"] <= of["targets"] == 5
    (only,) = told["attacks"]
    assert only["others"]["most"] == 0.0
    assert (only["amount"], only["beside"]) == (200.0, 0.0)


def test_the_same_plan_gives_the_same_figures_and_the_curve_goes_through_them(
    fans: dict[str, Any], trained: TrainedSociety
) -> None:
    again = attack(trained.lake, trained.model, "fans", PLAN)
    assert bought(again) == bought(fans)
    curve = fans["attacks"][0]["curve"]
    assert [(point["budget"], point["base"]) for point in curve] == [(n, b) for n in (20, 67, 200, 600) for b in (2, 5)]
    for point in curve:
        if point["budget"] == PLAN.budget:
            figures = bought(fans)[point["base"]]["points"]
            assert point["points"] == {name: of["median"] for name, of in figures.items()}
    assert len(again["attacks"][0]["curve"]) == 2


def test_the_lake_stays_as_it_is_and_steps_are_told(trained: TrainedSociety) -> None:
    def files() -> dict[Path, bytes]:
        return {file: file.read_bytes() for file in (trained.home / "lake").rglob("*") if file.is_file()}

    before, told = files(), list[str]()
    attack(trained.lake, trained.model, "volume", PLAN, step=told.append)
    assert files() == before
    assert told == ["scoring all as it is", "volume, 200 posts"]
    assert count_steps("volume", curve=False) == 2
    assert count_steps("all", curve=True) == 1 + 4 * len(KINDS)


def test_counts_alone_cannot_tell_who_acts(trained: TrainedSociety, trial: Trial, tmp_path: Path) -> None:
    lake = counted(trial.scene.tables, tmp_path)
    (fans,), (churn,) = (attack(lake, trained.model, kind, PLAN)["attacks"] for kind in ("fans", "churn"))
    assert (fans["reason"], churn["reason"]) == (UNSEEN, None)
    assert "bases" not in fans
    assert churn["bases"][0]["targets"] == 5


def counted(tables: dict[str, pl.DataFrame], folder: Path) -> Lake:
    """A lake of the same posts, with counts read a week later in place of actions."""
    late = {"happened_at": pl.col("happened_at") + timedelta(days=7, hours=1)}
    acts = tables["actions"].group_by("post", "kind").agg(count=pl.len().cast(pl.Int64))
    read = acts.join(tables["posts"].select("post", "happened_at"), on="post").with_columns(**late)
    counts = read.with_columns(known_at="happened_at", retrospective=False).select(tables["counts"].columns)
    lake = Lake(folder / "lake")
    lake.append({**tables, "actions": tables["actions"].clear(), "counts": counts}, source="counts")
    return lake


def test_what_cannot_be_tried_is_told(trained: TrainedSociety, tmp_path: Path) -> None:
    with pytest.raises(AttackError, match="got the kind 'hypnosis'; expected all or one of throwaways, aged"):
        attack(trained.lake, trained.model, "hypnosis", PLAN)
    with pytest.raises(AttackError, match="has no posts; expected those of accounts to attack"):
        attack(Lake(tmp_path / "empty"), trained.model, "all", PLAN)
    with pytest.raises(AttackError, match="got --base 900, but none of the"):
        attack(trained.lake, trained.model, "all", Plan(bases=(900.0,), posts=10))
    with pytest.raises(AttackError, match="got no account with 999 posts of known outcome"):
        attack(trained.lake, trained.model, "all", Plan(posts=999))


@pytest.mark.parametrize(
    ("kind", "base", "plan", "limit"),
    [
        ("throwaways", 20, Plan(), 0.5),
        ("throwaways", 40, Plan(), 0.5),
        ("throwaways", 2, Plan(), 2.0),
        ("throwaways", 1, Plan(), None),
        ("throwaways", 20, Plan(budget=1_001), None),
        ("throwaways", 20, Plan(posts=29), None),
        ("followers", 1, Plan(budget=9_999), 0.0),
        ("pod", 20, Plan(), None),
    ],
)
def test_limits_are_those_promised(kind: str, base: float, plan: Plan, limit: float | None) -> None:
    assert limit_of(kind, base, plan) == limit
