"""What both clients share: how a request is made, what its answer means, and whether it is asked again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any, Generic, TypedDict, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from clout.serving import answers
from clout.serving.accounts import answers as accounts
from clout.serving.client.problem import Problem, QuestionError, unreadable
from clout.serving.drafts import answers as drafts
from clout.serving.ingest.answers import Ingested

Told = TypeVar("Told", bound=BaseModel)
TABLES = ("posts", "actions", "counts")
BUSY, UNAVAILABLE = 429, 503
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
BEFORE = (httpx.ConnectError, httpx.ConnectTimeout)
# A connection that was kept and is gone; what was slow once is not asked again, it would be slow again.
BROKE_OFF = (*BEFORE, httpx.ReadError, httpx.RemoteProtocolError)


SCHEMELESS = re.compile(r"[\w.-]+(:\d+)?(/.*)?")


class Post(TypedDict, total=False):
    """A post or draft, as POST /v1/posts:score takes it."""

    account: str
    network: str
    handle: str
    text: str | None
    lang: str | None
    happened_at: datetime | str | None
    kind: str
    n_media: int | None
    n_urls: int | None
    n_hashtags: int | None
    n_mentions: int | None
    account_facts: Mapping[str, Any] | None


@dataclass(frozen=True)
class Question(Generic[Told]):
    """One request, and the model of its answer; `repeatable` where asking twice does no more than asking once."""

    method: str
    path: str
    answer: type[Told]
    body: Any = None
    query: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    repeatable: bool = True

    def options(self) -> dict[str, Any]:
        """The request as httpx takes it."""
        body = None if self.body is None else {"json": plain(self.body)}
        return {"params": dict(self.query or {}), "headers": dict(self.headers or {}), **(body or {})}

    def read(self, answer: httpx.Response) -> Told:
        """The answer; raises `Problem` where it is none."""
        if answer.status_code != httpx.codes.OK:
            raise Problem.of(answer)
        try:
            return self.answer.model_validate_json(answer.content)
        except ValidationError as error:
            raise Problem(unreadable(answer)) from error


def base_url(url: str) -> str:
    """The URL of a service; raises `QuestionError` for what is none."""
    try:
        told = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise QuestionError(f"got the URL {url!r} ({error}); expected one as http://127.0.0.1:3000") from error
    if told.scheme not in {"http", "https"} or not told.host:
        given = f"give http://{url}" if SCHEMELESS.fullmatch(url) else "give one as http://127.0.0.1:3000"
        raise QuestionError(f"got the URL {url!r}; expected one that begins with http:// or https://: {given}")
    return url


def plain(value: Any) -> Any:  # noqa: ANN401 (anything that JSON can hold, and moments)
    """The same with moments written out; a moment must say its offset from UTC, a number must be finite."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and not isfinite(value):
        raise QuestionError(
            f"got the number {value} in what is asked; expected a finite one: leave out what is not known"
        )
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True)
class Patience:
    """How often a request is asked again, and how long one waits before; `chance` draws from 0 to 1."""

    retries: int
    chance: Callable[[], float]

    def wait(
        self, attempt: int, question: Question[Any], failed: httpx.Response | httpx.TransportError
    ) -> float | None:
        """The seconds before attempt + 1; None where the request is not asked again.

        Refused with 429 or 503, or before there was a connection, it was not done: it is asked again, after the time that
        the service says, else after a time that doubles. Of one that broke off nobody knows: only a repeatable one is
        asked again. A DELETE never is.
        """
        if attempt >= self.retries or not _may_come_again(question, failed):
            return None
        told = Problem.of(failed).retry_after if isinstance(failed, httpx.Response) else None
        grown = min(LONGEST_WAIT, FIRST_WAIT * 2.0**attempt)
        if told is None:
            return min(LONGEST_WAIT, grown * (1 + self.chance()))
        return told + grown * self.chance() if told <= LONGEST_WAIT else None


