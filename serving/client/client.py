"""Two clients of one service: one that waits, and one for programs that do other things meanwhile."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel

from clout.serving import answers
from clout.serving.accounts import answers as accounts
from clout.serving.client import asking
from clout.serving.client.asking import Patience, Post, Question
from clout.serving.client.problem import UnreachableError
from clout.serving.drafts import answers as drafts
from clout.serving.ingest.answers import Ingested

Told = TypeVar("Told", bound=BaseModel)
HERE = "http://127.0.0.1:3000"
SECONDS, RETRIES = 30.0, 3
Moment = datetime | str


def _headers(key: str | None) -> dict[str, str]:
    return {"Accept": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})


class Client:
    """Asks the service at `url`, with a `key` where it wants one; closes its connections when the context ends.

    An answer may take `timeout` seconds; what the service refuses because it is busy is asked again up to `retries` times.
    """

    def __init__(
        self,
        url: str = HERE,
        key: str | None = None,
        *,
        timeout: float = SECONDS,
        retries: int = RETRIES,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(
            base_url=asking.base_url(url), headers=_headers(key), timeout=timeout, transport=transport
        )
        self._patience = Patience(retries, random.random)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nothing; the connections are closed."""
        self._http.close()

    def score(self, post: Post) -> answers.Score:
        """The score of a post or draft."""
        return self._ask(asking.score_post(post))

    def explain(self, post: Post) -> answers.Explained:
        """The score of a post or draft with its reasons."""
        return self._ask(asking.explain_post(post))

    def score_many(self, posts: Iterable[Post]) -> drafts.Scores:
        """A result or a problem for each of up to 100 posts."""
        return self._ask(asking.score_posts(posts))

    def best_time(self, post: Post) -> drafts.BestTime:
        """When a draft would draw most in the coming week."""
        return self._ask(asking.best_time(post))

    def what_if(self, post: Post, changes: Iterable[Mapping[str, Any]] = (), *, suggest: bool = False) -> drafts.WhatIf:
        """What changes would do to a draft; with `suggest`, also those that would help."""
        return self._ask(asking.what_if(post, changes, suggest=suggest))

    def account_score(self, account: str) -> accounts.AccountScore:
        """The score of an account, named by network/id or network/@handle."""
        return self._ask(asking.account_score(account))

    def explain_account(self, account: str) -> accounts.AccountExplained:
        """The score of an account with its reasons."""
        return self._ask(asking.explain_account(account))

    def account_history(
        self, account: str, since: Moment | None = None, until: Moment | None = None
    ) -> accounts.AccountHistory:
        """The scores of an account over time."""
        return self._ask(asking.account_history(account, since, until))

    def account_posts(self, account: str) -> accounts.AccountPosts:
        """The posts that carried an account's score."""
        return self._ask(asking.account_posts(account))

    def compare(self, account: str, others: Iterable[str]) -> accounts.AccountCompared:
        """An account beside up to four others."""
        return self._ask(asking.compare_accounts(account, others))

    def forget(self, account: str) -> accounts.Forgotten:
        """What was erased of an account, named by network/id; for good, and never asked twice."""
        return self._ask(asking.forget_account(account))

    def ingest(self, table: str, rows: Iterable[Mapping[str, Any]]) -> Ingested:
        """What became of up to 1,000 rows of posts, actions or counts; those accepted are kept for good."""
        return self._ask(asking.ingest(table, rows))

    def distribution(self, network: str) -> accounts.Distribution:
        """How the scores of a network lie."""
        return self._ask(asking.distribution(network))

    def model(self) -> answers.Model:
        """The model that answers."""
        return self._ask(asking.model())

    def _ask(self, question: Question[Told]) -> Told:
        attempt = 0
        while True:
            failed: httpx.Response | httpx.TransportError
            try:
                failed = self._http.request(question.method, question.path, **question.options())
            except httpx.TransportError as error:
                failed = error
            wait = None if is_fine(failed) else self._patience.wait(attempt, question, failed)
            if wait is None:
                return outcome(question, failed)
            time.sleep(wait)
            attempt += 1


