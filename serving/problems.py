"""Every error of the API in one shape: RFC 9457 problem details with a stable code, a pointer and what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from pydantic import ValidationError
from starlette.responses import HTMLResponse, Response

from clout.errors import CloutError

MEDIA_TYPE = "application/problem+json"
PAGE = "/problems"
NO_SUCH_FIELD = "no field has this name: /openapi.json (`clout openapi`) has those there are"
LONGEST_SHOWN = 60
# Signs that turn around what stands beside them on a screen.
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Kind:
    """One kind of problem: what programs branch on (`code`, `status`) and what people read."""

    code: str
    status: int
    title: str
    advice: str


KINDS: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind("broken_json", 400, "The body is not JSON", "Send one JSON object in UTF-8."),
        Kind("broken_body", 400, "The body broke off", "Send it again, whole."),
        Kind(
            "cross_origin",
            400,
            "A page from elsewhere may not ask this",
            "Have its origin added to CLOUT_CORS_ORIGINS, and ask as the detail says.",
        ),
        Kind("no_key", 401, "A key is needed", "Send a key that has the scope that the detail names."),
        Kind(
            "bad_key", 401, "The key opens nothing", "Make one with `clout keys create`, and send it as it was shown."
        ),
        Kind(
            "missing_scope",
            403,
            "The key does not open this",
            "Send a key that has the scope that the detail names.",
        ),
        Kind(
            "forbidden",
            403,
            "This may be asked only on the machine itself",
            "Ask the service there, on 127.0.0.1, or run the command that the detail names.",
        ),
        Kind("cross_site", 403, "Another site has sent this", "Open the page here, and send its form from there."),
        Kind("no_intake", 403, "No rows are taken in here", "Send them to a service as the detail names it."),
        Kind("unknown_route", 404, "There is nothing at this address", "See / for the routes there are."),
        Kind(
            "unknown_account",
            404,
            "Nothing is known of this account",
            "Send account_facts with the post, or ingest the account's posts into the lake.",
        ),
        Kind(
            "not_scored_yet",
            404,
            "The account has no score yet",
            "Score all accounts with `clout score --all`, then ask again.",
        ),
        Kind("unknown_post", 404, "Nothing is known of this post", "See the posts on the page of its account."),
        Kind(
            "no_own_post",
            404,
            "This post has no score of its own",
            "Look for the post that was shared: its own page tells how people reacted.",
        ),
        Kind(
            "no_comparison", 404, "No models were compared here", "Run `clout compare champion challenger` in the home."
        ),
        Kind("unknown_report", 404, "There is no such report", "See if the reference is spelled as it was given."),
        Kind("method_not_allowed", 405, "This address answers other methods", "Use one that the Allow header names."),
        Kind("body_too_slow", 408, "The body did not come in time", "Send it whole within 10 seconds."),
        Kind("ambiguous_account", 409, "Several accounts bear this handle", "Ask by the id of the one that is meant."),
        Kind("body_too_large", 413, "The body is too large", "Send no more than the detail says."),
        Kind("not_json", 415, "The body is not announced as JSON", "Send the header Content-Type: application/json."),
        Kind("not_a_form", 415, "This is not what the form sends", "Fill in the form on its page, and send it there."),
        Kind("invalid_content", 422, "The body does not say what is needed", "Mend what errors points at."),
        Kind("invalid_query", 422, "The address does not say what is needed", "Mend what errors points at."),
        Kind("unknown_network", 422, "The model knows no such network", "See networks in GET /v1/model."),
        Kind("not_confirmed", 428, "What cannot be undone is not confirmed", "Send the header that the detail names."),
        Kind("too_many_requests", 429, "Too many requests", "Wait as many seconds as Retry-After says."),
        Kind("too_busy", 429, "Too many requests at once", "Wait as many seconds as Retry-After says, then try again."),
        Kind(
            "too_much_feedback",
            429,
            "We got more reports today than we can keep",
            "Send it again tomorrow, or tell whoever runs this site.",
        ),
        Kind("internal_error", 500, "Something broke here", "Try again; report the request_id if it happens again."),
        Kind("not_ready", 503, "No model is ready to answer", "Mend what the detail says, or try again soon."),
        Kind(
            "store_unavailable", 503, "The store of scores cannot be read", "Mend what the detail says, or try again."
        ),
        Kind("lake_unavailable", 503, "The lake cannot be written to", "Wait as Retry-After says, then send it again."),
        Kind(
            "inbox_unavailable",
            503,
            "No more rows can be kept now",
            "Wait as many seconds as Retry-After says, then send the same again.",
        ),
        Kind("too_slow", 504, "The answer took too long", "Try again; send less at once."),
    )
}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in a body: where (an RFC 6901 pointer), what, and a stable code."""

    pointer: str
    detail: str
    code: str

    def told(self) -> dict[str, str]:
        """The same as plain values for JSON."""
        return {"pointer": self.pointer, "detail": self.detail, "code": self.code}


