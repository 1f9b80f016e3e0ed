"""What Instagram's export tells a professional account of its posts: past insights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from clout.data.sources.container import Box
from clout.data.sources.items import About, Broken, Row, at, counts, identity, objects, post, since_1970, text

KIND, TITLE, NETWORK = "instagram", "past insights of Instagram", "instagram"
OF_ONE_ACCOUNT = True
_KINDS = {"like": "likes", "reply": "comments", "reshare": "shares", "save": "saves", "view": "impressions"}
_LIST = "organic_insights_posts"


def find(box: Box) -> list[str]:
    """The file of insights on posts."""
    return [name for name in box.names if name.endswith(".json") and b'"' + _LIST.encode() in box.peek(name)]


def about(box: Box) -> About:
    """Whose export it is."""
    found = [name for name in box.names if PurePosixPath(name).name == "personal_information.json"]
    person = at(box.json(found[0]), "profile_user", 0, "string_map_data") if found else None
    return About(identity(NETWORK, at(_named(person, "username"), "value")))


def items(box: Box, name: str) -> Iterator[Any]:
    """The posts that insights are on."""
    told = at(box.json(name), _LIST)
    yield from (item if isinstance(item, dict) else Broken(str(item)) for item in objects(told))


def rows(item: Any, about: About) -> Iterator[Row]:  # noqa: ANN401
    """The rows of a post; it has no id, so the moment of its making stands for one."""
    told = at(item, "string_map_data")
    media = next(iter(item["media_map_data"].values()), None) if isinstance(at(item, "media_map_data"), dict) else None
    seconds = at(_named(told, "creation timestamp"), "timestamp") or at(media, "creation_timestamp")
    name = identity(NETWORK, None if seconds is None else f"{(about.account or '').rpartition('/')[2]}:{seconds}")
    words = text(at(media, "title"))
    yield post(
        since_1970(seconds),
        post=name,
        account=about.account,
        network=NETWORK,
        text=_mended(words) if words else words,
        n_media=1,
    )
    kinds = {kind: _number(at(_named(told, key), "value")) for kind, key in _KINDS.items()}
    yield from counts(name, about.read_at, kinds, long_after=True)


def _named(told: object, name: str) -> Any:  # noqa: ANN401
    """What stands under `name`, in whatever case."""
    pairs = told.items() if isinstance(told, dict) else ()
    return next((value for key, value in pairs if isinstance(key, str) and key.casefold() == name), None)


def _number(told: object) -> object:
    """A number as it is written; dashes stand for one that is not known."""
    return told.replace(",", "") if isinstance(told, str) and told.strip("- ") else None


def _mended(words: str) -> str:
    """Text whose UTF-8 was written out byte by byte, as Meta's exports do."""
    try:
        return words.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return words
