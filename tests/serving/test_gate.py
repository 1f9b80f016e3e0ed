"""Who may pass, on routes of its own: each scope opens its addresses, and no key is needed on this machine alone."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from asked import Asked
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from clout.serving.edge import keys
from clout.serving.edge.gate import Access, Open, needs
from clout.serving.edge.keys import SCOPES, Key, KeyRing
from clout.serving.edge.layers import Edge
from clout.serving.metrics import Metrics
from clout.serving.store.rows import StoreError

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEYS = tuple(Key(f"k{scope}", scope, (scope,), keys.digest(scope), NOW) for scope in SCOPES)
KEYRING = KeyRing(lambda: KEYS, lambda: NOW)
ELSEWHERE = ("10.0.0.7", 4321)
READ, SCORE, INGEST, ERASE = (
    ("GET", "/v1/model"),
    ("POST", "/v1/posts:score"),
    ("POST", "/v1/ingest/posts"),
    ("DELETE", "/v1/accounts/x/1"),
)
GUARDED = (READ, SCORE, INGEST, ERASE)
FREE = (("GET", "/"), ("GET", "/livez"), ("GET", "/readyz"), ("GET", "/problems"), ("GET", "/openapi.json"))


async def answer(request: Request) -> Response:
    return JSONResponse({"who": request.state.who if hasattr(request.state, "who") else None})


def bearer(scope: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {keys.written(f'k{scope}', scope)}"}


def placed(app: ASGIApp, **changes: Any) -> ASGIApp:  # noqa: ANN401
    """The application as those reach it whose scope says something else."""

    async def moved(scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ANN401
        await app({**scope, **changes} if scope["type"] == "http" else scope, receive, send)

    return moved


def served(how: Open = "loopback", listens: str = "127.0.0.1", known: Iterable[Key] = KEYS, **edge: Any) -> Starlette:  # noqa: ANN401
    def read() -> Iterable[Key]:
        if not known:
            raise StoreError("the store is gone")
        return known

    made = Edge(Access(how, listens), KeyRing(read, lambda: NOW), **edge)
    methods = ["GET", "POST", "DELETE"]
    return Starlette(routes=[Route("/{rest:path}", answer, methods=methods)], middleware=made.layers(Metrics()))


def elsewhere(**options: Any) -> Asked:  # noqa: ANN401
    return Asked(placed(served(**options), client=ELSEWHERE))


def code(answer: httpx.Response) -> tuple[int, str | None]:
    """Its status, and its code where it is a problem, which has the one shape."""
    if answer.status_code < 400:
        return answer.status_code, None
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert list(told) == ["type", "title", "status", "detail", "code", "request_id", "errors"]
    assert told["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, told["code"]


@pytest.mark.parametrize(("request_", "needed"), [*zip(GUARDED, SCOPES, strict=True)])
@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_opens_its_addresses_and_admin_all(request_: tuple[str, str], needed: str, scope: str) -> None:
    got = elsewhere()(*request_, headers=bearer(scope))
    if scope in {needed, "admin"}:
        assert (code(got), got.json()) == ((200, None), {"who": f"k{scope}"})
        return
    assert code(got) == (403, "missing_scope")
    assert got.json()["detail"] == f"got the key k{scope} with {scope}; expected one with the scope {needed}"
    assert f'error="insufficient_scope", scope="{needed}"' in got.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        *((*request, None) for request in FREE),
        *((*request, scope) for request, scope in zip(GUARDED, SCOPES, strict=True)),
        ("POST", "/v1/posts:what-if", "score"),
        ("POST", "/v1/scores:batch", "score"),
        ("GET", "/v1/ingest/posts", "ingest"),
        ("GET", "/v2/user.json/1/score", "read"),
        ("GET", "/metrics", "read"),
        ("GET", "/livez/", "read"),
        ("DELETE", "/livez", "admin"),
        ("GET", "/nothing", "read"),
        ("OPTIONS", "/v1/model", "read"),
    ],
)
def test_what_an_address_needs(method: str, path: str, scope: str | None) -> None:
    assert needs(method, path) == scope


@pytest.mark.parametrize("request_", GUARDED)
def test_without_a_key_nothing_is_answered_elsewhere(request_: tuple[str, str]) -> None:
    got = elsewhere()(*request_)
    assert code(got) == (401, "no_key")
    assert got.headers["www-authenticate"] == 'Bearer realm="clout"'
    assert got.json()["detail"].startswith(f"got no key; expected one with the scope {needs(*request_)}, in Auth")


@pytest.mark.parametrize("request_", FREE)
@pytest.mark.parametrize("headers", [{}, {"X-Api-Key": "wrong"}])
def test_some_addresses_need_none(request_: tuple[str, str], headers: dict[str, str]) -> None:
    assert elsewhere(how="never", known=())(*request_, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        bearer("read"),
        {"authorization": bearer("read")["Authorization"].replace("Bearer", "bearer")},
        {"X-Api-Key": keys.written("kread", "read")},
        {**bearer("read"), "X-Api-Key": "wrong"},
    ],
)
def test_a_key_comes_in_either_header(headers: dict[str, str]) -> None:
    assert elsewhere()(*READ, headers=headers).json() == {"who": "kread"}


def test_klouts_clients_write_it_into_the_address() -> None:
    text = keys.written("kread", "read")
    assert elsewhere().get(f"/v2/user.json/1?key={text}").status_code == 200
    assert code(elsewhere().get(f"/v1/model?key={text}")) == (401, "no_key")
    refused = elsewhere().get("/v2/user.json/1?key=old")
    assert (refused.status_code, refused.json()["error"]) == (403, 403)


@pytest.mark.parametrize("how", ["loopback", "never", "always"])
@pytest.mark.parametrize("given", ["x", "clout_kread_score", "clout_kread_"])
def test_a_key_that_is_sent_must_be_good(how: Open, given: str) -> None:
    got = Asked(served(how))(*READ, headers={"X-Api-Key": given})
    assert code(got) == (401, "bad_key")
    assert 'error="invalid_token"' in got.headers["www-authenticate"]


@pytest.mark.parametrize("request_", GUARDED)
def test_this_machine_needs_none(request_: tuple[str, str]) -> None:
    for listens in ("127.0.0.1", "::1", "localhost"):
        assert Asked(served(listens=listens))(*request_).json() == {"who": "open"}
    assert code(Asked(served(listens="0.0.0.0"))(*request_)) == (401, "no_key")  # noqa: S104
    assert code(Asked(served("never"))(*request_)) == (401, "no_key")


@pytest.mark.parametrize("how", ["loopback", "always"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "clout.example"},
        {"Host": "127.0.0.1.example"},
        {"Host": "[::1"},
        {"Host": ""},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Real-Ip": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"Origin": "https://app.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1.example:3000"},
    ],
)
def test_who_asks_by_another_name_or_through_a_proxy_is_not_of_this_machine(how: Open, headers: dict[str, str]) -> None:
    assert code(Asked(served(how))(*ERASE, headers=headers)) == (401, "no_key")
    assert code(Asked(served(how))(*READ, headers=headers)) == ((200, None) if how == "always" else (401, "no_key"))


@pytest.mark.parametrize(
    "changes", [{"client": ELSEWHERE}, {"server": ("10.0.0.1", 3000)}, {"client": None}, {"server": None}]
)
def test_both_ends_of_the_connection_must_be_of_this_machine(changes: dict[str, Any]) -> None:
    assert code(Asked(placed(served(), **changes))(*READ)) == (401, "no_key")


@pytest.mark.parametrize("origin", ["http://127.0.0.1:3000", "http://localhost:8080", "http://[::1]"])
def test_pages_of_this_machine_are_of_this_machine(origin: str) -> None:
    assert Asked(served())(*READ, headers={"Origin": origin}).status_code == 200


def test_two_names_of_the_service_are_none() -> None:
    async def ask() -> int:
        headers = [(b"host", b"clout.example"), (b"host", b"127.0.0.1")]
        scope = {"type": "http", "method": "GET", "path": "/v1/model", "headers": headers, "query_string": b""}
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        ends = {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 3000)}
        await served()({**scope, **ends}, None, send)  # type: ignore[arg-type]
        return int(sent[0]["status"])

    assert asyncio.run(ask()) == 401


def test_always_opens_all_but_what_only_an_admin_may() -> None:
    open_ = elsewhere(how="always", listens="0.0.0.0")  # noqa: S104
    assert [open_(*request).status_code for request in GUARDED] == [200, 200, 200, 401]
    assert open_(*ERASE, headers=bearer("admin")).status_code == 200
    assert code(open_(*ERASE, headers=bearer("read"))) == (403, "missing_scope")


def test_figures_are_told_to_this_machine_and_to_readers() -> None:
    assert Asked(served("never")).get("/metrics").status_code == 200
    everywhere = placed(served("never", "0.0.0.0"), server=("0.0.0.0", 3000))  # noqa: S104
    assert Asked(everywhere).get("/metrics").status_code == 200
    assert code(Asked(everywhere).get("/metrics", headers={"Host": "clout.example"})) == (401, "no_key")
    assert code(elsewhere(how="never").get("/metrics")) == (401, "no_key")
    assert elsewhere(how="never").get("/metrics", headers=bearer("read")).status_code == 200


def test_without_the_store_keys_are_not_known_and_what_is_open_stays_open() -> None:
    got = elsewhere(known=())(*READ, headers=bearer("read"))
    assert (code(got), got.headers["retry-after"]) == ((503, "store_unavailable"), "5")
    assert Asked(served(known=()))(*READ).status_code == 200


def test_a_key_may_ask_so_often() -> None:
    ask = elsewhere(rate=0.5, burst=2)
    told = [ask(*READ, headers=bearer("read")) for _ in range(3)]
    assert [code(got) for got in told] == [(200, None), (200, None), (429, "too_many_requests")]
    names = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")
    assert [[got.headers[name] for name in names] for got in told] == [
        ["2", "1", "2"],
        ["2", "0", "4"],
        ["2", "0", "4"],
    ]
    assert [got.headers.get("retry-after") for got in told] == [None, None, "2"]
    assert ask(*READ, headers=bearer("admin")).status_code == 200


def test_an_address_without_a_key_may_ask_so_often_too() -> None:
    app = served("always", rate=0.5, burst=1)
    networks = (("10.0.0.7", 1), ("10.0.0.8", 2), ("2001:db8::1", 3), ("2001:db8::2", 4), ("2001:db8:1::1", 5))
    told = [Asked(placed(app, client=client)).get("/v1/model").status_code for client in networks]
    assert told == [200, 200, 200, 429, 200]
    assert Asked(placed(app, client=networks[0])).get("/livez").status_code == 200
    here = [Asked(app).get("/v1/model") for _ in range(3)]
    assert {(got.status_code, "ratelimit-limit" in got.headers) for got in here} == {(200, False)}


def test_more_at_once_than_may_be_are_refused_at_once() -> None:
    held = asyncio.Event()

    async def hold(_: Request) -> Response:
        await held.wait()
        return Response()

    routes = [Route("/livez", answer), Route("/hold", hold)]
    app = Starlette(routes=routes, middleware=Edge(in_flight=2).layers(Metrics()))

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            waiting = [asyncio.create_task(client.get("/hold")) for _ in range(2)]
            await asyncio.sleep(0.01)
            refused, probe = await client.get("/hold"), await client.get("/livez")
            held.set()
            return [refused, probe, *await asyncio.gather(*waiting), await client.get("/hold")]

    refused, *others = asyncio.run(ask())
    assert (code(refused), refused.headers["retry-after"]) == ((429, "too_busy"), "1")
    assert [got.status_code for got in others] == [200] * 4


def test_who_sends_a_body_slowly_holds_no_place() -> None:
    rest, held = asyncio.Event(), asyncio.Event()

    async def read(request: Request) -> Response:
        return Response(str(len(await request.body())))

    async def hold(_: Request) -> Response:
        await held.wait()
        return Response()

    async def halves() -> AsyncIterator[bytes]:
        yield b"{"
        await rest.wait()
        yield b"}"

    routes = [Route("/read", read, methods=["POST"]), Route("/hold", hold)]
    app = Starlette(routes=routes, middleware=Edge(in_flight=1).layers(Metrics()))

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            slow = [asyncio.create_task(client.post("/read", content=halves())) for _ in range(2)]
            await asyncio.sleep(0.01)
            quick, holding = await client.post("/read", content=b"{}"), asyncio.create_task(client.get("/hold"))
            await asyncio.sleep(0.01)
            rest.set()
            late = await asyncio.gather(*slow)
            held.set()
            return [quick, *late, await holding, await client.post("/read", content=b"{}")]

    quick, *late, holding, last = asyncio.run(ask())
    assert [(got.status_code, got.text) for got in (quick, last)] == [(200, "2")] * 2
    assert [code(got) for got in late] == [(429, "too_busy")] * 2
    assert holding.status_code == 200


def test_what_is_refused_is_counted_and_written_down_under_its_route(caplog: pytest.LogCaptureFixture) -> None:
    metrics, every = Metrics(), logging.getLogger("every")
    routes = [
        Route("/v1/accounts/{id:path}", answer),
        Route("/v1/accounts/{id}", answer, methods=["DELETE"]),
        Route("/v1/model", answer),
    ]
    ask = Asked(Starlette(routes=routes, middleware=Edge(Access("never"), every=every).layers(metrics)))
    with caplog.at_level(logging.INFO):
        for method, path in (READ, ("DELETE", "/v1/accounts/1"), ("POST", "/v1/model"), ("GET", "/v1/nothing")):
            assert ask(method, path).status_code == 401
    told = ["/v1/model", "/v1/accounts/{id}", "/v1/model", "none"]
    assert [record.told["route"] for record in caplog.records if record.name == "every"] == told
    for route, count in (("/v1/model", 2), ("/v1/accounts/{id}", 1), ("none", 1)):
        assert f'clout_requests_total{{route="{route}",status="401"}} {count}.0' in metrics.text().decode()


def test_every_answer_is_safe_from_browsers() -> None:
    async def card(_: Request) -> Response:
        return Response("", headers={"Content-Security-Policy": "default-src 'self'"})

    async def broken(_: Request) -> Response:
        raise ZeroDivisionError

    routes = [Route("/", answer), Route("/v1/card", card), Route("/v1/broken", broken)]
    ask = Asked(Starlette(routes=routes, middleware=Edge(Access("never"), KEYRING).layers(Metrics())))
    for path, status in (("/", 200), ("/v1/card", 200), ("/v1/broken", 500), ("/v1/nothing", 404)):
        got = ask.get(path, headers=bearer("read"))
        assert got.status_code == status
        own = "default-src 'self'" if path == "/v1/card" else "default-src 'none'; frame-ancestors 'none'"
        names = ("x-content-type-options", "referrer-policy", "cross-origin-resource-policy", "content-security-policy")
        assert [got.headers.get_list(name) for name in names] == [["nosniff"], ["no-referrer"], ["same-origin"], [own]]
    assert ask.get("/v1/card").headers["x-content-type-options"] == "nosniff"


def test_pages_from_elsewhere_may_not_ask_unless_they_are_let() -> None:
    page = {"Origin": "https://app.example"}
    asking = {**page, "Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "authorization"}
    assert "access-control-allow-origin" not in Asked(served())(*READ, headers=page).headers
    assert code(elsewhere()("OPTIONS", "/v1/model", headers=asking)) == (401, "no_key")
    ask = elsewhere(origins=("https://app.example",))
    got = ask("OPTIONS", "/v1/model", headers=asking)
    assert (got.status_code, got.headers["access-control-allow-origin"]) == (200, "https://app.example")
    refused = ask(*READ, headers=page)
    assert (code(refused), refused.headers["access-control-allow-origin"]) == ((401, "no_key"), "https://app.example")
    assert "RateLimit-Remaining" in refused.headers["access-control-expose-headers"]
    other = ask("OPTIONS", "/v1/model", headers={**asking, "Origin": "https://other.example"})
    assert "access-control-allow-origin" not in other.headers


def test_writes_are_written_down_and_no_secret_is(caplog: pytest.LogCaptureFixture) -> None:
    audit, every = logging.Logger("audit"), logging.Logger("every")
    for log in (audit, every):
        log.addHandler(caplog.handler)
    ask = elsewhere(audit=audit, every=every)
    for request in (*GUARDED, ("GET", "/livez")):
        ask(*request, headers={**bearer("admin"), "X-Request-Id": "mine"})
    ask(*INGEST, headers=bearer("read"))
    ask(*INGEST)
    lines = [(record.name, record.told) for record in caplog.records if hasattr(record, "told")]
    written = [told for name, told in lines if name == "audit"]
    facts = {"who": "kadmin", "route": "/{rest:path}", "status": 200, "request_id": "mine"}
    assert written[:2] == [{**facts, "method": "POST"}, {**facts, "method": "DELETE"}]
    assert [(told["who"], told["status"]) for told in written[2:]] == [("kread", 403), (None, 401)]
    assert [told["method"] for name, told in lines if name == "every"] == [
        "GET",
        "POST",
        "POST",
        "DELETE",
        "GET",
        "POST",
        "POST",
    ]
    assert all(told["seconds"] >= 0 for name, told in lines if name == "every")
    assert keys.written("kadmin", "admin") not in json.dumps(lines)
    assert "accounts/x" not in json.dumps(lines)
