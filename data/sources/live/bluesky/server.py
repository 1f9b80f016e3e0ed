"""An AppView as it is asked: the door to the SDK, with patience for what passes and words for the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any

from atproto_client.exceptions import RateLimitExceededError, RequestErrorBase
from atproto_client.request import Request
from httpx import HTTPError

from clout.data.sources.items import at, objects, text
from clout.data.sources.live.passing import PassingError
from clout.errors import CloutError

PAUSES = (2.0, 8.0, 30.0)
UNTOLD, LONGEST = 60.0, 330.0
PAGE, MOST_PAGES = 100, 200
SHOWN = 200
Wait = Callable[[float], object]


class NotThereError(CloutError):
    """Something that the AppView does not give; other things it may."""

    code = "bluesky_account"


class Server:
    """The AppView at `url`, given `seconds` to answer; `wait` is told how long to wait before another try.

    `seed` spreads these waits.
    """

    def __init__(self, url: str, seed: str, wait: Wait, seconds: float) -> None:
        self._url, self._seed, self._wait, self._asked = url, seed, wait, 0
        self._request = Request(timeout=seconds)

    def close(self) -> None:
        """Nothing; the connections are closed."""
        self._request.close()

    def one(self, method: str, **asked: object) -> Any:  # noqa: ANN401 (anything that JSON holds)
        """The answer to a question."""
        return self._ask(f"app.bsky.{method}", asked, PAUSES)

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

    def _ask(self, method: str, asked: dict[str, object], pauses: tuple[float, ...]) -> Any:  # noqa: ANN401
        """The answer, asked for again after a while where the trouble may pass."""
        try:
            return self._request.get(f"{self._url}/xrpc/{method}", params=asked).content
        except (RequestErrorBase, HTTPError, ValueError, RecursionError) as error:
            trouble, limited = self._trouble(error), isinstance(error, RateLimitExceededError)
            if not pauses:
                raise trouble from error
            pause = _until_reset(error) + self._about(1.0) if limited else self._about(pauses[0])
        self._wait(min(pause, LONGEST))
        return self._ask(method, asked, pauses[1:])

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

    def _about(self, pause: float) -> float:
        """Half to one and a half times `pause`, another time with each question, so that many do not ask at once."""
        self._asked += 1
        return pause * (0.5 + sha256(f"{self._seed} {self._asked}".encode()).digest()[0] / 255)


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
