"""The headers of a request, without an object for them: every request is asked for several."""

from __future__ import annotations

from starlette.types import Scope


def header(scope: Scope, name: bytes, otherwise: str = "") -> str:
    """What a request says under a name in small letters, `otherwise` where it does not.

    >>> header({"headers": [(b"host", b"127.0.0.1"), (b"accept", b"text/html")]}, b"accept")
    'text/html'
    """
    for found, value in scope["headers"]:
        if found == name:
            told: str = value.decode("latin-1")
            return told
    return otherwise
