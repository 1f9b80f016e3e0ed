"""Whatever goes wrong, on whatever address of the running service, is told as one kind of problem details."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import served_home
from asked import JSON, Asked

from clout.serving import service
from clout.serving.active_model import ActiveModel
from clout.serving.api import application
from clout.serving.edge.keys import Key, digest
from clout.serving.problems import KINDS

POSTS = ("/v1/posts:score", "/v1/posts:explain", "/v1/posts:best-time")
TAKING = (*POSTS, "/v1/scores:batch", "/v1/posts:what-if")
ACCOUNT = "/v1/accounts/commons/nobody"
OF_ACCOUNTS = (
    *(f"{ACCOUNT}/{part}" for part in ("score", "explanation", "history", "posts", "compare")),
    "/v1/distribution",
)
NAMES = (
    "%00",
    "%FF",
    "x" * 300,
    "x" * 3000,
    "a%2Fb",
    "%2F",
    "%2e%2e",
    "%25",
    "@",
    "'",
    "%F0%9F%98%80",
    "%0d%0a",
    "a%3Fb",
)
GETS = ("/", "/v1/model", "/v1/model/card", "/livez", "/readyz", "/metrics", "/problems", "/openapi.json")
BENTOML_HAS = ("/docs.json", "/schema.json", "/healthz", "/static_content/index.css", "/index.html", "/is_ready")


@pytest.fixture(scope="module")
def active(tmp_path_factory: pytest.TempPathFactory) -> ActiveModel:
    home: Path = served_home.make(tmp_path_factory.mktemp("served"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLOUT_STORE", f"sqlite:///{home / 'scores.db'}")
        service.scores.open()
    service.active.load(home, str(home / "lake"))
    return service.active


@pytest.fixture(scope="module")
def ask(active: ActiveModel) -> Asked:
    """A client of all that BentoML serves, its own routes and layers included."""
    assert active.is_ready
    return Asked(service.service.to_asgi())


def check(answer: httpx.Response, status: int, code: str, pointers: tuple[str, ...] = ()) -> dict[str, Any]:
    """The problem an answer tells, which has the one shape, this status and this code."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert list(told) == ["type", "title", "status", "detail", "code", "request_id", "errors"]
    assert (told["status"], told["code"], told["type"]) == (status, code, f"/problems#{code}")
    assert told["title"] == KINDS[code].title
    assert told["detail"]
    assert told["request_id"] == answer.headers["x-request-id"]
    assert all(list(fault) == ["pointer", "detail", "code"] for fault in told["errors"])
    assert all(fault["detail"] and fault["code"] for fault in told["errors"])
    assert tuple(fault["pointer"] for fault in told["errors"]) == pointers
    return told


@pytest.mark.parametrize("path", [*BENTOML_HAS, "/nothing", "/v1", "/v1/", "/v1/posts:score/", "/%00", "/../x"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_addresses_there_are_not(ask: Asked, method: str, path: str) -> None:
    check(ask(method, path), 404, "unknown_route")


@pytest.mark.parametrize("path", [*GETS, *TAKING, *OF_ACCOUNTS])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
def test_methods_there_are_not(ask: Asked, method: str, path: str) -> None:
    if method == ("POST" if path in TAKING else "GET"):
        return
    answer = ask(method, path)
    told = check(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] in told["detail"]
    assert method not in answer.headers["allow"].split(", ")


@pytest.mark.parametrize("path", TAKING)
@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"NaN1", b'{"account": "commons/1"', b"[" * 5000])
def test_broken_json(ask: Asked, path: str, body: bytes) -> None:
    check(ask("POST", path, content=body, headers=JSON), 400, "broken_json")


@pytest.mark.parametrize("path", TAKING)
def test_bodies_too_large_or_no_json(ask: Asked, path: str) -> None:
    check(ask("POST", path, content=b" " * (1 << 21), headers=JSON), 413, "body_too_large")
    check(ask("POST", path, content=b"{}", headers={"Content-Type": "text/plain"}), 415, "not_json")
    check(ask("POST", path, content=b"{}"), 415, "not_json")


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (b"[]", ("",)),
        (b"null", ("",)),
        (b"{}", ("",)),
        (b'{"account": "commons/1", "txt": "a", "n_urls": NaN}', ("/n_urls", "/txt")),
        (b'{"account": "commons/1", "happened_at": "2026-01-01"}', ("/happened_at",)),
        (b'{"network": "commons", "account_facts": {"recent": [{}]}}', ("/account_facts/recent/0/happened_at",)),
        (
            b'{"network": "commons", "account_facts": {"recent": [{"happened_at": "2026-01-01T00:00:00Z",'
            b' "counts": {"like": -1, "clap": 2}}]}}',
            ("/account_facts/recent/0/counts/like", "/account_facts/recent/0/counts/clap"),
        ),
    ],
)
def test_content_that_is_not_understood(ask: Asked, path: str, body: bytes, pointers: tuple[str, ...]) -> None:
    check(ask("POST", path, content=body, headers=JSON), 422, "invalid_content", pointers)


@pytest.mark.parametrize("path", POSTS)
def test_accounts_and_networks_nobody_knows(ask: Asked, path: str) -> None:
    check(ask.post(path, {"account": "commons/nobody"}), 404, "unknown_account", ("/account",))
    check(ask.post(path, {"network": "commons", "handle": "nobody"}), 404, "unknown_account", ("/handle",))
    check(ask.post(path, {"account": "myspace/tom"}), 422, "unknown_network", ("/account",))
    check(ask.post(path, {"network": "myspace", "account_facts": {}}), 422, "unknown_network", ("/network",))


