"""Versions side by side: what they were made of, how well each judged the same posts, and whose scores move."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clout.data.lake import Lake
from clout.errors import CloutError
from clout.models import registry
from clout.models.score_model import ScoreModel
from clout.training import judged
from clout.training.dataset import Step
from clout.training.differences import differences
from clout.training.movement import Past, moves, not_comparable
from clout.training.paired import accuracy

STEPS = 4


class CompareError(CloutError):
    """Versions that cannot be put side by side."""

    code = "compare"


def compare(home: Path, lake: Lake, names: Sequence[str], step: Step = lambda _: None) -> dict[str, Any]:
    """Everything that tells the bundles `names` (champion, challenger, versions) apart; docs/compare.md lists the keys.

    The first is what the others are measured against. Accounts are scored from `lake`. What cannot be told has
    `reason` in its place.
    """
    models = _read(home, names)
    first = next(iter(models.values()))
    return {
        "versions": [_about(name, model) for name, model in zip(names, models.values(), strict=True)],
        "differs": differences(list(models.values())),
        "accuracy": _accuracy(home, models, first, step),
        "moves": _moves(lake, models, first, step),
    }


def _read(home: Path, names: Sequence[str]) -> dict[str, ScoreModel]:
    if len(names) < 2:
        raise CompareError(
            f"got {len(names)} version{'' if len(names) == 1 else 's'}; expected two or more of champion, challenger and "
            "versions: for example `clout compare champion challenger`"
        )
    found = {name: registry.resolve(home, name) for name in names}
    for place, name in enumerate(names):
        twin = next((other for other in names[:place] if found[other] == found[name]), None)
        if twin is not None:
            raise CompareError(
                f"got {twin} and {name}, which are both {found[name].name}; expected different versions: train another "
                "with `clout train`, or name one of the versions in " + str(home / "bundles")
            )
    models = [ScoreModel.load(found[name]) for name in names]
    return {model.version: model for model in models}


def _about(name: str, model: ScoreModel) -> dict[str, Any]:
    return {
        "version": model.version,
        "name": name,
        "taught_before": model.data["taught_before"],
        "data": model.data["fingerprint"],
        "scale": model.scale_version,
    }


def _accuracy(home: Path, models: dict[str, ScoreModel], first: ScoreModel, step: Step) -> dict[str, Any]:
    step("judging the same posts")
    for model in models.values():
        if any(model.data[name] != first.data[name] for name in ("action_values", "horizon_days")):
            return {
                "reason": f"{first.version} and {model.version} were trained to expect other outcomes (action values or "
                "horizon), so an error of one is no error of the other: compare versions that were trained with the same"
            }
    try:
        kept = {version: judged.read(home, version) for version in models}
    except judged.NotKeptError as error:
        return {"reason": str(error)}
    return accuracy(kept, int(first.params["seed"]))


def _moves(lake: Lake, models: dict[str, ScoreModel], first: ScoreModel, step: Step) -> dict[str, Any]:
    step("reading the lake")
    reason = not_comparable(list(models.values()))
    if reason:
        return {"reason": reason}
    past = Past.read(lake, first)
    if past is None:
        return {
            "reason": f"the lake {lake.url} has no posts; expected those of the accounts to score: give one with --lake"
        }
    return moves(past, models, step)
