"""A bundle behind MLflow, handed ready-made features as bare floats: all that it says but for reasons.

Usage: `mlflow.pyfunc.save_model(folder, python_model="bench/peers/floats.py", artifacts={"bundle": …})`
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

from clout.models.score_model import ScoreModel


class FloatScorer(PythonModel):
    """Scores rows of floats in the order of the bundle's features, on its first network."""

    def load_context(self, context: PythonModelContext) -> None:
        """Nothing; the bundle is loaded."""
        self.model = ScoreModel.load(context.artifacts["bundle"])

    def predict(  # MLflow's names
        self,
        context: PythonModelContext,  # noqa: ARG002
        model_input: npt.NDArray[np.float64],
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> dict[str, npt.NDArray[np.float64]]:
        """The columns that `ScoreModel.score` gives."""
        return self.model.predict(model_input, self.model.networks[:1] * len(model_input)).columns()


set_model(FloatScorer())
