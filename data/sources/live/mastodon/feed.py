"""Which accounts of Mastodon to read, and by which server."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, SecretStr, model_validator

from clout.data.lake import Lake
from clout.data.sources.live.mastodon.accounts import AccountsOfMastodon

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_ACTOR = re.compile(r"@?(\w(?:[\w.-]*\w)?(?:@[\w.-]+(?::\d+)?)?)")


def _is_actor(given: str) -> str:
    found = _ACTOR.fullmatch(given)
    if found is None:
        raise ValueError(f"got the account {given!r}; expected one as in @ann or @ann@social.example")
    return found[1]


def _is_server(given: str) -> str:
    told = urlsplit(given)
    if told.scheme not in {"https", "http"} or not told.hostname or told.path.strip("/") or told.query or told.username:
        raise ValueError(f"got the server {given!r}; expected its address as in https://social.example")
    return f"{told.scheme}://{told.netloc}"


class MastodonFeed(BaseModel, frozen=True, extra="forbid"):
    """Accounts of Mastodon to read, `@name` or `@name@host`, by the server that knows them.

    `token` lets in where the server wants one. `horizon_days` is how long a post is read again; it is that of the
    models that are trained on it.
    """

    kind: Literal["mastodon"] = "mastodon"
    name: str
    server: Annotated[str, AfterValidator(_is_server)]
    actors: Annotated[tuple[Annotated[str, AfterValidator(_is_actor)], ...], Field(min_length=1)]
    token: SecretStr | None = None
    horizon_days: float = Field(7.0, gt=0, le=90)

    @model_validator(mode="after")
    def _keeps_its_token(self) -> MastodonFeed:
        told = urlsplit(self.server)
        if self.token is not None and told.scheme == "http" and told.hostname not in LOCAL:
            raise ValueError(f"a token would be sent to {self.server} for all to read: give the server as https://")
        return self

    @property
    def secret(self) -> str | None:
        """The token itself."""
        return self.token.get_secret_value() if self.token else None

    def source(self, now: datetime, lake: Lake) -> AccountsOfMastodon:
        """The accounts as they are now; `lake` tells what is known of them."""
        return AccountsOfMastodon(self, now, lake)
