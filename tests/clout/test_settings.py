"""Settings come from the environment, and each says in a sentence what it is."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from clout.cli import app
from clout.settings import Settings, SettingsError, read_settings


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch):
    """Nothing set."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"CLOUT_{name.upper()}", raising=False)


def test_defaults_live_in_home(monkeypatch: pytest.MonkeyPatch):
    settings = read_settings()
    assert (settings.home, settings.lake) == (Path(".clout"), ".clout/lake")
    assert settings.tracking_uri == "sqlite:///.clout/mlflow.db"
    assert settings.store == "sqlite:///.clout/scores.db"
    assert (settings.host, settings.port) == ("127.0.0.1", 3000)
    monkeypatch.setenv("CLOUT_HOME", "/srv/clout")
    assert read_settings().lake == "/srv/clout/lake"
    assert read_settings().tracking_uri == "sqlite:////srv/clout/mlflow.db"


def test_each_may_be_set_apart(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CLOUT_LAKE", "s3://bucket/lake")
    monkeypatch.setenv("CLOUT_PORT", "8080")
    assert (read_settings().lake, read_settings().port) == ("s3://bucket/lake", 8080)
    monkeypatch.setenv("CLOUT_STORE", "postgresql+psycopg://clout@db/scores")
    assert read_settings().store == "postgresql+psycopg://clout@db/scores"
    monkeypatch.setenv("CLOUT_LAKE", "")
    assert read_settings().lake == ".clout/lake"


def test_settings_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        read_settings().port = 1


@pytest.mark.parametrize("value", ["eighty", "0", "70000"])
def test_what_cannot_be_used_is_told(value: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CLOUT_PORT", value)
    with pytest.raises(SettingsError, match=rf"cannot use CLOUT_PORT='{value}': .*; set it anew or unset it"):
        read_settings()


@pytest.mark.parametrize("below", ["", "/home"])
def test_a_home_that_is_a_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CLOUT_HOME", f"{tmp_path}/file{below}")
    with pytest.raises(SettingsError, match=rf"CLOUT_HOME='.*/file{below}': .*/file is a file; expected a folder"):
        read_settings()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_each_has_a_sentence(name: str):
    assert (Settings.model_fields[name].description or "").endswith(".")


def test_who_is_the_user_and_the_host_unless_somebody_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "amy")
    monkeypatch.delenv("CLOUT_ACTOR", raising=False)
    assert read_settings().who == f"amy@{platform.node()}"
    monkeypatch.setenv("CLOUT_ACTOR", "the night job")
    assert read_settings().who == "the night job"


@pytest.mark.parametrize(
    "given", ["app.example", "*", "null", "https://app.example/", "https://App.example", "https://a.example,b.example"]
)
def test_an_origin_is_as_a_browser_sends_it(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("CLOUT_CORS_ORIGINS", given)
    with pytest.raises(SettingsError, match=r"CLOUT_CORS_ORIGINS=.*got .* as origin; expected each as a browser sends"):
        read_settings()


@pytest.mark.parametrize(
    "given", ["https://app.example, http://127.0.0.1:8080", "http://[::1]:3000", "http://localhost"]
)
def test_origins_with_a_scheme_are_taken(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("CLOUT_CORS_ORIGINS", given)
    assert read_settings().cors_origins == given


def test_a_variable_that_is_misspelt_is_told(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["lake"], env={"CLOUT_LAEK": "elsewhere", "CLOUT_HOME": str(tmp_path)})
    assert said.exit_code == 0
    assert said.stderr == "warning: CLOUT_LAEK sets nothing; did you mean CLOUT_LAKE?\n"
