"""What the YouTube Data API v3 answers: `videos.list` and `channels.list`, saved as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clout.data.sources.container import Box
from clout.data.sources.items import About, Broken, Row, at, counts, identity, number_of, objects, post, text

KIND, TITLE, NETWORK = "youtube", "answers of the YouTube Data API", "youtube"
_MARKS = (b'"youtube#video', b'"youtube#channel')


def find(box: Box) -> list[str]:
    """The answers, of which there may be many."""
    return [name for name in box.names if name.endswith(".json") and any(mark in box.peek(name) for mark in _MARKS)]


def about(_: Box) -> About:
    """Nothing: an answer does not say when it was given."""
    return About()


def items(box: Box, name: str) -> Iterator[Any]:
    """The videos and channels of an answer, or of a list of answers."""
    told = box.json(name)
    for answer in told if isinstance(told, list) else [told]:
        found = at(answer, "items")
        yield from (
            objects(found) if found is not None else [answer if isinstance(answer, dict) else Broken(str(answer))]
        )


def rows(item: Any, about: About) -> Iterator[Row]:  # noqa: ANN401
    """The rows of a video, with its counts, or of a channel, with its subscribers."""
    if str(at(item, "kind")).endswith("#channel"):
        yield from _channel(item, about)
        return
    told, account = at(item, "snippet"), identity(NETWORK, at(item, "snippet", "channelId"))
    name = identity(NETWORK, at(item, "id"))
    title, words = text(at(told, "title")), text(at(told, "description"))
    if account is not None:
        yield Row("accounts", {"account": account, "network": NETWORK, "handle": text(at(told, "channelTitle"))})
    yield post(
        at(told, "publishedAt"),
        post=name,
        account=account,
        network=NETWORK,
        text=f"{title or ''}\n\n{words}".strip() if words else title,
        lang=text(at(told, "defaultAudioLanguage")) or text(at(told, "defaultLanguage")),
        n_media=1,
        n_hashtags=number_of(at(told, "tags")),
    )
    found = at(item, "statistics")
    kinds = {kind: at(found, f"{key}Count") for kind, key in (("view", "view"), ("like", "like"), ("reply", "comment"))}
    yield from counts(name, about.read_at, kinds, long_after=True)


def _channel(item: object, about: About) -> Iterator[Row]:
    """A channel; its name is what its videos call it, so that both say the same."""
    account, found = identity(NETWORK, at(item, "id")), at(item, "statistics")
    yield Row("accounts", {"account": account, "network": NETWORK, "handle": text(at(item, "snippet", "title"))})
    hidden = at(found, "hiddenSubscriberCount") is True
    clock = {"happened_at": about.read_at, "known_at": about.read_at}
    followers = None if hidden else at(found, "subscriberCount")
    yield Row("profiles", {"account": account, **clock, "followers": followers, "posts": at(found, "videoCount")})
