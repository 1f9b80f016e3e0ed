"""The files that pages load: styles, scripts and their licences, read once and named by what is in them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clout.serving.problems import ProblemError, shown

TYPES = {".css": "text/css", ".js": "text/javascript", ".txt": "text/plain", ".json": "application/json"}
# A name says what is in the file, so whoever has it never asks again.
FOR_GOOD = "public, max-age=31536000, immutable"
SOON = "no-cache"
ROOT = "/static"


@dataclass(frozen=True)
class Asset:
    """A file as it is sent, and the mark of its contents."""

    body: bytes
    media: str
    mark: str


@cache
def assets() -> dict[str, Asset]:
    """Every file by its path."""
    return {name: _asset(file) for name, file in _walk(files(__package__) / "static", "")}


@cache
def address(name: str) -> str:
    """Where a page loads a file from."""
    return f"{ROOT}/{name}?v={assets()[name].mark}"


async def asset(request: Request) -> Response:
    """A file of the pages."""
    name = request.path_params["name"]
    found = assets().get(name)
    if found is None:
        raise ProblemError("unknown_route", f"got {shown(name)}; expected a file that a page names")
    keep = FOR_GOOD if request.query_params.get("v") == found.mark else SOON
    return Response(found.body, headers={"Cache-Control": keep, "ETag": f'"{found.mark}"'}, media_type=found.media)


ROUTE = Route(f"{ROOT}/{{name:path}}", asset, include_in_schema=False)


def _walk(folder: Traversable, above: str) -> list[tuple[str, Traversable]]:
    found = []
    for entry in folder.iterdir():
        name = f"{above}{entry.name}"
        found += _walk(entry, f"{name}/") if entry.is_dir() else [(name, entry)]
    return [(name, file) for name, file in found if f".{name.rpartition('.')[2]}" in TYPES]


def _asset(file: Traversable) -> Asset:
    body = file.read_bytes()
    return Asset(body, TYPES[f".{file.name.rpartition('.')[2]}"], hashlib.sha256(body).hexdigest()[:16])
