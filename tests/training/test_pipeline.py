"""From the lake to a registered bundle: what a training leaves behind, and what it must not touch."""

from __future__ import annotations

import json
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.pyfunc import PyFuncModel
from silent_store import silent_store
from trained_society import Retrained, Studied, TrainedSociety

from clout.data.lake import Lake
from clout.features.catalogue import CONTRACT
from clout.models import bundle, golden, registry
from clout.models.registry import RegistryError
from clout.training.config import Params, Splits
from clout.training.pipeline import steps, train

KINDS = ("like", "reshare", "reply", "quote")
BUNDLE = {
    "model.txt",
    "low.txt",
    "high.txt",
    *(f"head_{kind}.txt" for kind in KINDS),
    *(
        f"{name}.json"
        for name in ("account", "calibration", "checks", "contract", "data", "golden", "intervals", "manifest")
    ),
    *(f"{name}.json" for name in ("metrics", "params", "quantiles", "residuals", "scale", "wording")),
    *(f"{name}.json" for name in ("origin", "provenance")),
    "card.html",
    "card.md",
}


@pytest.fixture(scope="module")
def client(trained: TrainedSociety) -> MlflowClient:
    """MLflow, asked about the store of the first training."""
    return MlflowClient(trained.tracking_uri)


@pytest.fixture(scope="module")
def registered(client: MlflowClient) -> ModelVersion:
    return client.get_model_version_by_alias("clout", "challenger")


@pytest.fixture(scope="module")
def run(client: MlflowClient, registered: ModelVersion) -> Run:
    assert registered.run_id
    return client.get_run(registered.run_id)


@pytest.fixture(scope="module")
def served(trained: TrainedSociety) -> PyFuncModel:
    mlflow.set_tracking_uri(trained.tracking_uri)
    return mlflow.pyfunc.load_model("models:/clout@champion")


@pytest.fixture(scope="module")
def frame(studied: Studied) -> pd.DataFrame:
    """The newest posts with their features, as a data scientist has them."""
    return studied.dataset.frame.select("post", "account", "network", *CONTRACT.names).tail(200).to_pandas()


def pointed(home: Path, name: str) -> str:
    """The version a pointer of a home names."""
    return str(json.loads(registry.pointer_file(home, name).read_text())["version"])


def document(trained: TrainedSociety, name: str) -> dict[str, object]:
    return dict(json.loads((trained.trained.directory / name).read_text()))


def test_the_bundle_is_whole(trained: TrainedSociety) -> None:
    directory = trained.trained.directory
    assert directory == trained.home / "bundles" / trained.trained.version
    assert {file.name for file in directory.iterdir()} == BUNDLE
    assert bundle.verify(directory) == trained.trained.version


def test_nothing_else_is_left_in_the_home(trained: TrainedSociety) -> None:
    names = {path.name for path in trained.home.iterdir()}
    pointers = {"champion.json", "challenger.json"}
    files = {"mlflow.db", "scale.json", "audit.jsonl", ".lock"}
    assert names == {"bundles", "judged", "lake", "artifacts", *files, *pointers}


def test_every_step_was_told(trained: TrainedSociety) -> None:
    assert len(trained.told) == steps(trained.params, trained.lake)
    assert next(told for told in trained.told if told.startswith("rolling origin")).startswith(
        "rolling origin 1 of 3 (2025"
    )
    assert len(set(trained.told)) == len(trained.told)
    more = Params(splits=Splits(origins=5))
    assert steps(more, trained.lake) == steps(Params(), trained.lake) + 2


def test_the_golden_rows_are_answered(trained: TrainedSociety) -> None:
    assert len(trained.model.bundle.json("golden.json")["rows"]) == 20
    assert golden.check(trained.model) == []


def test_what_is_told_is_what_the_bundle_holds(trained: TrainedSociety) -> None:
    told = trained.trained.told()
    assert told["metrics"] == document(trained, "metrics.json")
    assert {"checks": told["checks"]} == document(trained, "checks.json")
    assert Params.model_validate(document(trained, "params.json")).model_dump() == trained.params.model_dump()
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_the_parts_are_those_of_the_stages(trained: TrainedSociety, studied: Studied) -> None:
    assert trained.trained.report == studied.report
    assert document(trained, "data.json")["trees"] == studied.held.trees
    assert trained.model.heads == studied.kinds == KINDS


def test_the_first_that_passes_is_champion_and_challenger(trained: TrainedSociety) -> None:
    assert {check["status"] for check in trained.trained.checks} == {"passed"}
    assert trained.trained.champion
    assert pointed(trained.home, "champion") == pointed(trained.home, "challenger") == trained.trained.version


def test_mlflow_has_the_model_under_both_aliases(
    client: MlflowClient, registered: ModelVersion, trained: TrainedSociety
) -> None:
    assert client.get_model_version_by_alias("clout", "champion").version == registered.version
    assert registered.tags == {"bundle": trained.trained.version, "scale": "1"}
    assert (registered.description or "").startswith("# Clout: model card")


