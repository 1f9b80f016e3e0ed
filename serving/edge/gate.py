"""Who may pass: what each address needs, whether a key opens it, and where no key is needed."""

from __future__ import annotations

import logging
from base64 import b64decode
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Literal

from starlette.datastructures import MutableHeaders
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clout.serving.edge import telling
from clout.serving.edge.headers import header
from clout.serving.edge.here import is_from_here, is_local, is_loopback
from clout.serving.edge.keys import ADMIN, Key, KeyRing, missing_scope, no_key
from clout.serving.edge.limits import Allowance, Buckets, InFlight, too_many
from clout.serving.klout import shape
from clout.serving.problems import ProblemError
from clout.serving.store.rows import StoreError

log = logging.getLogger("clout.serving")
Open = Literal["loopback", "never", "always"]
FREE = frozenset({"/", "/livez", "/readyz", "/problems", "/openapi.json"})
# Whoever watches over the service must be heard when it is busiest.
PROBES = frozenset({"/livez", "/readyz", "/metrics"})
METRICS = "/metrics"
SCORED = ("/v1/posts:", "/v1/scores:")
DRAFT = "/draft"
RETRY_SECONDS = "5"


def needs(method: str, path: str) -> str | None:
    """The scope that a request needs; None where everybody may ask.

    >>> needs("POST", "/v1/posts:score"), needs("GET", "/v1/model"), needs("GET", "/livez")
    ('score', 'read', None)
    """
    if method == "DELETE":
        return ADMIN
    if path in FREE or path.startswith("/static/"):
        return None
    if path.startswith("/v1/ingest/"):
        return "ingest"
    return "score" if path.startswith(SCORED) or path == DRAFT else "read"


@dataclass(frozen=True)
class Access:
    """Where no key is needed: `how`, and the address the service `listens` on.

    `loopback` opens it to this machine alone, where the service listens on no other address; `always` to everybody, but
    for what only an admin may; `never` to nobody. Figures for Prometheus are always told to this machine.
    """

    how: Open = "loopback"
    listens: str = "127.0.0.1"

    def is_open(self, scope: Scope, needed: str) -> bool:
        """Whether this request needs no key for what needs `needed`."""
        if scope["path"] == METRICS and is_from_here(scope):
            return True
        if self.how == "loopback" or (self.how == "always" and needed == ADMIN):
            return is_loopback(self.listens) and is_local(scope)
        return self.how == "always"


HERE_ALONE = Access()


class Gate:
    """An ASGI layer that lets through who may pass, no more often than allowed."""

    def __init__(
        self, app: ASGIApp, access: Access, ring: KeyRing, buckets: Buckets | None, in_flight: InFlight, rate: float
    ) -> None:
        self._app, self._access, self._ring = app, access, ring
        self._buckets, self._in_flight, self._rate = buckets, in_flight, rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told: dict[str, str] = {}

        async def with_limits(message: Message) -> None:
            if told and message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(told)
            await send(message)

        try:
            if scope["path"] in PROBES:
                await self._pass(scope, told)
                await self._app(scope, receive, with_limits)
                return
            with self._in_flight.one_more():
                await self._pass(scope, told)
                await self._app(scope, self._in_flight.while_read(receive), with_limits)
        except ProblemError as problem:
            scope.setdefault("route", _meant(scope))
            await telling.response(problem, scope)(scope, receive, with_limits)

    async def _pass(self, scope: Scope, told: dict[str, str]) -> None:
        """Nothing where the request may pass; `told` then holds the headers that say how many more may."""
        state, needed = scope["state"], needs(scope["method"], scope["path"])
        state["needs"] = needed
        if needed is None:
            return
        key = await self._key(scope)
        if not key and not self._access.is_open(scope, needed):
            raise no_key(needed)
        state["who"] = key.id if key else "open"
        if key and not key.allows(needed):
            raise missing_scope(key, needed)
        if self._buckets and (key or not is_local(scope)):
            self._count(self._buckets.take(key.id if key else _neighbourhood(scope)), told)

    def _count(self, allowance: Allowance, told: dict[str, str]) -> None:
        told.update(allowance.headers)
        if allowance.wait:
            raise too_many(allowance, self._rate)

    async def _key(self, scope: Scope) -> Key | None:
        given = _given(scope)
        if given is None:
            return None
        try:
            return await self._ring.find(given)
        except StoreError as error:
            log.warning("keys cannot be read: %s", error)
            detail = "the store, which holds the keys, cannot be read; why is in the service's log"
            raise ProblemError("store_unavailable", detail, (), {"Retry-After": RETRY_SECONDS}) from error


def _given(scope: Scope) -> str | None:
    """The key that a request brings; None where it brings none."""
    kind, _, given = header(scope, b"authorization").partition(" ")
    if kind.lower() == "bearer":
        return given.strip()
    if kind.lower() == "basic":
        return _password(given)
    return header(scope, b"x-api-key") or (shape.presented_key(scope) if shape.speaks(scope) else None)


def _password(given: str) -> str:
    """What a browser was given as password; empty where it is none."""
    try:
        return b64decode(given, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def _meant(scope: Scope) -> BaseRoute | None:
    """The route that would have answered, or that has the path at least; None where there is none."""
    found = [(route.matches(scope)[0], route) for route in scope["app"].routes]
    matching = sorted((pair for pair in found if pair[0] is not Match.NONE), key=lambda pair: -pair[0].value)
    return matching[0][1] if matching else None


def _neighbourhood(scope: Scope) -> str:
    """The address of who asks; of an IPv6 address the network, since a household has as many as it likes."""
    host = scope["client"][0] if scope.get("client") else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(int(address) >> 64) if isinstance(address, IPv6Address) else host
