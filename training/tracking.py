"""Everything MLflow is told: the run with its figures and plots, and the registered model, alias `challenger`."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Mapping
from contextlib import redirect_stderr
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import polars as pl

from clout.errors import CloutError, without_passwords
from clout.models import reach, registry
from clout.models.bundle import Bundle
from clout.models.registry import CHALLENGER, MODEL_NAME, VERSION_TAG, RegistryError
from clout.models.score_model import IDS, ScoreModel
from clout.training.card import BASELINES, opening
from clout.training.differences import flat

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read on import: nobody is told that a model was trained
os.environ.setdefault("MLFLOW_LOG_UV_FILES", "false")  # else it takes along the project of whoever trains
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")  # its news of migrations would break the progress bar

import mlflow
from mlflow import MlflowClient
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from sqlalchemy.exc import SQLAlchemyError

SQLITE = "sqlite:///"
DOCUMENTS = (
    "card.md",
    "card.html",
    "metrics.json",
    "checks.json",
    "params.json",
    "data.json",
    "provenance.json",
    "origin.json",
)
# Not clout itself: on PyPI that name belongs to another project.
REQUIREMENTS = ("lightgbm", "numpy", "pandas", "polars", "pydantic", "scipy")
DESCRIPTION_CHARACTERS = 5000
JUDGED = "judged.parquet"
FINDING = "finding"
FIGURES = (
    "spearman",
    "r2_log",
    "within_account_spearman",
    "top_decile_lift",
    "ndcg",
    "crps",
    "total_ratio",
    "decile_log_error",
    "coverage",
    "coverage_worst_group",
    "interval_width_log",
)


class TrackingError(CloutError):
    """The MLflow store cannot be reached or written."""

    code = "tracking"


def log_run(
    tracking_uri: str,
    experiment: str,
    bundle_directory: str | Path,
    *,
    params: Mapping[str, Any],
    metrics: Mapping[str, Any],
    plots: Mapping[str, Path],
    judged: pl.DataFrame,
    tags: Mapping[str, str],
) -> tuple[str, str]:
    """The run's id and the number of the model version that now has the alias `challenger`.

    Nested `params` are flattened with dots. Of `metrics`, a report of `evaluate`, the run gets `headline`; all of it is
    in metrics.json, and `judged` in judged.parquet. Raises `TrackingError` when the store cannot be reached or written.
    """
    try:
        reach.ask(tracking_uri)
        return _log_run(tracking_uri, experiment, bundle_directory, params, metrics, plots, judged, tags)
    except (RegistryError, mlflow.MlflowException, SQLAlchemyError, OSError) as error:
        reason = next((line for line in str(error).splitlines() if not line.startswith("(raised as")), error)
        raise TrackingError(
            without_passwords(
                f"cannot log the training to {tracking_uri} ({reason}); expected an MLflow store that can be "
            )
            + "reached and written, such as sqlite:///mlflow.db: the model was not kept. See CLOUT_TRACKING_URI, then "
            "train again: the same data and parameters give the same model"
        ) from error


def _log_run(
    tracking_uri: str,
    experiment: str,
    bundle_directory: str | Path,
    params: Mapping[str, Any],
    metrics: Mapping[str, Any],
    plots: Mapping[str, Path],
    judged: pl.DataFrame,
    tags: Mapping[str, str],
) -> tuple[str, str]:
    for name in ("mlflow.utils.environment", "mlflow.store.db.utils"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # one misses pip, which nothing needs; the other raises, too
    model = ScoreModel.load(bundle_directory)
    if database := _database(tracking_uri):
        _begin(database)
    mlflow.set_tracking_uri(tracking_uri)
    client = MlflowClient()
    identity = {VERSION_TAG: model.version, "scale": model.scale_version}
    with mlflow.start_run(
        experiment_id=_experiment(client, database, experiment),
        run_name=_name(model),
        description=note(model),
        tags={**tags, **identity},
    ) as run:
        _log_figures(params, metrics)
        _log_documents(model.bundle, plots, judged)
        logged = mlflow.pyfunc.log_model(
            name="model",
            loader_module="clout.models.mlflow_loader",
            data_path=str(bundle_directory),
            signature=signature(model),
            input_example=example(model),
            pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
        )
    with redirect_stderr(StringIO()):  # it would tell of what the command tells anyway
        registered = mlflow.register_model(logged.model_uri, MODEL_NAME, tags=identity)
    client.update_model_version(MODEL_NAME, registered.version, description=opening(model.card, DESCRIPTION_CHARACTERS))
    client.set_registered_model_alias(MODEL_NAME, CHALLENGER, registered.version)
    return run.info.run_id, str(registered.version)


def bundle_of_run(tracking_uri: str, run_id: str) -> str:
    """The version of the bundle that a run logged."""
    try:
        tags = MlflowClient(tracking_uri=tracking_uri).get_run(run_id).data.tags
    except (mlflow.MlflowException, SQLAlchemyError, OSError) as error:
        known = without_passwords(tracking_uri)
        raise TrackingError(
            f"there is no run {run_id} at {known}; expected the id of one that `clout train` made"
        ) from error
    if VERSION_TAG not in tags:
        raise TrackingError(f"the run {run_id} made no bundle; expected one that `clout train` made: give another id")
    return tags[VERSION_TAG]


def signature(model: ScoreModel) -> ModelSignature:
    """What MLflow checks frames against: the network as text, every feature as a double, ids if there are any."""
    ids = [ColSpec(DataType.string, name, required=False) for name in IDS]
    features = [ColSpec(DataType.double, name) for name in model.contract.names]
    answers = [ColSpec(DataType.double, str(name)) for name in model.score(example(model))]
    return ModelSignature(
        inputs=Schema([*ids, ColSpec(DataType.string, "network"), *features]), outputs=Schema([*answers])
    )


def example(model: ScoreModel) -> pd.DataFrame:
    """One row with the middle value of every feature, 0 where there is none."""
    marks = model.bundle.json("quantiles.json")
    middle = {name: float(marks[name][2]) if marks.get(name) else 0.0 for name in model.contract.names}
    return pd.DataFrame([{"network": model.networks[0], **middle}])


def _database(tracking_uri: str) -> Path | None:
    """The file of an SQLite store."""
    return Path(tracking_uri.removeprefix(SQLITE)).absolute() if tracking_uri.startswith(SQLITE) else None


def _begin(database: Path) -> None:
    """Nothing; the file has its tables. They are made beside it: MLflow cannot go on with a file whose making broke off."""
    with registry.locked(database.parent):
        if database.exists():
            return
        with TemporaryDirectory(dir=database.parent, prefix=registry.TRAINING) as folder:
            begun = Path(folder) / database.name
            MlflowClient(f"{SQLITE}{begun}").search_experiments(max_results=1)
            begun.rename(database)


def _experiment(client: MlflowClient, database: Path | None, name: str) -> str:
    """The experiment's id; beside an SQLite file its artifacts lie in a folder, not where the command was given."""
    known = client.get_experiment_by_name(name)
    if known:
        return str(known.experiment_id)
    location = (database.parent / "artifacts").as_uri() if database else None
    return str(client.create_experiment(name, artifact_location=location))


