"""Reasons that hang on chance are found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from trained_society import Studied

from clout.models.bundle import Bundle
from clout.models.score_model import ScoreModel
from clout.training.checks.evidence import Evidence
from clout.training.checks.reasons import ReasonsAreStable, explained, moves, resampled
from clout.training.fit import fit
from clout.training.heads import log_counts


def test_reasons_of_a_model_with_nothing_to_learn_are_found(sound: Evidence, studied: Studied) -> None:
    """Taught on shuffled outcomes, and so is every model beside it: what each says is chance."""
    frame = sound.dataset.frame
    order = np.random.default_rng(0).permutation(frame.height).tolist()
    nonsense = replace(sound.dataset, frame=frame.with_columns(frame["outcome"][order]))
    taught = nonsense.frame.filter(nonsense.plan.final.taught())
    names = sound.model.contract.names
    booster = fit(sound.model.contract.matrix(taught), log_counts(taught), studied.params, names, [0] * len(names))
    model = ScoreModel(Bundle.of({**sound.model.bundle.files, "model.txt": booster.model_to_string()}))
    assert ReasonsAreStable().verdict(replace(sound, dataset=nonsense, model=model)).status == "finding"


def test_a_model_is_no_distance_from_itself(sound: Evidence) -> None:
    told = explained(sound, sound.model)
    assert moves(told, told) == (0.0, 0.0)
    other = replace(told, rate=told.rate * 1.5)
    assert moves(told, other)[1] > 0.4


def test_drawing_again_gives_other_models_and_the_same_ones_the_next_time(sound: Evidence) -> None:
    first, again = ([model.bundle.text("model.txt") for model in resampled(sound)] for _ in range(2))
    assert first == again
    assert len({*first, sound.model.bundle.text("model.txt")}) == len(first) + 1


def test_only_posts_of_the_newest_block_are_explained(sound: Evidence) -> None:
    told = explained(sound, sound.model)
    newest = sound.judged.filter(sound.dataset.plan.rolling[-1].judged())
    assert set(told.ids["post"]) <= set(newest.select(pl.col("post"))["post"])
    assert len(told) >= min(newest.height, 400)
