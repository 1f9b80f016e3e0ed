"""`clout checks` tells what the checks of a model found, gravely or mildly, and what was muted."""

from __future__ import annotations

import json

import pytest
from rich.text import Text
from trained_society import TrainedSociety
from typer.testing import CliRunner

from clout.cli import app
from clout.display import print_checks, print_trained

RESULT = {"code": "CLOUT003", "title": "calibrated", "detail": "error 0.3", "docs": "docs/checks.md#clout003"}


def test_results_are_those_in_the_bundle(trained: TrainedSociety) -> None:
    home = {"CLOUT_HOME": str(trained.home)}
    told = CliRunner().invoke(app, ["checks", trained.trained.version, "--json"], env=home)
    assert json.loads(told.stdout) == {"version": trained.trained.version, "checks": trained.trained.checks}
    shown = CliRunner().invoke(app, ["checks"], env=home).stdout
    assert shown.startswith(f"model {trained.trained.version}\n✓ CLOUT001 better than")
    assert shown.count("✓") == len(trained.trained.checks)


def test_a_model_that_is_not_there_is_one_line(trained: TrainedSociety) -> None:
    done = CliRunner().invoke(app, ["checks", "nobody"], env={"CLOUT_HOME": str(trained.home)})
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("facts", "lines"),
    [
        ({"severity": "error"}, ["✗ CLOUT003 calibrated: error 0.3", "  error, see docs/checks.md#clout003"]),
        ({"severity": "warning"}, ["! CLOUT003 calibrated: error 0.3", "  warning, see docs/checks.md#clout003"]),
        ({"severity": "error", "muted": "looked at"}, ["✗ CLOUT003 calibrated: error 0.3", "  muted: looked at"]),
    ],
)
def test_a_finding_says_how_grave_it_is_and_where_to_read(
    facts: dict[str, str], lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    print_checks([{**RESULT, "status": "finding", **facts}])
    assert capsys.readouterr().out.splitlines() == lines


@pytest.mark.parametrize(
    ("stopped_by", "words"),
    [
        (["CLOUT001", "CLOUT004"], "it stays challenger because of CLOUT001, CLOUT004: see above what to do"),
        ([], "then `clout promote challenger` if you choose"),
    ],
)
def test_a_training_says_what_its_challenger_waits_for(
    stopped_by: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = {
        "version": "a1",
        "champion": False,
        "directory": "b",
        "checks": [],
        "stopped_by": stopped_by,
        "unmet": {"counts": 2},
    }
    print_trained(told | {"metrics": {"from": "2026-01-01", "through": "2026-02-01"}}, Text(""))
    shown = capsys.readouterr().out
    assert words in shown
    assert "! 2 counts are on posts that are not in the lake" in shown
