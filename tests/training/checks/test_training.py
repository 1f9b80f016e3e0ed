"""The checks of a training as a whole: their codes, their results, their mutes."""

from __future__ import annotations

from dataclasses import replace

from clout.training.checks import check, codes, training
from clout.training.checks.evidence import Evidence
from clout.training.config import Checks


def test_codes_stand_in_order_each_once() -> None:
    assert tuple(one.code for one in training.CHECKS) == codes.OF_TRAINING
    assert len({one.title for one in training.CHECKS}) == len(training.CHECKS)
    assert all(one.why.strip() for one in training.CHECKS)


def test_a_sound_training_passes_them_all(sound: Evidence) -> None:
    results = training.run(sound)
    assert [result["code"] for result in results] == list(codes.OF_TRAINING)
    assert {result["code"]: result["detail"] for result in results if result["status"] != "passed"} == {}
    assert all(result["title"] and any(sign.isdigit() for sign in result["detail"]) for result in results)
    assert {result["docs"] for result in results} == {f"docs/checks.md#{code.lower()}" for code in codes.OF_TRAINING}
    assert check.passed(results)


def test_a_muted_check_still_runs_and_keeps_its_reason(sound: Evidence) -> None:
    late = sound.judged.with_columns(taught_through=sound.judged["happened_at"])
    muted = sound.params.model_copy(update={"checks": Checks(mute={"CLOUT006": "a made-up clock"})})
    (overlap,) = (one for one in training.CHECKS if one.code == "CLOUT006")
    loud, quiet = (
        check.run_all([overlap], replace(sound, judged=late, params=params), params.checks.mute)
        for params in (sound.params, muted)
    )
    assert loud[0]["status"] == quiet[0]["status"] == "finding"
    assert "muted" not in loud[0]
    assert quiet[0]["muted"] == "a made-up clock"
    assert not check.passed(loud)
    assert check.passed(quiet)
