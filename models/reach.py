"""Whether an MLflow store is there at all: MLflow itself goes on asking one that is not for minutes."""

from __future__ import annotations

import os
import socket
import ssl
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, urlsplit
from urllib.request import urlopen

from clout.errors import without_passwords
from clout.models.registry import RegistryError

SECONDS = 5.0
PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}

# Read whenever MLflow asks; with its own, one question takes four minutes to fail. What a user has set stays.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "15")


def ask(tracking_uri: str) -> None:
    """Nothing; raises `RegistryError` where the host of a store does not answer within seconds. Files are not looked at."""
    try:
        _ask(urlsplit(tracking_uri))
    except (OSError, ValueError, HTTPException) as error:
        raise RegistryError(
            f"there is no answer from MLflow at {without_passwords(tracking_uri)} ({getattr(error, 'reason', error)}); "
            "expected the store that trainings are logged to: start it, or see CLOUT_TRACKING_URI, then try again",
            code="store",
        ) from error


def _ask(place: SplitResult) -> None:
    if place.scheme in ("http", "https"):
        _ask_page(place._replace(netloc=place.netloc.rpartition("@")[2]).geturl())
    elif place.hostname and (port := place.port or PORTS.get(place.scheme.partition("+")[0])):
        socket.create_connection((place.hostname, port), SECONDS).close()


def _ask_page(address: str) -> None:
    """Nothing, whatever is answered: whom the store lets in, and by which certificate, is MLflow's to say."""
    try:
        urlopen(address, timeout=SECONDS).close()  # noqa: S310 - http or https, as the caller has looked
    except HTTPError as answer:
        answer.close()
    except URLError as error:
        if not isinstance(error.reason, ssl.SSLError):
            raise