class AsyncClient:
    """`Client` for programs that do other things meanwhile: the same, awaited."""

    def __init__(
        self,
        url: str = HERE,
        key: str | None = None,
        *,
        timeout: float = SECONDS,
        retries: int = RETRIES,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=asking.base_url(url), headers=_headers(key), timeout=timeout, transport=transport
        )
        self._patience = Patience(retries, random.random)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Nothing; the connections are closed."""
        await self._http.aclose()

    async def score(self, post: Post) -> answers.Score:
        """The score of a post or draft."""
        return await self._ask(asking.score_post(post))

    async def explain(self, post: Post) -> answers.Explained:
        """The score of a post or draft with its reasons."""
        return await self._ask(asking.explain_post(post))

    async def score_many(self, posts: Iterable[Post]) -> drafts.Scores:
        """A result or a problem for each of up to 100 posts."""
        return await self._ask(asking.score_posts(posts))

    async def best_time(self, post: Post) -> drafts.BestTime:
        """When a draft would draw most in the coming week."""
        return await self._ask(asking.best_time(post))

    async def what_if(
        self, post: Post, changes: Iterable[Mapping[str, Any]] = (), *, suggest: bool = False
    ) -> drafts.WhatIf:
        """What changes would do to a draft; with `suggest`, also those that would help."""
        return await self._ask(asking.what_if(post, changes, suggest=suggest))

    async def account_score(self, account: str) -> accounts.AccountScore:
        """The score of an account, named by network/id or network/@handle."""
        return await self._ask(asking.account_score(account))

    async def explain_account(self, account: str) -> accounts.AccountExplained:
        """The score of an account with its reasons."""
        return await self._ask(asking.explain_account(account))

    async def account_history(
        self, account: str, since: Moment | None = None, until: Moment | None = None
    ) -> accounts.AccountHistory:
        """The scores of an account over time."""
        return await self._ask(asking.account_history(account, since, until))

    async def account_posts(self, account: str) -> accounts.AccountPosts:
        """The posts that carried an account's score."""
        return await self._ask(asking.account_posts(account))

    async def compare(self, account: str, others: Iterable[str]) -> accounts.AccountCompared:
        """An account beside up to four others."""
        return await self._ask(asking.compare_accounts(account, others))

    async def forget(self, account: str) -> accounts.Forgotten:
        """What was erased of an account, named by network/id; for good, and never asked twice."""
        return await self._ask(asking.forget_account(account))

    async def ingest(self, table: str, rows: Iterable[Mapping[str, Any]]) -> Ingested:
        """What became of up to 1,000 rows of posts, actions or counts; those accepted are kept for good."""
        return await self._ask(asking.ingest(table, rows))

    async def distribution(self, network: str) -> accounts.Distribution:
        """How the scores of a network lie."""
        return await self._ask(asking.distribution(network))

    async def model(self) -> answers.Model:
        """The model that answers."""
        return await self._ask(asking.model())

    async def _ask(self, question: Question[Told]) -> Told:
        attempt = 0
        while True:
            failed: httpx.Response | httpx.TransportError
            try:
                failed = await self._http.request(question.method, question.path, **question.options())
            except httpx.TransportError as error:
                failed = error
            wait = None if is_fine(failed) else self._patience.wait(attempt, question, failed)
            if wait is None:
                return outcome(question, failed)
            await asyncio.sleep(wait)
            attempt += 1


def is_fine(came: httpx.Response | httpx.TransportError) -> bool:
    """Whether a request came to its answer."""
    return isinstance(came, httpx.Response) and came.status_code == httpx.codes.OK


def outcome(question: Question[Told], came: httpx.Response | httpx.TransportError) -> Told:
    """The answer; raises what came instead."""
    if isinstance(came, httpx.TransportError):
        raise UnreachableError.of(came) from came
    return question.read(came)