def _name(model: ScoreModel) -> str:
    """What lists of runs call it."""
    trees = model.bundle.booster("model.txt").num_trees()
    return f"{model.version}: {trees} trees, {', '.join(model.networks)} through {model.data['data_through'][:10]}"


def note(model: ScoreModel) -> str:
    """What the run's page says first, in Markdown."""
    checks = model.bundle.json("checks.json").get("checks", [])
    findings = [
        f"- {check['code']} {check['title']}: {check['detail']}" for check in checks if check["status"] == FINDING
    ]
    return "\n".join(
        [
            f"The bundle `{model.version}`; its card is `card.md`, every figure with its interval is in `metrics.json`.",
            "",
            f"Put it beside the champion: `clout compare champion {model.version}`",
            *(["", "Findings of its checks:", "", *findings] if findings else []),
        ]
    )


def headline(report: Mapping[str, Any]) -> dict[str, float]:
    """The figures that runs are compared by, under the same names in every run; NaN where one cannot be told.

    `model.<figure>` and `skill.<baseline>`, as in the report of `evaluate`, without intervals.
    """
    names = {"model": FIGURES, "skill": tuple(BASELINES)}
    values = {
        f"{part}.{name}": report.get(part, {}).get(name, {}).get("value") for part, of in names.items() for name in of
    }
    return {name: float("nan") if value is None else float(value) for name, value in values.items()}


def _log_figures(params: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
    flattened = {re.sub(r"[^\w. :/-]", "_", key): value for key, value in flat(params)}
    mlflow.log_params({key: value if isinstance(value, str) else json.dumps(value) for key, value in flattened.items()})
    mlflow.log_metrics(headline(metrics))


def _log_documents(bundle: Bundle, plots: Mapping[str, Path], judged: pl.DataFrame) -> None:
    for name in DOCUMENTS:
        mlflow.log_text(bundle.text(name), name)
    with TemporaryDirectory() as folder:
        judged.write_parquet(Path(folder) / JUDGED)
        mlflow.log_artifact(str(Path(folder) / JUDGED))
    for path in plots.values():
        mlflow.log_artifact(str(path), "plots")
