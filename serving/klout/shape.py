"""Errors in the shape that Klout's clients know, on the addresses that Klout had; problems everywhere else."""

from __future__ import annotations

from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import Scope

from clout.serving.edge.keys import MARK
from clout.serving.klout.answers import KloutError
from clout.serving.problems import ProblemError

ROOTS = ("/v2/", "/1/")
SCORING = 202
# Klout's clients know 403, 404, 500 and 503; the body of any other answer they take for what they asked for.
STATUSES = {401: 403, 409: 404, 422: 404, 429: 403, 504: 503}


def speaks(scope: Scope) -> bool:
    """Whether a request asks at an address that Klout had."""
    return f"{scope['path']}/".startswith(ROOTS)


def presented_key(scope: Scope) -> str | None:
    """The key that a request shows as Klout's clients do, `?key=…`; None where it shows none of ours.

    A client that still sends the key it once had from Klout is let in where no key is needed.
    """
    key = QueryParams(scope.get("query_string", b"")).get("key", "")
    return key if key.startswith(f"{MARK}_") else None


def refusal(problem: ProblemError) -> Response:
    """The answer that tells a problem as Klout did."""
    status = STATUSES.get(problem.kind.status, problem.kind.status)
    status = SCORING if problem.kind.code == "not_scored_yet" else status
    told = KloutError(error=status, description=problem.detail)
    return Response(told.model_dump_json(), status, problem.headers, "application/json")
