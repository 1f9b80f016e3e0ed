"""What stands around every route, on routes of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from asked import JSON, Asked
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from clout.serving import guard
from clout.serving.guard import LARGEST_BODY, Guard, read_json
from clout.serving.metrics import Metrics
from clout.serving.problems import ProblemError


async def echo(request: Request) -> Response:
    return Response(str(len(await read_json(request))))


async def broken(_: Request) -> Response:
    raise ZeroDivisionError


async def slow(_: Request) -> Response:
    await asyncio.sleep(5)
    return Response()


async def left(_: Request) -> Response:
    raise ClientDisconnect


async def begun(_: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"a"
        raise ClientDisconnect

    return StreamingResponse(parts())


async def tell(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return error.response(request.state.request_id)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def ask(metrics: Metrics) -> Asked:
    handlers: dict[str, Callable[[Request], Any]] = {
        "/echo": echo,
        "/broken": broken,
        "/slow": slow,
        "/left": left,
        "/begun": begun,
    }
    routes = [Route(path, handler, methods=["POST"]) for path, handler in handlers.items()]
    around = [Middleware(Guard, metrics=metrics, deadline=0.05)]
    return Asked(Starlette(routes=routes, middleware=around, exception_handlers={ProblemError: tell}))


async def chunks(size: int, count: int, sent: list[int]) -> AsyncIterator[bytes]:
    for _ in range(count):
        sent.append(size)
        yield b"x" * size


def test_a_request_id_is_made(ask: Asked) -> None:
    ids = {ask.post("/echo", {}).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize("given", ["a", "client-1.2_3", "x" * 64])
def test_a_plain_request_id_is_kept(ask: Asked, given: str) -> None:
    assert ask.post("/echo", {}, headers={"X-Request-Id": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a<b>", "ä".encode()])
def test_another_request_id_is_not(ask: Asked, given: str | bytes) -> None:
    made = ask.post("/echo", {}, headers={"X-Request-Id": given}).headers["x-request-id"]
    assert len(made) == 32
    assert made.isalnum()


def test_the_largest_body(ask: Asked) -> None:
    answer = ask("POST", "/echo", content=b"x" * LARGEST_BODY, headers=JSON)
    assert (answer.status_code, answer.text) == (200, str(LARGEST_BODY))


def test_a_larger_body_is_refused_by_its_length_alone(ask: Asked) -> None:
    answer = ask("POST", "/echo", content=b"x" * (LARGEST_BODY + 1), headers=JSON)
    assert answer.status_code == 413
    assert answer.json()["detail"] == "got 1,048,577 bytes; expected at most 1,048,576"


def test_a_streamed_body_is_counted_as_it_comes(ask: Asked) -> None:
    sent: list[int] = []
    answer = ask("POST", "/echo", content=chunks(LARGEST_BODY // 4, 100, sent), headers=JSON)
    assert answer.status_code == 413
    assert len(sent) < 10
    assert ask("POST", "/echo", content=chunks(1000, 3, sent), headers=JSON).text == "3000"


@pytest.mark.parametrize(
    "media",
    ["application/json", "Application/JSON", "application/json; charset=utf-8", 'application/json;charset="UTF-8"'],
)
def test_json_is_taken(ask: Asked, media: str) -> None:
    assert ask("POST", "/echo", content=b"{}", headers={"Content-Type": media}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_anything_else_is_not(ask: Asked, headers: dict[str, str]) -> None:
    answer = ask("POST", "/echo", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "not_json")


def test_what_nobody_caught_is_told_without_its_insides(ask: Asked, caplog: pytest.LogCaptureFixture) -> None:
    answer = ask.post("/broken", {})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "ZeroDivisionError" not in answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["x-request-id"] in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_an_answer_has_a_deadline(ask: Asked) -> None:
    answer = ask.post("/slow", {})
    assert (answer.status_code, answer.json()["code"]) == (504, "too_slow")


def test_a_body_that_comes_too_slowly_falls_under_it_too(ask: Asked) -> None:
    async def trickle() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)
        yield b"}"

    answer = ask("POST", "/echo", content=trickle(), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (504, "too_slow")


def test_everything_is_counted(ask: Asked, metrics: Metrics) -> None:
    for path in ("/echo", "/echo", "/broken", "/nowhere/at/all"):
        ask.post(path, {})
    ask.post("/left", {})
    text = metrics.text().decode()
    for route, status, count in (("/echo", 200, 2), ("/broken", 500, 1), ("none", 404, 1), ("/left", 499, 1)):
        assert f'clout_requests_total{{route="{route}",status="{status}"}} {count}.0' in text
    assert 'clout_request_seconds_count{route="/echo"} 2.0' in text


def test_a_body_that_breaks_off_is_told_to_whoever_still_reads(ask: Asked) -> None:
    answer = ask.post("/left", {})
    assert (answer.status_code, answer.json()["code"]) == (400, "broken_body")
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_an_answer_that_was_begun_is_not_begun_again(ask: Asked, metrics: Metrics) -> None:
    with pytest.raises(AssertionError):  # an answer that does not end
        ask.post("/begun", {})
    assert 'clout_requests_total{route="/begun",status="200"} 1.0' in metrics.text().decode()


def test_a_body_has_a_shorter_deadline_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.01)
    app = Starlette(
        routes=[Route("/echo", echo, methods=["POST"])],
        middleware=[Middleware(Guard, metrics=Metrics())],
        exception_handlers={ProblemError: tell},
    )

    async def trickle() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    answer = Asked(app)("POST", "/echo", content=trickle(), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (408, "body_too_slow")
    assert answer.json()["detail"] == "got a part; expected the body within 0.01 s"


@pytest.mark.parametrize("filler", ["", "x" * 5_000])
@pytest.mark.parametrize(
    "body",
    ['{"account": "a/1", "n": "%s", "account": "a/2"}', '{"n": "%s", "rows": [{"account": 1, "\\u0061ccount": 1}]}'],
)
def test_a_key_that_comes_twice_is_named(ask: Asked, body: str, filler: str) -> None:
    problem = ask("POST", "/echo", content=body % filler, headers=JSON).json()
    assert (problem["status"], problem["code"]) == (422, "invalid_content")
    assert problem["detail"] == 'got the key "account" more than once in an object; expected it once'
    assert [(fault["pointer"], fault["code"]) for fault in problem["errors"]] == [("", "duplicate_key")]


@pytest.mark.parametrize("body", ["{", "[" * 5_000, "\xff", '{"a": {"b": 1}, "b": [{"a": 1}, {"a": 1}]}', "9" * 5_000])
def test_what_has_no_key_twice_or_is_no_json_is_left_to_its_reader(ask: Asked, body: str) -> None:
    sent = body.encode("latin-1")
    assert ask("POST", "/echo", content=sent, headers=JSON).text == str(len(sent))
