"""The client asks what the service answers, waits when it is told to, and raises what went wrong."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, get_type_hints

import httpx
import pytest
from scored_home import NOW, Scored
from starlette.types import ASGIApp

from clout.errors import CloutError
from clout.serving.accounts.kept import AccountStore
from clout.serving.active_model import ActiveModel
from clout.serving.api import application
from clout.serving.client import AsyncClient, Client, Post, Problem, QuestionError, UnreachableError
from clout.serving.client import client as module
from clout.serving.client.asking import LONGEST_WAIT, Patience, Question, plain
from clout.serving.ingest.intake import Intake
from clout.serving.openapi.operations import ACTION, OPERATIONS
from clout.serving.openapi.told import Alive
from clout.serving.schemas import PostRequest

URL = "http://127.0.0.1:3000"
ALIVE = {"status": "alive"}


@pytest.fixture(scope="module")
def app(scored: Scored, tmp_path_factory: pytest.TempPathFactory) -> ASGIApp:
    own = ActiveModel()  # which may forget an account
    own._current = scored.active.current()
    home = tmp_path_factory.mktemp("intake")
    intake = Intake(lambda: (home, str(home / "lake")), lambda: NOW)
    return application(
        own, lambda: NOW, AccountStore(lambda: scored.url), lambda: lambda _: {"posts": 3}, intake=intake
    )


@pytest.fixture
def ask(app: ASGIApp) -> Callable[..., Any]:
    """One question to the service by the client that awaits."""

    def ask(name: str, *arguments: object, **options: object) -> object:
        async def asked() -> object:
            async with AsyncClient(URL, transport=httpx.ASGITransport(app)) as client:
                return await getattr(client, name)(*arguments, **options)

        return asyncio.run(asked())

    return ask


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that clients would have waited; the chance among them is always a half."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(module.time, "sleep", waited.append)
    monkeypatch.setattr(module.asyncio, "sleep", sleep)
    monkeypatch.setattr(module.random, "random", lambda: 0.5)
    return waited


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_none_is_not_sent(number: float) -> None:
    posts: list[Any] = [
        {"account": "a/b", "n_media": number},
        {"network": "a", "account_facts": {"recent": [{"counts": {"like": number}}]}},
    ]
    told = Told()
    with Client(URL, transport=httpx.MockTransport(told)) as client:
        for post in posts:
            with pytest.raises(QuestionError, match="expected a finite one: leave out") as refused:
                client.score(post)
            assert isinstance(refused.value, CloutError)
    assert not told.asked


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("127.0.0.1:4310", "give http://127.0.0.1:4310"),
        ("localhost:3000", "give http://localhost:3000"),
        ("clout.example", "give http://clout.example"),
        ("ftp://clout.example", "expected one that begins with http:// or https://"),
        ("http://", "expected one that begins with http:// or https://"),
        ("http://[::", "Invalid port"),
    ],
)
@pytest.mark.parametrize("made", [Client, AsyncClient])
def test_a_url_that_is_none_is_told(made: Callable[[str], object], url: str, said: str) -> None:
    with pytest.raises(QuestionError, match=re.escape(said)):
        made(url)


class Told:
    """A transport that answers with what it was told to, one after the other, and keeps what was asked."""

    def __init__(self, *answers: httpx.Response | type[httpx.TransportError]) -> None:
        self.left, self.asked = list(answers), list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """The next answer."""
        self.asked.append(request)
        answer = self.left.pop(0)
        if isinstance(answer, httpx.Response):
            return answer
        raise answer("it broke", request=request)


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    """A problem as the service tells it."""
    fault = {"pointer": "/a", "detail": "wrong", "code": "odd"}
    told = {"type": f"/problems#{code}", "title": "T", "status": status, "detail": "got a; expected b", "code": code}
    return httpx.Response(status, headers=headers, json={**told, "request_id": "r1", "errors": [fault]})


def fine() -> httpx.Response:
    """An answer of /livez."""
    return httpx.Response(200, json=ALIVE)


def asked(*answers: httpx.Response | type[httpx.TransportError], question: Question[Any] | None = None) -> Told:
    """What was asked until an answer came or none was waited for; the error where there is one."""
    told = Told(*answers)
    with Client(URL, transport=httpx.MockTransport(told)) as client:
        assert client._ask(question or Question("GET", "/livez", Alive)) == Alive(status="alive")
    return told


def test_it_asks_for_all_that_there_is(ask: Callable[..., Any], scored: Scored) -> None:
    account, other = scored.accounts[:2]
    post: Post = {"account": account, "text": "Hello", "happened_at": datetime(2025, 2, 15, 13, tzinfo=UTC)}
    like = {**ACTION, "happened_at": NOW, "known_at": NOW}
    told = {
        "score": ask("score", post),
        "explain": ask("explain", post),
        "score_many": ask("score_many", [post, {"account": "commons/nobody"}]),
        "best_time": ask("best_time", post),
        "what_if": ask("what_if", post, [{"n_media": 1}], suggest=True),
        "account_score": ask("account_score", account),
        "explain_account": ask("explain_account", account),
        "account_history": ask("account_history", account, "2025-01-01", NOW),
        "account_posts": ask("account_posts", account),
        "compare": ask("compare", account, [other]),
        "distribution": ask("distribution", account.split("/")[0]),
        "model": ask("model"),
        "forget": ask("forget", account),
        "ingest": ask("ingest", "actions", [like, like, {**like, "action": "amy"}]),
    }
    methods = {name for name, _ in inspect.getmembers(Client, inspect.isfunction) if not name.startswith("_")}
    assert methods - {"close"} == set(told)
    described = {
        said.answer for said in OPERATIONS.values() if said.tag in ("posts", "accounts", "model", "ingest")
    } - {None}
    assert {type(answer) for answer in told.values()} == described
    assert told["score"].score == told["explain"].score == told["score_many"].items[0].result.score
    assert told["what_if"].tried[0].change == {"n_media": 1}
    assert told["account_score"].account == told["forget"].account == account
    assert [row.status for row in told["ingest"].results] == ["accepted", "duplicate", "rejected"]


def test_rows_of_a_table_that_takes_none_are_not_sent(ask: Callable[..., Any]) -> None:
    with pytest.raises(QuestionError, match="got rows of 'accounts'; expected rows of one of posts, actions, counts"):
        ask("ingest", "accounts", [])


def test_names_with_slashes_and_odd_letters_are_found(ask: Callable[..., Any]) -> None:
    with pytest.raises(Problem, match="not_scored_yet"):
        ask("account_score", "commons/late")
    told = ask("account_score", "commons/instance.example/amy")
    assert told.account == "commons/instance.example/amy"
    with pytest.raises(Problem) as raised:
        ask("account_score", "commons/@ä/b?c#d%2F")
    assert (raised.value.status, raised.value.code) == (404, "unknown_account")
    with pytest.raises(QuestionError, match="network/@handle"):
        ask("account_score", "amy")


def test_both_clients_have_the_same_methods() -> None:
    for name, method in inspect.getmembers(Client, inspect.isfunction):
        if not name.startswith("_"):
            other = getattr(AsyncClient, name)
            assert inspect.signature(other) == inspect.signature(method)
            assert inspect.iscoroutinefunction(other)


def test_a_post_may_say_what_the_service_takes() -> None:
    assert set(get_type_hints(Post)) == set(PostRequest.model_fields)


def test_the_problem_is_raised(ask: Callable[..., Any]) -> None:
    with pytest.raises(Problem) as raised:
        ask("score", {"account": "x", "n_urls": -1})
    told = raised.value
    assert (told.status, told.code, told.title) == (422, "invalid_content", "The body does not say what is needed")
    assert [fault.pointer for fault in told.errors] == ["/account", "/n_urls"]
    assert told.request_id in str(told)
    assert isinstance(told, CloutError)


@pytest.mark.parametrize("answer", [httpx.Response(502, html="<h1>Bad gateway</h1>"), httpx.Response(200, text="hi")])
def test_an_answer_that_is_not_ours_is_told(answer: httpx.Response, waits: list[float]) -> None:
    with pytest.raises(Problem, match="is the URL right") as raised:
        asked(answer)
    assert (raised.value.status, raised.value.code) == (answer.status_code, "unreadable_answer")
    assert not waits


def test_it_comes_back_when_it_is_told_to(waits: list[float]) -> None:
    told = asked(problem(429, "too_busy", **{"Retry-After": "3"}), problem(503, "not_ready"), fine())
    assert len(told.asked) == 3
    assert waits == [3 + 0.5 * 0.5, 1.5 * 1.0]


def test_it_comes_back_on_the_date_that_it_is_told(waits: list[float]) -> None:
    at = datetime.now(UTC) + timedelta(seconds=20)
    asked(problem(503, "not_ready", **{"Retry-After": format_datetime(at, usegmt=True)}), fine())
    asked(problem(503, "not_ready", **{"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}), fine())
    asked(problem(503, "not_ready", **{"Retry-After": f"Mon, 02 Mar {10**20} 08:00:00 GMT"}), fine())
    assert waits == [pytest.approx(20, abs=2), 0.5 * 0.5, 1.5 * 0.5]
    late = format_datetime(at + timedelta(minutes=1), usegmt=True)
    with pytest.raises(Problem, match="not_ready"):
        asked(problem(503, "not_ready", **{"Retry-After": late}), fine())


def test_it_gives_up(waits: list[float]) -> None:
    with pytest.raises(Problem, match="not_ready") as raised:
        asked(*[problem(503, "not_ready", **{"Retry-After": "5"})] * 4)
    assert raised.value.retry_after == 5
    assert len(waits) == 3
    with pytest.raises(Problem, match="too_many_requests"):
        asked(problem(429, "too_many_requests", **{"Retry-After": str(int(LONGEST_WAIT) + 1)}))
    assert len(waits) == 3


@pytest.mark.parametrize("status", [400, 401, 404, 422, 500, 504])
def test_what_would_not_change_is_not_asked_again(status: int, waits: list[float]) -> None:
    with pytest.raises(Problem):
        asked(problem(status, "invalid_content"))
    assert not waits


@pytest.mark.parametrize(
    ("method", "repeatable", "failed", "again"),
    [
        ("GET", True, httpx.ConnectError, True),
        ("GET", True, httpx.RemoteProtocolError, True),
        ("GET", True, httpx.ReadTimeout, False),
        ("POST", False, httpx.ConnectError, True),
        ("POST", False, httpx.ReadError, False),
        ("POST", False, httpx.RemoteProtocolError, False),
        ("DELETE", False, httpx.ConnectError, False),
        ("DELETE", False, httpx.ReadError, False),
    ],
)
def test_nothing_is_done_twice_that_must_not_be(
    method: str, repeatable: bool, failed: type[httpx.TransportError], again: bool, waits: list[float]
) -> None:
    question = Question(method, "/livez", Alive, repeatable=repeatable)
    if again:
        assert len(asked(failed, fine(), question=question).asked) == 2
    else:
        with pytest.raises(UnreachableError, match="is it running"):
            asked(failed, fine(), question=question)
    assert bool(waits) == again


def test_a_delete_is_not_even_asked_again_when_it_was_refused(waits: list[float]) -> None:
    question = Question("DELETE", "/livez", Alive, repeatable=False)
    with pytest.raises(Problem, match="too_busy"):
        asked(problem(429, "too_busy", **{"Retry-After": "1"}), fine(), question=question)
    assert not waits


def test_the_one_that_awaits_waits_in_the_same_way(waits: list[float]) -> None:
    async def ask() -> Alive:
        told = Told(problem(503, "not_ready", **{"Retry-After": "2"}), httpx.ConnectError, fine())
        async with AsyncClient(URL, transport=httpx.MockTransport(told)) as client:
            return await client._ask(Question("GET", "/livez", Alive))

    assert asyncio.run(ask()).status == "alive"
    assert waits == [2 + 0.5 * 0.5, 1.5 * 1.0]


def test_waits_grow_and_differ_by_chance() -> None:
    question, busy = Question("GET", "/livez", Alive), problem(503, "not_ready")
    drawn = iter((0.0, 1.0, 1.0))
    patience = Patience(3, lambda: next(drawn))
    assert [patience.wait(attempt, question, busy) for attempt in (2, 2, 0)] == [2.0, 4.0, 1.0]
    assert patience.wait(3, question, busy) is None


def test_a_client_that_was_closed_asks_nothing() -> None:
    client = Client(URL, transport=httpx.MockTransport(Told(fine())))
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client._ask(Question("GET", "/livez", Alive))


def test_the_key_goes_with_each_request(waits: list[float]) -> None:
    told = Told(fine())
    with Client(URL, "clout_a_b", transport=httpx.MockTransport(told)) as client:
        client._ask(Question("GET", "/livez", Alive))
    assert told.asked[0].headers["authorization"] == "Bearer clout_a_b"
    assert client._http.is_closed
    assert not waits


def test_moments_are_written_out() -> None:
    moment = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
    assert plain({"a": [moment], "b": 1}) == {"a": ["2026-03-02T14:30:00+00:00"], "b": 1}


def test_it_loads_neither_a_model_nor_data() -> None:
    program = "import clout.serving.client, sys, json; print(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout))
    assert {"clout.serving.client", "httpx"} <= loaded
    assert not loaded & {"polars", "lightgbm", "numpy", "pandas", "starlette", "bentoml", "sqlalchemy"}
