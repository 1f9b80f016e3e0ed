"""The frozen scales of a house: kept beside its models, never changed by training, only given new networks.

There is one for each meaning of an outcome (action values, horizon and what an action weighs), for expected actions of another meaning are
other numbers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl

from clout.errors import CloutError
from clout.models import registry, whole_file
from clout.models.bundle import to_json
from clout.models.calibration import Calibration
from clout.models.scale import MIN_ACCOUNTS, Scale, fit_curve
from clout.training.config import Params

FILE = "scale.json"
WEIGHTS = "by engager"


class FrozenScaleError(CloutError):
    """The frozen scale does not fit what is being trained."""

    code = "frozen_scale"


def read(home: Path, params: Params) -> Scale:
    """The scale kept at `home` for these action values and this horizon; one without curves when there is none.

    The first meaning of a home has version 1; the version of another tells it apart, as their scores are not comparable.
    """
    file = _file(home, params)
    if not file.exists():
        return Scale("1" if file.name == FILE else f"1-{_key(params)}", {})
    return Scale.from_json(json.loads(file.read_text(encoding="utf-8")))


def complete(kept: Scale, accounts: pl.DataFrame, curve: Calibration, networks: Iterable[str]) -> Scale:
    """`kept` with a curve fitted for each of `networks` that had none; a curve once kept never changes.

    The reference population are those of `accounts`, as `accounts.account_margins` gives them, that get a score; where
    these are too few, all that posted in the window. Raises `FrozenScaleError` for a network with too few of them.
    """
    new = {}
    for network in sorted(set(networks) - set(kept.curves)):
        rows = _reference(accounts.filter(pl.col("network") == network).sort("account"))
        if rows.height < MIN_ACCOUNTS:
            raise FrozenScaleError(
                f"got {rows.height} accounts of the network {network!r} with posts in the 90 days before the last block; "
                f"expected at least {MIN_ACCOUNTS} to anchor its scale: add posts of more accounts, or keep that network in "
                "a lake of its own"
            )
        new[network] = fit_curve(curve.apply(rows["margin"].to_numpy().astype(np.float64)))
    return Scale(kept.version, dict(sorted({**kept.curves, **new}.items())))


def _reference(accounts: pl.DataFrame) -> pl.DataFrame:
    scored = accounts.filter(pl.col("lacks").is_null())
    return scored if scored.height >= MIN_ACCOUNTS else accounts


@contextmanager
def keeping(home: Path, params: Params, scale: Scale) -> Iterator[None]:
    """A block, alone in `home`, that installs a bundle with `scale`; it is frozen there when the block has ended.

    Not before: a block that is killed would leave a scale that no bundle has, and the next training would take it. Raises
    `FrozenScaleError` when another training has frozen another curve since this one read the scale.
    """
    with registry.locked(home):
        file, now = _file(home, params), read(home, params)
        _check_same(file, now, scale)
        yield
        whole = Scale(scale.version, dict(sorted({**now.curves, **scale.curves}.items())))
        whole_file.write(file, to_json({"meaning": _meaning(params), **whole.to_json()}))


def _check_same(file: Path, now: Scale, scale: Scale) -> None:
    others = [name for name, curve in sorted(scale.curves.items()) if now.curves.get(name, curve) != curve]
    if others or now.version != scale.version:
        what = f"the scale of {', '.join(others)}" if others else "the scale of another meaning"
        raise FrozenScaleError(
            f"another training has frozen {what} in {file.parent} since this one began; expected its "
            "curves: train again, on the scale that is frozen now"
        )


def _file(home: Path, params: Params) -> Path:
    """Where a meaning has its scale: scale.json for the first of a home, a file of its own for each other."""
    first = home / FILE
    if not first.exists() or json.loads(first.read_text(encoding="utf-8"))["meaning"] == _meaning(params):
        return first
    return home / f"scale-{_key(params)}.json"


def _key(params: Params) -> str:
    return hashlib.sha256(json.dumps(_meaning(params)).encode()).hexdigest()[:8]


def _meaning(params: Params) -> dict[str, object]:
    return {"action_values": params.action_values, "horizon_days": params.label.horizon_days, "weights": WEIGHTS}