def _may_come_again(question: Question[Any], failed: httpx.Response | httpx.TransportError) -> bool:
    """Whether a request may be sent once more without being done twice."""
    if question.method == "DELETE":
        return False
    if isinstance(failed, httpx.Response):
        return failed.status_code in (BUSY, UNAVAILABLE)
    return isinstance(failed, BROKE_OFF if question.repeatable else BEFORE)


def score_post(post: Post) -> Question[answers.Score]:
    """What a post scores."""
    return Question("POST", "/v1/posts:score", answers.Score, post)


def explain_post(post: Post) -> Question[answers.Explained]:
    """What a post scores, and why."""
    return Question("POST", "/v1/posts:explain", answers.Explained, post)


def score_posts(posts: Iterable[Post]) -> Question[drafts.Scores]:
    """What each of many posts scores."""
    return Question("POST", "/v1/scores:batch", drafts.Scores, {"posts": list(posts)})


def best_time(post: Post) -> Question[drafts.BestTime]:
    """When a draft would draw most."""
    return Question("POST", "/v1/posts:best-time", drafts.BestTime, post)


def what_if(post: Post, changes: Iterable[Mapping[str, Any]], *, suggest: bool) -> Question[drafts.WhatIf]:
    """What changes would do to a draft."""
    body = {"post": post, "changes": list(changes), "suggest": suggest}
    return Question("POST", "/v1/posts:what-if", drafts.WhatIf, body)


def account_score(account: str) -> Question[accounts.AccountScore]:
    """What an account scores."""
    return Question("GET", _address(account, "/score"), accounts.AccountScore)


def explain_account(account: str) -> Question[accounts.AccountExplained]:
    """What an account scores, and why."""
    return Question("GET", _address(account, "/explanation"), accounts.AccountExplained)


def account_history(
    account: str, since: datetime | str | None, until: datetime | str | None
) -> Question[accounts.AccountHistory]:
    """The scores of an account over time."""
    asked = {"since": since, "until": until}
    query = {name: str(plain(moment)) for name, moment in asked.items() if moment is not None}
    return Question("GET", _address(account, "/history"), accounts.AccountHistory, query=query)


def account_posts(account: str) -> Question[accounts.AccountPosts]:
    """The posts that carried an account's score."""
    return Question("GET", _address(account, "/posts"), accounts.AccountPosts)


def compare_accounts(account: str, others: Iterable[str]) -> Question[accounts.AccountCompared]:
    """An account beside others."""
    query = {"with": ",".join(others)}
    return Question("GET", _address(account, "/compare"), accounts.AccountCompared, query=query)


def forget_account(account: str) -> Question[accounts.Forgotten]:
    """What was erased of an account."""
    headers = {"X-Confirm": quote(account, safe="/:@!$&'()*+,;=")}
    return Question("DELETE", _address(account, ""), accounts.Forgotten, headers=headers, repeatable=False)


def ingest(table: str, rows: Iterable[Mapping[str, Any]]) -> Question[Ingested]:
    """What became of rows of a table; a row that came in before is a duplicate, so asking twice does no harm."""
    if table not in TABLES:
        raise QuestionError(f"got rows of {table!r}; expected rows of one of {', '.join(TABLES)}")
    return Question("POST", f"/v1/ingest/{table}", Ingested, {"rows": list(rows)})


def distribution(network: str) -> Question[accounts.Distribution]:
    """How the scores of a network lie."""
    return Question("GET", "/v1/distribution", accounts.Distribution, query={"network": network})


def model() -> Question[answers.Model]:
    """The model that answers."""
    return Question("GET", "/v1/model", answers.Model)


def _address(account: str, part: str) -> str:
    """The address of what is asked of an account, which is named by network/id or network/@handle."""
    network, slash, name = account.partition("/")
    if not (network and slash and name):
        raise QuestionError(f"got the account {account!r}; expected network/id or network/@handle, as twitter/@klout")
    return f"/v1/accounts/{quote(network, safe='')}/{quote(name, safe='')}{part}"
