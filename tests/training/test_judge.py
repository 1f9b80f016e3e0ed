"""Who is judged on what: rolling blocks by those before them, and the last block when it is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from trained_society import Studied, TrainedSociety

from clout.data.lake import Lake
from clout.data.simulate import Simulation
from clout.features.contract import ContractError
from clout.features.wording import Wording
from clout.models.bundle import Bundle, to_json
from clout.models.score_model import ScoreModel
from clout.training import ship
from clout.training.judge import (
    judge_anew,
    judge_bundle,
    judge_final,
    judge_rolling,
    open_last_block,
    read_bundle_params,
)
from clout.training.splits import NothingToJudgeError


@pytest.fixture(scope="module")
def opened(trained: TrainedSociety) -> tuple[dict[str, Any], list[str]]:
    """The report on the last block, and the steps that were told."""
    told: list[str] = []
    return open_last_block(trained.model, trained.lake, trained.home, told.append), told


def test_the_rolling_blocks_but_the_first_are_judged(studied: Studied) -> None:
    blocks = studied.held.frame.filter(pl.col("block") > 0)
    assert studied.judged.frame["post"].to_list() == blocks["post"].to_list()
    assert np.array_equal(studied.judged.margin, studied.held.margins["main"][-blocks.height :])
    assert set(studied.judged.others) == {
        "mean",
        "followers",
        "account_mean",
        "account_mean_90d",
        "poisson",
        "no_history",
    }


def test_each_block_is_calibrated_on_those_before_it(studied: Studied) -> None:
    first = studied.held.rows(studied.held.frame["block"].to_numpy() == 0)
    second = studied.judged.frame["block"].to_numpy() == 1
    curve = ship.calibrate(first, (), studied.params).curves["main"]
    expected = np.maximum(np.expm1(curve.apply(studied.judged.margin[second])), 0)
    assert np.array_equal(studied.judged.expected[second], expected)


def test_no_block_is_calibrated_on_its_own_outcomes(studied: Studied) -> None:
    last = studied.held.frame["block"] == 2
    other = pl.when(last).then(pl.col("outcome") * 10 + 5).otherwise("outcome").alias("outcome")
    held = replace(studied.held, frame=studied.held.frame.with_columns(other))
    judged = judge_rolling(studied.dataset, held, studied.params)
    for name in ("margin", "expected", "low", "high"):
        assert np.array_equal(getattr(judged, name), getattr(studied.judged, name)), name
    for name, values in judged.others.items():
        assert np.array_equal(values, studied.judged.others[name]), name


def test_the_last_block_is_what_no_training_has_seen(
    opened: tuple[dict[str, Any], list[str]], trained: TrainedSociety, studied: Studied
) -> None:
    report, told = opened
    start = trained.model.data["taught_before"]
    unseen = studied.dataset.frame.filter(pl.col("happened_at") >= pl.lit(start).str.to_datetime(time_zone="UTC"))
    assert report["posts"] == unseen.height
    assert str(report["from"]) >= start[:19]
    assert report["accounts"] == unseen["account"].n_unique()
    assert told[-1] == "judging the last block"
    assert len(told) == 4


def test_the_last_block_is_told_under_the_same_keys(
    opened: tuple[dict[str, Any], list[str]], trained: TrainedSociety
) -> None:
    report, _ = opened
    assert set(report) == {*trained.trained.report, "account"}
    for part in ("model", "skill", "baselines"):
        assert set(report[part]) == set(trained.trained.report[part])
    account = report["account"]
    assert set(account) == {"accounts", "coverage", "spearman"}
    assert account["accounts"] > 10


def test_the_model_holds_on_the_last_block(opened: tuple[dict[str, Any], list[str]]) -> None:
    model, skill = opened[0]["model"], opened[0]["skill"]
    assert model["spearman"]["value"] > 0.6
    assert 0.85 < model["coverage"]["value"] < 0.96
    assert skill["account_mean"]["low"] > 0


def test_a_bundle_is_judged_by_its_own_answers(trained: TrainedSociety, studied: Studied) -> None:
    frame = studied.dataset.frame.filter(studied.dataset.plan.final.judged())
    judged = judge_bundle(trained.model, studied.dataset, frame, studied.params)
    said = trained.model.score(frame)
    assert np.array_equal(judged.expected, said["expected_actions"])
    assert np.array_equal(judged.low, np.log1p(said["expected_actions_low"]))
    assert np.array_equal(judged.high, np.log1p(said["expected_actions_high"]))
    assert (judged.width > 0).all()


def test_words_are_those_of_the_bundle(
    opened: tuple[dict[str, Any], list[str]], trained: TrainedSociety, studied: Studied
) -> None:
    """What words a dataset would have learned is of no account."""
    blank = studied.dataset.frame.with_columns(wording_lift=pl.lit(None, pl.Float64))
    mute = Wording((), np.zeros(0), np.zeros(0))
    report = judge_final(
        trained.model,
        replace(studied.dataset, frame=blank, words={studied.dataset.plan.final.start: mute}),
        studied.params,
    )
    assert report["model"]["spearman"] == opened[0]["model"]["spearman"]


def test_the_last_block_begins_where_the_bundle_was_taught_before(trained: TrainedSociety, studied: Studied) -> None:
    params = read_bundle_params(trained.model)
    assert params.splits.final_from == studied.dataset.plan.final.start
    assert params.fit.model_copy(update={"threads": 1}) == trained.params.fit


def test_nothing_newer_is_told(trained: TrainedSociety, society: Simulation, studied: Studied, tmp_path: Path) -> None:
    start = studied.dataset.plan.final.start
    past = {
        name: frame.filter(pl.col("happened_at") < start) if "happened_at" in frame.columns else frame
        for name, frame in society.tables.items()
    }
    lake = Lake(tmp_path / "lake")
    lake.append(past, source="the past")
    with pytest.raises(NothingToJudgeError) as refused:
        open_last_block(trained.model, lake, trained.home)
    assert refused.value.code == "nothing_to_judge"
    assert str(refused.value).startswith(
        f"no post with a known outcome lies in the last block, which begins on {start:%Y-%m-%d}; expected some: add newer"
    )


def test_newer_posts_that_have_not_ripened_are_nothing_newer(
    trained: TrainedSociety, society: Simulation, studied: Studied, tmp_path: Path
) -> None:
    end = studied.dataset.plan.final.start + timedelta(days=6)
    past = {
        name: frame.filter(pl.col("known_at") < end) if "known_at" in frame.columns else frame
        for name, frame in society.tables.items()
    }
    lake = Lake(tmp_path / "lake")
    lake.append(past, source="the past")
    with pytest.raises(NothingToJudgeError, match="no post with a known outcome lies in the last block"):
        open_last_block(ScoreModel.load(trained.trained.directory), lake, trained.home)


@pytest.mark.parametrize("judge", [judge_anew, open_last_block])
def test_a_bundle_of_other_features_is_refused_by_name(
    trained: TrainedSociety, judge: Callable[[ScoreModel, Lake, Path], object]
) -> None:
    contract = trained.model.bundle.json("contract.json")
    contract["features"][0]["unit"] = "another unit"
    files = dict(trained.model.bundle.files) | {"contract.json": to_json(contract)}
    with pytest.raises(ContractError, match="was trained on other features than this version"):
        judge(ScoreModel(Bundle.of(files)), trained.lake, trained.home)
