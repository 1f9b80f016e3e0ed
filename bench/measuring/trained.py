"""A model to measure with."""

from __future__ import annotations

from pathlib import Path

from clout.display import step_bar
from clout.models import registry
from clout.models.score_model import ScoreModel
from clout.training import pipeline
from measuring.sets import lake_of, params_of


def champion(name: str, home: Path, people: int) -> ScoreModel:
    """The model kept at `home`, trained on the set when there is none."""
    if not registry.pointer_file(home, registry.CHAMPION).exists():
        params, lake = params_of(name), lake_of(name, home, people)
        with step_bar(pipeline.steps(params, lake)) as step:
            trained = pipeline.train(lake, params, home, f"sqlite:///{home / 'mlflow.db'}", step)
        return ScoreModel.load(trained.directory)
    return ScoreModel.load(registry.resolve(home, registry.CHAMPION))
