"""Starting the service: `python -m clout.serving.start HOST PORT WORKERS` serves until it is told to stop."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any, NoReturn
from urllib.error import URLError
from urllib.request import urlopen

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.common import AbstractServer

from clout.errors import CloutError
from clout.models import registry
from clout.serving.connections import HTTP1, WAITING, most_connections
from clout.serving.edge.here import is_loopback
from clout.serving.live.loop import PARENT
from clout.serving.metrics import SHARED
from clout.settings import Settings, read_settings

# BentoML reports usage to its makers unless told not to, and keeps its store in the user's home unless told where.
QUIET = {"BENTOML_DO_NOT_TRACK": "True"}
POLL_SECONDS = 0.2
RESPAWN_SECONDS = 0.5
TRIES = 10
KEY = "X-Api-Key: KEY"
# A body that does not come is given up sooner than this: see BODY_SECONDS.
DRAIN_SECONDS = 15


class StartError(CloutError):
    """The service cannot start here."""

    code = "start"


def become_server(settings: Settings, environment: Mapping[str, str]) -> NoReturn:
    """Never returns: this process becomes the server, so that nothing it loaded before stays in memory."""
    registry.champion(settings.home)
    _check_free(settings.host, settings.port)
    command = [sys.executable, "-m", __name__, settings.host, str(settings.port), str(settings.workers)]
    os.execve(command[0], command, {**environment, **server_environment(settings)})  # noqa: S606 (our own module)


def server_environment(settings: Settings) -> dict[str, str]:
    """The variables that tell BentoML, the service and its figures where things are, wherever they run."""
    home = settings.home.absolute()
    lake = settings.lake if "://" in settings.lake else str(Path(settings.lake).absolute())
    told = {**QUIET, "BENTOML_HOME": str(home / "bentoml"), "CLOUT_HOME": str(home), "CLOUT_LAKE": lake}
    return told | ({SHARED: str(home / "figures")} if settings.workers > 1 else {})


def _check_free(host: str, port: int) -> None:
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            pass
    except OSError as error:
        raise StartError(
            f"cannot listen on {host}:{port} ({error.strerror}); expected a free port: stop what answers there, "
            "or set CLOUT_PORT to another"
        ) from error


def main() -> None:
    """Serves until it is told to stop; what to try is printed once a model is ready."""
    host, port, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if shared := os.environ.get(SHARED):
        shutil.rmtree(shared, ignore_errors=True)
        Path(shared).mkdir(parents=True)
    os.environ["CLOUT_MASTER_PROCESS"] = str(os.getpid())
    told = read_settings().model_copy(update={"host": host, "port": port})
    Thread(target=announce, args=(told,), daemon=True).start()
    if parent := os.environ.get(PARENT):
        Thread(target=end_with, args=(int(parent),), daemon=True).start()
    server(host, port, workers).serve()


def server(host: str, port: int, workers: int) -> AbstractServer[Any]:
    """What serves there, once it is told to; a connection that says nothing is soon closed, and takes nobody's place."""
    return Granian(
        "clout.serving.server:worker",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=workers,
        http=HTTPModes.http1,  # to tell it from HTTP/2, a first byte would be awaited for ever
        http1_settings=HTTP1,
        backlog=WAITING,
        backpressure=most_connections(),
        respawn_failed_workers=True,
        respawn_interval=RESPAWN_SECONDS,
        workers_kill_timeout=DRAIN_SECONDS,
        log_level=LogLevels.warning,
    )


def end_with(parent: int) -> None:
    """Tells this process to stop once the process that started it is gone: nobody else would."""
    while os.getppid() == parent:
        sleep(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def announce(settings: Settings) -> None:
    """Prints where to look and what to try, as soon as the service is ready."""
    url = url_here(settings.host, settings.port)
    while (ready := _read(f"{url}/readyz")) is None:
        sleep(POLL_SECONDS)
    lines = [
        f"ready: model {ready['model_version']} answers at {url}",
        f"see: open {url} in a browser",
        *what_to_try(url, settings),
    ]
    sys.stdout.write("\n".join(["", *lines, "", ""]))
    sys.stdout.flush()


def url_here(host: str, port: int) -> str:
    """Where this machine reaches a service that listens on `host`.

    >>> url_here("0.0.0.0", 3000), url_here("::", 3000), url_here("192.0.2.1", 80)
    ('http://127.0.0.1:3000', 'http://[::1]:3000', 'http://192.0.2.1:80')
    """
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (not to listen on)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def what_to_try(url: str, settings: Settings) -> list[str]:
    """Lines about addresses, keys, and a request to paste; no more than keys where nothing answers in a few tries."""
    home = _read_again(url)
    places = " ".join(path for path, method in home.get("routes", {}).items() if method == "GET")
    key = f" -H {KEY!r}" if needs_key(settings) else ""
    return [
        *([f"look at: {places}"] if places else []),
        *who_may_ask(settings),
        *([f"try: {home['try']}{key}"] if home.get("try") else []),
    ]


def who_may_ask(settings: Settings) -> list[str]:
    """A line about keys, where others than programs on this machine are answered, or none is without a key."""
    if settings.open == "always":
        return ["keys: none is needed by anybody who reaches it (CLOUT_OPEN=always)"]
    if needs_key(settings):
        return ["keys: who asks needs one; make it with `clout keys create NAME --scope score`, send it as X-Api-Key"]
    return []


def needs_key(settings: Settings) -> bool:
    """Whether a program on this machine needs a key, too."""
    return settings.open == "never" or (settings.open == "loopback" and not is_loopback(settings.host))


def _read_again(url: str) -> dict[str, Any]:
    """What `url` answers in one of a few tries; nothing where it does not."""
    for _ in range(TRIES):
        if told := _read(url):
            return told
        sleep(POLL_SECONDS)
    return {}


def _read(url: str) -> dict[str, Any] | None:
    """What `url` answers; None while it does not, or not well."""
    try:
        with urlopen(url, timeout=5) as answer:  # noqa: S310 (our own service)
            return dict(json.load(answer))
    except (URLError, OSError):
        return None


if __name__ == "__main__":
    main()
