"""A page from elsewhere that may not ask is told so by a problem, with the headers of CORS."""

from __future__ import annotations

import pytest
from asked import Asked
from starlette.applications import Starlette

from clout.serving.edge.layers import Edge
from clout.serving.metrics import Metrics

APP, METHOD = "https://app.example", "access-control-request-method"
KEPT = ("vary", "access-control-allow-methods", "access-control-allow-headers", "access-control-max-age")


@pytest.fixture
def ask() -> Asked:
    return Asked(Starlette(middleware=Edge(origins=(APP,)).layers(Metrics())))


@pytest.mark.parametrize(
    ("asking", "failed"),
    [({"Origin": "https://b.example"}, "(origin)"), ({METHOD: "PUT"}, "(method)")],
)
def test_a_refusal_is_a_problem_with_the_same_headers(ask: Asked, asking: dict[str, str], failed: str) -> None:
    right = {"Origin": APP, METHOD: "GET"}
    let = ask("OPTIONS", "/v1/model", headers=right)
    got = ask("OPTIONS", "/v1/model", headers={**right, **asking})
    assert (let.status_code, got.status_code, got.json()["code"]) == (200, 400, "cross_origin")
    assert got.headers["content-type"] == "application/problem+json"
    assert got.json()["request_id"] == got.headers["x-request-id"]
    assert failed in got.json()["detail"]
    assert [got.headers.get_list(name) for name in KEPT] == [let.headers.get_list(name) for name in KEPT]
    assert got.headers.get("access-control-allow-origin") == (None if "Origin" in asking else APP)
