"""Where Clout keeps things and where it answers, from `CLOUT_*` variables."""

from __future__ import annotations

import getpass
import platform
import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from clout.errors import CloutError

# What a browser sends: a scheme, a host in small letters, and a port where it is not the usual one.
ORIGIN = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")

# As alike as two names are of which one is misspelt; CLOUT_HOSTNAME, say, is another's.
NEAR = 0.85


class SettingsError(CloutError):
    """A `CLOUT_*` variable that cannot be used."""

    code = "settings"


def _in_home(name: str, scheme: str = "") -> Any:  # noqa: ANN401 (what pydantic's Field returns)
    return lambda data: f"{scheme}{data['home'] / name}"


class Settings(BaseSettings):
    """Settings of the command line and the service; `CLOUT_HOME` sets `home`, and so on."""

    model_config = SettingsConfigDict(env_prefix="CLOUT_", frozen=True, env_ignore_empty=True)

    home: Path = Field(Path(".clout"), description="Folder that holds models, and all below unless set apart.")
    lake: str = Field(
        default_factory=_in_home("lake"), description="Local path or fsspec URL of the data lake; by default in home."
    )
    tracking_uri: str = Field(
        default_factory=_in_home("mlflow.db", "sqlite:///"),
        description="Where MLflow keeps runs and models; by default an SQLite file in home.",
    )
    store: str = Field(
        default_factory=_in_home("scores.db", "sqlite:///"),
        description="Where scores are kept, an SQLite file or a PostgreSQL database; by default an SQLite file in home.",
    )
    host: str = Field("127.0.0.1", description="Address on which the service listens.")
    port: int = Field(3000, ge=1, le=65535, description="Port on which the service listens.")
    workers: int = Field(1, ge=1, le=64, description="Processes that answer; each holds the model and its history.")
    open: Literal["loopback", "never", "always"] = Field(
        "loopback", description="Who needs no key: programs on this machine (loopback), nobody (never), all (always)."
    )
    rate: float = Field(
        50, ge=0, description="Requests a second for each key, or each address without one; 0 is as many as come."
    )
    burst: int = Field(100, ge=1, description="Requests of a key, or an address, that may come at once.")
    in_flight: int = Field(64, ge=1, description="Requests that a worker answers at once; more are refused.")
    cors_origins: str | None = Field(
        None, description="Origins whose pages may ask, with commas between them, such as https://example.org."
    )
    log: Literal["plain", "json"] = Field(
        "plain", description="With json, Clout's lines on stderr are JSON, one for each request too."
    )
    retrain_share: float = Field(
        0.2, gt=0, description="New outcomes, as a share of those the champion learned from, beyond which it is due."
    )
    retrain_days: float = Field(30, gt=0, description="Days of data beyond the champion's, after which it is due.")
    mastodon_token: SecretStr | None = Field(
        None, description="Access token for the Mastodon server that `clout ingest mastodon` reads."
    )
    actor: str | None = Field(
        None, description="Who is named in the audit log of promotions; when not set, the user and the host."
    )

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, given: str | None) -> str | None:
        for origin in (given or "").split(","):
            if origin.strip() and not ORIGIN.fullmatch(origin.strip()):
                raise ValueError(
                    f"got {origin.strip()} as origin; expected each as a browser sends it, such as https://app.example "
                    "or http://127.0.0.1:8080, without a path; * for all is not taken"
                )
        return given

    @property
    def who(self) -> str:
        """Who does what this process does, for the audit log."""
        return self.actor or f"{_user()}@{platform.node() or 'unknown'}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may run as a number that has no name
        return "unknown"


def misnamed(environment: Iterable[str]) -> dict[str, str]:
    """The variables that set nothing, each with the one whose name is near: it is likely meant.

    >>> misnamed(["CLOUT_PROT", "CLOUT_PORT", "CLOUT_SERVICE_HOST"])
    {'CLOUT_PROT': 'CLOUT_PORT'}
    """
    known = {f"CLOUT_{name.upper()}" for name in Settings.model_fields}
    unknown = sorted(name for name in environment if name.startswith("CLOUT_") and name not in known)
    return {name: near[0] for name in unknown if (near := get_close_matches(name, known, 1, NEAR))}


def read_settings() -> Settings:
    """The settings of this process."""
    try:
        settings = Settings()
    except ValidationError as error:
        told = "; ".join(
            f"CLOUT_{str(problem['loc'][0]).upper()}={problem['input']!r}: {problem['msg']}"
            for problem in error.errors()
        )
        raise SettingsError(f"cannot use {told}; set it anew or unset it") from error
    if file := next((place for place in (settings.home, *settings.home.parents) if place.is_file()), None):
        raise SettingsError(
            f"cannot use CLOUT_HOME={str(settings.home)!r}: {file} is a file; expected a folder, or a free name"
        )
    return settings
