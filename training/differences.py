"""What bundles were made of, side by side: only what is not the same in all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from clout.models.bundle import ORIGIN
from clout.models.score_model import ScoreModel
from clout.training.provenance import MADE_BY

TOLD_ELSEWHERE = ("action_values", "horizon_days", "trees")
Rows = dict[str, list[Any]]


def flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a tree of mappings, under their path with dots.

    >>> list(flat({"fit": {"trees": 60}, "seed": 7}))
    [('fit.trees', 60), ('seed', 7)]
    """
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def differences(models: Sequence[ScoreModel]) -> dict[str, Rows]:
    """By subject, each fact that is not the same in all `models`, one value a model; None where it has no such fact.

    Subjects: parameters, action_values, features, trees, data, scale, code.
    """
    params = [dict(flat(model.params)) for model in models]
    valued = "action_values."
    return {
        "parameters": _unequal([{k: v for k, v in facts.items() if not k.startswith(valued)} for facts in params]),
        "action_values": _unequal(
            [{k.removeprefix(valued): v for k, v in facts.items() if k.startswith(valued)} for facts in params]
        ),
        "features": _unequal([_features(model) for model in models]),
        "trees": _unequal([{"kept": model.data.get("trees")} for model in models]),
        "data": _unequal([_data(model) for model in models]),
        "scale": _unequal([dict(flat(model.scale.to_json())) for model in models]),
        "code": _unequal([_provenance(model) for model in models]),
    }


def _unequal(facts: Sequence[Mapping[str, Any]]) -> Rows:
    names = dict.fromkeys(name for fact in facts for name in fact)
    rows = {name: [fact.get(name) for fact in facts] for name in names}
    return {name: values for name, values in rows.items() if any(value != values[0] for value in values[1:])}


def _features(model: ScoreModel) -> dict[str, str]:
    """What a model silently depends on, by feature: its place, its unit, and which way the margin may go with it."""
    ways = {-1: "may only lower", 0: "free", 1: "may only raise"}
    return {spec.name: f"{spec.unit or 'no unit'}, {ways[spec.direction]}" for spec in model.contract.features}


def _data(model: ScoreModel) -> dict[str, Any]:
    return {name: value for name, value in flat(model.data) if name.split(".")[0] not in TOLD_ELSEWHERE}


def _provenance(model: ScoreModel) -> dict[str, Any]:
    """What the bundle says it was made with; nothing where it was made before bundles said so."""
    told = [model.bundle.json(name) for name in (MADE_BY, ORIGIN) if name in model.bundle.files]
    return {name: value for document in told for name, value in flat(document)}
