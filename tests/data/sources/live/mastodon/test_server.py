"""A server is asked with patience: limits are waited out, what passes is tried again, and no answer can hang or break us."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest
from mastodon_server import MastodonServer

from clout.data.sources.live.mastodon.server import MastodonError, NotReadableError, Server
from clout.data.sources.live.passing import LONGEST, PAUSES, PassingError

LOOKUP = "/api/v1/accounts/lookup"


@pytest.fixture
def waits() -> list[float]:
    """How long was waited, each time."""
    return []


@pytest.fixture
def server(mastodon: MastodonServer, waits: list[float]) -> Iterator[Server]:
    """The server, asked by one who notes waits and does not wait, and gives up a try after two seconds."""
    opened = Server(mastodon.url, None, "seed", waits.append, 2.0)
    yield opened
    opened.close()


def in_seconds(seconds: float) -> tuple[str, str]:
    """The moment so many seconds from now as a number and in ISO 8601, as servers tell it."""
    at = time.time() + seconds
    return str(round(at)), datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.mark.parametrize("form", [0, 1], ids=["a number", "ISO 8601"])
def test_a_limit_is_waited_out(mastodon: MastodonServer, server: Server, waits: list[float], form: int) -> None:
    mastodon.fault(LOOKUP, "ratelimit", count=1, headers={"X-RateLimit-Reset": in_seconds(300)[form]})
    assert server.account("ann")["username"] == "ann"
    assert len(waits) == 1
    assert 100 < waits[0] < LONGEST


def test_a_limit_that_is_not_dated_or_far_away_is_waited_for_a_while(
    mastodon: MastodonServer, server: Server, waits: list[float]
) -> None:
    mastodon.fault(LOOKUP, "status", count=1, status=429)
    mastodon.fault(LOOKUP, "ratelimit", count=1, headers={"X-RateLimit-Reset": "soon"})
    mastodon.fault(LOOKUP, "ratelimit", count=1, headers={"X-RateLimit-Reset": in_seconds(86_400)[0]})
    assert server.account("ann")["username"] == "ann"
    assert all(60 < wait < 62 for wait in waits[:2])
    assert waits[2:] == [330]


def test_a_limit_that_is_never_lifted_is_told(mastodon: MastodonServer, server: Server, waits: list[float]) -> None:
    mastodon.fault(LOOKUP, "ratelimit")
    with pytest.raises(PassingError, match="asked too often; expected to be let in: read it less often"):
        server.account("ann")
    assert len(waits) == len(PAUSES)


@pytest.mark.parametrize(
    ("effect", "told"),
    [
        ("malformed", {"truncate": True}),
        ("malformed", {"truncate": False}),
        ("status", {"status": 500}),
        ("status", {"status": 502, "body": "<html>Bad gateway</html>"}),
        ("status", {"status": 520, "body": None}),
        ("status", {"status": 408}),
    ],
)
def test_what_may_pass_is_tried_again_after_a_while(
    mastodon: MastodonServer, server: Server, waits: list[float], effect: str, told: dict[str, object]
) -> None:
    mastodon.fault(LOOKUP, effect, count=3, **told)
    assert server.account("ann")["username"] == "ann"
    assert all(pause / 2 <= wait <= pause * 1.5 for pause, wait in zip(PAUSES, waits, strict=True))


def test_waits_differ_between_programs(mastodon: MastodonServer) -> None:
    found = []
    for seed in ("one", "two", "one"):
        waits: list[float] = []
        mastodon.fault(LOOKUP, "status", count=2, status=500)
        server = Server(mastodon.url, None, seed, waits.append, 2.0)
        server.account("ann")
        server.close()
        found.append(waits)
    assert found[0] == found[2] != found[1]


def test_a_server_that_hangs_is_given_up(mastodon: MastodonServer, waits: list[float]) -> None:
    mastodon.fault(LOOKUP, "timeout", count=1)
    server = Server(mastodon.url, None, "seed", waits.append, 0.2)
    assert server.account("ann")["username"] == "ann"
    mastodon.fault(LOOKUP, "timeout")
    with pytest.raises(PassingError, match=r"gave no answer that can be read .*timed? out.*: try again later"):
        server.account("ann")
    server.close()


def test_a_server_that_is_not_there_is_told(waits: list[float]) -> None:
    server = Server("http://127.0.0.1:9", None, "seed", waits.append, 1.0)
    with pytest.raises(PassingError, match=r"http://127\.0\.0\.1:9 gave no answer that can be read"):
        server.account("ann")
    server.close()


class Deep(BaseHTTPRequestHandler):
    """A server that answers every question with lists in lists, once with an error and then without."""

    codes: ClassVar = [500, 200, 200, 200]

    def do_GET(self) -> None:
        """Nothing; the answer is sent."""
        self.send_response(self.codes.pop(0))
        self.end_headers()
        self.wfile.write(b"[" * 100_000)

    def log_message(self, *_: object) -> None:
        """Nothing; no request is logged."""


def test_lists_in_lists_are_an_answer_that_cannot_be_read(waits: list[float]) -> None:
    with HTTPServer(("127.0.0.1", 0), Deep) as deep, ThreadPoolExecutor() as pool:
        deep.timeout = 5
        pool.submit(lambda: [deep.handle_request() for _ in Deep.codes[:]])
        server = Server(f"http://127.0.0.1:{deep.server_port}", None, "seed", waits.append, 2.0)
        with pytest.raises(PassingError, match="gave no answer that can be read"):
            server.account("ann")
        server.close()
    assert len(waits) == len(PAUSES)


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (404, NotReadableError, r"does not have it \(404\): it is gone"),
        (410, NotReadableError, r"does not have it \(410\)"),
        (403, NotReadableError, "refused it .*403"),
        (422, NotReadableError, "refused it .*422"),
        (401, MastodonError, "CLOUT_MASTODON_TOKEN"),
    ],
)
def test_what_will_not_pass_is_not_tried_again(
    mastodon: MastodonServer, server: Server, waits: list[float], status: int, error: type[Exception], words: str
) -> None:
    mastodon.fault(LOOKUP, "status", status=status)
    with pytest.raises(error, match=words):
        server.account("ann")
    assert waits == []


def test_what_the_server_says_is_told_in_few_words(mastodon: MastodonServer, server: Server) -> None:
    mastodon.fault(LOOKUP, "status", status=403, body={"error": "no\n" * 10_000})
    with pytest.raises(NotReadableError) as told:
        server.account("ann")
    assert len(str(told.value)) < 300
    assert "\n" not in str(told.value)
