"""Golden rows: inputs and answers kept in the bundle, to see whether it still answers the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from clout.models.score_model import ScoreModel

Floats = npt.NDArray[np.float64]
FILE = "golden.json"
ACROSS_MACHINES = 1e-9


def record(model: ScoreModel, matrix: Floats, networks: Sequence[str]) -> dict[str, Any]:
    """The content of golden.json: each row's features and network, and all the model answers."""
    rows = [
        {
            "features": {
                name: None if math.isnan(value) else value
                for name, value in zip(model.contract.names, values.tolist(), strict=True)
            },
            "network": network,
            "expected": answer,
        }
        for values, network, answer in zip(matrix, networks, _answers(model, matrix, networks), strict=True)
    ]
    return {"rows": rows}


def check(model: ScoreModel, *, tolerance: float = 0.0) -> list[str]:
    """The differences between the golden rows and what the model answers now; empty when there are none.

    Rows were recorded together and are asked one by one, as requests ask, so that both ways are seen to agree.
    On the machine that trained the model answers are equal bit for bit; elsewhere allow `ACROSS_MACHINES`.
    """
    rows = model.bundle.json(FILE)["rows"]
    names = model.contract.names
    matrix = np.array([[row["features"][name] for name in names] for row in rows], dtype=np.float64)
    matrix = matrix.reshape(len(rows), len(names))
    answers = [_answers(model, matrix[[number]], [row["network"]])[0] for number, row in enumerate(rows)]
    return [
        f"golden row {number}: {key} is {answer.get(key)!r}, expected {expected!r}"
        for number, (row, answer) in enumerate(zip(rows, answers, strict=True))
        for key, expected in row["expected"].items()
        if not abs(answer.get(key, math.inf) - expected) <= tolerance
    ]


def _answers(model: ScoreModel, matrix: Floats, networks: Sequence[str]) -> list[dict[str, float]]:
    prediction, explanation = model.predict(matrix, networks), model.explain_rows(matrix, networks)
    columns = {"margin": prediction.margin, **prediction.columns(), "base_score": explanation.base_score}
    columns |= {f"points:{name}": explanation.points[:, i] for i, name in enumerate(explanation.names)}
    return [{key: float(column[row]) for key, column in columns.items()} for row in range(len(matrix))]
