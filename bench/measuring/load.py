"""Requests over HTTP as many clients send them: as fast as answers come, or at a constant rate whatever comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from urllib.parse import urlsplit

import numpy as np

OK, BROKEN = 200, 0


@dataclass(frozen=True)
class Heard:
    """Answers: how many a second, their latencies in milliseconds, and how many requests got no 200."""

    rate: float
    p50: float
    p99: float
    failed: int


@dataclass
class Tally:
    """What has come back so far: the latencies of whole answers, and how many requests got no 200."""

    latencies: list[float] = field(default_factory=list)
    failed: int = 0

    def add(self, status: int, since: float) -> None:
        """Nothing; one more request, which counts from `since`, has this status or is `BROKEN`."""
        if status != BROKEN:
            self.latencies.append(perf_counter() - since)
        self.failed += status != OK

    def heard(self, seconds: float) -> Heard:
        """What came back within so many seconds."""
        p50, p99 = np.quantile(self.latencies, (0.5, 0.99)) * 1e3 if self.latencies else (np.nan, np.nan)
        return Heard(len(self.latencies) / seconds, float(p50), float(p99), self.failed)


class Connection:
    """One connection that is kept open; it asks one thing at a time.

    What lies idle a server may close, as uvicorn does after 5 seconds: then the next request opens another, as with
    any client.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, url: str) -> None:
        self._reader, self._writer, self._url = reader, writer, url

    @classmethod
    async def open(cls, url: str) -> Connection:
        """A connection to the host of `url`."""
        return cls(*await _streams(url), url)

    async def ask(self, request: bytes) -> int:
        """The status of the answer to a whole request, `BROKEN` where none came whole; its body is read and forgotten."""
        try:
            if self._reader.at_eof() or self._writer.is_closing():
                self.close()
                self._reader, self._writer = await _streams(self._url)
            return await self._answer(request)
        except (OSError, EOFError):
            self.close()
            return BROKEN

    async def _answer(self, request: bytes) -> int:
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        if b"content-length" in fields:
            await self._reader.readexactly(int(fields[b"content-length"]))
        else:
            await self._chunks()
        return int(head.split(b" ", 2)[1])

    async def _chunks(self) -> None:
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            await self._reader.readexactly(size + 2)
        await self._reader.readuntil(b"\r\n")

    def close(self) -> None:
        """Nothing; the connection is gone."""
        self._writer.close()


async def _streams(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    place = urlsplit(url)
    return await asyncio.open_connection(place.hostname, place.port)


def post(url: str, body: bytes) -> bytes:
    """A whole POST of JSON."""
    place = urlsplit(url)
    head = f"POST {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def closed(url: str, bodies: Sequence[bytes], connections: int, seconds: float) -> Heard:
    """What so many connections hear that each ask again as soon as they are answered."""
    return asyncio.run(_closed(url, [post(url, body) for body in bodies], connections, seconds))


async def _closed(url: str, requests: Sequence[bytes], connections: int, seconds: float) -> Heard:
    tally, began = Tally(), perf_counter()

    async def ask(first: int) -> None:
        connection, number = await Connection.open(url), first
        while (sent := perf_counter()) - began < seconds:
            tally.add(await connection.ask(requests[number % len(requests)]), sent)
            number += connections
        connection.close()

    await asyncio.gather(*(ask(first) for first in range(connections)))
    return tally.heard(perf_counter() - began)


def steady(url: str, bodies: Sequence[bytes], rate: float, connections: int, seconds: float) -> Heard:
    """What is heard at a constant rate of requests; each latency counts from when its request should have been sent."""
    return asyncio.run(_steady(url, [post(url, body) for body in bodies], rate, connections, seconds))


async def _steady(url: str, requests: Sequence[bytes], rate: float, connections: int, seconds: float) -> Heard:
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(connections):
        free.put_nowait(await Connection.open(url))
    tally, began = Tally(), perf_counter()

    async def ask(number: int, due: float) -> None:
        connection = await free.get()
        tally.add(await connection.ask(requests[number % len(requests)]), due)
        free.put_nowait(connection)

    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(due - perf_counter(), 0))
            group.create_task(ask(number, due))
    while not free.empty():
        free.get_nowait().close()
    return tally.heard(perf_counter() - began)
