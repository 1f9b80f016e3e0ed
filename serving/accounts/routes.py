"""The routes about accounts: what each address answers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clout.serving.accounts import others as account_others
from clout.serving.accounts import queries as account_queries
from clout.serving.accounts import told as accounts
from clout.serving.accounts.answers import Forgotten
from clout.serving.accounts.kept import AccountStore
from clout.serving.accounts.queries import Name
from clout.serving.accounts.told import Asked
from clout.serving.active_model import ActiveModel
from clout.serving.card import tags
from clout.serving.problems import ProblemError

ACCOUNT = "/v1/accounts/{network}/{handle}"
# An id may have slashes in it.
BELOW = "/v1/accounts/{network}/{handle:path}"
CONFIRM = "X-Confirm"
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")
NOT_HERE = (
    "accounts are erased over HTTP only where the service listens on a loopback address and the request comes from the same "
    "machine to it; expected that, or on that machine: `clout forget ACCOUNT`"
)
Erase = Callable[[str], Mapping[str, int]]


class AccountsApi:
    """The handlers; `erase` forgets an account and says how many rows left each table, None where it must not be asked."""

    def __init__(
        self, active: ActiveModel, store: AccountStore, now: Callable[[], datetime], erase: Erase | None
    ) -> None:
        self._active, self._store, self._now, self._erase = active, store, now, erase

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

        return _fresh(request, await run_in_threadpool(told))

    def _forget(self, request: Request) -> Response:
        if self._erase is None or not _is_local(request):
            raise ProblemError("forbidden", NOT_HERE)
        account = Asked(self._store, self._active.current()).key(_name(request))
        _check_confirmed(request, account)
        erased = self._erase(account)
        self._active.forget(account)
        self._store.forget_places()
        body = Forgotten(account=account, erased=dict(erased)).model_dump_json()
        return Response(body, headers={"Cache-Control": "no-store"}, media_type="application/json")


def is_loopback(host: str | None) -> bool:
    """Whether only this machine can mean itself by the name or address.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        address = ip_address(host or "")
    except ValueError:
        return host == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _is_local(request: Request) -> bool:
    """Whether a program on this machine asks, by itself and by this machine's name."""
    client = request.client
    handed_on = any(name in request.headers for name in FORWARDED)
    try:
        asked = urlsplit(f"//{request.headers.get('host', '')}").hostname
    except ValueError:
        return False
    return client is not None and is_loopback(client.host) and is_loopback(asked) and not handed_on


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


def _fresh(request: Request, answer: BaseModel) -> Response:
    """The answer, or 304 where the client has it already."""
    body = answer.model_dump_json().encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, max-age=60"}
    if tags(request.headers.get("if-none-match", "")) & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")
