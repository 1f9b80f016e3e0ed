"""How many connections a worker holds at once, and how long it waits for one that says nothing."""

from __future__ import annotations

import resource

from granian.http import HTTP1Settings

MOST = 16_384
# What a worker opens besides: the lake, the store, its log, what its threads read.
OTHER_FILES = 512
# Those that have no place yet; the kernel keeps no more than its net.core.somaxconn.
WAITING = 4_096
HEADER_SECONDS = 10
# Of each connection as much is held as it has sent and not been read.
HELD_BYTES = 128 * 1024
HTTP1 = HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1_000, max_buffer_size=HELD_BYTES)


def most_connections() -> int:
    """How many connections a worker may hold; this process may then open the files for them, if the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + OTHER_FILES
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return within(allowed)


def within(files: int) -> int:
    """How many of so many open files may be connections.

    >>> within(20_000), within(4_096), within(256)
    (16384, 3584, 128)
    """
    return min(MOST, max(files - OTHER_FILES, files // 2))
