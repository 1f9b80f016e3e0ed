"""The routes: what each address answers."""

from __future__ import annotations

import json
import logging
import shlex
from collections.abc import Callable
from datetime import datetime

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from clout.serving import answers, card, problems, scoring
from clout.serving.accounts.kept import NOWHERE, OK, AccountStore, AwayError
from clout.serving.accounts.routes import AccountsApi, Erase
from clout.serving.active_model import ActiveModel, Loaded, NotReadyError, Refusal
from clout.serving.drafts.routes import DraftsApi
from clout.serving.edge import telling
from clout.serving.edge.layers import OPEN_HERE, Edge
from clout.serving.fresh import fresh
from clout.serving.guard import LIGHT, read_json
from clout.serving.ingest.intake import NOWHERE as NO_INTAKE
from clout.serving.ingest.intake import Intake
from clout.serving.ingest.routes import IngestApi
from clout.serving.klout.routes import KloutApi
from clout.serving.live import figures as live_figures
from clout.serving.metrics import Metrics
from clout.serving.openapi.document import address, method
from clout.serving.openapi.routes import ROUTE as OPENAPI
from clout.serving.pages import problem_page
from clout.serving.pages.routes import Pages, Where
from clout.serving.problems import ProblemError
from clout.serving.schemas import PostRequest
from clout.serving.store.rows import StoreError
from clout.serving.store_watch import DOWN, StoreWatch

RETRY_SECONDS = "5"
Tell = Callable[[Loaded, scoring.Measured], tuple[answers.Score, bytes]]
log = logging.getLogger("clout.serving")


class Api:
    """The handlers; `now` is the clock of the edge, the only one there is."""

    def __init__(
        self,
        active: ActiveModel,
        now: Callable[[], datetime],
        metrics: Metrics,
        store: AccountStore = NOWHERE,
        erasing: Callable[[], Erase | None] = lambda: None,
        intake: Intake = NO_INTAKE,
        tracking_uri: Where = lambda: None,
    ) -> None:
        self._active, self._now, self._metrics, self._intake = active, now, metrics, intake
        self._store, self._kept = StoreWatch(store, metrics), store
        self._ingest = IngestApi(intake, metrics)
        self._accounts = AccountsApi(active, store, now, erasing)
        self._drafts = DraftsApi(active, now, metrics)
        self.pages = Pages(active, store, now, tracking_uri)

    def routes(self) -> list[Route]:
        """Every route with its handler."""
        return [
            Route("/", self.home),
            Route("/v1/posts:score", self.score, methods=["POST"]),
            Route("/v1/posts:explain", self.explain, methods=["POST"]),
            *self._drafts.routes(),
            *self._accounts.routes(),
            *self._ingest.routes(),
            Route("/v1/model", self.model),
            Route("/v1/model/card", self.card),
            Route("/livez", self.live),
            Route("/readyz", self.ready),
            Route("/metrics", self.metrics),
            Route(problems.PAGE, self.problems),
            OPENAPI,
        ]

    async def score(self, request: Request) -> Response:
        """The score of a post."""
        return await self._judge(request, scoring.write)

    async def explain(self, request: Request) -> Response:
        """The score of a post with its reasons."""
        return await self._judge(request, scoring.write_why)

    async def model(self, request: Request) -> Response:
        """What there is to know about the model."""
        return fresh(request, scoring.model(self._active.current()).model_dump_json().encode())

    async def card(self, request: Request) -> Response:
        """The model card."""
        return card.answer(self._active.current().model, request)

    async def live(self, _: Request) -> Response:
        """That the process answers."""
        return JSONResponse({"status": "alive"})

    async def ready(self, _: Request) -> Response:
        """That a verified model and its history are loaded and the store of scores answers, if there is one.

        Also what came after them but was refused. Everybody may ask, so what names places and people is in the log alone.
        """
        model, refused = self._active.current().model, self._active.refused
        versions = {"model_version": model.version, "scale_version": model.scale_version}
        told = {"status": "ready", **versions, "refused": refused and _refusal(refused, model.version)}
        store = await self._store.state()
        if store == DOWN:
            raise ProblemError("store_unavailable", store, headers={"Retry-After": RETRY_SECONDS})
        return JSONResponse({**told, "store": store})

    async def metrics(self, _: Request) -> Response:
        """The figures of the service in Prometheus' format."""
        if self._active.is_ready:
            model = self._active.current().model
            self._metrics.serves(model.version, model.scale_version)
            self._metrics.refuses(self._active.refused is not None)
        figures = await run_in_threadpool(self._figures, await self._store.state() == OK)
        return Response(figures, media_type="text/plain; version=0.0.4")

    async def problems(self, _: Request) -> Response:
        """The problems there are."""
        return problems.page()

    async def home(self, request: Request) -> Response:
        """Where to look; for people, the first page."""
        if problem_page.speaks(request.scope) or "format" in request.query_params:
            return await self.pages.home(request)
        routes = {address(route): method(route) for route in self.routes()}
        url = f"{request.url.scheme}://{request.url.netloc}"
        example = curl(url, self._active.current().example) if self._active.is_ready else None
        return JSONResponse({"service": "clout", "routes": routes, "try": example}, headers={"Vary": "Accept"})

    def _figures(self, store_answers: bool) -> bytes:  # noqa: FBT001 - a state
        self._metrics.waits(self._intake.waiting())
        return self._metrics.text() + (live_figures.read(self._kept) if store_answers else b"")

    async def _judge(self, request: Request, tell: Tell) -> Response:
        """The answer about a post: at once where that takes a millisecond or two, else in another thread."""
        body, now = await read_json(request), self._now()
        asked = scoring.read_request(body, now)
        if asked.account_facts is None and len(body) <= LIGHT:
            return self._answer(asked, now, tell)
        return await run_in_threadpool(self._answer, asked, now, tell)

    def _answer(self, asked: PostRequest, now: datetime, tell: Tell) -> Response:
        loaded = self._active.current()
        measured = scoring.measure(loaded, asked, now)
        self._metrics.measured(loaded.model.contract.names, measured.matrix)
        answer, body = tell(loaded, measured)
        self._metrics.scored(answer.network, answer.score)
        return Response(body, media_type="application/json")