@pytest.mark.parametrize("name", NAMES)
def test_names_of_accounts_that_nobody_has(ask: Asked, name: str) -> None:
    for path in (f"/v1/accounts/commons/{name}/score", f"/v1/accounts/{name}/1/history"):
        told = ask.get(path).json()
        check(ask.get(path), 404, told["code"], ("/path/handle",) if told["code"] == "unknown_account" else ())
        assert told["code"] in ("unknown_account", "unknown_route")
        assert len(told["detail"]) < 4000
    answer = ask("DELETE", f"/v1/accounts/commons/{name}", headers={"Host": "127.0.0.1"})
    assert answer.status_code == 404
    check(answer, 404, answer.json()["code"], tuple(fault["pointer"] for fault in answer.json()["errors"]))


def test_accounts_that_have_no_score_yet_or_may_not_be_erased(ask: Asked, active: ActiveModel) -> None:
    known = min(active.current().accounts)
    check(ask.get(f"/v1/accounts/{known}/score"), 404, "not_scored_yet", ("/path/handle",))
    check(ask.get("/v1/distribution?network=commons"), 404, "not_scored_yet", ("/query/network",))
    check(ask.get("/v1/distribution?network=myspace"), 422, "unknown_network", ("/query/network",))
    elsewhere = {"Host": "clout.test"}
    check(ask("DELETE", f"/v1/accounts/{known}", headers=elsewhere), 401, "no_key")
    check(ask("DELETE", f"/v1/accounts/{known}"), 428, "not_confirmed")
    check(ask("GET", f"/v1/accounts/{known}"), 405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/v1/model", "/v1/distribution", "/nothing", "/v1/ingest/posts"])
def test_keys(ask: Asked, path: str) -> None:
    other = {"Host": "clout.example"}
    check(ask.get(path, headers=other), 401, "no_key")
    check(ask("DELETE", ACCOUNT, headers=other), 401, "no_key")
    check(ask.get(path, headers={"X-Api-Key": "clout_aa_x"}), 401, "bad_key")
    known = Key("aa", "app", ("score",), digest("s"), datetime(2026, 1, 1, tzinfo=UTC))
    if not service.scores.open().keys.all():
        service.scores.open().keys.add(known)
    service.edge.ring._looked = float("-inf")
    check(ask.get(path, headers={**other, "X-Api-Key": "clout_aa_s"}), 403, "missing_scope")


@pytest.mark.parametrize("table", ["posts", "actions", "counts"])
def test_rows_that_come_in(ask: Asked, table: str) -> None:
    path = f"/v1/ingest/{table}"
    check(ask("POST", path, content=b"{", headers=JSON), 400, "broken_json")
    check(ask("POST", path, content=b"{}"), 415, "not_json")
    check(ask("POST", path, content=b"x" * (1 << 21), headers=JSON), 413, "body_too_large")
    check(ask.post(path, {}), 422, "invalid_content", ("/rows",))
    check(ask.post(path, {"rows": 1}), 422, "invalid_content", ("/rows",))


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        (f"{ACCOUNT}/score?since=2026-01-01", "/query/since"),
        (f"{ACCOUNT}/history?since=soon", "/query/since"),
        (f"{ACCOUNT}/history?until=%00", "/query/until"),
        (f"{ACCOUNT}/compare", "/query/with"),
        (f"{ACCOUNT}/compare?with=%FF", "/query/with"),
        ("/v1/distribution", "/query/network"),
    ],
)
def test_addresses_that_are_not_understood(ask: Asked, path: str, pointer: str) -> None:
    check(ask.get(path), 422, "invalid_query", (pointer,))


@pytest.fixture
def never_loaded() -> Asked:
    return Asked(application(ActiveModel(), lambda: datetime.now(UTC)))


@pytest.mark.parametrize(
    "path", [*POSTS, "/v1/model", "/readyz", f"{ACCOUNT}/score", "/v1/distribution?network=commons"]
)
def test_no_model(never_loaded: Asked, path: str) -> None:
    method, options = ("POST", {"json": {"account": "commons/1"}}) if path in POSTS else ("GET", {})
    check(never_loaded(method, path, **options), 503, "not_ready")


@pytest.mark.parametrize("path", POSTS)
def test_what_nobody_foresaw(active: ActiveModel, path: str) -> None:
    broken, loaded = ActiveModel(), active.current()
    broken._current = replace(loaded, past=replace(loaded.past, action_values=None))
    ask = Asked(application(broken, lambda: datetime.now(UTC)))
    facts = {"recent": [{"happened_at": "2026-01-01T00:00:00Z", "counts": {"like": 1}}]}
    told = check(ask.post(path, {"network": "commons", "account_facts": facts}), 500, "internal_error")
    assert "NoneType" not in told["detail"]


def test_every_type_has_its_place_on_the_page(ask: Asked) -> None:
    assert set(re.findall(r' id="(\w+)"', ask.get("/problems").text)) == set(KINDS)


@pytest.mark.parametrize("path", GETS)
def test_what_goes_well_has_a_request_id_too(ask: Asked, path: str) -> None:
    answer = ask.get(path, headers={"X-Request-Id": "mine"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (200, "mine")
