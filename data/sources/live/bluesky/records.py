"""Rows from the records that accounts of Bluesky keep: posts, likes, reposts, follows. Any value is taken, none raises."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from clout.data.sources.items import Row, at, identity, objects, text

NETWORK = "bluesky"
POST, LIKE, REPOST, FOLLOW = "app.bsky.feed.post", "app.bsky.feed.like", "app.bsky.feed.repost", "app.bsky.graph.follow"
# Clients' clocks are this wrong at most; what is told to be older was dated back.
SKEW = timedelta(hours=1)
_LINK, _TAG, _MENTION = (f"app.bsky.richtext.facet#{name}" for name in ("link", "tag", "mention"))


class Kept(NamedTuple):
    """A record: by whom, its `collection/key`, what it holds, and its two clocks."""

    account: str
    path: str
    held: Any
    clock: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Its id, which is its address."""
        return address(self.account, self.path)


def address(account: str, path: str) -> str:
    """The id of the record at `path` of an account.

    >>> address("did:plc:a", "app.bsky.feed.post/3k")
    'bluesky/at://did:plc:a/app.bsky.feed.post/3k'
    """
    return f"{NETWORK}/at://{account}/{path}"


def arrived(told: object, moment: datetime) -> dict[str, Any]:
    """The clocks of what arrived at a `moment`: then it happened, unless it was dated back by more than `SKEW`."""
    happened = when(told)
    is_now = isinstance(happened, datetime) and happened >= moment - SKEW
    return {"happened_at": moment if is_now else happened, "known_at": moment}


def when(told: object) -> Any:  # noqa: ANN401 (what cannot be read is handed on)
    """The moment that is told; what is no time stays, to be refused.

    >>> when("2025-01-02T03:04:05Z").isoformat(), when("soon"), when(None)
    ('2025-01-02T03:04:05+00:00', 'soon', None)
    """
    try:
        moment = datetime.fromisoformat(told)  # type: ignore[arg-type]
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None if told is None else str(told)


def rows(kept: Kept) -> Iterator[Row]:
    """The rows of a record, none where it is of another collection."""
    make = MAKERS.get(kept.path.partition("/")[0])
    return make(kept) if make is not None else iter(())


def removals(account: str, path: str, moment: datetime) -> Iterator[Row]:
    """The rows of a record that was deleted: a post may have been an action twice, see `quoted`."""
    gone = address(account, path)
    ids = [gone, quoted(gone)] if path.startswith(f"{POST}/") else [gone]
    told = {"account": identity(NETWORK, account), "happened_at": moment, "known_at": moment}
    return (Row("removals", {"removed": name, **told}) for name in ids)


def quoted(post: str) -> str:
    """The id of the action by which `post` quotes another. As a reply it has the post's own id."""
    return f"{post}#quote"


def author(uri: str | None) -> str | None:
    """The account whose record is at `uri`; None where its address does not say."""
    did = uri.removeprefix("at://").partition("/")[0] if uri is not None else ""
    return identity(NETWORK, did) if did.startswith("did:") else None


def post_at(subject: object) -> str | None:
    """The address of the post that a reference names, None where it names something else."""
    uri = text(at(subject, "uri"))
    return uri if uri is not None and f"/{POST}/" in uri else None


def _reaction(kind: str) -> Callable[[Kept], Iterator[Row]]:
    def make(kept: Kept) -> Iterator[Row]:
        uri = post_at(at(kept.held, "subject"))
        if uri is not None:
            yield _action(kept, kept.id, kind, author(uri), identity(NETWORK, uri))

    return make


def _follow(kept: Kept) -> Iterator[Row]:
    yield _action(kept, kept.id, "follow", identity(NETWORK, text(at(kept.held, "subject"))))


def _action(kept: Kept, name: str, kind: str, account: str | None, post: str | None = None) -> Row:
    actor = identity(NETWORK, kept.account)
    return Row(
        "actions", {"action": name, "post": post, "account": account, "actor": actor, "kind": kind, **kept.clock}
    )


def _post(kept: Kept) -> Iterator[Row]:
    held, by = kept.held, identity(NETWORK, kept.account)
    replied, cited = post_at(at(held, "reply", "parent")), quoted_in(at(held, "embed"))
    kind = "reply" if replied is not None else "quote" if cited is not None else "original"
    found = dict(_facets(held))
    mentioned = [did for feature, did in found if feature == _MENTION]
    yield Row(
        "posts",
        {
            "post": kept.id,
            "account": by,
            "network": NETWORK,
            "text": at(held, "text"),
            "lang": text(at(held, "langs", 0)),
            "kind": kind,
            "n_media": _media(at(held, "embed")),
            "n_urls": _links(found, held),
            "n_hashtags": len({value for feature, value in found if feature == _TAG} | _tags(held)),
            "n_mentions": len(mentioned),
            **kept.clock,
        },
    )
    if replied is not None:
        yield _action(kept, kept.id, "reply", author(replied), identity(NETWORK, replied))
    if cited is not None:
        yield _action(kept, quoted(kept.id), "quote", author(cited), identity(NETWORK, cited))
    for did in mentioned:
        yield _action(kept, f"{kept.id}#{did}", "mention", identity(NETWORK, did))


def quoted_in(embed: object) -> str | None:
    """The address of the post that an embed shows."""
    record = at(embed, "record")
    return post_at(record) or post_at(at(record, "record"))


def _facets(held: object) -> Iterator[tuple[tuple[str, str], None]]:
    """((kind, value), None) of each link, tag and mention in the text, in order."""
    for facet in objects(at(held, "facets")):
        for feature in objects(at(facet, "features")):
            value = text(at(feature, "uri")) or text(at(feature, "tag")) or text(at(feature, "did"))
            if value is not None:
                yield (str(at(feature, "$type")), value), None


def _links(found: dict[tuple[str, str], None], held: object) -> int:
    card = text(at(held, "embed", "external", "uri")) or text(at(held, "embed", "media", "external", "uri"))
    return len({value for feature, value in found if feature == _LINK} | ({card} if card else set()))


def _tags(held: object) -> set[str]:
    return {tag for tag in objects(at(held, "tags")) if isinstance(tag, str)}


def _media(embed: object) -> int:
    shown = at(embed, "media") if at(embed, "media") is not None else embed
    return len(objects(at(shown, "images"))) + (at(shown, "video") is not None)


MAKERS: dict[str, Callable[[Kept], Iterator[Row]]] = {
    POST: _post,
    LIKE: _reaction("like"),
    REPOST: _reaction("reshare"),
    FOLLOW: _follow,
}
