"""A small home, what is loaded from it, and the application that answers with it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import served_home
from asked import Asked

from clout.serving.active_model import ActiveModel, Loaded
from clout.serving.api import application

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a champion and a lake; not to be changed."""
    return served_home.make(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="session")
def active(home: Path) -> ActiveModel:
    model = ActiveModel()
    model.load(home, str(home / "lake"))
    return model


@pytest.fixture(scope="session")
def loaded(active: ActiveModel) -> Loaded:
    return active.current()


@pytest.fixture(scope="session")
def now() -> datetime:
    """When all requests are asked: a year after the lake ends."""
    return NOW


@pytest.fixture
def client(active: ActiveModel) -> Asked:
    """A client of a fresh application, whose figures begin at nothing."""
    return Asked(application(active, lambda: NOW))
