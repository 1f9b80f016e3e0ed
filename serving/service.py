"""The BentoML service: a process that loads the champion and lets our application answer everything."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event, Thread

import bentoml
from starlette.types import ASGIApp, Receive, Scope, Send

from clout.data.lake import Lake
from clout.serving.accounts.kept import AccountStore
from clout.serving.accounts.routes import Erase
from clout.serving.active_model import ActiveModel
from clout.serving.api import application
from clout.serving.edge.keys import Key
from clout.serving.edge.layers import Edge
from clout.serving.edge.service_log import speak_json
from clout.serving.ingest.intake import Intake
from clout.serving.privacy import forget
from clout.settings import read_settings

NAME = "clout"
SPEED = {"OTEL_SDK_DISABLED": "true", "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


class Front:
    """An ASGI layer before BentoML's own routes: every HTTP request is answered by `inner`.

    BentoML keeps the lifespan of the process; when it is over, `end` is called.
    """

    def __init__(self, app: ASGIApp, inner: ASGIApp, end: Callable[[], None]) -> None:
        self._app, self._inner, self._end = app, inner, end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        if scope["type"] == "http":
            await self._inner(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            self._end()


def now() -> datetime:
    """The moment a request came; the only clock of the service."""
    return datetime.now(UTC)


class Clout:
    """Scores posts before they are published, and says why."""

    def __init__(self) -> None:
        """A Bento answers with what it carries; elsewhere the champion and the lake of the settings are followed."""
        logging.getLogger(__package__).setLevel(logging.INFO)  # a new champion is told, not only trouble
        home, lake = places()
        ended.clear()
        loading = partial(active.load, keep=False) if service.bento else partial(active.follow, stop=ended)
        Thread(target=loading, args=(home, lake), name="load", daemon=True).start()
        Thread(target=intake.follow, args=(ended,), name="move", daemon=True).start()
        if store_url() is not None:
            Thread(target=edge.ring.follow, args=(ended,), name="keys", daemon=True).start()


def places() -> tuple[Path, str]:
    """Where the champion lies and the lake: packed in the Bento that runs, else in CLOUT_HOME; CLOUT_LAKE wins."""
    settings = read_settings()
    if service.bento is None:
        return settings.home, settings.lake
    [packed] = [info.to_model() for info in service.bento.info.all_models if info.tag.name == NAME]
    home = Path(packed.resolve().path)
    return home, settings.lake if "lake" in settings.model_fields_set else str(home / "lake")


def places_of_intake() -> tuple[Path, str] | None:
    """Where rows that come in are kept, and the lake they go to; a Bento, which carries its lake, takes none."""
    return places() if service.bento is None else None


def store_url() -> str | None:
    """Where scores are kept; nowhere in a Bento, which carries none, unless CLOUT_STORE says where."""
    settings = read_settings()
    return settings.store if service.bento is None or "store" in settings.model_fields_set else None


def tracking_uri() -> str | None:
    """Where MLflow keeps runs; nowhere in a Bento, unless CLOUT_TRACKING_URI says where."""
    settings = read_settings()
    return settings.tracking_uri if service.bento is None or "tracking_uri" in settings.model_fields_set else None


def known_keys() -> tuple[Key, ...]:
    """The keys that the store holds now."""
    return scores.open().keys.all()


def erasing() -> Erase | None:
    """What erases an account; nothing in a Bento that carries its lake, for the account is in the one it is a copy of."""
    return erase if service.bento is None or "lake" in read_settings().model_fields_set else None


def erase(account: str) -> Mapping[str, int]:
    """How many rows of the account left each table of the lake and the store, for good."""
    home, lake = places()
    return forget(Lake(lake), scores.open(), home, account, now()).rows


def end() -> None:
    """Nothing; what runs beside the requests stops, and the store is closed."""
    ended.set()
    scores.close()


ended = Event()
active = ActiveModel()
scores = AccountStore(store_url)
intake = Intake(places_of_intake, now)
service = bentoml.service(
    name=NAME,
    workers=read_settings().workers,
    http={"host": read_settings().host, "port": read_settings().port},
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
    envs=[{"name": name, "value": value} for name, value in SPEED.items()],
)(Clout)
if read_settings().log == "json":
    speak_json()
edge = Edge.of(read_settings(), known_keys, now, read_settings().workers)
answering = application(active, now, scores, erasing, edge, intake, tracking_uri)
service.add_asgi_middleware(Front, inner=answering, end=end)
