"""Scores and reasons of all posts of a lake: what a sharded run asks a model for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from clout.features.wording import Wording
from clout.models.score_model import ScoreModel

if TYPE_CHECKING:
    import polars as pl

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BulkJudge:
    """The model of the bundle at a path; each process that it is sent to reads it once."""

    bundle: Path

    @property
    def networks(self) -> Sequence[str]:
        """The networks whose posts it can judge."""
        return _model(self.bundle).networks

    def lifts(self, texts: pl.Series) -> Floats | None:
        """What each text promises, as the model learned words; None for a model without words."""
        path = _model(self.bundle).wording_path
        return None if path is None else _wording(path).values(texts)

    def judge(self, features: pl.DataFrame) -> dict[str, Floats]:
        """What `ScoreModel.score` has of each post, and its reasons: `base_score` and all `points_<feature>` add up to `score`."""
        model = _model(self.bundle)
        matrix, networks = model.contract.matrix(features), features["network"].to_list()
        predicted, phi = model.predict(matrix, networks), model.contributions(matrix)[0]
        told = model.explain_prediction(predicted, phi, matrix, networks)
        points = {f"points_{name}": told.points[:, place] for place, name in enumerate(model.contract.names)}
        return predicted.columns() | {"base_score": told.base_score} | points


@cache
def _model(bundle: Path) -> ScoreModel:
    return ScoreModel.load(bundle)


@cache
def _wording(path: Path) -> Wording:
    return Wording.read(path)
