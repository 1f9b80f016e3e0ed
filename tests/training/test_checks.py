"""Each check passes a sound training and finds the defect it is there for, planted where such defects come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from trained_society import Studied

from clout.features.catalogue import CONTRACT
from clout.features.compute import compute, prepare
from clout.models.scale import Scale, fit_curve
from clout.training import checks
from clout.training.checks import CHECKS, Evidence, shuffle_outcomes
from clout.training.config import Fit, Params
from clout.training.dataset import Dataset
from clout.training.evaluate import Judgement, evaluate
from clout.training.heads import log_counts

Floats = npt.NDArray[np.float64]
QUICK = Params(fit=Fit(trees=20, threads=1))
CODES = [f"CLOUT00{number}" for number in range(1, 9)]


@pytest.fixture(scope="module")
def sound(studied: Studied) -> Evidence:
    """What is known of a training without a defect."""
    log_expected = studied.calibrated.curves["main"].apply(studied.judged.margin)
    scale = Scale("1", {"commons": fit_curve(log_expected)})
    scores = scale.score(log_expected, studied.judged.frame["network"].to_list())
    return Evidence(studied.report, studied.judged.frame, scores, studied.dataset, QUICK)


def status(code: str, evidence: Evidence) -> str:
    return CHECKS[CODES.index(code)].run(evidence).status


def findings(
    evidence: Evidence, among: tuple[str, ...] = ("CLOUT001", "CLOUT002", "CLOUT003", "CLOUT004")
) -> list[str]:
    """The codes, of the quick ones that read the report, that have a finding."""
    return [code for code in among if status(code, evidence) == "finding"]


def with_judgement(sound: Evidence, judged: Judgement) -> Evidence:
    return replace(sound, report=evaluate(judged, seed=1, resamples=50))


def test_codes_stand_in_order_each_once() -> None:
    assert [check.code for check in CHECKS] == CODES
    assert len({check.title for check in CHECKS}) == len(CODES)


def test_a_sound_training_passes_them_all(sound: Evidence) -> None:
    results = checks.run(sound)
    assert [result["code"] for result in results] == CODES
    assert {result["status"] for result in results} == {"passed"}
    assert all(result["title"] and any(sign.isdigit() for sign in result["detail"]) for result in results)
    assert checks.passed(results)


def test_one_finding_is_enough_and_what_does_not_apply_is_none() -> None:
    assert checks.passed([{"status": "passed"}, {"status": "not applicable"}])
    assert not checks.passed([{"status": "passed"}, {"status": "finding"}])


def test_001_a_model_that_only_repeats_the_past_is_found(sound: Evidence, studied: Studied) -> None:
    useless = replace(studied.judged, margin=studied.judged.others["account_mean"])
    assert findings(with_judgement(sound, useless)) == ["CLOUT001"]


def test_001_a_model_of_chance_is_found(sound: Evidence, studied: Studied) -> None:
    margin = np.random.default_rng(0).permutation(studied.judged.margin)
    assert status("CLOUT001", with_judgement(sound, replace(studied.judged, margin=margin))) == "finding"


@pytest.mark.parametrize("factor", [0.3, 3.0])
def test_002_a_head_without_calibration_is_found(factor: float, sound: Evidence, studied: Studied) -> None:
    wrong = with_judgement(sound, replace(studied.judged, expected=studied.judged.expected * factor))
    assert "CLOUT002" in findings(wrong)


def test_002_margins_taken_for_expectations_are_found(sound: Evidence, studied: Studied) -> None:
    """The mean of logs is far below the log of the mean: why heads are calibrated at all."""
    raw = with_judgement(sound, replace(studied.judged, expected=np.expm1(studied.judged.margin)))
    assert findings(raw) == ["CLOUT002", "CLOUT003"]


def test_003_a_total_that_is_right_in_the_wrong_places_is_found(sound: Evidence, studied: Studied) -> None:
    expected = studied.judged.expected
    flat = np.full(len(expected), studied.judged.count.mean()) + np.argsort(np.argsort(expected)) * 1e-9
    assert findings(with_judgement(sound, replace(studied.judged, expected=flat))) == ["CLOUT003"]


@pytest.mark.parametrize("half_width", [0.2, 50.0], ids=["too narrow", "too wide"])
def test_004_intervals_that_hold_another_share_are_found(half_width: float, sound: Evidence, studied: Studied) -> None:
    margin = studied.judged.margin
    other = replace(studied.judged, low=margin - half_width, high=margin + half_width)
    assert findings(with_judgement(sound, other)) == ["CLOUT004"]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("CLOUT001", "skill"),
        ("CLOUT002", "total_ratio"),
        ("CLOUT003", "decile_log_error"),
        ("CLOUT004", "coverage"),
    ],
)
def test_a_figure_that_cannot_be_told_is_a_finding(code: str, name: str, sound: Evidence) -> None:
    unknown = {"value": None, "low": None, "high": None}
    report: Mapping[str, Any] = sound.report
    if name == "skill":
        changed = {**report, "skill": {**report["skill"], "account_mean": unknown}}
    else:
        changed = {**report, "model": {**report["model"], name: unknown}}
    result = CHECKS[CODES.index(code)].run(replace(sound, report=changed))
    assert result.status == "finding"
    assert "cannot be told" in result.detail


def ripe_at_once(dataset: Dataset) -> Dataset:
    """The dataset of one who lets outcomes into the history when their post is published."""
    tick = timedelta(microseconds=1)
    outcomes = dataset.history.outcomes.with_columns(at=pl.col("published_at") - tick)
    history = replace(dataset.history, outcomes=outcomes)
    streams = prepare(history)
    posts = dataset.frame.select("post").join(history.posts, on="post", maintain_order="left")
    features = compute(posts, streams, dataset.frame["wording_lift"]).select(CONTRACT.names)
    frame = dataset.frame.with_columns(features[name] for name in CONTRACT.names)
    return replace(dataset, history=history, streams=streams, frame=frame)


def test_005_features_that_hold_their_own_outcome_are_found(sound: Evidence) -> None:
    leaking = replace(sound, dataset=ripe_at_once(sound.dataset))
    assert status("CLOUT005", leaking) == "finding"
    assert status("CLOUT005", sound) == "passed"


def test_005_shuffles_outcomes_before_anything_is_measured(sound: Evidence) -> None:
    shuffled = shuffle_outcomes(sound.dataset, 1)
    before = sound.dataset.frame
    assert shuffled["post"].to_list() == before["post"].to_list()
    assert shuffled["outcome"].sort().to_list() == before["outcome"].sort().to_list()
    assert (shuffled["outcome"] != before["outcome"]).mean() > 0.5
    assert abs(np.corrcoef(log_counts(shuffled), log_counts(before))[0, 1]) < 0.1
    assert (shuffled["outcome_level_365d"] != before["outcome_level_365d"]).mean() > 0.8
    assert shuffled["text_chars"].equals(before["text_chars"])
    assert shuffle_outcomes(sound.dataset, 1).equals(shuffled)


def test_005_has_accounts_to_learn_from_however_many_posts_there_are(
    sound: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = sound.dataset.frame
    monkeypatch.setattr(checks, "SHUFFLED_POSTS", frame.height * sound.params.splits.cold_share)
    some = shuffle_outcomes(sound.dataset, 7)
    assert 0 < some.height < frame.height / 2
    assert not some["cold"].all()


def test_005_takes_some_accounts_of_many_posts(sound: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "SHUFFLED_POSTS", sound.dataset.frame.height // 3)
    few = shuffle_outcomes(sound.dataset, 1)
    assert 0.15 < few.height / sound.dataset.frame.height < 0.5
    accounts = sound.dataset.frame.select("post", "account")
    taken = few.join(accounts, on="post")["account"].unique()
    assert few.height == accounts.filter(pl.col("account").is_in(taken.to_list())).height


def test_006_a_clock_that_forgets_the_horizon_is_found(sound: Evidence) -> None:
    """Learning from all posts published before the block learns from outcomes known a week into it."""
    late = sound.judged.with_columns(taught_through=pl.col("taught_through") + timedelta(days=7))
    result = CHECKS[5].run(replace(sound, judged=late))
    early = late.filter(pl.col("happened_at") <= pl.col("taught_through")).height
    assert early > 0
    assert result.status == "finding"
    assert result.detail.startswith(f"{early} of {late.height} judged posts")


@pytest.mark.parametrize("sign", [1, -1])
def test_007_a_feature_that_knows_the_outcome_is_found(sign: int, sound: Evidence) -> None:
    noise = pl.Series(np.random.default_rng(0).normal(0, 0.05, sound.dataset.frame.height))
    known = sign * (pl.col("outcome").log1p() + noise)
    frame = sound.dataset.frame.with_columns(followers_last=pl.when(pl.int_range(pl.len()) % 3 > 0).then(known))
    result = CHECKS[6].run(replace(sound, dataset=replace(sound.dataset, frame=frame)))
    assert result.status == "finding"
    assert result.detail.startswith("the strongest, followers_last, has 0.9")


def test_007_a_few_posts_prove_nothing(sound: Evidence) -> None:
    newest = pl.col("happened_at") >= sound.dataset.plan.rolling[-1].start
    few = sound.dataset.frame.with_columns(
        followers_last=pl.when(newest & (newest.cum_sum() < 50)).then(pl.col("outcome"))
    )
    assert status("CLOUT007", replace(sound, dataset=replace(sound.dataset, frame=few))) == "passed"
    none = sound.dataset.frame.filter(~newest | (newest.cum_sum() < 50))
    assert status("CLOUT007", replace(sound, dataset=replace(sound.dataset, frame=none))) == "not applicable"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda scores: np.full(len(scores), 40.0),
        lambda scores: 40 + (scores - 40) / 50,
        lambda scores: np.where(np.arange(len(scores)) % 5 < 3, 40.0, scores),
    ],
    ids=["constant", "narrow", "most at one value"],
)
def test_008_scores_that_tell_nothing_apart_are_found(spoil: Callable[[Floats], Floats], sound: Evidence) -> None:
    assert status("CLOUT008", replace(sound, scores=spoil(sound.scores))) == "finding"
