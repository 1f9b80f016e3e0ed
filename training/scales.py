"""The frozen scale of a house: kept beside its models, never changed by training, only given new networks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from clout.errors import CloutError
from clout.models.bundle import to_json
from clout.models.calibration import Calibration
from clout.models.scale import MIN_ACCOUNTS, Scale, fit_curve
from clout.training.config import Params

FILE = "scale.json"


class FrozenScaleError(CloutError):
    """The frozen scale does not fit what is being trained."""

    code = "frozen_scale"


def read(home: Path, params: Params) -> Scale:
    """The scale kept at `home`; one without curves when there is none.

    Raises `FrozenScaleError` when it was made for other action values or another horizon, whose expected actions mean
    something else.
    """
    file, meaning = home / FILE, _meaning(params)
    if not file.exists():
        return Scale("1", {})
    kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if kept["meaning"] != meaning:
        raise FrozenScaleError(
            f"the frozen scale in {file} was made for {_say(kept['meaning'])}; this training uses {_say(meaning)}: use the "
            "same values, or another CLOUT_HOME, whose scores are then not comparable with these"
        )
    return Scale.from_json(kept)


def complete(kept: Scale, accounts: pl.DataFrame, curve: Calibration, networks: Iterable[str]) -> Scale:
    """`kept` with a curve fitted for each of `networks` that had none; a curve once kept never changes.

    `accounts` are the reference population: `accounts.account_margins`. Raises `FrozenScaleError` for a network with too
    few of them.
    """
    new = {}
    for network in sorted(set(networks) - set(kept.curves)):
        rows = accounts.filter(pl.col("network") == network).sort("account")
        if rows.height < MIN_ACCOUNTS:
            raise FrozenScaleError(
                f"got {rows.height} accounts of the network {network!r} with posts in the 90 days before the last block; "
                f"expected at least {MIN_ACCOUNTS} to anchor its scale: add posts of more accounts, or keep that network in "
                "a lake of its own"
            )
        new[network] = fit_curve(curve.apply(rows["margin"].to_numpy().astype(np.float64)))
    return Scale(kept.version, dict(sorted({**kept.curves, **new}.items())))


@contextmanager
def keeping(home: Path, params: Params, scale: Scale) -> Iterator[None]:
    """A block after which `scale` is frozen at `home`; when the block fails, what was frozen before still is."""
    file = home / FILE
    before = file.read_text(encoding="utf-8") if file.exists() else None
    _replace(file, to_json({"meaning": _meaning(params), **scale.to_json()}))
    try:
        yield
    except BaseException:
        file.unlink() if before is None else _replace(file, before)
        raise


def _replace(file: Path, content: str) -> None:
    temporary = file.with_name(f".{file.name}.new")
    try:
        temporary.write_text(content, encoding="utf-8")
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def _meaning(params: Params) -> dict[str, object]:
    return {"action_values": params.action_values, "horizon_days": params.label.horizon_days}


def _say(meaning: Mapping[str, object]) -> str:
    return f"action values {meaning['action_values']} and a horizon of {meaning['horizon_days']} days"
