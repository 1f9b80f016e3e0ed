"""An AppView as it is asked: the door to the SDK, with patience for what passes and words for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from atproto_client.exceptions import RateLimitExceededError, RequestErrorBase
from atproto_client.request import Request
from httpx import HTTPError

from clout.data.sources.items import at, objects, text
from clout.data.sources.live.passing import UNTOLD, PassingError, Patience, Wait
from clout.errors import CloutError

PAGE, MOST_PAGES = 100, 200
SHOWN = 200


class NotThereError(CloutError):
    """Something that the AppView does not give; other things it may."""

    code = "bluesky_account"


class Server:
    """The AppView at `url`, given `seconds` to answer; `wait` is told how long to wait before another try.

    `seed` spreads these waits.
    """

    def __init__(self, url: str, seed: str, wait: Wait, seconds: float) -> None:
        self._url, self._patience = url, Patience(seed, wait)
        self._request = Request(timeout=seconds)

    def close(self) -> None:
        """Nothing; the connections are closed."""
        self._request.close()

    def one(self, method: str, **asked: object) -> Any:  # noqa: ANN401 (anything that JSON holds)
        """The answer to a question."""
        return self._ask(f"app.bsky.{method}", asked)

    def pages(self, method: str, field: str, **asked: object) -> Iterator[Any]:
        """What stands in the list `field`, over all pages of the answer."""
        cursor, seen = None, set[str]()
        while len(seen) < MOST_PAGES:
            page = self.one(method, **asked, limit=PAGE, **({"cursor": cursor} if cursor else {}))
            if not isinstance(at(page, field), list):
                raise NotThereError(f"the AppView answered {method} with something that has no {field}")
            yield from objects(at(page, field))
            cursor = text(at(page, "cursor"))
            if cursor is None or cursor in seen:
                return
            seen.add(cursor)

    def _ask(self, method: str, asked: dict[str, object]) -> Any:  # noqa: ANN401
        """The answer, asked for again after a while where the trouble may pass."""
        troubles = (RequestErrorBase, HTTPError, ValueError, RecursionError)
        return self._patience.ask(
            lambda: self._request.get(f"{self._url}/xrpc/{method}", params=asked).content, troubles, self._judge
        )

    def _judge(self, error: Exception) -> tuple[PassingError, float | None]:
        """The trouble, and the seconds until the AppView's limit is lifted if it is that."""
        return self._trouble(error), _until_reset(error) if isinstance(error, RateLimitExceededError) else None

    def _trouble(self, error: Exception) -> PassingError:
        """The trouble if it may pass; else raises `NotThereError`."""
        response = error.response if isinstance(error, RequestErrorBase) else None
        if isinstance(error, RateLimitExceededError):
            return PassingError(
                f"{self._url} says that it is asked too often; expected to be let in: ask it less often"
            )
        if response is not None and 400 <= response.status_code < 500:
            raise NotThereError(f"the AppView does not give it ({_short(error)})") from error
        return PassingError(f"{self._url} gave no answer that can be read ({_short(error)}): try again later")


def _until_reset(error: Exception) -> float:
    """How long until the limit is lifted, by the answer's own words and clock."""
    headers = error.response.headers if isinstance(error, RequestErrorBase) and error.response else {}
    try:
        if "retry-after" in headers:
            return max(float(headers["retry-after"]), 0.0)
        now = parsedate_to_datetime(headers["date"]).timestamp()
        return max(float(headers["ratelimit-reset"]) - now, 0.0)
    except (KeyError, TypeError, ValueError):
        return UNTOLD


def _short(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error} {error.__cause__ or ''}".split())[:SHOWN]
