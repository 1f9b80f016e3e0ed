"""Whether a request comes from this machine itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from starlette.types import Scope

TELLING = frozenset({b"host", b"origin", b"forwarded", b"x-forwarded-for", b"x-real-ip"})
NAMED = ([b"host"], [b"host", b"origin"])


@lru_cache(1024)
def is_loopback(host: str | None) -> bool:
    """Whether only this machine can mean itself by the name or address.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        address = ip_address(host or "")
    except ValueError:
        return host == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def is_local(scope: Scope) -> bool:
    """Whether a program on this machine asks, at an address and by a name that only it can mean.

    No page of another site can, whatever its name points to: a browser names the site.
    """
    return _is_loopback_end(scope.get("server")) and is_from_here(scope)


def is_from_here(scope: Scope) -> bool:
    """The same, whatever address it asks at: where a service listens on all of them, the server may not know which."""
    if not _is_loopback_end(scope.get("client")):
        return False  # first: what is kept of headers must not be what strangers send
    return _names_us(tuple((name, value) for name, value in scope["headers"] if name in TELLING))


def _is_loopback_end(end: Sequence[Any] | None) -> bool:
    return end is not None and is_loopback(end[0])


@lru_cache(1024)
def _names_us(told: tuple[tuple[bytes, bytes], ...]) -> bool:
    """Whether the headers that tell of an address name this machine alone."""
    return sorted(name for name, _ in told) in NAMED and all(is_loopback(_host(value)) for _, value in told)


def _host(written: bytes) -> str | None:
    """The name that a Host or Origin header says, without its port."""
    try:
        return urlsplit(f"//{written.decode('latin-1').rpartition('//')[2]}").hostname
    except ValueError:
        return None
