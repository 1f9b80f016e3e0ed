"""What the forms of pages send, and that no other site sends it in a reader's name."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from clout.serving.guard import read_body
from clout.serving.pages.shell import OURS
from clout.serving.problems import Fault, ProblemError, escaped, shown

MEDIA = "application/x-www-form-urlencoded"
LARGEST_FORM = 1 << 16
MOST_FIELDS = 50


async def read_form(request: Request, largest: int = LARGEST_FORM) -> dict[str, str]:
    """The fields of a form that a page of ours has sent, each given once; its line ends are those that were typed.

    Refused where another site sent it, where it is larger than `largest` bytes or too slow, and where it is no form.
    """
    _check_sender(request)
    _check_type(request)
    return _fields(await read_body(request, largest))


def _check_sender(request: Request) -> None:
    """Nothing; raises where the browser says that another site sends this. Programs say nothing and may pass."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        if site not in OURS:
            raise _other_site(f"the browser says it is {site[:100]}")
    elif origin is not None and _place(origin) != request.headers.get("host", "").lower():
        raise _other_site(f"it comes from {origin[:100]}")


def _place(origin: str) -> str | None:
    """Host and port of an origin; None of one that the browser hides."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _other_site(got: str) -> ProblemError:
    return ProblemError("cross_site", f"got a form of another site ({got}); expected one of this site's own pages")


def _check_type(request: Request) -> None:
    got = request.headers.get("content-type", "no content type")
    media, _, parameters = got.partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    plain = request.headers.get("content-encoding", "identity") == "identity"
    if media.strip().lower() != MEDIA or charset not in {"", "utf-8"} or not plain:
        raise ProblemError("not_a_form", f"got {got[:100]}; expected {MEDIA} in UTF-8, as it is")


def _fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except UnicodeDecodeError as error:
        raise ProblemError("not_a_form", "got bytes that are no UTF-8; expected a text in UTF-8") from error
    except ValueError as error:
        raise ProblemError("not_a_form", f"got more than {MOST_FIELDS} fields; expected those of the form") from error
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        raise _twice(next(name for name in names if names.count(name) > 1))
    return {name: value.replace("\r\n", "\n") for name, value in fields.items()}


def _twice(name: str) -> ProblemError:
    told = f"got {shown(name)} more than once; expected it once"
    return ProblemError("invalid_content", told, [Fault(f"/{escaped(name)}", told, "repeated")])
