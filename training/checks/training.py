"""The checks of a training: their results go into the bundle."""

from __future__ import annotations

from clout.training.checks.check import Check, run_all
from clout.training.checks.evidence import Evidence
from clout.training.checks.figures import (
    BeatsAccountMean,
    DecilesAreRight,
    HeadsAreCalibrated,
    IntervalsCover,
    ScoresSpread,
    TotalIsRight,
)
from clout.training.checks.forgotten import NobodyForgotten
from clout.training.checks.leaks import NoGoldenFeature, NoTimeOverlap, ShuffledIsChance
from clout.training.checks.novelty import FeaturesHaveNotMoved, NothingUnseen
from clout.training.checks.reasons import ReasonsAreStable
from clout.training.checks.rows import RowsAreWhatPostsSay

CHECKS: tuple[Check[Evidence], ...] = (
    BeatsAccountMean(),
    TotalIsRight(),
    DecilesAreRight(),
    IntervalsCover(),
    ShuffledIsChance(),
    NoTimeOverlap(),
    NoGoldenFeature(),
    ScoresSpread(),
    RowsAreWhatPostsSay(),
    ReasonsAreStable(),
    FeaturesHaveNotMoved(),
    NothingUnseen(),
    HeadsAreCalibrated(),
    NobodyForgotten(),
)


def run(evidence: Evidence) -> list[dict[str, str]]:
    """The results of all checks of a training, in order, with the mutes of its parameters."""
    return run_all(CHECKS, evidence, evidence.params.checks.mute)
