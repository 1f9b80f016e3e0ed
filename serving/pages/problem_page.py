"""A problem as a page, for people who ask with a browser."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from clout.serving.pages import shell
from clout.serving.pages.texts import FOR_PEOPLE
from clout.serving.pages.views.view import View
from clout.serving.problems import ProblemError

FOR_PROGRAMS = ("/v1/", "/v2/", "/1/", "/static/")
NO_KEY = 401
ASK_FOR_KEY = {"WWW-Authenticate": 'Basic realm="Clout: any name, and a key as password", charset="UTF-8"'}


class Problem(View):
    """What a page says of a problem."""

    title: str
    detail: str
    advice: str
    code: str
    request_id: str


def speaks(scope: Scope) -> bool:
    """Whether a browser asks for something that people read, and for the page of it rather than the data."""
    accepts = Headers(scope=scope).get("accept", "")
    for_people = shell.HTML in accepts and not scope["path"].startswith(FOR_PROGRAMS)
    return for_people and not shell.wants_json(Request(scope))


def response(problem: ProblemError, scope: Scope) -> Response:
    """The page that tells a problem; where a key is missing, a browser then asks for one."""
    request_id, kind = scope["state"]["request_id"], problem.kind
    advice = FOR_PEOPLE.get(kind.code, kind.advice)
    view = Problem(title=kind.title, detail=problem.detail, advice=advice, code=kind.code, request_id=request_id)
    answer = shell.told(Request(scope), "problem.html", view, kind.status)
    answer.headers.update(headers(problem, scope))
    return answer


def headers(problem: ProblemError, scope: Scope) -> dict[str, str]:
    """The headers of a problem; where a key is missing, a browser is asked for the one it has.

    Also at the addresses of programs, which our pages load from and link to: it keeps a key for the paths that asked.
    """
    in_browser = speaks(scope) or Headers(scope=scope).get("sec-fetch-site") in shell.OURS
    return {**problem.headers, **(ASK_FOR_KEY if in_browser and problem.kind.status == NO_KEY else {})}
