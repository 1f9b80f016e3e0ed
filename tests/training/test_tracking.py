from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import polars as pl
import pytest
import small_bundle
from full_disk import KB, no_room_beyond
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.pyfunc import PyFuncModel
from silent_store import silent_store
from trained_society import TrainedSociety

from clout.models import bundle, mlflow_registry
from clout.models.score_model import ScoreModel
from clout.training.card import BASELINES
from clout.training.tracking import DOCUMENTS, FIGURES, TrackingError, headline, log_run, note

PARAMS = {"fit": {"trees": 30, "monotone": True}, "kinds": ["like", "reshare"], "network": "twitter", "cap": None}
METRICS = {
    "posts": 1500,
    "model": {"spearman": {"value": 0.7, "low": 0.6, "high": 0.8}, "crps": {"value": None}, "other": {"value": 1.0}},
    "skill": {"account_mean": {"value": 0.15, "low": 0.1, "high": 0.2}},
    "groups": {"network=twitter": {"posts": 700, "spearman": 0.6}},
    "deciles": [{"expected": 1.0, "actual": 2.0}],
}
FILES = small_bundle.files() | {"origin.json": "{}"}
JUDGED = pl.DataFrame({"post": ["twitter/1", "twitter/2"], "margin": [0.5, 1.5]})


@dataclass(frozen=True)
class Logged:
    """A run in a store of its own."""

    folder: Path
    uri: str
    run_id: str
    version: str

    @property
    def client(self) -> MlflowClient:
        """MLflow, asked about that store."""
        return MlflowClient(self.uri)

    @property
    def run(self) -> Run:
        """The run as MLflow has it."""
        return self.client.get_run(self.run_id)


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Logged:
    folder = tmp_path_factory.mktemp("tracking")
    bundle.write(folder / "bundle", FILES)
    (folder / "lift.svg").write_text("<svg/>")
    uri = f"sqlite:///{folder}/state/mlflow.db"
    run_id, version = log_run(
        uri,
        "rehearsal",
        folder / "bundle",
        params=PARAMS,
        metrics=METRICS,
        plots={"lift": folder / "lift.svg"},
        judged=JUDGED,
        tags={"data": "simulated"},
    )
    return Logged(folder, uri, run_id, version)


@pytest.fixture(scope="module")
def served(logged: Logged) -> PyFuncModel:
    mlflow.set_tracking_uri(logged.uri)
    return mlflow.pyfunc.load_model("models:/clout@challenger")


@pytest.fixture
def frame() -> pd.DataFrame:
    return small_bundle.population().frame()


def test_params_are_flat(logged: Logged):
    assert logged.run.data.params == {
        "fit.trees": "30",
        "fit.monotone": "true",
        "kinds": '["like", "reshare"]',
        "network": "twitter",
        "cap": "null",
    }
    assert logged.run.info.status == "FINISHED"


def test_metrics_are_the_figures_one_compares_under_the_same_names_in_every_run(logged: Logged):
    metrics = logged.run.data.metrics
    assert set(metrics) == {*(f"model.{name}" for name in FIGURES), *(f"skill.{name}" for name in BASELINES)}
    assert set(metrics) == set(headline({}))
    told = {name: value for name, value in metrics.items() if not np.isnan(value)}
    assert told == {"model.spearman": 0.7, "skill.account_mean": 0.15}


def test_the_figures_are_those_of_a_report(trained: TrainedSociety):
    report = trained.trained.report
    assert set(FIGURES) == set(report["model"])
    assert set(report["skill"]) == set(BASELINES)
    figures = headline(report)
    assert figures["model.coverage"] == report["model"]["coverage"]["value"]
    assert not any(np.isnan(value) for value in figures.values())


def test_a_run_is_called_by_its_version_and_says_how_to_compare_it(logged: Logged):
    version = bundle.verify(logged.folder / "bundle")
    assert logged.run.info.run_name == f"{version}: 30 trees, bluesky, twitter through 2026-01-31"
    said = logged.run.data.tags["mlflow.note.content"]
    assert f"`clout compare champion {version}`" in said
    assert "Findings" not in said


