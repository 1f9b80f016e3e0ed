"""What is written down of requests: one JSON line each, without secrets, bodies, or the names of accounts.

Every write goes to `requests.jsonl` in home, for good; with `CLOUT_LOG=json` each request also goes to stderr.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from functools import cache
from io import TextIOWrapper
from logging.handlers import WatchedFileHandler
from pathlib import Path
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clout.serving import own_file
from clout.serving.edge.service_log import stream

AUDIT = "requests.jsonl"
AUDITED = ("ingest", "admin")
CLIENT_LEFT = 499


class JsonLines(logging.Formatter):
    """Each record as one JSON object: when, and what its `told` says."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return json.dumps({"at": at, **record.told}, ensure_ascii=False)  # type: ignore[attr-defined]


class KeptFile(WatchedFileHandler):
    """A file that is made when first written, and that others may move away. What cannot be written is told on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        """Nothing; the line is in the file."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)

    def _open(self) -> TextIOWrapper:
        own_file.make(Path(self.baseFilename))
        return super()._open()


class RequestLog:
    """An ASGI layer that notes each request once it is answered: in `audit` if it writes, in `every` if there is one."""

    def __init__(self, app: ASGIApp, audit: logging.Logger | None, every: logging.Logger | None) -> None:
        self._app, self._audit, self._every = app, audit, every

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started = CLIENT_LEFT, perf_counter()

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:
            self._note(scope, status, perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        state = scope.get("state", {})
        logs = [log for log in (self._audit if state.get("needs") in AUDITED else None, self._every) if log]
        told = {
            "who": state.get("who"),
            "method": scope["method"],
            "route": getattr(scope.get("route"), "path", "none"),
            "status": CLIENT_LEFT if state.get("left") else status,
            "request_id": state.get("request_id"),
        }
        for log in logs:
            log.info("request", extra={"told": told | ({"seconds": round(seconds, 6)} if log is self._every else {})})


@cache
def audit_log(home: Path) -> logging.Logger:
    """The log of writes in `home`."""
    handler = KeptFile(home / AUDIT, encoding="utf-8", delay=True)
    handler.setFormatter(JsonLines())
    return _logger("clout.audit", handler)


@cache
def error_stream_log() -> logging.Logger:
    """The log of every request on stderr."""
    return _logger("clout.requests", stream())


def _logger(name: str, handler: logging.Handler) -> logging.Logger:
    log = logging.Logger(name, logging.INFO)
    log.addHandler(handler)
    return log
