"""Google+ as Takeout gave it until 2019: posts, with who gave a +1, commented and shared them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from clout.data.sources.container import Box
from clout.data.sources.items import About, Broken, Row, at, counts, identity, number_of, objects, post, text

KIND, TITLE, NETWORK = "google-plus", "Google+ as Takeout gave it", "google_plus"
_FOLDER = re.compile(r"(?:^|/)Google\+ Stream/Posts/[^/]+\.json$")
_TAG = re.compile(r"<[^>]*>")


def find(box: Box) -> list[str]:
    """The posts, a file each."""
    posts = [name for name in box.names if _FOLDER.search(name)]
    return posts or [name for name in box.names if len(box.names) == 1 and b"plus.google.com" in box.peek(name)]


def about(_: Box) -> About:
    """Nothing: each post says whose it is."""
    return About()


def items(box: Box, name: str) -> Iterator[Any]:
    """The post of a file."""
    told = box.json(name)
    yield from (
        item if isinstance(item, dict) else Broken(str(item)) for item in (told if isinstance(told, list) else [told])
    )


def rows(item: Any, about: About) -> Iterator[Row]:  # noqa: ANN401
    """The rows of a post; comments have their moments and are actions, +1s and shares have none and are counted."""
    author, made = _person(at(item, "author")), at(item, "creationTime")
    name, account = identity(NETWORK, _post_id(item)), identity(NETWORK, author)
    if account is not None:
        handle = text(at(item, "author", "displayName"))
        yield Row("accounts", {"account": account, "network": NETWORK, "handle": handle})
    words = text(at(item, "content"))
    yield post(
        made,
        post=name,
        account=account,
        network=NETWORK,
        kind="reshare" if at(item, "resharedPost") is not None else "original",
        text=_TAG.sub("", words.replace("<br>", "\n")) if words else words,
        n_media=number_of(at(item, "album", "media")) or (1 if at(item, "media") else None),
        n_urls=1 if at(item, "link") else None,
    )
    for comment in objects(at(item, "comments")):
        yield _reply(comment, name, account)
    kinds = {"like": number_of(at(item, "plusOnes")), "reshare": number_of(at(item, "reshares"))}
    yield from counts(name, about.read_at, kinds, long_after=True)


def _reply(comment: object, name: str | None, account: str | None) -> Row:
    actor, made = identity(NETWORK, _person(at(comment, "author"))), at(comment, "creationTime")
    own = text(at(comment, "resourceName")) or f"{name}:{actor}:{made}"
    clock = {"happened_at": made, "known_at": made}
    told = {"action": identity(NETWORK, own), "post": name, "account": account, "actor": actor, "kind": "reply"}
    return Row("actions", {**told, **clock})


def _person(told: object) -> str | None:
    """The number of a person, from the name of the resource or the address of the profile."""
    found = text(at(told, "resourceName")) or text(at(told, "profileUrl")) or text(at(told, "profilePageUrl"))
    return found.rstrip("/").rpartition("/")[2] if found else None


def _post_id(item: object) -> str | None:
    return text(at(item, "resourceName")) or text(at(item, "url"))
