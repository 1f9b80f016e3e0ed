"""Five defects, each planted in a real training of the small society, and the numbered check that stops each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from trained_society import Retrained, TrainedSociety

from clout.data import history
from clout.data.lake import Lake
from clout.data.ripening import Ripening
from clout.features.compute import Streams
from clout.models import registry
from clout.models.bundle import Bundle
from clout.models.calibration import Calibration
from clout.models.scale import Scale
from clout.models.score_model import ScoreModel
from clout.training import feature_store, pipeline, ship
from clout.training.checks import check, codes, promotion
from clout.training.config import read_params
from clout.training.whole_lake import WholeLake

Floats = npt.NDArray[np.float64]
PARAMS = read_params(None, ("fit.trees=20", "fit.threads=1", "splits.origins=2"))
# The name in the package is that of a function, too.
dataset = import_module("clout.training.dataset")
Plant = Callable[[pytest.MonkeyPatch, Lake], None]


def stopped_by(lake: Lake) -> dict[str, str]:
    """Code → detail of what stops the model that a training on `lake` makes."""
    made = pipeline.make(WholeLake.read(lake, PARAMS), lake, PARAMS, Scale("1", {}))
    return {one["code"]: one["detail"] for one in check.stopping(json.loads(made.content["checks.json"])["checks"])}


def leaked_feature(patch: pytest.MonkeyPatch, lake: Lake) -> None:
    """A column with a hint of the post's own outcome, too weak to look like a golden feature."""
    known = history.load(history.read_tables(lake), PARAMS.label.horizon, PARAMS.action_values)
    told = known.outcomes.select("post", hint=pl.col("outcome").log1p())
    sound = feature_store.compute

    def leaking(posts: pl.DataFrame, past: Streams) -> pl.DataFrame:
        hint = posts.select("post").join(told, on="post", how="left", maintain_order="left")["hint"].fill_null(0)
        noise = np.random.default_rng(0).normal(0, 1.5, posts.height)
        return sound(posts, past).with_columns(followers_last=1000 + 100 * hint + 100 * noise)

    patch.setattr(feature_store, "compute", leaking)


def shuffled_join(patch: pytest.MonkeyPatch, _: Lake) -> None:
    """Features that stand beside the post after theirs: rows put together in another order."""
    sound = feature_store.compute

    def shifted(posts: pl.DataFrame, past: Streams) -> pl.DataFrame:
        features = sound(posts, past)
        ids = features.columns[:4]
        rest = features.drop(ids)
        return features.select(ids).hstack(pl.concat([rest[1:], rest[:1]]))

    patch.setattr(feature_store, "compute", shifted)


def wrong_clock(patch: pytest.MonkeyPatch, _: Lake) -> None:
    """Outcomes that are known when their post is published."""
    sound = Ripening.outcomes

    def at_once(ripening: Ripening, drew: pl.DataFrame) -> pl.DataFrame:
        return sound(ripening, drew).with_columns(at=pl.col("published_at"))

    patch.setattr(Ripening, "outcomes", at_once)


def uncalibrated_head(patch: pytest.MonkeyPatch, _: Lake) -> None:
    """Curves that promise three times the actions."""
    sound = ship.fit_calibration

    def threefold(margin: Floats, count: Floats) -> Calibration:
        return sound(margin, 3 * count)

    patch.setattr(ship, "fit_calibration", threefold)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plant", "stopping"),
    [
        (leaked_feature, {"CLOUT009": "followers_last of "}),
        (shuffled_join, {"CLOUT009": " measured again "}),
        (wrong_clock, {"CLOUT009": "ripe_at of "}),
        (uncalibrated_head, {"CLOUT002": "expected / actual ", "CLOUT013": "expected / actual of "}),
    ],
)
def test_a_planted_defect_is_stopped_by_its_check(
    plant: Plant, stopping: Mapping[str, str], trained: TrainedSociety, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, trained.lake)
    found = stopped_by(trained.lake)
    assert set(stopping) <= set(found)
    assert all(words in found[code] for code, words in stopping.items())


def test_the_training_without_a_defect_passes_all(trained: TrainedSociety) -> None:
    assert {one["code"]: one["status"] for one in trained.trained.checks} == dict.fromkeys(codes.OF_TRAINING, "passed")


def test_an_event_log_known_before_it_happened_is_stopped(trained: TrainedSociety, tmp_path: Path) -> None:
    tables = history.read_tables(trained.lake)
    early = pl.when(pl.int_range(pl.len()) % 50 == 0).then(pl.col("happened_at") - timedelta(hours=1))
    log = tables["actions"].with_columns(known_at=early.otherwise(pl.col("known_at")))
    lake = Lake(tmp_path / "lake")
    lake.append({**tables, "actions": log}, source="simulate")
    found = stopped_by(lake)
    assert "rows of actions known before they happened" in found["CLOUT009"]


@pytest.fixture
def beside(retrained: Retrained, tmp_path: Path, trained: TrainedSociety) -> promotion.Evidence:
    """What the promotion of the second training looks at, in a home of its own to write in."""
    for file in [*retrained.home.glob("*.json"), *retrained.home.glob("judged/*")]:
        copy = tmp_path / file.relative_to(retrained.home)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(file.read_bytes())
    champion, challenger = (
        ScoreModel.load(registry.resolve(retrained.home, name)) for name in (registry.CHAMPION, registry.CHALLENGER)
    )
    through = datetime.fromisoformat(challenger.data["data_through"])
    return promotion.Evidence(champion, challenger, trained.lake, tmp_path, through + timedelta(days=1))


def promoted(evidence: promotion.Evidence) -> dict[str, str]:
    """Code → detail of what stops the promotion."""
    return {one["code"]: one["detail"] for one in check.stopping(promotion.run(evidence, {}))}


def edited(text: str) -> str:
    """The frozen scale with an anchor moved by a tenth."""
    scale = json.loads(text)
    for curve in scale["curves"].values():
        curve["p95"] += 0.1
    return json.dumps(scale)


def test_a_scale_edited_in_the_home_is_stopped(beside: promotion.Evidence) -> None:
    assert "CLOUT102" not in promoted(beside)
    file = beside.home / "scale.json"
    file.write_text(edited(file.read_text()))
    assert "commons differs from the home" in promoted(replace(beside))["CLOUT102"]


def test_a_model_trained_on_an_edited_scale_is_stopped(beside: promotion.Evidence) -> None:
    file = beside.home / "scale.json"
    file.write_text(edited(file.read_text()))
    files = beside.challenger.bundle.files
    other = Bundle.of({**files, "scale.json": edited(files["scale.json"].decode())})
    found = promoted(replace(beside, challenger=ScoreModel(other)))
    assert "commons differs from the champion" in found["CLOUT102"]
