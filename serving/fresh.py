"""Answers that say what they are by a tag, so that nobody is sent twice what has not changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

JSON = "application/json"
MINUTE = "private, max-age=60"


def fresh(
    request: Request, body: bytes, keep: str = MINUTE, media: str = JSON, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer with its tag, or 304 where the client has it already; `keep` says how long it may be kept."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**(headers or {}), "ETag": tag, "Cache-Control": keep}
    if tags(request.headers.get("if-none-match", "")) & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media)


def tags(header: str) -> set[str]:
    """The tags of an If-None-Match header."""
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}
