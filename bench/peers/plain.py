"""The plain way to serve reasons: FastAPI and uvicorn around LightGBM's `pred_contrib`.

Usage: BUNDLE=folder python -m uvicorn plain:app --app-dir bench/peers --port 3100
"""

from __future__ import annotations

import os
from pathlib import Path

import lightgbm as lgb
import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

booster = lgb.Booster(model_file=Path(os.environ["BUNDLE"]) / "model.txt")
app = FastAPI()


class Asked(BaseModel):
    """Rows of features, ready made."""

    inputs: list[list[float | None]]


class Told(BaseModel):
    """The margin of each row, and what each feature did to it."""

    margins: list[float]
    contributions: list[list[float]]


@app.post("/explain")
def explain(asked: Asked) -> Told:
    """Margins with reasons."""
    matrix = np.array(asked.inputs, dtype=np.float64)
    margins = booster.predict(matrix, num_threads=1)
    contributions = booster.predict(matrix, pred_contrib=True, num_threads=1)
    return Told(margins=margins.tolist(), contributions=contributions.tolist())
