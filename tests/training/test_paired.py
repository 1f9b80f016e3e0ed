"""Versions on the same posts: the right posts, the figures of the report, and intervals of the difference."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from small_comparison import FIRST, SECOND, kept, told
from trained_society import Studied, TrainedSociety

from clout.training import judged
from clout.training.paired import FIGURES, Said, accuracy, common


def test_only_posts_that_all_judged_count_whatever_their_order() -> None:
    first, second = kept(0.5), kept(0.5, seed=2)
    aligned, other = common([first[100:], second[:400].reverse()])
    assert other == 0
    assert [frame["post"].to_list() for frame in aligned] == [first["post"][100:400].to_list()] * 2
    assert aligned[1]["margin"].to_list() == second["margin"][100:400].to_list()


def test_a_post_with_another_outcome_is_left_out_and_counted() -> None:
    first = kept(0.5)
    second = first.with_columns(outcome=pl.when(pl.col("post") == "twitter/p7").then(99.0).otherwise("outcome"))
    aligned, other = common([first, second])
    assert other == 1
    assert [frame.height for frame in aligned] == [599, 599]
    assert "twitter/p7" not in aligned[0]["post"].to_list()


def test_figures_are_those_of_the_report(trained: TrainedSociety, studied: Studied) -> None:
    rows = judged.read(trained.home, trained.trained.version)
    figures = Said.of(rows).figures(np.arange(rows.height), tuple(FIGURES))
    report = studied.report["model"]
    assert figures == pytest.approx(
        {name: report[name]["value"] for name in FIGURES if name != "msle"}
        | {"msle": float(((studied.judged.margin - studied.judged.truth) ** 2).mean())}
    )


def test_within_accounts_is_the_mean_over_the_accounts_drawn() -> None:
    said = Said.of(kept(0.5, posts=80))
    accounts = [np.flatnonzero(said.accounts == f"twitter/{number}") for number in (3, 5, 3)]
    assert FIGURES["within_account_spearman"](said, np.concatenate(accounts)) is not None
    many = Said.of(kept(0.5))
    drawn = [np.flatnonzero(many.accounts == f"twitter/{number}") for number in (3, 5, 3)]
    single = [FIGURES["within_account_spearman"](many, rows) for rows in drawn]
    assert FIGURES["within_account_spearman"](many, np.concatenate(drawn)) == pytest.approx(float(np.mean(single)))
    assert np.isnan(FIGURES["within_account_spearman"](said, np.concatenate(accounts)))


def test_the_same_twice_differs_by_nothing() -> None:
    figures = accuracy({FIRST: kept(0.9), SECOND: kept(0.9)}, seed=7, resamples=20)["figures"]
    for name in FIGURES:
        assert figures[name][SECOND]["difference"] == {"value": 0.0, "low": 0.0, "high": 0.0}
        assert "difference" not in figures[name][FIRST]


def test_a_better_version_is_seen_to_be_better() -> None:
    less = {name: figure[SECOND]["difference"] for name, figure in told()["accuracy"]["figures"].items()}
    assert less["spearman"]["low"] > 0
    assert less["r2_log"]["low"] > 0
    assert less["msle"]["high"] < 0
    swapped = accuracy({SECOND: kept(0.6, seed=2), FIRST: kept(0.9)}, seed=7, resamples=20)["figures"]
    assert swapped["msle"][FIRST]["difference"]["value"] == -less["msle"]["value"]


def test_all_versions_are_drawn_alike() -> None:
    """Two nearly equal versions: each figure is uncertain, their difference is not."""
    near = kept(0.9).with_columns(margin=pl.col("margin") + 1e-3 * np.random.default_rng(5).normal(size=600))
    figures = accuracy({FIRST: kept(0.9), SECOND: near}, seed=7, resamples=50)["figures"]["spearman"]
    own, less = figures[FIRST], figures[SECOND]["difference"]
    assert less["high"] - less["low"] < (own["high"] - own["low"]) / 20


def test_below_200_common_posts_nothing_is_computed() -> None:
    few = accuracy({FIRST: kept(0.9)[:300], SECOND: kept(0.6)[101:]}, seed=7)
    assert set(few) == {"posts", "other_outcome", "reason"}
    assert few["reason"].startswith("199 posts were judged by all of these versions; expected 200 or more: train them")
    assert accuracy({FIRST: kept(0.9)[:300], SECOND: kept(0.6)[100:]}, seed=7, resamples=2)["reason"] is None


def test_groups_are_told_where_they_have_100_posts() -> None:
    groups = told()["accuracy"]["groups"]
    assert set(groups) >= {"network=twitter", "lang=de", "lang=en", "history>=10", "history>=50", "cold start"}
    assert "network=bluesky" not in groups
    assert all(group["posts"] >= 100 for group in groups.values())
    assert set(groups["lang=de"]["figures"]) == {"spearman", "msle", "total_ratio", "coverage"}
    rows = kept(0.9).with_row_index().filter(pl.col("lang") == "de")["index"].to_numpy()
    alone = Said.of(kept(0.9)).figures(rows, ("msle",))["msle"]
    assert groups["lang=de"]["figures"]["msle"][FIRST]["value"] == pytest.approx(alone)


def test_curves_begin_and_end_where_they_must() -> None:
    curves = told()["accuracy"]
    assert set(curves["deciles"]) == set(curves["lift"]["versions"]) == {FIRST, SECOND}
    assert [len(tenths) for tenths in curves["deciles"].values()] == [10, 10]
    for lift in (curves["lift"]["perfect"], *curves["lift"]["versions"].values()):
        assert lift[-1] == pytest.approx(1.0)
        assert lift[0] <= curves["lift"]["perfect"][0] + 1e-9
