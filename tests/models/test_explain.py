from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shap
import small_bundle

from clout.models.explain import AskedError, Explanation, Recalled
from clout.models.score_model import ScoreModel


@pytest.fixture
def explanation(model: ScoreModel, frame: pd.DataFrame) -> Explanation:
    return model.explain(frame)


def test_phi_are_the_shap_values_of_the_margin(explanation: Explanation):
    explainer = shap.TreeExplainer(small_bundle.boosters()["main"])
    values = explainer(small_bundle.population().matrix)
    assert explanation.phi == pytest.approx(values.values, abs=1e-12)
    assert explanation.base_margin == pytest.approx(values.base_values, abs=1e-12)
    margin = values.base_values + values.values.sum(axis=1)
    assert explanation.margin == pytest.approx(margin, abs=1e-12)


def test_scores_are_those_of_score(explanation: Explanation, model: ScoreModel, frame: pd.DataFrame):
    assert (explanation.score == model.score(frame)["score"].to_numpy()).all()


def test_points_keep_the_sign_and_order_of_phi(explanation: Explanation):
    assert (np.sign(explanation.points) == np.sign(explanation.phi)).all()
    assert (np.argsort(explanation.points, axis=1) == np.argsort(explanation.phi, axis=1)).mean() > 0.99


def test_the_base_score_is_the_network_s(explanation: Explanation):
    networks = np.array(explanation.networks)
    twitter, bluesky = explanation.base_score[networks == "twitter"], explanation.base_score[networks == "bluesky"]
    assert np.ptp(twitter) == np.ptp(bluesky) == 0
    assert twitter[0] != bluesky[0]


def test_reasons_come_strongest_first(explanation: Explanation):
    reasons = explanation.reasons(3)
    assert [reason.code for reason in explanation.reasons(3, limit=2)] == [r.code for r in reasons[:2]]
    sizes = [abs(reason.points) for reason in reasons]
    assert len(sizes) == 9
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize(
    ("row", "limit", "words"),
    [
        (9999, None, r"got row 9999 of \d+; expected one of these, of which 0 is the first"),
        (-1, None, "got row -1 of"),
        (0, -1, "got limit -1; expected how many reasons, 0 or more, or None for all"),
    ],
)
def test_reasons_that_are_not_there_are_told(explanation: Explanation, row: int, limit: int | None, words: str):
    with pytest.raises(AskedError, match=words):
        explanation.reasons(row, limit)
    assert explanation.reasons(0, 0) == []


def test_a_reason_says_all_there_is_to_say(explanation: Explanation):
    column = explanation.names.index("text_characters")
    row = int(np.flatnonzero(explanation.points[:, column] < 0)[0])
    (reason,) = (reason for reason in explanation.reasons(row) if reason.code == "text_characters")
    marks = small_bundle.quantiles()["text_characters"]
    assert reason.points == explanation.points[row, column]
    assert (reason.label, reason.group, reason.side, reason.unit) == (
        "text characters",
        "format",
        "message",
        "characters",
    )
    assert (reason.actionable, reason.advice) == (True, "Try another.")
    assert marks is not None
    assert reason.typical == (marks[1], marks[3])
    assert reason.value == explanation.values[row, column]
    assert reason.sentence.startswith("Held back: ")
    assert reason.sentence.endswith(" characters.")


def test_what_was_told_can_be_changed_without_changing_what_is_told_next(explanation: Explanation):
    reasons = explanation.reasons(3)
    for told in explanation.told(3):
        told.update(dict.fromkeys(told, "changed"))
    assert explanation.reasons(3) == reasons


def test_a_reason_that_helps_says_so(explanation: Explanation):
    rows = range(len(explanation))
    helping = next(r for row in rows for r in explanation.reasons(row, 1) if r.points > 0 and r.value is not None)
    assert helping.sentence.startswith("Helped: ")


