"""Scores and reasons of all posts of a lake, as tables: what a sharded run asks a model for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl

from clout.features.wording import Wording
from clout.models.score_model import ScoreModel

ROWS = 100_000


@dataclass(frozen=True)
class BulkJudge:
    """The model of the bundle at a path; each process that it is sent to reads it once."""

    bundle: Path

    def lifts(self, texts: pl.Series) -> pl.Series | None:
        """What each text promises, as the model learned words; None for a model without words."""
        path = _model(self.bundle).wording_path
        return None if path is None else pl.Series(_wording(path).values(texts))

    def judge(self, features: pl.DataFrame) -> pl.DataFrame:
        """One row a post of a network that the model knows: its ids, scores as `ScoreModel.score` has them, and points.

        `base_score` and all `points_<feature>` of a row add up to its score.
        """
        known = features.filter(pl.col("network").is_in(_model(self.bundle).networks))
        empty = self._judged(features.clear())
        return pl.concat([empty, *(self._judged(some) for some in known.iter_slices(ROWS))])

    def _judged(self, features: pl.DataFrame) -> pl.DataFrame:
        model = _model(self.bundle)
        matrix, networks = model.contract.matrix(features), features["network"].to_list()
        told = model.explain_rows(matrix, networks)
        points = {f"points_{name}": told.points[:, place] for place, name in enumerate(model.contract.names)}
        columns = model.predict(matrix, networks).columns() | {"base_score": told.base_score} | points
        return features.select("post", "account", "network", "happened_at").with_columns(
            **{name: pl.Series(values, dtype=pl.Float64) for name, values in columns.items()}
        )


@cache
def _model(bundle: Path) -> ScoreModel:
    return ScoreModel.load(bundle)


@cache
def _wording(path: Path) -> Wording:
    return Wording.read(path)
