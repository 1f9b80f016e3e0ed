"""The routes of the pages: what each address shows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from secrets import token_hex

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clout.serving.accounts.kept import AccountStore
from clout.serving.accounts.queries import Name
from clout.serving.accounts.told import Asked
from clout.serving.active_model import ActiveModel
from clout.serving.fresh import fresh
from clout.serving.guard import LARGEST_BODY
from clout.serving.pages import assets, shell
from clout.serving.pages.forms import read_form
from clout.serving.pages.views import compare, draft, feedback, home, methodology, models, post, why
from clout.serving.pages.views.draft import Typed
from clout.serving.pages.views.view import View
from clout.serving.store.feedback import Report

OK, NOT_FOUND = 200, 404
Where = Callable[[], str | None]


class Pages:
    """The handlers; `now` is the clock of the edge, `tracking_uri` says where MLflow keeps runs, if anywhere."""

    def __init__(
        self, active: ActiveModel, store: AccountStore, now: Callable[[], datetime], tracking_uri: Where
    ) -> None:
        self._active, self._store, self._now, self._tracking_uri = active, store, now, tracking_uri

    def routes(self) -> list[Route]:
        """Every route with its handler; the description of the API leaves them out."""
        return [
            _page("/find", self.find),
            _page("/methodology", self.methodology),
            _page("/models", self.models),
            _page("/models/comparison", self.comparison),
            _page("/why/{network}/{handle:path}", self.why),
            _page("/post/{id:path}", self.post),
            _page("/draft", self.draft, "GET", "POST"),
            _page("/feedback", self.feedback, "GET", "POST"),
            _page("/feedback/{reference}", self.reported),
            _page("/compare", self.compare),
            assets.ROUTE,
        ]

    async def home(self, request: Request) -> Response:
        """What a score is, and a form that finds an account."""
        return await self._show(request, "home.html", home.home)

    async def find(self, request: Request) -> Response:
        """The page of the account that the form asks for, or who may have been meant."""

        def told() -> Response:
            found = home.find(Asked(self._store, self._active.current()), request.query_params)
            if isinstance(found, str):
                return shell.moved(request, f"/why/{found}")
            return shell.told(request, "find.html", found, NOT_FOUND if found.asked else OK)

        return await run_in_threadpool(told)

    async def methodology(self, request: Request) -> Response:
        """How scores are made, how well, and where they fail."""
        return await self._show(request, "methodology.html", methodology.methodology)

    async def models(self, request: Request) -> Response:
        """Which model answers, how good each is, and who changed what."""

        def told() -> Response:
            view = models.models(self._active, self._store, self._tracking_uri(), self._now())
            return shell.page(request, "models.html", view)

        return await run_in_threadpool(told)

    async def comparison(self, request: Request) -> Response:
        """The page that the newest `clout compare` of the home has left."""
        found = await run_in_threadpool(models.comparison, self._active.home)
        headers = {"Content-Security-Policy": shell.PLAIN_POLICY}
        return fresh(request, found, media=f"{shell.HTML}; charset=utf-8", headers=headers)

    async def why(self, request: Request) -> Response:
        """Why an account's score is what it is."""
        name = Name(request.path_params["network"], request.path_params["handle"], "/path/handle")
        return await self._show(request, "why.html", lambda asked: why.why(asked, name))

    async def post(self, request: Request) -> Response:
        """What a published post was expected to draw just before it was published, and what it drew."""
        name = request.path_params["id"]
        return await self._show(request, "post.html", lambda asked: post.post(asked, name))

    async def feedback(self, request: Request) -> Response:
        """A form to report a problem by; what it sends is kept."""
        if request.method == "POST":
            return await run_in_threadpool(self._report, request, await read_form(request))
        query = request.query_params
        typed = feedback.Typed(account=query.get("account", ""), page=query.get("page", ""))
        form = await run_in_threadpool(feedback.empty, typed, self._asked)
        return shell.page(request, "feedback.html", form)

    async def reported(self, request: Request) -> Response:
        """What became of a report."""
        reference = request.path_params["reference"]

        def told() -> Response:
            return shell.told(request, "reported.html", feedback.reported(self._store.open().feedback, reference))

        return await run_in_threadpool(told)

    async def draft(self, request: Request) -> Response:
        """A form for a post that is not published yet; to what it sends, what people may do with that post."""
        if request.method == "POST":
            return await self._judge(request, Typed.of(await read_form(request, LARGEST_BODY)))
        typed = Typed(account=request.query_params.get("account", ""))
        return await self._show(request, "draft.html", lambda asked: draft.empty(asked.loaded, typed))

    async def compare(self, request: Request) -> Response:
        """Up to five accounts side by side, and what makes the difference."""
        given = compare.names(request.query_params)

        def told() -> Response:
            view = compare.compare(Asked(self._store, self._active.current()), given)
            if view.status != OK:
                return shell.told(request, "compare.html", view, view.status)
            return shell.page(request, "compare.html", view)

        return await run_in_threadpool(told)

    async def _judge(self, request: Request, typed: Typed) -> Response:
        def told() -> Response:
            view = draft.judge(self._active.current(), typed, self._now())
            if request.headers.get("hx-target") == "result":  # what is half typed is no error yet
                return shell.told(request, "draft/part.html", view)
            return shell.told(request, "draft.html", view, view.status)

        return await run_in_threadpool(told)

    def _report(self, request: Request, fields: dict[str, str]) -> Response:
        typed = feedback.Typed.of(fields)
        sent = feedback.send(typed, self._asked, self._store.open().feedback, token_hex(8), self._now())
        if isinstance(sent, Report):
            return shell.moved(request, f"/feedback/{sent.id}")
        if shell.wants_json(request):
            raise sent.problem()
        return shell.told(request, "feedback.html", sent, sent.status)

    def _asked(self) -> Asked:
        return Asked(self._store, self._active.current())

    async def _show(self, request: Request, template: str, view: Callable[[Asked], View]) -> Response:
        def told() -> Response:
            return shell.page(request, template, view(Asked(self._store, self._active.current())))

        return await run_in_threadpool(told)


def _page(path: str, handler: Callable[[Request], Awaitable[Response]], *methods: str) -> Route:
    return Route(path, handler, methods=methods or None, include_in_schema=False)
