"""The frozen scale of a house: kept beside its models, never changed by training, only given new networks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from clout.errors import CloutError
from clout.models.bundle import to_json
from clout.models.calibration import Calibration
from clout.models.scale import MIN_ACCOUNTS, Scale, fit_curve
from clout.training.config import Params


class FrozenScaleError(CloutError):
    """The frozen scale does not fit what is being trained."""

    code = "frozen_scale"


def frozen_scale(home: Path, params: Params, accounts: pl.DataFrame, curve: Calibration) -> Scale:
    """The scale kept at `home`, with a curve fitted for each network of `accounts` that had none.

    `accounts` are the reference population: `accounts.account_margins`. A curve once kept never changes. Raises
    `FrozenScaleError` when the kept scale was made for other action values or another horizon, whose expected actions
    mean something else.
    """
    file, meaning = home / "scale.json", _meaning(params)
    kept: dict[str, Any] = (
        json.loads(file.read_text(encoding="utf-8"))
        if file.exists()
        else {"meaning": meaning, "version": "1", "curves": {}}
    )
    if kept["meaning"] != meaning:
        raise FrozenScaleError(
            f"the frozen scale in {file} was made for {_say(kept['meaning'])}; this training uses {_say(meaning)}: use the "
            "same values, or another CLOUT_HOME, whose scores are then not comparable with these"
        )
    scale = Scale.from_json(kept)
    new = {
        network: fit_curve(curve.apply(rows["margin"].to_numpy().astype(np.float64)))
        for (network,), rows in accounts.sort("network", "account").partition_by("network", as_dict=True).items()
        if network not in scale.curves and rows.height >= MIN_ACCOUNTS
    }
    return Scale(scale.version, dict(sorted({**scale.curves, **new}.items())))


def keep(home: Path, params: Params, scale: Scale) -> None:
    """Freezes `scale` at `home`, whole or not at all."""
    home.mkdir(parents=True, exist_ok=True)
    temporary = home / ".scale.json.new"
    temporary.write_text(to_json({"meaning": _meaning(params), **scale.to_json()}), encoding="utf-8")
    temporary.replace(home / "scale.json")


def _meaning(params: Params) -> dict[str, object]:
    return {"action_values": params.action_values, "horizon_days": params.label.horizon_days}


def _say(meaning: Mapping[str, object]) -> str:
    return f"action values {meaning['action_values']} and a horizon of {meaning['horizon_days']} days"
