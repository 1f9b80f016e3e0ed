"""Activity Streams 2.0: the export of a Mastodon account, and collections of activities of any server.

The reader is tolerant: a value may stand alone or in a list, as an id or as an object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import PurePosixPath
from typing import Any

from clout.data.sources.container import Box
from clout.data.sources.items import UNKNOWN, About, Broken, Row, at, counts, identity, number_of, objects, post, text

KIND, TITLE, NETWORK = "activity-streams", "an export of Mastodon or a collection of activities", "mastodon"
_TAG = re.compile(r"<[^<>]*>")
_BREAK = re.compile(r"<br ?/?>|</p>\s*<p[^<>]*>")
_STATUS = re.compile(r"(https?://.+?)/(?:statuses|posts|notes)/[^/]+/?")
_WRITTEN = {"Note", "Article", "Question", "Page", "Image", "Video", "Audio"}
_ACTS = {"Like": "like", "Announce": "reshare"}


def find(box: Box) -> list[str]:
    """The outbox of an export, or the one collection."""
    outbox = [name for name in box.names if PurePosixPath(name).name == "outbox.json"]
    if outbox:
        return outbox[:1]
    return [name for name in box.names if len(box.names) == 1 and _is_collection(box.peek(name))]


def about(box: Box) -> About:
    """Whose outbox it is, if it is one account's; who wrote what, and which activities were undone."""
    actor = [name for name in box.names if PurePosixPath(name).name == "actor.json"]
    told = box.json(actor[0]) if actor else None
    of_one = bool(find(box)) and PurePosixPath(find(box)[0]).name == "outbox.json"
    activities = [item for name in find(box) for item in _activities(box.json(name))]
    return About(
        more={
            "of_one": of_one,
            "actor": told,
            "authors": {_id(_object(item)): _author(item) for item in activities if _type(item) == "Create"},
            "undone": {_id(_object(item)) for item in activities if _type(item) in {"Undo", "Delete"}},
        }
    )


def items(box: Box, name: str) -> Iterator[Any]:
    """The activities of a collection; a first one of our own tells of the account itself."""
    yield {"type": "Actor"}
    for item in _activities(box.json(name)):
        yield item if isinstance(item, dict) else Broken(str(item))


def rows(item: Any, about: About) -> Iterator[Row]:  # noqa: ANN401
    """The rows of an activity: a Create is a post, a Like or an Announce acts on one."""
    kind, of_one = _type(item), about.more.get("of_one")
    if kind == "Actor":
        yield from _account(about.more.get("actor"))
    elif _known(_id(item), about) or _known(_id(_object(item)), about) or kind in {"Undo", "Delete"}:
        return
    elif kind == "Create":
        yield from _create(item, about)
    elif kind == "Announce" and of_one:
        name, account = identity(NETWORK, _id(item)), identity(NETWORK, _id(at(item, "actor")))
        yield post(at(item, "published"), post=name, account=account, network=NETWORK, kind="reshare")
    elif kind in _ACTS and not of_one:
        yield _action(_ACTS[kind], item, _id(_object(item)), about)
    else:
        told = f"its type is {str(kind)[:60]}, which no table of the lake holds"
        yield Row("posts", {"post": identity(NETWORK, _id(item))}, UNKNOWN, told)


def _account(actor: object) -> Iterator[Row]:
    if actor is not None:
        names = {"handle": at(actor, "preferredUsername"), "created_at": at(actor, "published")}
        yield Row("accounts", {"account": identity(NETWORK, _id(actor)), "network": NETWORK, **names})


def _create(item: object, about: About) -> Iterator[Row]:
    """A post, what is known of how often others acted on it, and the reply that it may be."""
    told = _object(item)
    if _type(told) not in _WRITTEN and not isinstance(at(told, "content"), str):
        said = f"its object is {str(_type(told))[:60]}, not a post"
        yield Row("posts", {"post": identity(NETWORK, _id(told))}, UNKNOWN, said)
        return
    made, name = at(told, "published") or at(item, "published"), identity(NETWORK, _id(told))
    parent, kinds = _id(at(told, "inReplyTo")), [_type(tag) for tag in _listed(at(told, "tag"))]
    quoted = at(told, "quote") or at(told, "quoteUrl") or at(told, "quoteUri")
    yield post(
        made,
        post=name,
        account=identity(NETWORK, _author(item)),
        network=NETWORK,
        kind="reply" if parent else "quote" if quoted else "original",
        text=plain(at(told, "content")),
        lang=next(iter(told["contentMap"]), None) if isinstance(at(told, "contentMap"), dict) else None,
        n_media=number_of(at(told, "attachment")),
        n_hashtags=kinds.count("Hashtag") if "tag" in told else None,
        n_mentions=kinds.count("Mention") if "tag" in told else None,
    )
    totals = {kind: at(told, key, "totalItems") for kind, key in (("like", "likes"), ("reshare", "shares"))}
    yield from counts(name, about.read_at, totals, long_after=True)
    if parent and not about.more.get("of_one"):
        yield _action("reply", item, parent, about)


def _action(kind: str, item: object, target: str | None, about: About) -> Row:
    """An action on the post `target`; whose it is stands in the collection, in the activity, or in the address."""
    authors: Mapping[Any, str | None] = about.more.get("authors", {})
    found = _STATUS.fullmatch(target or "")
    owner = authors.get(target) or _id(at(_object(item), "attributedTo")) or (found[1] if found else None)
    if kind == "reply":
        owner = authors.get(target) or (found[1] if found else None)
    moment = at(item, "published") or at(_object(item), "published")
    return Row(
        "actions",
        {
            "action": identity(NETWORK, _id(item) or f"{_author(item)}:{kind}:{target}"),
            "post": identity(NETWORK, target),
            "account": identity(NETWORK, owner),
            "actor": identity(NETWORK, _author(item)),
            "kind": kind,
            "happened_at": moment,
            "known_at": moment,
        },
    )


def _known(name: str | None, about: About) -> bool:
    """Whether the activity or post of this id was undone."""
    return name is not None and name in about.more.get("undone", ())


def _activities(told: object) -> list[Any]:
    """The activities in a collection, also in its first page; a list is taken as one."""
    if isinstance(told, list):
        return told
    found = objects(at(told, "orderedItems")) + objects(at(told, "items"))
    first = at(told, "first")
    return found or (objects(at(first, "orderedItems")) + objects(at(first, "items")))


def _object(item: object) -> Any:  # noqa: ANN401
    return _alone(at(item, "object"))


def _alone(value: Any) -> Any:  # noqa: ANN401
    return value[0] if isinstance(value, list) and value else value


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _id(value: object) -> str | None:
    """The id of what may be an object or an id itself."""
    value = _alone(value)
    return text(value) or text(at(value, "id")) or text(at(value, "@id"))


def _type(value: object) -> str | None:
    return text(_alone(at(value, "type") or at(value, "@type")))


def _author(item: object) -> str | None:
    return _id(at(item, "actor")) or _id(at(_object(item), "attributedTo"))


def plain(content: object) -> str | None:
    """HTML as text."""
    return unescape(_TAG.sub("", _BREAK.sub("\n", content))).strip() if isinstance(content, str) else None


def _is_collection(start: bytes) -> bool:
    names = (b'"https://www.w3.org/ns/activitystreams"', b'"orderedItems"')
    return any(name in start for name in names) and start.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in {b"{", b"["}
