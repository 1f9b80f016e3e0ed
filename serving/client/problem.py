"""What a service answers instead of what was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from pydantic import ValidationError

from clout.errors import CloutError
from clout.serving.openapi.told import Fault
from clout.serving.openapi.told import Problem as Told

UNREADABLE = "unreadable_answer"


class Problem(CloutError):  # noqa: N818 (it is what RFC 9457 calls it)
    """What went wrong: `status`, `code`, `title`, `detail`, `errors` by place, and the `request_id` to report it by.

    `retry_after` are the seconds after which it may be asked again, where the service says so.
    """

    def __init__(self, told: Told, retry_after: float | None = None) -> None:
        super().__init__(f"{told.detail} ({told.status} {told.code}, request {told.request_id})", code=told.code)
        self.status, self.title, self.detail = told.status, told.title, told.detail
        self.request_id, self.retry_after = told.request_id, retry_after
        self.errors: tuple[Fault, ...] = tuple(told.errors)

    @classmethod
    def of(cls, answer: httpx.Response) -> Problem:
        """The problem that an answer tells; one of our own where it tells none, as a proxy's page."""
        try:
            told = Told.model_validate_json(answer.content)
        except ValidationError:
            told = unreadable(answer)
        return cls(told, seconds(answer.headers, datetime.now(UTC)))


class QuestionError(CloutError):
    """What cannot be asked: it is not sent."""

    code = "question"


class UnreachableError(CloutError):
    """No answer came: nobody listens there, or it took too long."""

    code = "unreachable"

    @classmethod
    def of(cls, error: httpx.TransportError) -> UnreachableError:
        """The same in words."""
        url = error.request.url
        return cls(f"no answer from {url}: {error or type(error).__name__}; expected a service there: is it running?")


def unreadable(answer: httpx.Response) -> Told:
    """What there is to say of an answer that is not ours."""
    said = answer.headers.get("content-type", "no content type")
    return Told(
        type="about:blank",
        title="The answer is not one of Clout's",
        status=answer.status_code,
        detail=f"got {answer.status_code} with {said} from {answer.url}; expected an answer of clout: is the URL right?",
        code=UNREADABLE,
        request_id=answer.headers.get("x-request-id", "unknown"),
        errors=[],
    )


def seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds that Retry-After says, as a number or as a date; None where it says none.

    >>> now = datetime(2026, 3, 2, 8, 0, 0, tzinfo=UTC)
    >>> seconds({"retry-after": "5"}, now), seconds({"retry-after": "Mon, 02 Mar 2026 08:00:20 GMT"}, now)
    (5.0, 20.0)
    >>> seconds({"retry-after": "Mon, 02 Mar 2026 07:59:00 GMT"}, now), seconds({}, now)
    (0.0, None)
    """
    said = headers.get("retry-after", "").strip()
    if said.isdecimal():
        return float(said)
    try:
        moment = parsedate_to_datetime(said)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
