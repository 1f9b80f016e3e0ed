"""Only what differs between bundles is told, each under its subject."""

from __future__ import annotations

import json
from typing import Any

import small_bundle

from clout.models.bundle import Bundle, to_json
from clout.models.score_model import ScoreModel
from clout.training.differences import differences

SUBJECTS = ["parameters", "action_values", "features", "trees", "data", "scale", "code"]


def model(**changes: dict[str, Any]) -> ScoreModel:
    """The small bundle with other contents of some JSON files."""
    files = small_bundle.files() | {f"{name}.json": to_json(content) for name, content in changes.items()}
    return ScoreModel(Bundle.of(files))


def content(name: str) -> dict[str, Any]:
    """What a JSON file of the small bundle holds."""
    return dict(json.loads(small_bundle.files()[f"{name}.json"]))


def test_the_same_differ_in_nothing() -> None:
    told = differences([model(), model(), model()])
    assert list(told) == SUBJECTS
    assert not any(told.values())


def test_each_difference_has_its_subject_and_one_value_a_model() -> None:
    params = {"fit": {"trees": 31, "leaves": 7}, "horizon_days": 7, "action_values": {"like": 2}}
    data = {"networks": {"twitter": {"posts": 5}}, "trees": 12, "fingerprint": "f00d", "action_values": {"like": 2}}
    curves = content("scale")
    curves["curves"]["twitter"]["mean"] += 1
    told = differences([model(), model(params=params, data=content("data") | data, scale=curves), model()])
    assert told["parameters"] == {"fit.trees": [30, 31, 30]}
    assert told["action_values"] == {"like": [None, 2, None]}
    assert told["trees"] == {"kept": [None, 12, None]}
    assert told["data"] == {"networks.twitter.posts": [None, 5, None], "fingerprint": [None, "f00d", None]}
    assert list(told["scale"]) == ["curves.twitter.mean"]
    assert not told["features"]


def test_another_unit_or_direction_is_another_feature() -> None:
    contract = content("contract")
    contract["features"][0]["direction"] = 0
    contract["features"][1]["unit"] = "words"
    contract["features"][2]["label"] = "only other words"
    assert differences([model(), model(contract=contract)])["features"] == {
        "wording_lift": ["of the usual, may only raise", "of the usual, free"],
        "text_characters": ["characters, free", "words, free"],
    }


def test_what_a_bundle_was_made_with_is_told_where_one_says_so() -> None:
    older = {name: text for name, text in small_bundle.files().items() if name != "provenance.json"}
    other = model(provenance={"code": "c0de", "libraries": {"numpy": "3"}}, origin={"commit": "abc"})
    told = differences([model(), other, ScoreModel(Bundle.of(older))])
    assert told["code"] == {
        "code": ["c0de", "c0de", None],
        "libraries.numpy": ["2", "3", None],
        "commit": [None, "abc", None],
    }
