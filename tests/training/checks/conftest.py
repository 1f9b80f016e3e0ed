"""What the checks of a sound training look at."""

from __future__ import annotations

import pytest
from trained_society import Studied, TrainedSociety

from clout.training.checks.evidence import Evidence
from clout.training.config import Fit, Params

QUICK = Params(fit=Fit(trees=20, threads=1))


@pytest.fixture(scope="session")
def sound(studied: Studied, trained: TrainedSociety) -> Evidence:
    """What is known of a training without a defect."""
    model, judged = trained.model, studied.judged
    curve = studied.calibrated.curves["main"]
    scores = model.scale.score(curve.apply(judged.margin), judged.frame["network"].to_list())
    return Evidence(
        report=studied.report,
        judged=judged.frame,
        scores=scores,
        held=studied.held,
        dataset=studied.dataset,
        model=model,
        params=QUICK,
    )
