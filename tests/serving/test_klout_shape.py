"""Errors on the addresses that Klout had, and everywhere else."""

from __future__ import annotations

import pytest

from clout.serving.edge import telling
from clout.serving.klout import shape
from clout.serving.problems import KINDS, ProblemError

LIKE_KLOUT = {202, 403, 404, 500, 503}


@pytest.mark.parametrize(
    ("path", "klouts"),
    [("/v2/user.json/1", True), ("/v2", True), ("/1/klout.json", True), ("/1", True)]
    + [(path, False) for path in ("/", "/v1/model", "/v20", "/v2x/y", "/12", "/x/v2/y")],
)
def test_klouts_shape_is_for_klouts_addresses_only(path: str, klouts: bool) -> None:
    answer = telling.response(
        ProblemError("unknown_account", "who?"), {"path": path, "headers": [], "state": {"request_id": "r"}}
    )
    assert shape.speaks({"path": path}) == klouts
    assert (answer.body == b'{"error":404,"description":"who?"}') == klouts
    assert answer.headers["content-type"] == ("application/json" if klouts else "application/problem+json")


def test_clients_meet_only_statuses_that_they_know() -> None:
    """But for what no client of Klout's does: send another method, or a body."""
    bodies = {"broken_json", "broken_body", "body_too_slow", "body_too_large", "not_json", "not_a_form"}
    asked = set(KINDS) - {"method_not_allowed", "cross_origin", "not_confirmed", *bodies}
    told = {code: shape.refusal(ProblemError(code, "")).status_code for code in sorted(asked)}
    assert set(told.values()) <= LIKE_KLOUT, told
    assert (told["not_scored_yet"], told["unknown_account"], told["ambiguous_account"]) == (202, 404, 404)
    assert (told["store_unavailable"], told["internal_error"], told["too_slow"]) == (503, 500, 503)


def test_headers_of_a_problem_are_kept() -> None:
    answer = shape.refusal(ProblemError("not_ready", "soon", headers={"Retry-After": "5"}))
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize(
    ("query", "key"),
    [(b"key=clout_a_b", "clout_a_b"), (b"a=1&key=clout%5Fa_b&b=2", "clout_a_b")]
    + [(query, None) for query in (b"key=qdvbyh2a", b"key=", b"", b"KEY=clout_a_b")],
)
def test_our_key_is_in_the_address_and_klouts_own_is_none(query: bytes, key: str | None) -> None:
    assert shape.presented_key({"query_string": query}) == key
    assert shape.presented_key({}) is None
