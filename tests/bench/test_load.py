"""A load goes on whatever a server does to its connections; requests without a whole answer are counted."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Event, Thread
from types import ModuleType

import pytest

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
REFUSED = WHOLE.replace(b"200 OK", b"503 Busy")
BROKEN_OFF = {
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-",
    "half a body": WHOLE[:-1],
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
}
NOT_SENT = struct.pack("ii", 1, 0)


@pytest.fixture
def load(program: Callable[[str], ModuleType]) -> ModuleType:
    return program("measuring.load")


@contextmanager
def answering(answer: Callable[[socket.socket], bool]) -> Iterator[str]:
    """The URL of a server that does this after each request, and closes the connection where that says False."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            while self.request.recv(10_000) and answer(self.request):
                pass

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        running = Thread(target=server.serve_forever, args=(0.01,))
        running.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        running.join()


def every_third(other: bytes, *, kept: bool) -> Callable[[socket.socket], bool]:
    """What answers two requests of three, and the third in another way."""
    numbers = iter(range(1_000_000))

    def answer(connection: socket.socket) -> bool:
        well = next(numbers) % 3 < 2
        connection.sendall(WHOLE if well else other)
        return well or kept

    return answer


@pytest.mark.parametrize("other", BROKEN_OFF.values(), ids=BROKEN_OFF)
def test_what_breaks_off_has_failed_and_is_no_answer(load: ModuleType, other: bytes) -> None:
    with answering(every_third(other, kept=False)) as url:
        heard = load.steady(url, [b"{}"], 100, 4, 0.3)
    assert heard.failed == 10
    assert heard.rate <= 20 / 0.29
    with answering(every_third(other, kept=False)) as url:
        heard = load.closed(url, [b"{}"], 1, 0.1)
    assert heard.failed > 0
    assert heard.rate > 0


def test_another_answer_has_failed_but_is_one(load: ModuleType) -> None:
    with answering(every_third(REFUSED, kept=True)) as url:
        heard = load.steady(url, [b"{}"], 100, 4, 0.3)
    assert heard.failed == 10
    assert heard.p99 > 0


@pytest.mark.parametrize("how", ["closed", "reset"])
def test_a_connection_closed_while_idle_is_opened_again(load: ModuleType, how: str) -> None:
    gone = Event()

    def answer(connection: socket.socket) -> bool:
        connection.sendall(WHOLE)
        time.sleep(0.05)
        if how == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NOT_SENT)
        connection.close()
        gone.set()
        return False

    async def twice(url: str) -> list[int]:
        connection = await load.Connection.open(url)
        statuses = [await connection.ask(load.post(url, b"{}"))]
        await asyncio.to_thread(gone.wait, 10)
        await asyncio.sleep(0.05)
        statuses.append(await connection.ask(load.post(url, b"{}")))
        connection.close()
        return statuses

    with answering(answer) as url:
        assert asyncio.run(twice(url)) == [200, 200]


def test_a_request_that_waits_counts_from_when_it_was_due(load: ModuleType) -> None:
    def answer(connection: socket.socket) -> bool:
        time.sleep(0.02)
        connection.sendall(WHOLE)
        return True

    with answering(answer) as url:
        heard = load.steady(url, [b"{}"], 100, 1, 0.2)
    assert heard.failed == 0
    assert heard.p99 > 150
    assert heard.p50 > 80
