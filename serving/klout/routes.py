"""The addresses that Klout had, and what each answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from clout.serving.accounts.kept import AccountStore
from clout.serving.active_model import ActiveModel
from clout.serving.klout.ids import CurrentIds
from clout.serving.klout.told import Told
from clout.serving.problems import ProblemError

GZIP = Middleware(GZipMiddleware, minimum_size=1)


class KloutRoute(Route):
    """An address of Klout's, with or without a slash at its end; packed where the client asks for it."""

    def __init__(self, path: str, endpoint: Callable[[Request], Any]) -> None:
        super().__init__(path, endpoint, middleware=[GZIP])

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether this is the address that is asked, and its parts."""
        return super().matches({**scope, "path": scope["path"].removesuffix("/")})


class KloutApi:
    """The handlers; they read what is loaded and the scores that are kept."""

    def __init__(self, active: ActiveModel, store: AccountStore) -> None:
        self._active, self._store, self._ids = active, store, CurrentIds()

    def routes(self) -> list[Route]:
        """Every route with its handler."""
        return [
            KloutRoute("/v2/identity.json/klout/{klout_id}/{network}", self.elsewhere),
            KloutRoute("/v2/identity.json/{network}", self.named),
            KloutRoute("/v2/identity.json/{network}/{id:path}", self.native),
            KloutRoute("/v2/user.json/{klout_id}", self.user),
            KloutRoute("/v2/user.json/{klout_id}/score", self.score),
            KloutRoute("/v2/user.json/{klout_id}/topics", self.topics),
            KloutRoute("/v2/user.json/{klout_id}/influence", self.influence),
            KloutRoute("/1/klout.json", self.first_api),
        ]

    async def elsewhere(self, request: Request) -> Response:
        """The id on another network of whom a number stands for."""
        return await self._answer(lambda told: told.elsewhere(**request.path_params))

    async def named(self, request: Request) -> Response:
        """The number of whom a screen name means."""
        name = _given(request, "screenName")
        return await self._answer(lambda told: told.named(request.path_params["network"], name))

    async def native(self, request: Request) -> Response:
        """The number of whom an id on a network means."""
        network, own = request.path_params["network"], request.path_params["id"]
        return await self._answer(lambda told: told.native(network, own))

    async def user(self, request: Request) -> Response:
        """Whom a number stands for, and the score."""
        return await self._answer(lambda told: told.user(**request.path_params))

    async def score(self, request: Request) -> Response:
        """The score of whom a number stands for."""
        return await self._answer(lambda told: told.score(**request.path_params))

    async def topics(self, request: Request) -> Response:
        """What they write about: an empty list."""
        return await self._answer(lambda told: told.topics(**request.path_params))

    async def influence(self, request: Request) -> Response:
        """Who influences them, and whom they influence."""
        return await self._answer(lambda told: told.influence(**request.path_params))

    async def first_api(self, request: Request) -> Response:
        """The scores of some screen names, as the first version of Klout's API told them."""
        users = _given(request, "users")
        return await self._answer(lambda told: told.first_api(users))

    async def _answer(self, tell: Callable[[Told], BaseModel | list[object]]) -> Response:
        def told() -> BaseModel | list[object]:
            loaded = self._active.current()
            return tell(Told(self._store, loaded, self._ids.of(loaded)))

        answer = await run_in_threadpool(told)
        body = answer.model_dump_json(by_alias=True) if isinstance(answer, BaseModel) else json.dumps(answer)
        return Response(body, media_type="application/json")


def _given(request: Request, name: str) -> str:
    """What the address gives under a name; raises a problem where it gives nothing."""
    value = request.query_params.get(name, "")
    if not value:
        raise ProblemError("invalid_query", f"got no {name}; expected it in the address, as ?{name}=klout&key=…")
    return value
