"""What the API of a Mastodon server tells of accounts and statuses, as rows; any JSON is read, and none breaks it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from clout.data.sources.archives.activity_streams import NETWORK, plain
from clout.data.sources.items import Broken, Row, at, identity, number_of, objects, text

COUNTS = {"like": "favourites_count", "reshare": "reblogs_count", "reply": "replies_count", "quote": "quotes_count"}
_ASKS = re.compile(r"#(no_?bots?|noindex|nosearch|noarchive)\b", re.IGNORECASE)
_PROFILE = re.compile(r"(https?://[^/]+)/@([^/@]+)")


class Status(NamedTuple):
    """A status that somebody posted or boosted: its id on the server, and what of it the lake can hold.

    `counts` are those that the server told, by kind; of a boost none, for they are another post's.
    """

    name: str
    post: str
    happened_at: datetime
    visibility: str
    values: Mapping[str, Any]
    counts: Mapping[str, Any]


def account_id(account: object) -> str | None:
    """The id of an account, the same as in its export; servers before 4.2 tell only the address of its page.

    >>> account_id({"uri": "https://a.example/users/ann"}), account_id({"url": "https://a.example/@ann"})
    ('mastodon/https://a.example/users/ann', 'mastodon/https://a.example/users/ann')
    """
    page = _PROFILE.fullmatch(text(at(account, "url")) or "")
    return identity(NETWORK, text(at(account, "uri")) or (f"{page[1]}/users/{page[2]}" if page else None))


def objection(account: object) -> str | None:
    """What an account says against being read by programs; None where it says nothing.

    >>> objection({"note": '<p>Gardener. <a href="/tags/nobot">#<span>NoBot</span></a></p>'})
    'its profile says #NoBot'
    """
    if at(account, "noindex") is True:
        return "it has opted out of being indexed"
    if at(account, "discoverable") is False:
        return "it has chosen not to be discovered"
    fields = (at(field, name) for field in objects(at(account, "fields")) for name in ("name", "value"))
    words = "\n".join(filter(None, map(plain, (at(account, "note"), *fields))))
    asked = _ASKS.search(words)
    return f"its profile says {asked[0]}" if asked else None


def account_rows(account: object, now: datetime, *, is_new: bool) -> Iterator[Row]:
    """The account if it is new, and what its profile shows now."""
    name = account_id(account)
    if is_new:
        told = {"handle": text(at(account, "username")), "created_at": at(account, "created_at")}
        yield Row("accounts", {"account": name, "network": NETWORK, **told})
    numbers = {"followers": "followers_count", "following": "following_count", "posts": "statuses_count"}
    shown = {column: at(account, key) for column, key in numbers.items()}
    yield Row("profiles", {"account": name, "happened_at": now, "known_at": now, **shown})


def status(item: object, account: object) -> Status | Broken:
    """The status that `item` is, if it can be read and is the account's own."""
    name, post, moment = text(at(item, "id")), identity(NETWORK, text(at(item, "uri"))), at(item, "created_at")
    visibility = text(at(item, "visibility")) or ""
    if name is None or post is None or not isinstance(moment, datetime) or not _is_by(item, account):
        return Broken(str(item) if visibility == "public" else "")
    whose = {"account": account_id(account), "network": NETWORK}
    happened_at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if at(item, "reblog") is not None:
        return Status(name, post, happened_at, visibility, {**whose, "kind": "reshare"}, {})
    counts = {kind: at(item, key) for kind, key in COUNTS.items() if at(item, key) is not None}
    return Status(name, post, happened_at, visibility, {**whose, **_said(item)}, counts)


def _said(item: object) -> dict[str, Any]:
    reply = at(item, "in_reply_to_id") is not None
    return {
        "kind": "reply" if reply else "quote" if at(item, "quote") is not None else "original",
        "text": plain(at(item, "content")),
        "lang": text(at(item, "language")),
        "n_media": number_of(at(item, "media_attachments")),
        "n_hashtags": number_of(at(item, "tags")),
        "n_mentions": number_of(at(item, "mentions")),
    }


def _is_by(item: object, account: object) -> bool:
    own = at(account, "id")
    return own is not None and at(item, "account", "id") == own
