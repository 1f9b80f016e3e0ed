"""Everything MLflow is told: the run with its figures and plots, and the registered model, alias `challenger`."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from clout.errors import CloutError
from clout.models.bundle import Bundle
from clout.models.registry import CHALLENGER, MODEL_NAME, VERSION_TAG
from clout.models.score_model import IDS, ScoreModel
from clout.training.card import opening

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read on import: nobody is told that a model was trained
os.environ.setdefault("MLFLOW_LOG_UV_FILES", "false")  # else it takes along the project of whoever trains
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")  # its news of migrations would break the progress bar

import mlflow
from mlflow import MlflowClient
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from sqlalchemy.exc import SQLAlchemyError

SQLITE = "sqlite:///"
DOCUMENTS = ("card.md", "card.html", "metrics.json", "checks.json", "params.json", "data.json")
# Not clout itself: on PyPI that name belongs to another project.
REQUIREMENTS = ("lightgbm", "numpy", "pandas", "polars", "pydantic", "scipy")
DESCRIPTION_CHARACTERS = 5000


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
    tags: Mapping[str, str],
) -> tuple[str, str]:
    """The run's id and the number of the model version that now has the alias `challenger`.

    Nested `params` and `metrics` are flattened with dots; a metric that is not a number is left out. Raises `TrackingError`
    when the store cannot be reached or written.
    """
    try:
        return _log_run(tracking_uri, experiment, bundle_directory, params, metrics, plots, tags)
    except (mlflow.MlflowException, SQLAlchemyError, OSError) as error:
        reason = next((line for line in str(error).splitlines() if not line.startswith("(raised as")), error)
        raise TrackingError(
            _without_password(
                f"cannot log the training to {tracking_uri} ({reason}); expected an MLflow store that can be "
            )
            + "reached and written, such as sqlite:///mlflow.db: see CLOUT_TRACKING_URI, then train again"
        ) from error


def _log_run(
    tracking_uri: str,
    experiment: str,
    bundle_directory: str | Path,
    params: Mapping[str, Any],
    metrics: Mapping[str, Any],
    plots: Mapping[str, Path],
    tags: Mapping[str, str],
) -> tuple[str, str]:
    for name in ("mlflow.utils.environment", "mlflow.store.db.utils"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # one misses pip, which nothing needs; the other raises, too
    model = ScoreModel.load(bundle_directory)
    mlflow.set_tracking_uri(tracking_uri)
    client = MlflowClient()
    identity = {VERSION_TAG: model.version, "scale": model.scale_version}
    with mlflow.start_run(
        experiment_id=_experiment(client, tracking_uri, experiment), tags={**tags, **identity}
    ) as run:
        _log_figures(params, metrics)
        _log_documents(model.bundle, plots)
        logged = mlflow.pyfunc.log_model(
            name="model",
            loader_module="clout.models.mlflow_loader",
            data_path=str(bundle_directory),
            signature=signature(model),
            input_example=example(model),
            pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
        )
    registered = mlflow.register_model(logged.model_uri, MODEL_NAME, tags=identity)
    client.update_model_version(MODEL_NAME, registered.version, description=opening(model.card, DESCRIPTION_CHARACTERS))
    client.set_registered_model_alias(MODEL_NAME, CHALLENGER, registered.version)
    return run.info.run_id, str(registered.version)


def _without_password(words: str) -> str:
    return re.sub(r"://[^/@\s]*@", "://", words)


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


def _experiment(client: MlflowClient, tracking_uri: str, name: str) -> str:
    """The experiment's id; beside an SQLite file its artifacts lie in a folder, not where the command was given."""
    database = Path(tracking_uri.removeprefix(SQLITE)).absolute() if tracking_uri.startswith(SQLITE) else None
    if database:
        database.parent.mkdir(parents=True, exist_ok=True)
    known = client.get_experiment_by_name(name)
    if known:
        return str(known.experiment_id)
    location = (database.parent / "artifacts").as_uri() if database else None
    return str(client.create_experiment(name, artifact_location=location))


def _log_figures(params: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
    mlflow.log_params({key: value if isinstance(value, str) else json.dumps(value) for key, value in _flat(params)})
    mlflow.log_metrics({key: float(value) for key, value in _flat(metrics) if isinstance(value, (int, float))})


def _log_documents(bundle: Bundle, plots: Mapping[str, Path]) -> None:
    for name in DOCUMENTS:
        mlflow.log_text(bundle.text(name), name)
    for path in plots.values():
        mlflow.log_artifact(str(path), "plots")


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        key = prefix + re.sub(r"[^\w. :/-]", "_", str(name))
        if isinstance(value, Mapping):
            yield from _flat(value, f"{key}.")
        else:
            yield key, value
