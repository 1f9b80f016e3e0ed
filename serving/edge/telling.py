"""How a problem is told to whoever asked: as Klout did at its addresses, as a page to people, else as problem details."""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import Scope

from clout.serving.klout import shape
from clout.serving.pages import problem_page
from clout.serving.problems import ProblemError


def response(problem: ProblemError, scope: Scope) -> Response:
    """The answer that tells a problem; the guard has given the request its id."""
    if shape.speaks(scope):
        return shape.refusal(problem)
    if problem_page.speaks(scope):
        return problem_page.response(problem, scope)
    answer = problem.response(scope["state"]["request_id"])
    answer.headers.update(problem_page.headers(problem, scope))
    return answer
