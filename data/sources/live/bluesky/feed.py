"""What of Bluesky to read: accounts by the AppView, or the firehose, of all or of these accounts."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, model_validator

from clout.data.lake import Lake
from clout.data.sources.live.bluesky.firehose import HOST, SILENCE, Firehose

if TYPE_CHECKING:
    from clout.data.sources.live.bluesky.appview import AppView

APPVIEW = "https://public.api.bsky.app"
_HANDLE = re.compile(r"@?((?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?\.)+[a-zA-Z][a-zA-Z0-9-]*)")
_DID = re.compile(r"did:[a-z]+:[a-zA-Z0-9._:%-]+")
_LIST = re.compile(
    r"(?:at://(?P<did>did:[^/]+)/app\.bsky\.graph\.list|https://bsky\.app/profile/(?P<who>[^/]+)/lists)/(?P<key>[^/]+)"
)


def _is_actor(given: str) -> str:
    found = _HANDLE.fullmatch(given)
    if found is None and _DID.fullmatch(given) is None:
        raise ValueError(f"got the account {given!r}; expected a handle or an id, as in ann.bsky.social or did:plc:…")
    return given if found is None else found[1]


def _is_list(given: str) -> str:
    found = _LIST.fullmatch(given)
    if found is None:
        raise ValueError(
            f"got the list {given!r}; expected its address, as in https://bsky.app/profile/ann.bsky.social/lists/3k… or "
            "at://did:plc:…/app.bsky.graph.list/3k…"
        )
    return f"at://{found['did'] or found['who']}/app.bsky.graph.list/{found['key']}"


def _address(given: str, *schemes: str) -> str:
    told = urlsplit(given)
    if told.scheme not in schemes or not told.hostname or told.path.strip("/") or told.query or told.username:
        raise ValueError(f"got the address {given!r}; expected one as in {schemes[0]}://bsky.example")
    return f"{told.scheme}://{told.netloc}"


def _is_appview(given: str) -> str:
    return _address(given, "https", "http")


def _is_host(given: str) -> str:
    return _address(given, "wss", "ws")


class BlueskyFeed(BaseModel, frozen=True, extra="forbid"):
    """Accounts of Bluesky, `actors` by handle or id and those on `lists`, or its `firehose`, then of these accounts or of all."""

    kind: Literal["bluesky"] = "bluesky"
    name: str
    actors: tuple[Annotated[str, AfterValidator(_is_actor)], ...] = ()
    lists: tuple[Annotated[str, AfterValidator(_is_list)], ...] = ()
    firehose: bool = False
    appview: Annotated[str, AfterValidator(_is_appview)] = APPVIEW
    host: Annotated[str, AfterValidator(_is_host)] = HOST

    @model_validator(mode="after")
    def _names_something(self) -> BlueskyFeed:
        if not (self.actors or self.lists or self.firehose):
            raise ValueError("got nothing to read; expected actors, lists or the firehose: name one")
        return self

    def source(self, now: datetime, lake: Lake, lasting: timedelta = timedelta(0)) -> AppView | Firehose:
        """What is read, as it is now; `lake` tells what is known of it. A firehose is read on for `lasting`."""
        if not self.firehose:
            return self._shown(now, lake)
        some = self._shown(now, lake).ids() if self.actors or self.lists else frozenset[str]()
        return Firehose(lake, now + lasting, some, self.host, SILENCE + lasting.total_seconds())

    def _shown(self, now: datetime, lake: Lake) -> AppView:
        # The SDK takes seconds to load: only who needs it waits for it.
        from clout.data.sources.live.bluesky.appview import AppView  # noqa: PLC0415

        return AppView(self.name, self.actors, self.lists, now, lake, self.appview)
