"""The routes about accounts: what each address answers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import quote

from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clout.data.shelf import LakeError
from clout.serving.accounts import others as account_others
from clout.serving.accounts import queries as account_queries
from clout.serving.accounts import told as accounts
from clout.serving.accounts.answers import Forgotten
from clout.serving.accounts.kept import AccountStore
from clout.serving.accounts.queries import Name
from clout.serving.accounts.told import Asked
from clout.serving.active_model import ActiveModel
from clout.serving.fresh import fresh
from clout.serving.ingest.inbox import InboxError
from clout.serving.problems import ProblemError

ACCOUNT = "/v1/accounts/{network}/{handle}"
# An id may have slashes in it.
BELOW = "/v1/accounts/{network}/{handle:path}"
CONFIRM = "X-Confirm"
NOT_HERE = "this service erases nothing; expected, where the lake is: `clout forget ACCOUNT`"
NOT_ERASED = (
    "the lake or the inbox is away or cannot be written to, so not all of the account is erased; why is in the log of the "
    "service"
)
RETRY_SECONDS = "10"
Erase = Callable[[str], Mapping[str, int]]

log = logging.getLogger(__name__)


class AccountsApi:
    """The handlers; `erasing` says what forgets an account and tells how many rows left each table, None where nothing does."""

    def __init__(
        self, active: ActiveModel, store: AccountStore, now: Callable[[], datetime], erasing: Callable[[], Erase | None]
    ) -> None:
        self._active, self._store, self._now, self._erasing = active, store, now, erasing

    def routes(self) -> list[Route]:
        """Every route with its handler."""
        return [
            Route(f"{BELOW}/score", self.score),
            Route(f"{BELOW}/explanation", self.explanation),
            Route(f"{BELOW}/history", self.history),
            Route(f"{BELOW}/posts", self.posts),
            Route(f"{BELOW}/compare", self.compare),
            Route(ACCOUNT, self.forget, methods=["DELETE"]),
            Route("/v1/distribution", self.distribution),
        ]

    async def score(self, request: Request) -> Response:
        """The score of an account."""
        account_queries.no_query(request.query_params)
        return await self._answer(request, lambda asked: accounts.score(asked, _name(request)))

    async def explanation(self, request: Request) -> Response:
        """The reasons of an account's score."""
        account_queries.no_query(request.query_params)
        return await self._answer(request, lambda asked: accounts.explanation(asked, _name(request)))

    async def history(self, request: Request) -> Response:
        """The scores of an account over time."""
        within = account_queries.time_range(request.query_params, self._now())
        return await self._answer(request, lambda asked: accounts.history(asked, _name(request), within))

    async def posts(self, request: Request) -> Response:
        """The posts that carried most."""
        account_queries.no_query(request.query_params)
        return await self._answer(request, lambda asked: accounts.posts(asked, _name(request)))

    async def compare(self, request: Request) -> Response:
        """An account beside others."""
        others = account_queries.others(request.query_params)
        return await self._answer(request, lambda asked: account_others.compare(asked, _name(request), others))

    async def distribution(self, request: Request) -> Response:
        """How the scores of a network lie."""
        network = account_queries.network(request.query_params)
        return await self._answer(request, lambda asked: account_others.distribution(asked, network))

    async def forget(self, request: Request) -> Response:
        """What was erased of an account that asked to be forgotten."""
        account_queries.no_query(request.query_params)
        return await run_in_threadpool(self._forget, request)

    async def _answer(self, request: Request, tell: Callable[[Asked], BaseModel]) -> Response:
        def told() -> BaseModel:
            return tell(Asked(self._store, self._active.current()))

        return fresh(request, (await run_in_threadpool(told)).model_dump_json().encode())

    def _forget(self, request: Request) -> Response:
        erase = self._erasing()
        if erase is None:
            raise ProblemError("forbidden", NOT_HERE)
        account = Asked(self._store, self._active.current()).key(_name(request))
        _check_confirmed(request, account)
        try:
            erased = erase(account)
        except (LakeError, InboxError, OSError) as error:
            log.warning("an account could not be erased: %s", error)
            raise ProblemError("lake_unavailable", NOT_ERASED, (), {"Retry-After": RETRY_SECONDS}) from error
        self._active.forget(account)
        self._store.forget_places()
        body = Forgotten(account=account, erased=dict(erased)).model_dump_json()
        return Response(body, headers={"Cache-Control": "no-store"}, media_type="application/json")


def _check_confirmed(request: Request, account: str) -> None:
    expected = quote(account, safe="/:@!$&'()*+,;=")
    if request.headers.get(CONFIRM) not in (account, expected):
        got = "no header" if CONFIRM not in request.headers else "another account in the header"
        raise ProblemError(
            "not_confirmed",
            f"got {got} {CONFIRM}; expected {CONFIRM}: {expected} (all that is held of {account} is erased for good)",
        )


def _name(request: Request) -> Name:
    """The account that the path names."""
    return Name(request.path_params["network"], request.path_params["handle"], "/path/handle")
