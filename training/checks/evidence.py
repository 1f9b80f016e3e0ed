"""What the checks of a training look at: all of it is made by the training, nothing of it depends on clock or home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.data.tombstones import Tombstones
from clout.models.score_model import ScoreModel
from clout.training.config import Params
from clout.training.dataset import Dataset
from clout.training.feature_store import FeatureStore
from clout.training.heads import HeldOut

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """What checks of a training look at.

    `report` are the figures on the rolling blocks, `judged` the posts they are of (the rows of the dataset, with
    `taught_through`) and `scores` what the model gives them, `held` the margins of every rolling block; `dataset` has
    the store it was made from, and `model` is what will be shipped; `tombstones` are of accounts that must not be in them.
    """

    report: Mapping[str, Any]
    judged: pl.DataFrame
    scores: Floats
    held: HeldOut
    dataset: Dataset
    model: ScoreModel
    params: Params
    tombstones: Tombstones = field(default_factory=Tombstones)

    @property
    def store(self) -> FeatureStore:
        """All that is known of the lake."""
        return self.dataset.store
