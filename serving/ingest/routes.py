"""The routes by which rows come in."""

from __future__ import annotations

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clout.serving.guard import read_json
from clout.serving.ingest.answers import RowsRequest
from clout.serving.ingest.intake import Intake
from clout.serving.metrics import Metrics
from clout.serving.problems import of_validation


class IngestApi:
    """The handlers; `intake` keeps the rows, `metrics` count them."""

    def __init__(self, intake: Intake, metrics: Metrics) -> None:
        self._intake, self._metrics = intake, metrics

    def routes(self) -> list[Route]:
        """Every route with its handler."""
        return [
            Route("/v1/ingest/posts", self.posts, methods=["POST"]),
            Route("/v1/ingest/actions", self.actions, methods=["POST"]),
            Route("/v1/ingest/counts", self.counts, methods=["POST"]),
        ]

    async def posts(self, request: Request) -> Response:
        """What became of posts that were sent."""
        return await self._take(request, "posts")

    async def actions(self, request: Request) -> Response:
        """What became of actions that were sent."""
        return await self._take(request, "actions")

    async def counts(self, request: Request) -> Response:
        """What became of counts that were sent."""
        return await self._take(request, "counts")

    async def _take(self, request: Request, table: str) -> Response:
        body = await read_json(request)
        told = await run_in_threadpool(lambda: self._intake.take(table, _rows(body)))
        self._metrics.took(table, told.model_dump(exclude={"results"}))
        return Response(told.model_dump_json(), headers={"Cache-Control": "no-store"}, media_type="application/json")


def _rows(body: bytes) -> RowsRequest:
    try:
        return RowsRequest.model_validate_json(body)
    except ValidationError as error:
        raise of_validation(error) from error