def test_what_the_run_says_first_tells_findings(tmp_path: Path):
    found = {"code": "CLOUT002", "title": "totals add up", "status": "finding", "detail": "2.0"}
    checks = {"checks": [found, found | {"code": "CLOUT003", "status": "passed"}]}
    bundle.write(tmp_path / "bundle", FILES | {"checks.json": bundle.to_json(checks)})
    assert note(ScoreModel.load(tmp_path / "bundle")).endswith("\n- CLOUT002 totals add up: 2.0")


def test_what_was_said_of_judged_posts_is_an_artifact(logged: Logged):
    file = logged.client.download_artifacts(logged.run_id, "judged.parquet", str(logged.folder))
    assert pl.read_parquet(file).equals(JUDGED)


def test_the_run_carries_its_bundle_s_version(logged: Logged):
    tags = logged.run.data.tags
    assert tags["bundle"] == bundle.verify(logged.folder / "bundle")
    assert (tags["scale"], tags["data"]) == ("1", "simulated")
    assert logged.client.get_experiment(logged.run.info.experiment_id).name == "rehearsal"


def test_card_figures_and_plots_are_artifacts(logged: Logged):
    documents = {item.path for item in logged.client.list_artifacts(logged.run_id)}
    assert documents == {*DOCUMENTS, "judged.parquet", "plots"}
    assert [item.path for item in logged.client.list_artifacts(logged.run_id, "plots")] == ["plots/lift.svg"]


def test_artifacts_lie_beside_the_database(logged: Logged):
    assert sorted(path.name for path in (logged.folder / "state").iterdir()) == [".lock", "artifacts", "mlflow.db"]
    assert not Path("mlruns").exists()


def test_the_model_is_registered_as_challenger(logged: Logged):
    model = logged.client.get_model_version_by_alias("clout", "challenger")
    assert str(model.version) == logged.version == "1"
    assert model.tags == {"bundle": bundle.verify(logged.folder / "bundle"), "scale": "1"}
    assert model.description.startswith("# Clout")


def test_the_signature_is_there_and_every_feature_a_double(served: PyFuncModel):
    inputs, outputs = served.metadata.signature.inputs, served.metadata.signature.outputs
    types = {column.name: (column.type.name, column.required) for column in inputs.inputs}
    doubles = dict.fromkeys(small_bundle.contract().names, ("double", True))
    ids = dict.fromkeys(["post", "account"], ("string", False))
    assert types == ids | {"network": ("string", True)} | doubles
    assert outputs.input_names()[:3] == ["score", "score_low", "score_high"]


def test_the_example_has_no_nulls_and_is_answered(served: PyFuncModel):
    example = served.input_example
    assert example.notna().all(axis=None)
    assert list(served.predict(example).columns) == served.metadata.signature.outputs.input_names()


def test_nothing_of_another_project_would_be_installed(served: PyFuncModel):
    requirements = mlflow.pyfunc.get_model_dependencies(f"models:/{served.metadata.model_id}")
    names = {line.split("==")[0].strip() for line in Path(requirements).read_text().splitlines()}
    assert names == {"mlflow", "lightgbm", "numpy", "pandas", "polars", "pydantic", "scipy"}


def test_mlflow_scores_as_the_model_does(served: PyFuncModel, logged: Logged, frame: pd.DataFrame):
    ours = ScoreModel.load(logged.folder / "bundle").score(frame)
    pd.testing.assert_frame_equal(served.predict(frame), ours, check_exact=True)
    backwards = frame[list(reversed(frame.columns))]
    pd.testing.assert_frame_equal(served.predict(backwards), ours, check_exact=True)


