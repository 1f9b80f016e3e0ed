"""`clout features`, typed as people type it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from clout.cli import app


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--engine", "spark"), "--engine spark needs --master"),
        (("--engine", "spark", "--master", "local[2]", "--workers", "2"), "and no --workers"),
        (("--master", "local[2]"), "--master is of Spark: add --engine spark"),
    ],
)
def test_an_engine_and_what_is_of_another(words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["features", "out", *words], env={"CLOUT_HOME": str(tmp_path), "CLOUT_LAKE": ""})
    assert (done.exit_code, done.stdout) == (2, "")
    assert told in done.stderr
