"""Which web pages from elsewhere may ask; those that may not are told so as of any other problem."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from clout.serving.edge import telling
from clout.serving.problems import ProblemError

OK = 200
OF_THE_BODY = {"content-type", "content-length"}


class CrossOrigin(CORSMiddleware):
    """Starlette's ASGI layer for CORS, with problems in place of its plain text."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        try:
            await super().__call__(scope, receive, send)
        except ProblemError as problem:
            await telling.response(problem, scope)(scope, receive, send)

    def preflight_response(self, request_headers: Headers) -> Response:
        """The answer to a browser that asks what a page may; raises `ProblemError` where it may not ask what it wants to."""
        answer = super().preflight_response(request_headers)
        if answer.status_code == OK:
            return answer
        raise _refusal(answer)


def _refusal(answer: Response) -> ProblemError:
    """The problem of a refusal in plain text, with the same headers."""
    failed = bytes(answer.body).decode().removeprefix("Disallowed CORS ")
    headers = {name: value for name, value in answer.headers.items() if name not in OF_THE_BODY}
    detail = (
        f"got a page that may not ask so ({failed}); expected an origin of CLOUT_CORS_ORIGINS, and a method and headers "
        "that Access-Control-Allow-Methods and Access-Control-Allow-Headers name"
    )
    return ProblemError("cross_origin", detail, (), headers)
