"""The list of features: everything else reads it."""

from __future__ import annotations

import polars as pl

from clout.features import audience, message, messenger, network, standing, timing, unusual
from clout.features.contract import Contract
from clout.features.feature import Feature

WORDING = Feature(
    "wording_lift",
    "wording",
    "times your usual",
    "choice of words",
    "Words like these drew {value}. That points to more reactions.",
    "Words like these drew {value}. That points to fewer reactions.",
    pl.col("wording"),
    direction=1,
    advice="Try other words, and see what people react to.",
    missing="no words had been learned from yet",
)
FEATURES: tuple[Feature, ...] = (
    WORDING,
    *message.FEATURES,
    *timing.FEATURES,
    *messenger.FEATURES,
    *audience.FEATURES,
    *unusual.FEATURES,
    *standing.FEATURES,
    *network.FEATURES,
)
CONTRACT = Contract(features=tuple(feature.spec for feature in FEATURES))
