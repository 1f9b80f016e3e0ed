"""What `mlflow.pyfunc` loads a logged bundle with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clout.models.score_model import ScoreModel

if TYPE_CHECKING:
    import pandas as pd


class FrameScorer:
    """A model behind the one method MLflow calls."""

    def __init__(self, model: ScoreModel) -> None:
        self.model = model

    def predict(self, model_input: pd.DataFrame) -> pd.DataFrame:
        """What `ScoreModel.score` gives for the frame."""
        return self.model.score(model_input)


def _load_pyfunc(data_path: str) -> FrameScorer:
    return FrameScorer(ScoreModel.load(data_path))