def test_a_missing_value_is_said(explanation: Explanation):
    row = int(np.flatnonzero(np.isnan(explanation.values[:, 5]))[0])
    (reason,) = (reason for reason in explanation.reasons(row) if reason.code == "outcome_log_mean_90d")
    assert reason.value is None
    assert reason.sentence == "Outcome log mean 90d: nothing is known."


def test_means_over_posts_are_said_of_what_differs_between_posts(explanation: Explanation):
    values = dict.fromkeys(explanation.names, 0.3) | {"text_characters": 80.4, "outcome_count_90d": 12.0}
    points = dict.fromkeys(explanation.names, 1.0)
    told = Recalled.of(explanation.contract, {}, values, points, 50.0, 41.0)
    said = {reason.code: reason.said for reason in told.reasons(0)}
    assert said["text_characters"] == "about 80 characters"
    assert said["outcome_count_90d"] == "12 posts"
    one_post = replace(explanation, values=told.values, phi=told.points, rate=np.ones(1))
    assert {reason.code: reason.said for reason in one_post.reasons(0)}["text_characters"] == "80 characters"


def test_a_feature_without_quantiles_has_no_typical_range(explanation: Explanation):
    (reason,) = (reason for reason in explanation.reasons(0) if reason.code == "engager_reach")
    assert reason.typical is None


def test_groups_and_sides_are_sums(explanation: Explanation):
    groups, sides = explanation.groups(8), explanation.sides(8)
    assert list(groups) == ["wording", "format", "timing", "track_record", "audience", "network"]
    assert groups["format"] == pytest.approx(explanation.points[8, [1, 2]].sum())
    assert sides.message == pytest.approx(groups["wording"] + groups["format"])
    assert sides.messenger == pytest.approx(groups["track_record"] + groups["audience"])
    assert (sides.timing, sides.network) == (groups["timing"], groups["network"])


def test_message_and_messenger_share_what_they_moved(explanation: Explanation):
    sides, moved = explanation.sides(8), np.abs(explanation.points[8])
    assert sides.message_share == pytest.approx(moved[:3].sum() / (moved[:3].sum() + moved[5:8].sum()))
    assert sides.message_share is not None
    assert sides.messenger_share == 1 - sides.message_share


@pytest.mark.parametrize(
    ("base", "points", "groups", "features"),
    [
        (40.0, [0.4, 0.4, 0.3, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0, 0, 0]),
        (40.0, [-0.6, 0, 0, 0, 0, 2.7, 0.2, 0, -1.4], [-1, 0, 0, 3, 0, -1], [-1, 0, 0, 0, 0, 3, 0, 0, -1]),
        (40.4, [0, 0, 0, 0, 0, 0.2, 0, 0.3, 0], [0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0, 0, 1, 0]),
        (41.5, [1.0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0]),
    ],
)
def test_the_largest_remainders_are_printed(
    explanation: Explanation, base: float, points: list[float], groups: list[int], features: list[int]
):
    shares = np.array([points])
    drawn = replace(
        explanation, base_score=np.array([base]), phi=shares, rate=np.ones(len(shares)), score=base + shares.sum(axis=1)
    )
    printed = drawn.printed(0)
    assert list(printed.groups.values()) == groups
    assert list(printed.features.values()) == features
    assert (printed.base, printed.score) == (round(base), round(base + sum(points)))


def test_to_frame_has_a_line_a_row_and_feature(explanation: Explanation, frame: pd.DataFrame):
    lines = explanation.to_frame()
    assert list(lines.columns) == [
        *("post", "account", "row", "network", "feature", "group", "side", "value", "phi", "points")
    ]
    assert len(lines) == len(frame) * 9
    sums = lines.groupby("post", sort=False)["points"].sum().to_numpy() + explanation.base_score
    assert sums == pytest.approx(explanation.score, abs=1e-9)
    assert lines.loc[9 + 2, ["post", "feature"]].tolist() == [frame.loc[1, "post"], "media_count"]
