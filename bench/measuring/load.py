"""Requests over HTTP as many clients send them: as fast as answers come, or at a constant rate whatever comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from urllib.parse import urlsplit

import numpy as np

OK = 200


@dataclass(frozen=True)
class Heard:
    """Answers: how many a second, their latencies in milliseconds, and how many were no 200."""

    rate: float
    p50: float
    p99: float
    failed: int

    @classmethod
    def of(cls, seconds: float, latencies: Sequence[float], failed: int) -> Heard:
        """What these latencies (seconds) and failures amount to."""
        p50, p99 = np.quantile(latencies, (0.5, 0.99)) * 1e3 if latencies else (np.nan, np.nan)
        return cls(len(latencies) / seconds, float(p50), float(p99), failed)


class Connection:
    """One connection that is kept open; it asks one thing at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, url: str) -> Connection:
        """A connection to the host of `url`."""
        place = urlsplit(url)
        return cls(*await asyncio.open_connection(place.hostname, place.port))

    async def ask(self, request: bytes) -> int:
        """The status of the answer to a whole request; its body is read and forgotten."""
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


def post(url: str, body: bytes) -> bytes:
    """A whole POST of JSON."""
    place = urlsplit(url)
    head = f"POST {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def closed(url: str, bodies: Sequence[bytes], connections: int, seconds: float) -> Heard:
    """What so many connections hear that each ask again as soon as they are answered."""
    return asyncio.run(_closed(url, [post(url, body) for body in bodies], connections, seconds))


async def _closed(url: str, requests: Sequence[bytes], connections: int, seconds: float) -> Heard:
    latencies: list[float] = []
    failed, began = 0, perf_counter()

    async def ask(first: int) -> None:
        nonlocal failed
        connection, number = await Connection.open(url), first
        while (sent := perf_counter()) - began < seconds:
            status = await connection.ask(requests[number % len(requests)])
            latencies.append(perf_counter() - sent)
            failed, number = failed + (status != OK), number + connections
        connection.close()

    await asyncio.gather(*(ask(first) for first in range(connections)))
    return Heard.of(perf_counter() - began, latencies, failed)


def steady(url: str, bodies: Sequence[bytes], rate: float, connections: int, seconds: float) -> Heard:
    """What is heard at a constant rate of requests; each latency counts from when its request should have been sent."""
    return asyncio.run(_steady(url, [post(url, body) for body in bodies], rate, connections, seconds))


async def _steady(url: str, requests: Sequence[bytes], rate: float, connections: int, seconds: float) -> Heard:
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(connections):
        free.put_nowait(await Connection.open(url))
    latencies: list[float] = []
    failed, began = 0, perf_counter()

    async def ask(number: int, due: float) -> None:
        nonlocal failed
        connection = await free.get()
        status = await connection.ask(requests[number % len(requests)])
        latencies.append(perf_counter() - due)
        failed += status != OK
        free.put_nowait(connection)

    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(due - perf_counter(), 0))
            group.create_task(ask(number, due))
    while not free.empty():
        free.get_nowait().close()
    return Heard.of(perf_counter() - began, latencies, failed)
