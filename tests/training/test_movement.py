"""Whose scores move: the scores are those of each version, and the reasons of every change add up to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import small_bundle
from hypothesis import given
from hypothesis import strategies as st
from trained_society import Retrained, Studied, TrainedSociety

from clout.data.lake import Lake
from clout.features.wording import Wording
from clout.models.account import BEYOND
from clout.models.bundle import Bundle, to_json
from clout.models.score_model import ScoreModel
from clout.training.accounts import MeasuredPosts, account_margins
from clout.training.movement import (
    MOVERS,
    Past,
    Voice,
    account_points,
    account_scores,
    bands,
    because,
    moves,
    not_comparable,
    summary,
    words,
)

EXACT = 1e-9


@dataclass(frozen=True)
class Heard:
    """What two versions say of all accounts of the society, and what `moves` makes of it."""

    past: Past
    voices: tuple[Voice, Voice]
    scored: list[pl.DataFrame]
    told: dict[str, Any]


@pytest.fixture(scope="module")
def heard(trained: TrainedSociety, retrained: Retrained) -> Heard:
    models = (trained.model, ScoreModel.load(Path(retrained.told["directory"])))
    past = Past.read(trained.lake, models[0])
    assert past is not None
    voices = (Voice(models[0]), Voice(models[1]))
    told = moves(past, {model.version: model for model in models})
    return Heard(past, voices, account_scores(past, voices), told)


def test_the_moment_is_just_after_the_newest_post(heard: Heard) -> None:
    newest = heard.past.history.posts["at"].max()
    assert 0 < (heard.past.at - newest).total_seconds() < 1e-3
    assert heard.told["at"].endswith("Z")


def test_an_empty_lake_has_no_past(trained: TrainedSociety, tmp_path: Path) -> None:
    assert Past.read(Lake(tmp_path / "empty"), trained.model) is None


def test_scores_are_those_of_each_version_alone(heard: Heard) -> None:
    for voice, scored in zip(heard.voices, heard.scored, strict=True):
        model, wording = voice.model, Wording.read(voice.model.wording_path or Path())
        judge = partial(model.bundle.booster("model.txt").predict, num_threads=1)
        posts = MeasuredPosts.of(heard.past.history, heard.past.streams, wording, heard.past.at)
        alone = account_margins([posts], judge, model.contract, model.account)
        assert scored.drop("score").equals(alone)
        assert scored["score"].is_between(1, 100).all()
    assert not np.array_equal(heard.scored[0]["score"], heard.scored[1]["score"])


def test_points_add_up_to_the_score_of_an_account(heard: Heard) -> None:
    for voice, every in zip(heard.voices, heard.scored, strict=True):
        scored = every.gather_every(5)
        told = account_points(heard.past, voice, scored)
        assert [sum(points.values()) for points in told] == pytest.approx(scored["score"].to_list(), abs=EXACT)
        assert set(told[0]) == {"starting_point", *voice.model.contract.names, BEYOND.name}
        signs = np.sign([points[BEYOND.name] for points in told])
        assert np.array_equal(signs, np.sign(scored["track_record"]))


def test_the_reasons_of_each_mover_add_up_to_its_change(heard: Heard) -> None:
    (to,) = heard.told["to"].values()
    change = dict(zip(heard.scored[0]["account"], heard.scored[1]["score"] - heard.scored[0]["score"], strict=True))
    assert len(to["movers"]) == MOVERS
    for mover in to["movers"]:
        assert mover["change"] == pytest.approx(change[mover["account"]], abs=EXACT)
        assert mover["score"][1] - mover["score"][0] == pytest.approx(mover["change"], abs=EXACT)
        assert sum(reason["points"] for reason in mover["reasons"]) == pytest.approx(mover["change"], abs=EXACT)
        assert sum(mover["groups"].values()) == pytest.approx(mover["change"], abs=EXACT)
        assert mover["handle"].endswith(mover["account"].partition("/")[2])
    sizes = [abs(mover["change"]) for mover in to["movers"]]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] >= sorted(abs(value) for value in change.values())[-MOVERS] - EXACT


def test_the_distribution_is_that_of_the_changes(heard: Heard) -> None:
    (to,) = heard.told["to"].values()
    size = (heard.scored[1]["score"] - heard.scored[0]["score"]).abs()
    assert heard.told["accounts"] == len(size)
    assert to["median"] == pytest.approx(size.median())
    assert to["most"] == size.max() == pytest.approx(abs(to["movers"][0]["change"]), abs=EXACT)
    assert sum(to["beyond"]["1"].values()) == pytest.approx((size > 1).mean())
    assert sum(band["accounts"] for band in to["bands"]) == len(size)


def test_who_agrees_moves_nobody(heard: Heard, trained: TrainedSociety) -> None:
    told = moves(heard.past, {"one": trained.model, "two": trained.model})["to"]["two"]
    assert (told["most"], told["movers"][0]["words"]) == (0.0, "model part 0.0")
    assert told["movers"][0]["reasons"] == []


def test_a_version_with_fewer_features_is_scored_and_explained(
    heard: Heard, trained: TrainedSociety, studied: Studied
) -> None:
    fewer = without_wording(trained.model, studied)
    voices = (heard.voices[0], Voice(fewer))
    scored = account_scores(heard.past, voices)
    assert scored[0].equals(heard.scored[0])
    points = account_points(heard.past, voices[1], scored[1][:5])
    assert [sum(row.values()) for row in points] == pytest.approx(scored[1]["score"][:5].to_list(), abs=EXACT)
    (to,) = moves(heard.past, {"all": trained.model, "fewer": fewer})["to"].values()
    reasons = {reason["code"]: reason["points"] for mover in to["movers"] for reason in mover["reasons"]}
    assert "wording_lift" in reasons
    assert to["movers"][0]["change"] == pytest.approx(sum(r["points"] for r in to["movers"][0]["reasons"]), abs=EXACT)


def without_wording(model: ScoreModel, studied: Studied) -> ScoreModel:
    """The model with boosters that know every feature but the choice of words."""
    kept = [place for place, name in enumerate(model.contract.names) if name != "wording_lift"]
    names = tuple(model.contract.names[place] for place in kept)
    matrix = studied.dataset.matrix()[:, kept]
    target = studied.dataset.frame["outcome"].log1p().to_numpy()
    booster = small_bundle.train(matrix, target, names).model_to_string()
    contract = json.loads(model.bundle.text("contract.json"))
    contract["features"] = [contract["features"][place] for place in kept]
    texts = {name: booster for name in model.bundle.files if name.endswith(".txt")}
    return ScoreModel(Bundle.of({**model.bundle.files, **texts, "contract.json": to_json(contract)}))


def changed(model: ScoreModel, name: str, change: dict[str, Any]) -> ScoreModel:
    """The model with other facts in one of its JSON files."""
    return ScoreModel(
        Bundle.of({**model.bundle.files, f"{name}.json": to_json(model.bundle.json(f"{name}.json") | change)})
    )


def test_scores_that_mean_other_things_are_not_compared(trained: TrainedSociety) -> None:
    model = trained.model
    assert not_comparable([model, model]) is None
    values = changed(model, "data", {"action_values": {"like": 5.0}})
    assert "other action values" in str(not_comparable([model, model, values]))
    assert "other horizon days (7.0 and 1.0)" in str(
        not_comparable([model, changed(model, "data", {"horizon_days": 1.0})])
    )
    assert "other scales (1 and 2)" in str(not_comparable([model, changed(model, "scale", {"version": "2"})]))
    curves = model.scale.to_json()["curves"]
    moved = {name: curve | {"mean": curve["mean"] + 0.1} for name, curve in curves.items()}
    assert "other scales (1 and 1)" in str(not_comparable([model, changed(model, "scale", {"curves": moved})]))
    more = {"curves": curves | {"bluesky": next(iter(curves.values()))}}
    assert not_comparable([model, changed(model, "scale", more)]) is None


def test_features_that_nobody_measures_are_named(trained: TrainedSociety) -> None:
    features = trained.model.bundle.json("contract.json")["features"]
    other = changed(trained.model, "contract", {"features": [features[0] | {"unit": "miles"}, *features[1:]]})
    said = str(not_comparable([trained.model, other]))
    assert "does not measure (wording_lift)" in said
    assert "train again" in said


def test_a_lake_without_accounts_of_these_networks_is_told(heard: Heard, trained: TrainedSociety) -> None:
    curve = next(iter(trained.model.scale.to_json()["curves"].values()))
    elsewhere = changed(trained.model, "scale", {"curves": {"bluesky": curve}})
    told = moves(heard.past, {"one": elsewhere, "two": elsewhere})
    assert (told["accounts"], told["to"]) == (0, {})
    assert "no account of a network that all versions know" in told["reason"]


def test_figures_of_change() -> None:
    told = summary(np.array([-12.0, -6.0, -0.5, 0.5, 2.0, 1.0]))
    assert (told["median"], told["most"], told["median_change"]) == (1.5, 12.0, 0.0)
    assert told["beyond"] == {
        "1": {"rose": 1 / 6, "fell": 2 / 6},
        "5": {"rose": 0.0, "fell": 2 / 6},
        "10": {"rose": 0.0, "fell": 1 / 6},
    }


def test_bands_are_ten_points_of_the_score_before() -> None:
    told = bands(np.array([19.99, 20.0, 29.0, 99.9]), np.array([1.0, 2.0, 4.0, -1.0]))
    assert [(band["from"], band["to"], band["accounts"]) for band in told] == [(10, 20, 1), (20, 30, 2), (90, 100, 1)]
    assert told[1]["p50"] == 3.0


def test_the_change_is_told_by_feature_and_by_group() -> None:
    specs = {spec.name: spec for spec in (*small_bundle.contract().features, BEYOND)}
    before = {"starting_point": 40.0, "gap_hours": 1.0, "hour_share": 0.5, "followers_log": 0.4, BEYOND.name: 0.0}
    after = {"starting_point": 40.0, "gap_hours": 3.04, "media_count": -5.0, "hour_share": 0.5, BEYOND.name: 1.0}
    told = because(before, after, specs)
    assert told["change"] == pytest.approx(-2.36)
    assert [reason["code"] for reason in told["reasons"]] == [
        "media_count",
        "gap_hours",
        BEYOND.name,
        "followers_log",
    ]
    assert told["groups"]["timing"] == pytest.approx(2.04)
    assert told["words"] == (
        "model part −2.4: media count −5.0, gap hours +2.0, results beyond what was expected +1.0, followers log −0.4"
    )


@given(st.lists(st.floats(-30, 30), min_size=0, max_size=9))
def test_the_parts_add_up_as_printed(points: list[float]) -> None:
    points = sorted(points, key=lambda value: -abs(value))
    told = words(sum(points), [{"label": f"l{place}", "points": value} for place, value in enumerate(points)])
    whole, _, parts = told.removeprefix("model part ").partition(": ")
    printed = [part.rpartition(" ")[2] for part in parts.split(", ")] if parts else []
    assert sum(tenths(part) for part in printed) == tenths(whole)


def tenths(said: str) -> int:
    """The number of tenths in a printed number."""
    return round(10 * float(said.replace("−", "-")))
