"""What stands around every route: request ids, counting, limits on bodies, and an answer when all else fails."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from json import JSONDecoder
from secrets import token_hex
from time import perf_counter

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clout.serving.edge import telling
from clout.serving.edge.headers import header
from clout.serving.metrics import Metrics
from clout.serving.problems import Fault, ProblemError, shown

LARGEST_BODY, LIGHT = 1 << 20, 4_000
REQUEST_ID = b"x-request-id"
READABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
CLIENT_LEFT = 499
DEADLINE_SECONDS = 30.0
BODY_SECONDS = 10.0

log = logging.getLogger("clout.serving")


class Guard:
    """An ASGI layer that gives each answer a request id, counts it, and turns what nobody caught into a problem."""

    def __init__(self, app: ASGIApp, metrics: Metrics, deadline: float = DEADLINE_SECONDS) -> None:
        self._app, self._metrics, self._deadline = app, metrics, deadline

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, started, status = _request_id(scope), perf_counter(), CLIENT_LEFT
        scope.setdefault("state", {})["request_id"] = request_id

        async def marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (REQUEST_ID, request_id.encode())]
            await send(message)

        try:
            async with asyncio.timeout(self._deadline):
                await self._app(scope, receive, marked)
        except ClientDisconnect:
            log.info("the body of request %s broke off, or its client left", request_id)
            if status == CLIENT_LEFT:
                await telling.response(_broken_body(), scope)(scope, receive, marked)
                status, scope["state"]["left"] = CLIENT_LEFT, True
        except Exception as error:
            if status != CLIENT_LEFT:
                raise
            await telling.response(_last_resort(error, request_id, self._deadline), scope)(scope, receive, marked)
        finally:
            self._metrics.answered(_route(scope), status, perf_counter() - started)


def _last_resort(error: Exception, request_id: str, deadline: float) -> ProblemError:
    """The problem of an error that no handler caught; its trace is logged."""
    if isinstance(error, TimeoutError):
        return ProblemError("too_slow", f"no answer within {deadline:g} seconds")
    log.error("request %s broke", request_id, exc_info=error)
    return ProblemError("internal_error", "an error that nobody foresaw; its trace is in the service's log")


def _broken_body() -> ProblemError:
    """The problem of a body that ended too early; servers do not say whether its client is still there to read it."""
    return ProblemError("broken_body", "got a body that breaks off or is not framed well; expected all of it")


def _request_id(scope: Scope) -> str:
    """The client's own id where it is short and plain, else a new one."""
    given = header(scope, REQUEST_ID)
    return given if READABLE_ID.fullmatch(given) else token_hex(16)


def _route(scope: Scope) -> str:
    """The path of the route that answered, for all paths that have none."""
    route = scope.get("route")
    return getattr(route, "path", "none")


async def read_json(request: Request) -> bytes:
    """The body of a request that says it is JSON, in which no object has a key twice."""
    _check_type(request)
    body = await read_body(request, LARGEST_BODY)
    if len(body) > LIGHT:
        await run_in_threadpool(_check_keys, body)
    else:
        _check_keys(body)
    return body


async def read_body(request: Request, largest: int) -> bytes:
    """The body of a request.

    Refused as soon as it is longer than `largest`, or when it is not there after `BODY_SECONDS`.
    """
    declared = header(request.scope, b"content-length")
    if declared.isdecimal() and int(declared) > largest:
        raise _too_large(f"{int(declared):,}", largest)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read(request, largest)
    except TimeoutError as error:
        raise ProblemError("body_too_slow", f"got a part; expected the body within {BODY_SECONDS:g} s") from error


async def _read(request: Request, largest: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            raise _too_large("more", largest)
    return bytes(body)


def _check_type(request: Request) -> None:
    told = header(request.scope, b"content-type", "no content type")
    encoding = header(request.scope, b"content-encoding", "identity")
    media, _, parameters = told.partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if media.strip().lower() != "application/json" or charset not in {"", "utf-8"}:
        raise ProblemError("not_json", f"got {told[:100]}; expected application/json in UTF-8")
    if encoding != "identity":
        raise ProblemError("not_json", f"got a body encoded as {encoding[:100]}; expected it plain")


def _check_keys(body: bytes) -> None:
    """Nothing; raises a problem of a key that an object has twice. What is no JSON is for its reader to tell."""
    try:
        KEYS_ONCE.decode(body.decode())
    except ProblemError:
        raise
    except (ValueError, RecursionError):
        return


def _once(pairs: list[tuple[str, object]]) -> None:
    if len(dict(pairs)) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        detail = f"got the key {shown(twice)} more than once in an object; expected it once"
        raise ProblemError("invalid_content", detail, [Fault("", detail, "duplicate_key")])


KEYS_ONCE = JSONDecoder(object_pairs_hook=_once)


def _too_large(got: str, largest: int) -> ProblemError:
    return ProblemError("body_too_large", f"got {got} bytes; expected at most {largest:,}")
