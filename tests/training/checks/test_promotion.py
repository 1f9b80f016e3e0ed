"""Each check of a promotion passes a sound challenger and finds the defect it is there for."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from trained_society import Retrained, TrainedSociety

from clout.models import registry
from clout.models.bundle import Bundle, to_json
from clout.models.score_model import ScoreModel
from clout.training.checks import codes, promotion
from clout.training.checks.check import Verdict
from clout.training.checks.promotion import CHECKS, Evidence, worse
from clout.training.config import ConfigError


@pytest.fixture(scope="module")
def beside(retrained: Retrained, trained: TrainedSociety) -> Evidence:
    """What the promotion of the first training over itself looks at, a day after its data end."""
    champion = ScoreModel.load(registry.resolve(retrained.home, registry.CHAMPION))
    through = datetime.fromisoformat(champion.data["data_through"])
    return Evidence(champion, champion, trained.lake, retrained.home, through + timedelta(days=1))


def verdict(code: str, evidence: Evidence) -> Verdict:
    return next(check for check in CHECKS if check.code == code).verdict(evidence)


def changed(model: ScoreModel, name: str, **facts: object) -> ScoreModel:
    """The same model with other facts in one of its JSON files."""
    return ScoreModel(Bundle.of({**model.bundle.files, name: to_json({**model.bundle.json(name), **facts})}))


def test_the_same_model_again_passes_them_all(beside: Evidence) -> None:
    results = promotion.run(beside, {})
    assert [one["code"] for one in results] == list(codes.OF_PROMOTION)
    assert {one["code"]: one["detail"] for one in results if one["status"] != "passed"} == {}


def test_the_first_has_nobody_to_be_compared_with(beside: Evidence) -> None:
    results = promotion.run(replace(beside, champion=None), {"CLOUT103": "announced"})
    assert [one["status"] for one in results] == ["passed", "passed", "not applicable", "passed", "not applicable"]
    assert results[2]["muted"] == "announced"


def test_101_features_the_code_cannot_measure_are_an_error_other_ones_a_warning(beside: Evidence) -> None:
    assert beside.champion is not None
    contract = beside.champion.bundle.json("contract.json")
    other = [{**contract["features"][0], "unit": "stones"}, *contract["features"][1:]]
    foreign = changed(beside.champion, "contract.json", features=other)
    told = verdict("CLOUT101", replace(beside, challenger=foreign))
    assert (told.status, told.severity) == ("finding", None)
    assert "wording_lift in another unit or direction" in told.detail
    told = verdict("CLOUT101", replace(beside, champion=foreign))
    assert (told.status, told.severity) == ("finding", "warning")


def test_102_another_version_of_the_scale_is_found(beside: Evidence) -> None:
    told = verdict("CLOUT102", replace(beside, challenger=changed(beside.challenger, "scale.json", version="2")))
    assert told.status == "finding"
    assert "version 2, the home has 1" in told.detail


def test_102_a_bundle_with_parameters_out_of_range_is_told_by_name(beside: Evidence) -> None:
    foreign = changed(beside.challenger, "params.json", seed=2**40)
    with pytest.raises(ConfigError, match="setting seed: got 1099511627776; Input should be less than or equal to"):
        verdict("CLOUT102", replace(beside, challenger=foreign))


def test_102_a_curve_that_is_gone_is_found(beside: Evidence) -> None:
    assert beside.champion is not None
    curves = beside.champion.bundle.json("scale.json")["curves"]
    more = changed(beside.champion, "scale.json", curves={**curves, "square": curves["commons"]})
    assert "square of the champion is missing" in verdict("CLOUT102", replace(beside, champion=more)).detail
    assert verdict("CLOUT102", replace(beside, challenger=more)).status == "passed"


@pytest.mark.parametrize(("shift", "status"), [(0.005, "passed"), (0.5, "finding")])
def test_103_scores_that_jump_are_found(shift: float, status: str, beside: Evidence) -> None:
    curves = beside.challenger.bundle.json("calibration.json")
    lifted = {**curves["main"], "log_expected": [level + shift for level in curves["main"]["log_expected"]]}
    told = verdict("CLOUT103", replace(beside, challenger=changed(beside.challenger, "calibration.json", main=lifted)))
    assert told.status == status
    assert "accounts the median moves by" in told.detail


def test_103_other_action_values_are_not_compared(beside: Evidence) -> None:
    other = changed(beside.challenger, "data.json", action_values={"like": 5.0})
    for code in ("CLOUT103", "CLOUT105"):
        assert verdict(code, replace(beside, challenger=other)).status == "not applicable"


@pytest.mark.parametrize(
    ("days", "age", "expected"),
    [(0, 30, ("passed", None)), (0, 31, ("finding", "warning")), (-1, 1, ("finding", None)), (1, 1, ("passed", None))],
)
def test_104_old_data_are_a_warning_older_than_the_champions_an_error(
    days: int, age: int, expected: tuple[str, str | None], beside: Evidence
) -> None:
    through = datetime.fromisoformat(beside.challenger.data["data_through"]) + timedelta(days=days)
    dated = changed(beside.challenger, "data.json", data_through=through.isoformat())
    told = verdict("CLOUT104", replace(beside, challenger=dated, now=through + timedelta(days=age)))
    assert (told.status, told.severity) == expected


def rows(error: float, accounts: int = 40, posts: int = 25) -> pl.DataFrame:
    """Posts whose margins are off by about so much."""
    chance, count = np.random.default_rng(0), accounts * posts
    truth = chance.normal(3, 1, count)
    return pl.DataFrame(
        {
            "account": [f"a{row % accounts}" for row in range(count)],
            "outcome": np.expm1(np.abs(truth)),
            "margin": np.abs(truth) + error * np.random.default_rng(1).normal(0, 1, count),
        }
    )


def test_105_a_worse_model_is_told_from_one_as_good() -> None:
    value, low, high = worse(rows(0.5), rows(0.6))
    assert low < value < high
    assert value == pytest.approx(0.11, abs=0.03)
    assert low > 0
    assert worse(rows(0.6), rows(0.5))[2] < 0
    assert worse(rows(0.5), rows(0.5)) == (0.0, 0.0, 0.0)


def test_105_what_was_not_kept_cannot_be_compared(beside: Evidence, tmp_path: Path) -> None:
    told = verdict("CLOUT105", replace(beside, home=tmp_path))
    assert told.status == "not applicable"
    assert "clout reproduce" in told.detail
