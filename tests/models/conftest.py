"""The small bundle, on disk and loaded."""

from __future__ import annotations

from pathlib import Path

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
