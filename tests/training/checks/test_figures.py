"""Each check of figures finds the defect it is there for, planted where such defects come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from trained_society import Studied

from clout.models.bundle import Bundle, to_json
from clout.models.score_model import ScoreModel
from clout.training.checks.check import Verdict
from clout.training.checks.evidence import Evidence
from clout.training.checks.training import CHECKS
from clout.training.evaluate import Judgement, evaluate

Floats = npt.NDArray[np.float64]


def verdict(code: str, evidence: Evidence) -> Verdict:
    return next(check for check in CHECKS if check.code == code).verdict(evidence)


def status(code: str, evidence: Evidence) -> str:
    return verdict(code, evidence).status


def findings(
    evidence: Evidence, among: tuple[str, ...] = ("CLOUT001", "CLOUT002", "CLOUT003", "CLOUT004")
) -> list[str]:
    """The codes, of the quick ones that read the report, that have a finding."""
    return [code for code in among if status(code, evidence) == "finding"]


def with_judgement(sound: Evidence, judged: Judgement) -> Evidence:
    return replace(sound, report=evaluate(judged, seed=1, resamples=50))


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
    result = verdict(code, replace(sound, report=changed))
    assert result.status == "finding"
    assert "cannot be told" in result.detail


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


@pytest.mark.parametrize("end", [1.0, 100.0])
def test_008_scores_that_crowd_at_an_end_of_the_scale_are_found(end: float, sound: Evidence) -> None:
    crowded = np.where(np.arange(len(sound.scores)) % 7 == 0, end, sound.scores)
    told = verdict("CLOUT008", replace(sound, scores=crowded))
    assert told.status == "finding"
    assert "14% at an end" in told.detail


def with_curve(sound: Evidence, head: str, factor: float) -> Evidence:
    """The same with a curve in the bundle that promises `factor` times one more than the actions."""
    curves = sound.model.bundle.json("calibration.json")
    told = (np.array(curves[head]["log_expected"]) + np.log(factor)).tolist()
    changed = to_json({**curves, head: {**curves[head], "log_expected": told}})
    model = ScoreModel(Bundle.of({**sound.model.bundle.files, "calibration.json": changed}))
    return replace(sound, model=model)


@pytest.mark.parametrize("head", ["main", "like"])
@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_013_a_curve_that_is_not_that_of_its_head_is_found(head: str, factor: float, sound: Evidence) -> None:
    told = verdict("CLOUT013", with_curve(sound, head, factor))
    assert told.status == "finding"
    assert head in told.detail
    assert status("CLOUT013", sound) == "passed"
