"""The routes about drafts: what each address answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clout.serving.active_model import ActiveModel
from clout.serving.drafts import judged
from clout.serving.drafts.answers import Scores
from clout.serving.drafts.asked import PostsRequest, WhatIfRequest, read
from clout.serving.guard import read_json
from clout.serving.metrics import Metrics
from clout.serving.schemas import PostRequest


class DraftsApi:
    """The handlers; `now` is the clock of the edge, `metrics` count the scores that are told."""

    def __init__(self, active: ActiveModel, now: Callable[[], datetime], metrics: Metrics) -> None:
        self._active, self._now, self._metrics = active, now, metrics

    def routes(self) -> list[Route]:
        """Every route with its handler."""
        return [
            Route("/v1/scores:batch", self.scores, methods=["POST"]),
            Route("/v1/posts:best-time", self.best_time, methods=["POST"]),
            Route("/v1/posts:what-if", self.what_if, methods=["POST"]),
        ]

    async def scores(self, request: Request) -> Response:
        """The scores of many posts."""
        body, now = await read_json(request), self._now()
        return await _told(lambda: self._scores(body, now))

    async def best_time(self, request: Request) -> Response:
        """The best hours to publish a draft."""
        body, now = await read_json(request), self._now()
        return await _told(lambda: judged.best_time(self._active.current(), read(PostRequest, body, now), now))

    async def what_if(self, request: Request) -> Response:
        """What changes to a draft would do."""
        body, now = await read_json(request), self._now()
        return await _told(lambda: judged.what_if(self._active.current(), read(WhatIfRequest, body, now), now))

    def _scores(self, body: bytes, now: datetime) -> Scores:
        told = judged.scores(self._active.current(), read(PostsRequest, body, now), now)
        for result in (item.result for item in told.items if item.result is not None):
            self._metrics.scored(result.network, result.score)
        return told


async def _told(tell: Callable[[], BaseModel]) -> Response:
    answer = await run_in_threadpool(tell)
    return Response(answer.model_dump_json(), media_type="application/json")