class ProblemError(CloutError):
    """What a request meets instead of its answer."""

    def __init__(
        self, code: str, detail: str, errors: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail, code=code)
        self.kind, self.detail, self.errors = KINDS[code], detail, tuple(errors)
        self.headers = dict(headers or {})

    def told(self, request_id: str) -> dict[str, Any]:
        """The problem as plain values for JSON."""
        return {
            "type": f"{PAGE}#{self.kind.code}",
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "code": self.kind.code,
            "request_id": request_id,
            "errors": [fault.told() for fault in self.errors],
        }

    def response(self, request_id: str) -> Response:
        """The answer that tells the problem."""
        body = json.dumps(self.told(request_id), ensure_ascii=False)
        return Response(body, self.kind.status, self.headers, MEDIA_TYPE)


def of_validation(error: ValidationError, below: tuple[str | int, ...] = ()) -> ProblemError:
    """The problem of a body that pydantic refused, or of the part of it that lies `below`."""
    found = error.errors(include_url=False)
    if found[0]["type"] == "json_invalid":
        return ProblemError("broken_json", f"{found[0]['msg']}; expected one JSON object in UTF-8")
    faults = [_fault({**item, "loc": (*below, *item["loc"])}) for item in found]
    first = faults[0]
    more = f", and {len(faults) - 1} more in errors" if len(faults) > 1 else ""
    return ProblemError("invalid_content", f"{first.pointer or 'the body'}: {first.detail}{more}", faults)


def _fault(item: Mapping[str, Any]) -> Fault:
    place = [str(part) for part in item["loc"] if part != "[key]"]
    pointer = "".join(f"/{escaped(part)}" for part in place)
    said = NO_SUCH_FIELD if item["type"] == "extra_forbidden" else item["msg"]
    detail = said if item["type"] == "missing" else f"{said}; got {shown(item['input'])}"
    return Fault(pointer, detail, item["type"])


def escaped(part: str) -> str:
    """A name as a part of a pointer."""
    return part.replace("~", "~0").replace("/", "~1")


def shown(value: object) -> str:
    """What was got, as JSON, in no more than some words that turn nothing round."""
    if isinstance(value, (dict, list, tuple)):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    plain = json.dumps(value, ensure_ascii=False, default=str)
    text = TURNING.sub(lambda sign: f"\\u{ord(sign[0]):04x}", plain)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def page() -> Response:
    """The page that a problem's type leads to: every kind, and what to do about it."""
    rows = "".join(
        f'<tr id="{kind.code}"><td><code>{kind.code}</code></td><td>{kind.status}</td>'
        f"<td>{escape(kind.title)}</td><td>{escape(kind.advice)}</td></tr>"
        for kind in KINDS.values()
    )
    head = "<tr><th>code</th><th>status</th><th>what happened</th><th>what to do</th></tr>"
    return HTMLResponse(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Clout: problems</title>'
        f"<h1>Problems this service answers with</h1><table>{head}{rows}</table></html>"
    )
