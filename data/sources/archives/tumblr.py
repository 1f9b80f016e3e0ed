"""Posts of Tumblr as its API v2 and `tumblr-backup --json` give them, with notes where they were asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from clout.data.sources.container import Box
from clout.data.sources.items import (
    About,
    Broken,
    Row,
    at,
    counts,
    identity,
    number_of,
    objects,
    post,
    since_1970,
    text,
)

KIND, TITLE, NETWORK = "tumblr", "posts of Tumblr", "tumblr"
_TAG = re.compile(r"<[^>]*>")
_WORDS = ("summary", "title", "body", "caption", "text", "question")


def find(box: Box) -> list[str]:
    """The JSON files that hold posts of a blog."""
    return [name for name in box.names if name.endswith(".json") and _is_blog(box.peek(name))]


def about(_: Box) -> About:
    """Nothing: an answer does not say when it was given."""
    return About()


def items(box: Box, name: str) -> Iterator[Any]:
    """The posts of an answer, of a list, or the one post of a file."""
    told = box.json(name)
    found = at(told, "response", "posts") or at(told, "posts") or (told if isinstance(told, list) else [told])
    yield from (item if isinstance(item, dict) else Broken(str(item)) for item in objects(found))


def rows(item: Any, about: About) -> Iterator[Row]:  # noqa: ANN401
    """The rows of a post; its notes are counted together, as Tumblr does not say how many of each kind there are."""
    blog = at(item, "blog_name") or at(item, "blog", "name") or at(item, "tumblelog")
    account, made = identity(NETWORK, blog), since_1970(at(item, "timestamp"))
    name = identity(NETWORK, at(item, "id_string") or at(item, "id"))
    is_reshare = bool(at(item, "reblogged_from_id") or at(item, "parent_post_url"))
    if account is not None:
        yield Row("accounts", {"account": account, "network": NETWORK, "handle": text(blog)})
    yield post(
        made,
        post=name,
        account=account,
        network=NETWORK,
        kind="reshare" if is_reshare else "original",
        text=_words(item),
        n_media=number_of(at(item, "photos")),
        n_hashtags=number_of(at(item, "tags")),
    )
    if not is_reshare:
        kinds = {"reaction": at(item, "note_count")}
        yield from counts(name, about.read_at, kinds, long_after=True)


def _words(item: object) -> str | None:
    told = next((found for key in _WORDS if (found := text(at(item, key)))), None)
    return _TAG.sub("", told) if told else told


def _is_blog(start: bytes) -> bool:
    return b'"note_count"' in start and (b'"blog_name"' in start or b'"tumblelog"' in start or b'"blog"' in start)
