"""The report: stable keys, figures worked by hand, and nothing told of what cannot be told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from trained_society import Studied

from clout.training.evaluate import Judgement, evaluate, evaluate_accounts, finite, groups, join

START = datetime(2024, 1, 1, tzinfo=UTC)
WITH_INTERVAL = {"value", "low", "high"}
REPORT = {"posts", "accounts", "from", "through", "model", "skill", "baselines", "groups", "deciles"}
FIGURES = {"spearman", "r2_log", "top_decile_lift", "ndcg", "total_ratio", "decile_log_error", "coverage"}
SLOW = {"within_account_spearman", "crps", "interval_width_log", "coverage_worst_group"}
OF_BASELINES = {"spearman", "r2_log", "within_account_spearman", "top_decile_lift", "ndcg", "total_ratio", "crps"}
BASELINES = {"mean", "followers", "account_mean", "account_mean_90d", "poisson", "no_history"}


def judgement(outcome: list[float], margin: list[float], **columns: list[object]) -> Judgement:
    """Posts of four accounts in turn, an hour apart; intervals reach half a step of log1p each way."""
    n = len(outcome)
    facts: dict[str, list[Any]] = {
        "account": [f"net/{row % 4}" for row in range(n)],
        "network": ["net"] * n,
        "happened_at": [START + timedelta(hours=row) for row in range(n)],
        "outcome": outcome,
        "outcome_count_all": [0.0] * n,
        "followers": [None] * n,
        "outcome_level_365d": [None] * n,
        "cold": [False] * n,
        **columns,
    }
    floats = dict.fromkeys(("outcome", "outcome_count_all", "followers", "outcome_level_365d"), pl.Float64)
    said = np.array(margin)
    return Judgement(
        frame=pl.DataFrame(facts, schema_overrides=floats),
        margin=said,
        expected=np.expm1(said),
        low=said - 0.5,
        high=said + 0.5,
        width=np.ones(n),
        residuals=[0.0],
        others={"mean": np.full(n, 1.0)},
        other_residuals={"mean": [0.0]},
    )


def logs(*values: float) -> list[float]:
    return np.log1p(values).tolist()


def test_the_keys_are_stable(studied: Studied) -> None:
    report = evaluate(studied.judged, seed=1, resamples=3)
    assert set(report) == REPORT
    assert set(report["model"]) == FIGURES | SLOW
    assert {name for name in report["model"] if set(report["model"][name]) == WITH_INTERVAL} == FIGURES
    assert {name for name in report["model"] if set(report["model"][name]) == {"value"}} == SLOW
    assert set(report["skill"]) == set(report["baselines"]) == BASELINES
    assert all(set(figure) == WITH_INTERVAL for figure in report["skill"].values())
    assert all(set(figures) == OF_BASELINES for figures in report["baselines"].values())
    assert all(
        set(figures) == {"posts", "spearman", "total_ratio", "coverage"} for figures in report["groups"].values()
    )
    assert [set(decile) for decile in report["deciles"]] == [{"expected", "actual"}] * 10
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_groups_have_stable_names(studied: Studied) -> None:
    names = ["network=commons", "history<1", "history>=1", "history>=10", "history>=50", "followers<1000"]
    names += ["followers>=1000", "followers>=1e+04", "followers>=1e+05"]
    names += ["level=low", "level=middle", "level=high", "lang=de", "lang=en", "cold start"]
    found = list(groups(studied.judged))
    assert found == [name for name in names if name in found]
    assert {"network=commons", "history>=10", "followers<1000", "level=low", "level=middle", "level=high"} <= set(found)


def test_figures_of_a_case_worked_by_hand() -> None:
    report = evaluate(judgement([0, 1, 3, 9], logs(0, 3, 1, 9)), seed=1)
    model = {name: figure["value"] for name, figure in report["model"].items()}
    truth, said = np.log1p([0, 1, 3, 9]), np.log1p([0, 3, 1, 9])
    error = 2 * np.log(2) ** 2
    assert (report["posts"], report["accounts"]) == (4, 4)
    assert (report["from"], report["through"]) == ("2024-01-01T00:00:00Z", "2024-01-01T03:00:00Z")
    assert model["spearman"] == pytest.approx(0.8)
    assert model["r2_log"] == pytest.approx(1 - error / ((truth - truth.mean()) ** 2).sum())
    assert model["total_ratio"] == pytest.approx(1.0)
    assert model["top_decile_lift"] == pytest.approx(9 / 3.25)
    assert model["coverage"] == 0.5
    assert model["interval_width_log"] == pytest.approx(1.0)
    assert model["crps"] == pytest.approx(np.abs(truth - said).mean())
    assert model["decile_log_error"] == pytest.approx(np.log(2) / 2)
    assert report["skill"]["mean"]["value"] == pytest.approx(1 - error / ((truth - 1) ** 2).sum())
    assert report["baselines"]["mean"]["crps"] == pytest.approx(np.abs(truth - 1).mean())
    assert report["baselines"]["mean"]["total_ratio"] == pytest.approx(4 * np.expm1(1) / 13)
    assert report["deciles"][3]["actual"] == 9


def test_what_cannot_be_told_is_none() -> None:
    report = evaluate(judgement([5, 5, 5, 5], logs(0, 1, 2, 3)), seed=1)
    for name in ("spearman", "r2_log"):
        assert report["model"][name] == dict.fromkeys(WITH_INTERVAL)
    assert report["model"]["coverage_worst_group"] == {"value": None}
    assert report["model"]["within_account_spearman"] == {"value": None}
    assert report["baselines"]["mean"]["spearman"] is None
    assert report["groups"] == {}
    nothing = evaluate(judgement([0, 0, 0, 0], logs(0, 1, 2, 3)), seed=1)
    assert nothing["model"]["total_ratio"]["value"] is None
    assert nothing["model"]["top_decile_lift"]["low"] is None


def test_nan_and_infinity_become_none_all_the_way_down() -> None:
    tree = {"a": [1.0, float("nan"), {"b": np.inf}], "c": "nan", "d": 3, "e": np.float64("nan")}
    assert finite(tree) == {"a": [1.0, None, {"b": None}], "c": "nan", "d": 3, "e": None}


def test_intervals_hold_their_figure_and_repeat_with_their_seed() -> None:
    random = np.random.default_rng(0)
    truth = random.uniform(0, 4, 400)
    judged = judgement(np.expm1(truth).tolist(), (truth + random.normal(0, 1, 400)).tolist())
    report = evaluate(judged, seed=1)
    assert report == evaluate(judged, seed=1)
    assert report["model"]["spearman"] != evaluate(judged, seed=2)["model"]["spearman"]
    for figure in [*report["model"].values(), *report["skill"].values()]:
        if "low" in figure:
            assert figure["low"] <= figure["value"] <= figure["high"]
    assert report["model"]["spearman"]["low"] > 0.5


def test_intervals_are_drawn_over_accounts() -> None:
    """All posts of an account are alike, so 400 of them tell no more than the account itself."""
    level = np.array([0.0, 1.0, 2.0, 3.0])
    said = np.array([0.0, 1.0, 3.0, 2.0])
    few, many = (judgement(np.expm1(np.tile(level, n)).tolist(), np.tile(said, n).tolist()) for n in (2, 100))
    widths = [evaluate(judged, seed=1)["model"]["r2_log"] for judged in (few, many)]
    assert widths[0]["high"] - widths[0]["low"] == pytest.approx(widths[1]["high"] - widths[1]["low"])
    assert widths[0]["high"] - widths[0]["low"] > 0.1


def test_groups_of_less_than_a_hundred_posts_are_left_out() -> None:
    history = [0.0] * 99 + [1.0] * 100 + [9.0] * 101 + [50.0] * 20
    judged = judgement([3.0] * 320, logs(*[3.0] * 320), outcome_count_all=history, cold=[True] * 100 + [False] * 220)
    found = groups(judged)
    assert {name: group["posts"] for name, group in found.items()} == {
        "network=net": 320,
        "history>=1": 201,
        "cold start": 100,
    }
    assert found["history>=1"]["total_ratio"] == pytest.approx(1.0)
    assert found["history>=1"]["coverage"] == 1.0


def test_the_worst_group_is_the_one_that_is_covered_least() -> None:
    said = logs(*[3.0] * 100, *[30.0] * 300)
    judged = judgement([3.0] * 400, said, outcome_count_all=[0.0] * 200 + [5.0] * 200)
    report = evaluate(judged, seed=1, resamples=2)
    assert report["groups"]["history<1"]["coverage"] == 0.5
    assert report["groups"]["history>=1"]["coverage"] == 0.0
    assert report["model"]["coverage_worst_group"] == {"value": 0.0}
    assert report["model"]["coverage"]["value"] == 0.25


def test_every_network_and_size_is_a_group() -> None:
    followers = [float(10**power) for power in range(2, 6) for _ in range(100)]
    networks = ["a"] * 200 + ["b"] * 200
    judged = judgement([3.0] * 400, logs(*[3.0] * 400), followers=followers, network=networks)
    names = [name for name in groups(judged) if not name.startswith("history")]
    sizes = ["followers<1000", "followers>=1000", "followers>=1e+04", "followers>=1e+05"]
    assert names == ["network=a", "network=b", *sizes]


def test_parts_are_joined_in_order() -> None:
    first, second = judgement([0, 1], logs(0, 1)), judgement([2, 3], logs(2, 3))
    both = join([first, second])
    assert both.count.tolist() == [0, 1, 2, 3]
    assert both.margin.tolist() == logs(0, 1, 2, 3)
    assert both.high.tolist() == [*first.high, *second.high]
    assert both.others["mean"].tolist() == [1.0] * 4
    assert both.accounts.tolist() == [0, 1, 0, 1]
    assert both.residuals is second.residuals


ACCOUNTS = 20


def scored(**columns: pl.Expr) -> pl.DataFrame:
    """Twenty accounts in order of margin, each with ten ripe posts and a mean that says nothing."""
    frame = pl.DataFrame({"account": [f"net/{row:02}" for row in range(ACCOUNTS)], "ripe": [10] * ACCOUNTS})
    row = pl.int_range(ACCOUNTS).cast(pl.Float64)
    means = {"margin": row, "expected": -row, "own_mean_90d": pl.lit(1.0), "own_mean_all": (row * 7) % 10}
    ends = {"low": pl.lit(-1.0), "high": pl.lit(100.0)}
    return frame.with_columns(**{**means, **ends, **columns})


def later(posts: int = 10, followers: float | None = None) -> pl.DataFrame:
    """Posts that follow, better by the account's place."""
    rows = [
        {"account": f"net/{row:02}", "outcome": float(row), "followers": followers and followers * (row % 3)}
        for row in range(ACCOUNTS)
        for _ in range(posts)
    ]
    return pl.DataFrame(rows, schema={"account": pl.String, "outcome": pl.Float64, "followers": pl.Float64})