def test_mlflow_has_parameters_and_figures(run: Run, trained: TrainedSociety) -> None:
    assert run.info.status == "FINISHED"
    assert run.data.params["fit.trees"] == "60"
    assert run.data.params["action_values.quote"] == "3.0"
    report = trained.trained.report
    assert run.data.metrics["model.spearman"] == report["model"]["spearman"]["value"]
    assert run.data.metrics["skill.account_mean"] == report["skill"]["account_mean"]["value"]
    assert run.data.tags["clout.data"] == trained.lake.fingerprint()


def test_mlflow_has_pictures_and_the_card(client: MlflowClient, run: Run, trained: TrainedSociety) -> None:
    pictures = {file.path: file.file_size for file in client.list_artifacts(run.info.run_id, "plots")}
    assert set(pictures) == {f"plots/{name}.png" for name in ("calibration", "lift", "beeswarm", "scores")}
    assert min(size or 0 for size in pictures.values()) > 10_000
    assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/card.md") == trained.model.card


def test_the_signature_asks_for_doubles(served: PyFuncModel) -> None:
    types = {column.name: column.type.name for column in served.metadata.signature.inputs.inputs}
    features = dict.fromkeys(CONTRACT.names, "double")
    assert types == features | dict.fromkeys(("post", "account", "network"), "string")


def test_mlflow_answers_as_the_model_does(served: PyFuncModel, trained: TrainedSociety, frame: pd.DataFrame) -> None:
    ours = trained.model.score(frame)
    pd.testing.assert_frame_equal(served.predict(frame), ours, check_exact=True)
    assert list(ours["post"]) == list(frame["post"])
    assert np.isfinite(ours.select_dtypes("number")).all(axis=None)
    assert ours["score"].between(1, 100).all()
    assert ours["score"].std() > 3
    assert (ours["score_low"] <= ours["score"]).all()
    assert (ours["score"] <= ours["score_high"]).all()


def test_the_model_takes_nothing_along_from_where_it_was_trained(served: PyFuncModel) -> None:
    taken = {file.path for file in mlflow.artifacts.list_artifacts(f"models:/{served.metadata.model_id}")}
    assert "MLmodel" in taken
    assert not {"uv.lock", "pyproject.toml", "code"} & taken


def test_the_card_says_data_action_values_and_scale(trained: TrainedSociety) -> None:
    card, data = trained.model.card, trained.model.data
    network = data["networks"]["commons"]
    assert f"{network['posts']:,} posts of {network['accounts']:,} accounts taught this model." in card
    assert (
        f"| commons | {network['posts']:,} | {network['accounts']:,} | 2025-01-06 | {network['through'][:10]} |" in card
    )
    assert f"`{trained.lake.fingerprint()}`" in card
    assert "- A made-up society." in card
    for kind, value in {"like": 1, "reshare": 2, "reply": 2, "quote": 3, "reaction": 1}.items():
        assert f"| {kind} | {value} |" in card
    curve = trained.model.scale.curves["commons"]
    assert f"| commons | {curve.accounts} | {np.expm1(curve.mean):.2g} |" in card
    assert "This is scale version 1." in card


def test_the_data_facts_are_those_of_the_lake(trained: TrainedSociety, studied: Studied) -> None:
    data = trained.model.data
    assert data["labelled_posts"] == studied.dataset.frame.height
    assert data["taught_before"][:19] == studied.dataset.plan.final.start.isoformat()[:19]
    taught = studied.dataset.frame.filter(studied.dataset.plan.final.taught())
    assert data["networks"]["commons"]["posts"] == taught.height
    assert not data["retrospective"]


def test_a_second_one_stays_challenger(retrained: Retrained, trained: TrainedSociety) -> None:
    second = retrained.told["version"]
    assert second != trained.trained.version
    assert {check["status"] for check in retrained.told["checks"]} == {"passed"}
    assert not retrained.told["champion"]
    assert pointed(retrained.home, "champion") == trained.trained.version
    assert pointed(retrained.home, "challenger") == second
    client = MlflowClient(f"sqlite:///{retrained.home / 'mlflow.db'}")
    assert client.get_model_version_by_alias("clout", "challenger").tags["bundle"] == second
    assert client.get_model_version_by_alias("clout", "champion").tags["bundle"] == trained.trained.version


def test_a_second_one_keeps_the_scale(retrained: Retrained, trained: TrainedSociety) -> None:
    assert (retrained.home / "scale.json").read_bytes() == (trained.home / "scale.json").read_bytes()
    folders = [Path(retrained.told["directory"]), trained.trained.directory]
    first, second = [(folder / "scale.json").read_bytes() for folder in folders]
    assert first == second
    texts = [(folder / "calibration.json").read_bytes() for folder in folders]
    assert texts[0] != texts[1]


def test_a_store_that_does_not_answer_is_told_before_anything_is_read(tmp_path: Path) -> None:
    told: list[str] = []
    with silent_store() as store, pytest.raises(RegistryError, match=f"there is no answer from MLflow at {store}"):
        train(Lake(tmp_path / "lake"), Params(), tmp_path / "home", store, told.append)
    assert told == []
    assert list(tmp_path.iterdir()) == []


def test_a_lake_without_posts_leaves_no_home(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the lake has no posts; expected posts .*`clout simulate`"):
        train(Lake(tmp_path / "lake"), Params(), tmp_path / "home", "sqlite:///nowhere.db")
    assert list(tmp_path.iterdir()) == []
