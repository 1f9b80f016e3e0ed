"""What MLflow's registry has of our bundles: which there are, the files of one, and which it calls champion."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from clout.errors import without_passwords
from clout.models import bundle, reach, whole_file
from clout.models.registry import CHAMPION, MODEL_NAME, VERSION_TAG, RegistryError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

SQLITE = "sqlite:///"


def find(tracking_uri: str, prefix: str) -> list[str]:
    """The versions of all bundles that were logged there and begin with `prefix`."""
    with _asked(tracking_uri) as client:
        return sorted({model.tags[VERSION_TAG] for model in _search(client, "LIKE", f"{prefix}%")})


def aliased(tracking_uri: str) -> str | None:
    """The version of the bundle that MLflow calls champion; None when it calls none so."""
    with _asked(tracking_uri) as client:
        found = client.search_registered_models(f"name = '{MODEL_NAME}'")
        number = dict(found[0].aliases).get(CHAMPION) if found else None
        return client.get_model_version(MODEL_NAME, number).tags.get(VERSION_TAG) if number else None


def set_alias(tracking_uri: str, version: str) -> None:
    """Nothing; MLflow then calls the newest model that carries this bundle champion."""
    with _asked(tracking_uri) as client:
        client.set_registered_model_alias(MODEL_NAME, CHAMPION, _newest(client, tracking_uri, version).version)


def download(tracking_uri: str, version: str, target: Path) -> None:
    """Nothing; `target` then holds the bundle as it was logged, every file of it verified; a damaged one makes room."""
    with _asked(tracking_uri) as client, tempfile.TemporaryDirectory(prefix="clout-") as folder:
        from mlflow.artifacts import download_artifacts  # noqa: PLC0415 - takes seconds, and most commands never ask

        # Not models:/…, which MLflow looks for in the store that is set for the whole process.
        uri = client.get_model_version_download_uri(MODEL_NAME, _newest(client, tracking_uri, version).version)
        root = Path(download_artifacts(artifact_uri=uri, dst_path=folder, tracking_uri=tracking_uri))
        manifests = list(root.rglob(bundle.MANIFEST))
        if len(manifests) != 1:
            raise RegistryError(f"{without_passwords(uri)} holds {len(manifests)} bundles; expected one: log it again")
        bundle.put(target, bundle.read(manifests[0].parent).files)


def download_file(tracking_uri: str, version: str, name: str, target: Path) -> bool:
    """Whether the run that logged this bundle has an artifact `name`; it is then at `target`."""
    with _asked(tracking_uri) as client, tempfile.TemporaryDirectory(prefix="clout-") as folder:
        run = _newest(client, tracking_uri, version).run_id
        if not run or name not in {file.path for file in client.list_artifacts(run)}:
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        whole_file.write(target, Path(client.download_artifacts(run, name, folder)).read_bytes())
        return True


@contextmanager
def _asked(tracking_uri: str) -> Iterator[MlflowClient]:
    """A client of the store; what goes wrong with it is a `RegistryError`."""
    if tracking_uri.startswith(SQLITE) and not Path(tracking_uri.removeprefix(SQLITE)).is_file():
        raise RegistryError(
            f"there is no MLflow store at {tracking_uri}; expected the one that trainings are logged to: see "
            "CLOUT_TRACKING_URI",
            code="no_store",
        )
    reach.ask(tracking_uri)
    from mlflow import MlflowClient, MlflowException  # noqa: PLC0415 - takes seconds, and a server never asks
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    try:
        yield MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
    except (MlflowException, SQLAlchemyError, OSError) as error:
        reason = next((line for line in str(error).splitlines() if not line.startswith("(raised as")), str(error))
        raise RegistryError(
            f"MLflow at {without_passwords(tracking_uri)} did not answer as needed ({without_passwords(reason)}); expected the store that "
            "trainings are logged to, with their files: see CLOUT_TRACKING_URI, then try again",
            code="store",
        ) from error


def _newest(client: MlflowClient, tracking_uri: str, version: str) -> ModelVersion:
    found = _search(client, "=", version)
    if not found:
        raise RegistryError(
            f"no version of the registered model {MODEL_NAME!r} carries the bundle {version} at {without_passwords(tracking_uri)}; "
            "expected one: log the bundle there first, or give the tracking URI it was logged to"
        )
    return max(found, key=lambda model: int(model.version))


def _search(client: MlflowClient, operator: str, version: str) -> list[ModelVersion]:
    found: list[ModelVersion] = []
    token = None
    while token is None or token:
        asked = f"name = '{MODEL_NAME}' and tags.{VERSION_TAG} {operator} '{version}'"
        page = client.search_model_versions(asked, page_token=token)
        found, token = [*found, *page], page.token or ""
    return found