def test_mlflow_scores_a_row_with_nothing_known(served: PyFuncModel, frame: pd.DataFrame):
    row = frame.head(1).assign(**dict.fromkeys(small_bundle.contract().names, np.nan))
    assert served.predict(row)["score"].between(1, 100).all()


def test_mlflow_refuses_a_renamed_column(served: PyFuncModel, frame: pd.DataFrame):
    with pytest.raises(mlflow.MlflowException, match="gap_hours"):
        served.predict(frame.rename(columns={"gap_hours": "hours_gap"}))


def test_a_second_run_is_the_new_challenger_and_may_be_promoted(logged: Logged, tmp_path: Path):
    version = bundle.write(tmp_path / "bundle", FILES | {"card.md": "# Second\n"})
    _, number = log_run(
        logged.uri, "rehearsal", tmp_path / "bundle", params={}, metrics={}, plots={}, judged=JUDGED, tags={}
    )
    assert number == "2"
    mlflow_registry.set_alias(logged.uri, version)
    for alias in ("challenger", "champion"):
        assert logged.client.get_model_version_by_alias("clout", alias).tags["bundle"] == version


def test_a_file_store_is_refused(tmp_path: Path):
    bundle.write(tmp_path / "bundle", FILES)
    with pytest.raises(
        TrackingError, match=r"(?i)cannot log the training to file://.*\(.*file.*\); expected an MLflow store"
    ):
        log_run(
            f"file://{tmp_path}/mlruns",
            "x",
            tmp_path / "bundle",
            params={},
            metrics={},
            plots={},
            judged=JUDGED,
            tags={},
        )


def test_a_store_that_was_taken_away_is_told(logged: Logged, tmp_path: Path):
    """SQLAlchemy begins such words with how it came to ask, and ends them with the question."""
    shutil.copytree(logged.folder / "state", tmp_path / "state")
    uri, file = f"sqlite:///{tmp_path}/state/mlflow.db", tmp_path / "state" / "mlflow.db"
    assert MlflowClient(uri).search_experiments()
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content)
    with pytest.raises(TrackingError) as refused:
        log_run(uri, "rehearsal", logged.folder / "bundle", params={}, metrics={}, plots={}, judged=JUDGED, tags={})
    assert f"cannot log the training to {uri} ((sqlite3.OperationalError) " in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_store_that_cannot_be_reached_is_told_without_its_password(tmp_path: Path):
    bundle.write(tmp_path / "bundle", FILES)
    with pytest.raises(TrackingError) as refused:
        log_run(
            "bogus://me:secret@host/db",
            "x",
            tmp_path / "bundle",
            params={},
            metrics={},
            plots={},
            judged=JUDGED,
            tags={},
        )
    assert str(refused.value).startswith("cannot log the training to bogus://me:***@host/db (")
    assert "secret" not in str(refused.value)


def test_a_store_that_went_away_meanwhile_is_told_with_what_was_lost(logged: Logged):
    nothing = {"params": {}, "metrics": {}, "plots": {}, "judged": JUDGED, "tags": {}}
    with silent_store() as uri, pytest.raises(TrackingError) as refused:
        log_run(uri, "x", logged.folder / "bundle", **nothing)
    assert str(refused.value).startswith(f"cannot log the training to {uri} (there is no answer from MLflow at {uri}")
    assert "the model was not kept. See CLOUT_TRACKING_URI, then train again" in str(refused.value)


def test_a_store_that_could_not_be_begun_is_begun_later(logged: Logged, tmp_path: Path):
    def log() -> str:
        told = {"params": PARAMS, "metrics": METRICS, "plots": {}, "judged": JUDGED, "tags": {}}
        return log_run(f"sqlite:///{tmp_path}/mlflow.db", "rehearsal", logged.folder / "bundle", **told)[1]

    with no_room_beyond(100 * KB), pytest.raises(TrackingError, match="cannot log the training"):
        log()
    assert [file.name for file in tmp_path.iterdir()] == [".lock"]
    assert log() == "1"