def curl(url: str, account: str) -> str:
    """A request about a draft of `account` that one can paste into a shell."""
    post = json.dumps({"account": account, "text": "What did you read this week?"})
    return f"curl {url}/v1/posts:explain -H 'Content-Type: application/json' -d {shlex.quote(post)}"


def application(
    active: ActiveModel,
    now: Callable[[], datetime],
    store: AccountStore = NOWHERE,
    erasing: Callable[[], Erase | None] = lambda: None,
    edge: Edge = OPEN_HERE,
    intake: Intake = NO_INTAKE,
    tracking_uri: Where = lambda: None,
) -> Starlette:
    """The ASGI application that answers with `active` and the scores of `store`, and forgets accounts by what `erasing` says.

    `edge` lets requests in; as it stands, those of this machine. `intake` takes in rows; as it stands, none.
    `tracking_uri` says where MLflow keeps runs.
    """
    metrics = Metrics()
    api = Api(active, now, metrics, store, erasing, intake, tracking_uri)
    app = Starlette(
        routes=[
            *api.routes(),
            *KloutApi(active, store).routes(),
            *api.pages.routes(),
        ],
        middleware=edge.layers(metrics),
        exception_handlers=dict.fromkeys((ProblemError, NotReadyError, StoreError, HTTPException), _tell),
    )
    app.router.redirect_slashes = False
    return app


def _refusal(refused: Refusal, version: str) -> dict[str, str | None]:
    reason = f"the {refused.what(version)} could not be taken in; see the log of the service"
    return {"version": refused.version, "reason": reason}


async def _tell(request: Request, error: Exception) -> Response:
    return telling.response(_problem(request, error), request.scope)


def _problem(request: Request, error: Exception) -> ProblemError:
    match error:
        case ProblemError():
            return error
        case NotReadyError():
            return ProblemError("not_ready", str(error), headers={"Retry-After": RETRY_SECONDS})
        case StoreError():
            log.warning("the store of scores did not answer: %s", error)
            told = str(error) if isinstance(error, AwayError) else DOWN
            return ProblemError("store_unavailable", told, headers={"Retry-After": RETRY_SECONDS})
        case HTTPException(status_code=405):
            allowed = ", ".join(sorted((error.headers or {}).get("Allow", "").split(", ")))
            return ProblemError(
                "method_not_allowed", f"got {request.method}; expected {allowed}", (), {"Allow": allowed}
            )
    return ProblemError("unknown_route", f"got {request.url.path}; expected one of the addresses that / lists")
