"""A store that is there, one that is not, and one that does not say a word."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from time import monotonic

import pytest
from silent_store import silent_store

from clout.models import reach
from clout.models.registry import RegistryError


class Refusing(BaseHTTPRequestHandler):
    """A store that lets nobody in without a word of who they are."""

    def do_GET(self) -> None:
        """401."""
        self.send_error(401)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@contextmanager
def refusing() -> Iterator[int]:
    """The port of a store that lets nobody in."""
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        Thread(target=server.handle_request).start()
        yield server.server_port


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def test_a_store_that_lets_nobody_in_is_there() -> None:
    with refusing() as port:
        reach.ask(f"http://amy:secret@127.0.0.1:{port}/")


@pytest.mark.parametrize("scheme", ["http", "https", "postgresql", "mysql+pymysql"])
def test_a_store_that_is_not_there_is_told_at_once(scheme: str) -> None:
    address = f"{scheme}://amy:secret@127.0.0.1:{free_port()}/db"
    with pytest.raises(RegistryError, match=r"Connection refused.*start it, or see CLOUT_TRACKING_URI") as refused:
        reach.ask(address)
    assert str(refused.value).startswith(f"there is no answer from MLflow at {address.replace('secret', '***')} (")
    assert "secret" not in str(refused.value)
    assert refused.value.code == "store"


@pytest.mark.parametrize("address", ["sqlite:///gone.db", "file:///gone", "gone", "databricks", "databricks://team"])
def test_files_and_what_has_no_host_are_left_to_mlflow(address: str) -> None:
    reach.ask(address)


def test_one_that_says_nothing_is_told_within_seconds() -> None:
    began = monotonic()
    with silent_store() as address, pytest.raises(RegistryError, match=r"no answer .* \(timed out\)"):
        reach.ask(address)
    assert monotonic() - began < 2 * reach.SECONDS


@pytest.mark.parametrize("address", ["http://127.0.0.1:port", "http://[::1"])
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(RegistryError, match="there is no answer from MLflow at http://"):
        reach.ask(address)


@pytest.mark.parametrize(("given", "retries"), [({}, "2"), ({"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "9"}, "9")])
def test_mlflow_asks_again_as_often_as_the_user_says_or_twice(given: dict[str, str], retries: str) -> None:
    told = "import os, clout.models.reach; print(os.environ['MLFLOW_HTTP_REQUEST_MAX_RETRIES'])"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_HTTP")} | given
    done = subprocess.run([sys.executable, "-c", told], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == retries
