"""A Mastodon server as it is asked: the door to Mastodon.py, with patience for what passes and words for the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from mastodon import Mastodon
from mastodon import errors as told

from clout.data.sources.live.passing import UNTOLD, PassingError, Patience, Wait
from clout.errors import CloutError

PAGE = 40
SHOWN = 200
T = TypeVar("T")


class MastodonError(CloutError):
    """A server that will not be read, however often it is asked."""

    code = "mastodon"


class NotReadableError(CloutError):
    """An account that the server does not give; others it may."""

    code = "mastodon_account"


class Server:
    """The server at `url`, which is given `seconds` to answer; `wait` is told how long to wait before another try.

    `seed` spreads these waits.
    """

    def __init__(self, url: str, token: str | None, seed: str, wait: Wait, seconds: float) -> None:
        self._url, self._patience = url, Patience(seed, wait)
        self._client = Mastodon(
            access_token=token,
            api_base_url=url,
            ratelimit_method="throw",
            request_timeout=seconds,
            user_agent="clout",
        )

    def close(self) -> None:
        """Nothing; the connections are closed."""
        self._client.session.close()

    def account(self, actor: str) -> Any:  # noqa: ANN401 (anything that JSON holds)
        """What the server tells of `actor`, `name` or `name@host`."""
        return self._ask(lambda: self._client.account_lookup(actor))

    def statuses(self, account: str, before: str | None) -> Any:  # noqa: ANN401
        """A page of the account's statuses and boosts, newest first, those before the status `before`."""
        return self._ask(lambda: self._client.account_statuses(account, max_id=before, limit=PAGE))

    def _ask(self, question: Callable[[], T]) -> T:
        """The answer, asked for again after a while where the trouble may pass."""
        return self._patience.ask(question, (told.MastodonError, RecursionError), self._judge)

    def _judge(self, error: Exception) -> tuple[PassingError, float | None]:
        """The trouble, and the seconds until the server's limit is lifted if it is that."""
        limited = isinstance(error, told.MastodonRatelimitError)
        return self._trouble(error), self._until_reset() if limited else None

    def _trouble(self, error: Exception) -> PassingError:
        """The trouble if it may pass; else raises `MastodonError` or, for one account, `NotReadableError`."""
        status = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], int) else None
        if isinstance(error, told.MastodonRatelimitError):
            return PassingError(
                f"{self._url} says that it is asked too often; expected to be let in: read it less often"
            )
        if status == 401:
            raise MastodonError(
                f"{self._url} answered 401, unauthorized; expected to be let in: give a token that is valid there "
                "(CLOUT_MASTODON_TOKEN, or `token` in the list of sources)"
            ) from error
        if status in {404, 410}:
            raise NotReadableError(
                f"the server does not have it ({status}): it is gone, or was never seen there"
            ) from error
        if status is None or status == 408 or status >= 500:
            return PassingError(
                f"{self._url} gave no answer that can be read ({_short(_root(error))}): try again later"
            )
        raise NotReadableError(f"the server refused it ({_short(error)})") from error

    def _until_reset(self) -> float:
        """How long until the server's limit is lifted; Mastodon.py has read it, as a number or as ISO 8601."""
        lifted, asked = self._client.ratelimit_reset, self._client.ratelimit_lastcall
        left = lifted - asked if lifted and asked else UNTOLD
        return max(left, 0.0)


def _root(error: BaseException) -> BaseException:
    """What an error came from in the end: Mastodon.py tells it inside others' words."""
    before = error.__cause__ or error.__context__
    return error if before is None else _root(before)


def _short(error: BaseException) -> str:
    return " ".join(" ".join(str(part) for part in error.args if part).split())[:SHOWN]