def test_accounts_are_ranked_by_what_their_later_posts_drove() -> None:
    told = evaluate_accounts(scored(), later(), seed=1)
    ranks = told["spearman"]
    assert told["accounts"] == ACCOUNTS
    assert set(ranks) == {
        "margin",
        "expected",
        "own_mean_90d",
        "own_mean_all",
        "margin_less_own_mean_90d",
        "margin_less_own_mean_all",
    }
    assert ranks["margin"]["value"] == pytest.approx(1.0)
    assert ranks["expected"]["value"] == pytest.approx(-1.0)
    assert ranks["own_mean_90d"]["value"] is None
    difference = ranks["margin"]["value"] - ranks["own_mean_all"]["value"]
    assert ranks["margin_less_own_mean_all"]["value"] == pytest.approx(difference)
    assert ranks["margin_less_own_mean_all"]["low"] > 0


def test_intervals_of_accounts_are_held_to() -> None:
    half = pl.int_range(pl.len()) % 2 == 0
    wrong = scored(low=pl.when(half).then(50.0).otherwise(-1.0))
    assert evaluate_accounts(scored(), later(), seed=1)["coverage"]["value"] == 1.0
    assert evaluate_accounts(wrong, later(), seed=1)["coverage"]["value"] == 0.5


def test_followers_are_given_where_most_have_them() -> None:
    told = evaluate_accounts(scored(), later(followers=10.0), seed=1)["spearman"]
    assert abs(told["followers"]["value"]) < 0.5
    assert told["partial_given_followers"]["value"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("scores", "after"),
    [(scored(ripe=pl.lit(9)), later()), (scored(), later(posts=9)), (scored().head(9), later())],
    ids=["too little before", "too little after", "too few accounts"],
)
def test_too_few_accounts_tell_nothing(scores: pl.DataFrame, after: pl.DataFrame) -> None:
    told = evaluate_accounts(scores, after, seed=1)
    assert told in ({"accounts": 0}, {"accounts": 9})
