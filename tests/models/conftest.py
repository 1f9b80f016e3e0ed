"""A small but complete bundle of really trained boosters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import lightgbm
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from clout.features.contract import Contract, FeatureSpec
from clout.models import bundle, golden
from clout.models.calibration import Calibration
from clout.models.intervals import Intervals
from clout.models.scale import Scale, fit_curve
from clout.models.score_model import ScoreModel

Floats = npt.NDArray[np.float64]
FEATURES = (
    ("wording_lift", "wording", "of the usual", True, 1),
    ("text_characters", "format", "characters", True, 0),
    ("media_count", "format", "pictures", True, 0),
    ("hour_share", "timing", "of your posts", True, 0),
    ("gap_hours", "timing", "hours", True, 0),
    ("outcome_log_mean_90d", "track_record", "actions (typical)", False, 1),
    ("outcome_count_90d", "track_record", "posts", False, 0),
    ("followers_log", "audience", "followers (typical)", False, 1),
    ("engager_reach", "network", "", False, 0),
)
NETWORKS = ("bluesky", "twitter")


@dataclass(frozen=True)
class Population:
    """Rows to train and test on: features with gaps, networks, and log1p outcomes by head."""

    matrix: Floats
    networks: tuple[str, ...]
    outcomes: Mapping[str, Floats]

    def frame(self, contract: Contract) -> pd.DataFrame:
        """The rows as a data scientist hands them in."""
        frame = pd.DataFrame(self.matrix, columns=list(contract.names))
        frame.insert(0, "network", list(self.networks))
        frame.insert(0, "account", [f"{network}/{row % 50}" for row, network in enumerate(self.networks)])
        frame.insert(0, "post", [f"{network}/p{row}" for row, network in enumerate(self.networks)])
        return frame


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract(
        features=tuple(
            FeatureSpec(
                name=name,
                group=group,
                unit=unit,
                direction=direction,
                actionable=actionable,
                label=name.replace("_", " "),
                helping="Helped: {value}.",
                holding_back="Held back: {value}.",
                advice="Try another." if actionable else "",
                missing="nothing is known",
            )
            for name, group, unit, actionable, direction in FEATURES
        )
    )


@pytest.fixture(scope="session")
def population() -> Population:
    random = np.random.default_rng(7)
    matrix = random.normal(size=(1500, len(FEATURES)))
    matrix[:, 5] = np.abs(matrix[:, 5]) * 2
    matrix[:, 6] = np.round(np.abs(matrix[:, 6]) * 20)
    matrix[:, 7] = 6 + 2 * matrix[:, 7]
    rate = 0.5 * matrix[:, 0] + matrix[:, 5] + 0.2 * matrix[:, 7] + 0.3 * matrix[:, 1] * matrix[:, 2]
    likes = random.poisson(np.exp(np.clip(rate, -4, 6))).astype(float)
    reshares = random.binomial(likes.astype(int), 0.2).astype(float)
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    networks = tuple(random.choice(NETWORKS, size=len(matrix)).tolist())
    outcomes = {"main": likes + 2 * reshares, "like": likes, "reshare": reshares}
    return Population(matrix, networks, {head: np.log1p(outcome) for head, outcome in outcomes.items()})


def train(matrix: Floats, target: Floats, names: tuple[str, ...], **params: object) -> lightgbm.Booster:
    """A booster of 30 small trees."""
    fixed = {
        "num_leaves": 7,
        "learning_rate": 0.15,
        "num_threads": 1,
        "deterministic": True,
        "verbose": -1,
        "seed": 1,
    }
    return lightgbm.train(fixed | params, lightgbm.Dataset(matrix, target, feature_name=list(names)), 30)


@pytest.fixture(scope="session")
def small_files(contract: Contract, population: Population) -> dict[str, bytes | str]:
    """The files of the bundle, golden rows included."""
    matrix, names = population.matrix, contract.names
    boosters = {head: train(matrix, target, names) for head, target in population.outcomes.items()}
    low, high = (
        train(matrix, population.outcomes["main"], names, objective="quantile", alpha=alpha)
        for alpha in (0.05, 0.95)
    )
    knots = {
        head: np.quantile(booster.predict(matrix), [0.02, 0.3, 0.6, 0.9, 0.99])
        for head, booster in boosters.items()
    }
    calibrations = {
        head: Calibration(tuple(x), tuple(1.1 * x + 0.02 * x**2 + 0.1)) for head, x in knots.items()
    }
    logs = calibrations["main"].apply(boosters["main"].predict(matrix))
    curves = {name: fit_curve(logs[np.array(population.networks) == name]) for name in NETWORKS}
    table = ((0.3, 0.2, None, 0.1), (0.4, 0.3, 0.2, 0.1), (None, 0.3, 0.2, 0.1))
    intervals = Intervals(
        level=0.9,
        features=("outcome_count_90d", "followers_log"),
        edges=((10.0,), (5.0, 8.0)),
        tables=dict.fromkeys(boosters, table),
        default={"main": 0.25, "like": 0.6, "reshare": 0.7},
    )
    marks = {
        name: np.nanquantile(matrix[:, i], [0.05, 0.25, 0.5, 0.75, 0.95]).tolist()
        for i, name in enumerate(names)
    }
    files: dict[str, bytes | str] = {
        "model.txt": boosters["main"].model_to_string(),
        "head_like.txt": boosters["like"].model_to_string(),
        "head_reshare.txt": boosters["reshare"].model_to_string(),
        "low.txt": low.model_to_string(),
        "high.txt": high.model_to_string(),
        "calibration.json": bundle.to_json({head: curve.to_json() for head, curve in calibrations.items()}),
        "intervals.json": bundle.to_json(intervals.to_json()),
        "scale.json": bundle.to_json(Scale("1", curves).to_json()),
        "contract.json": contract.model_dump_json(indent=1),
        "quantiles.json": bundle.to_json(marks | {"engager_reach": None}),
        "card.md": "# Clout\n\nA small model for tests.\n",
        "metrics.json": bundle.to_json({"post": {"spearman": 0.7, "r2": 0.5}}),
        "checks.json": bundle.to_json([]),
        "params.json": bundle.to_json({"fit": {"trees": 30, "leaves": 7}, "horizon_days": 7}),
        "data.json": bundle.to_json(
            {"data_through": "2026-01-31T00:00:00Z", "action_values": {"like": 1, "reshare": 2}}
        ),
    }
    model = ScoreModel(bundle.Bundle.of(files))
    rows = golden.record(model, population.matrix[:12], population.networks[:12])
    return files | {"golden.json": bundle.to_json(rows)}


@pytest.fixture(scope="session")
def small_bundle(small_files: Mapping[str, bytes | str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the bundle; not to be changed."""
    directory = tmp_path_factory.mktemp("bundles") / "small"
    bundle.write(directory, small_files)
    return directory


@pytest.fixture(scope="session")
def model(small_bundle: Path) -> ScoreModel:
    return ScoreModel.load(small_bundle)
