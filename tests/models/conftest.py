"""The small bundle, on disk and loaded."""

from __future__ import annotations

import shutil
from pathlib import Path

import model_store
import pandas as pd
import pytest
import small_bundle

from clout.models import bundle
from clout.models.score_model import ScoreModel


@pytest.fixture(scope="session")
def bundle_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the small bundle lies; not to be changed."""
    directory = tmp_path_factory.mktemp("bundles") / "small"
    bundle.write(directory, small_bundle.files())
    return directory


@pytest.fixture(scope="session")
def model(bundle_directory: Path) -> ScoreModel:
    return ScoreModel.load(bundle_directory)


@pytest.fixture
def frame() -> pd.DataFrame:
    """All rows of the population, with ids."""
    return small_bundle.population().frame()


@pytest.fixture(scope="session")
def registered_store(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the registered model; not to be changed."""
    return model_store.make(tmp_path_factory.mktemp("mlflow") / "mlflow.db", empty_store)


@pytest.fixture
def store(registered_store: Path, tmp_path: Path) -> str:
    """The address of a store of the test's own."""
    return f"sqlite:///{shutil.copy(registered_store, tmp_path / 'mlflow.db')}"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"
