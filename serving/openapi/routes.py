"""The route that describes all routes."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from clout.serving.fresh import fresh
from clout.serving.openapi import document

KEEP = "public, max-age=3600"


async def openapi(request: Request) -> Response:
    """The description of this API (OpenAPI 3.1)."""
    state = request.app.state
    if not hasattr(state, "openapi"):
        state.openapi = document.text(described(request.app.routes)).encode()
    return fresh(request, state.openapi, KEEP)


def described(routes: Iterable[BaseRoute]) -> tuple[Route, ...]:
    """Those that answer programs, in their order; pages are for people."""
    return tuple(route for route in routes if isinstance(route, Route) and route.include_in_schema)


ROUTE = Route("/openapi.json", openapi)
