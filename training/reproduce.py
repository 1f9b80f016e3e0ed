"""Proof that a bundle can be made again: trained anew from the lake, every file compared byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clout.data.lake import Lake
from clout.models.bundle import ORIGIN, Bundle
from clout.models.score_model import ScoreModel
from clout.training import provenance, stores
from clout.training.config import validated
from clout.training.dataset import Step
from clout.training.pipeline import make

RUN_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Reproduction:
    """A bundle, and what came of making it again.

    `files` has "equal", "differs", "missing" (not made again) or "new" for each file; `causes` say what is not as it was.
    `batches` of the lake, of those it has now, were its data.
    """

    version: str
    again: str
    files: Mapping[str, str]
    causes: tuple[str, ...]
    batches: tuple[int, int]

    @property
    def proven(self) -> bool:
        """Whether every file came out the same."""
        return self.version == self.again

    def told(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return {
            "version": self.version,
            "again": self.again,
            "reproduced": self.proven,
            "files": dict(self.files),
            "causes": list(self.causes),
            "batches": {"used": self.batches[0], "now": self.batches[1]},
        }


def reproduce(model: ScoreModel, lake: Lake, home: Path, step: Step = lambda _: None) -> Reproduction:
    """What becomes of the bundle of `model` when it is trained again, with its own parameters and frozen scale.

    The data are those of `lake` as it was when its fingerprint was the bundle's; nothing is left in `home`. Raises `LakeError` when it never was.
    """
    past = lake.as_of(model.data["fingerprint"])
    params = validated(model.params)
    with stores.opened(past, params, home, step) as store:
        again = Bundle.of(make(store, past, params, model.scale, step).content)
    counts = len(past.receipts()), len(lake.receipts())
    return Reproduction(model.version, again.version, _compared(model.bundle, again), _causes(model.bundle), counts)


def _compared(first: Bundle, second: Bundle) -> dict[str, str]:
    return {
        name: "new"
        if name not in first.files
        else "missing"
        if name not in second.files
        else "equal"
        if first.files[name] == second.files[name]
        else "differs"
        for name in sorted({*first.files, *second.files} - {ORIGIN})
    }


def _causes(bundle: Bundle) -> tuple[str, ...]:
    """What made the bundle, against what is here now; empty when all is the same."""
    if provenance.MADE_BY not in bundle.files:
        return (f"the bundle does not say what code made it (it has no {provenance.MADE_BY})",)
    return tuple(_changed(bundle.json(provenance.MADE_BY), provenance.provenance()))


def _changed(then: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name in {**then, **now}:
        before, after = then.get(name), now.get(name)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _changed(before, after, f"{name} ")
        elif before != after:
            short = (str(value)[:12] for value in (before, after))
            yield f"{prefix}{name} was {next(short)}, is {next(short)}"
