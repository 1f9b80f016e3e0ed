from __future__ import annotations

import json

import small_bundle

from clout.models import golden
from clout.models.bundle import Bundle
from clout.models.score_model import ScoreModel


def changed(row: int, key: str, by: float) -> ScoreModel:
    files = dict(small_bundle.files())
    content = json.loads(files["golden.json"])
    content["rows"][row]["expected"][key] += by
    return ScoreModel(Bundle.of(files | {"golden.json": json.dumps(content)}))


def test_a_model_gives_its_golden_answers_bit_for_bit(model: ScoreModel):
    assert golden.check(model) == []


def test_golden_rows_hold_inputs_and_answers(model: ScoreModel):
    rows = model.bundle.json("golden.json")["rows"]
    assert len(rows) == 12
    assert any(value is None for row in rows for value in row["features"].values())
    assert {row["network"] for row in rows} == {"bluesky", "twitter"}
    assert {"margin", "score", "expected_actions_low", "base_score", "points:gap_hours"} <= rows[0]["expected"].keys()


def test_another_answer_is_named():
    (difference,) = golden.check(changed(3, "score", 1e-10))
    assert difference.startswith("golden row 3: score is ")


def test_the_last_bits_may_differ_across_machines():
    assert golden.check(changed(3, "score", 1e-10), tolerance=golden.ACROSS_MACHINES) == []
    assert golden.check(changed(3, "score", 1e-8), tolerance=golden.ACROSS_MACHINES) != []


def test_an_answer_that_is_no_longer_given_is_named():
    files = dict(small_bundle.files())
    content = json.loads(files["golden.json"])
    content["rows"][0]["expected"]["points:wit"] = 1.0
    model = ScoreModel(Bundle.of(files | {"golden.json": json.dumps(content)}))
    assert golden.check(model, tolerance=golden.ACROSS_MACHINES) == ["golden row 0: points:wit is None, expected 1.0"]


def test_no_golden_rows_are_no_differences():
    files = small_bundle.files() | {"golden.json": '{"rows": []}'}
    assert golden.check(ScoreModel(Bundle.of(files))) == []
