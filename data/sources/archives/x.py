"""The archive that X (Twitter) gives an account's owner, and the CSV of X analytics."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from clout.data.sources.container import Box
from clout.data.sources.files import FileError
from clout.data.sources.items import (
    About,
    Broken,
    Row,
    at,
    counts,
    english,
    identity,
    number_of,
    objects,
    post,
    text,
)

KIND, TITLE, NETWORK = "x", "an archive of X", "twitter"
OF_ONE_ACCOUNT = True
_TWEETS = re.compile(r"(?:community-)?tweets?(?:-part\d+)?\.js")
_STATUS = re.compile(r"https?://(?:www\.|mobile\.)?(?:twitter|x)\.com/\w+/status/\d+")
_DAY = re.compile(r"\w{3}, (\w{3}) (\d{1,2}), (\d{4})")
_ID = re.compile(r"/status/(\d+)")
_LIKE, _COLUMNS = ("Post id", "Tweet id"), ("Impressions", "impressions")
_METRICS = {
    "view": ("Impressions", "impressions"),
    "like": ("Likes", "likes"),
    "reshare": ("Reposts", "retweets"),
    "reply": ("Replies", "replies"),
    "save": ("Bookmarks",),
}


def find(box: Box) -> list[str]:
    """The files with the account and its posts, or the one table of analytics."""
    tweets = [name for name in box.names if _TWEETS.fullmatch(PurePosixPath(name).name)]
    tweets = [name for name in tweets if b"window.YTD." in box.peek(name)[:256]]
    if tweets:
        return [*(name for name in box.names if PurePosixPath(name).name == "account.js"), *tweets]
    return [name for name in box.names if name.endswith(".csv") and _is_analytics(box.peek(name))]


def about(box: Box) -> About:
    """Whose archive it is, when it was made, how many followed, and the texts that are too long for a post."""
    account = _first(box, "account.js", "account")
    generated = at(_document(box, "manifest.js"), "archiveInfo", "generationDate")
    notes = (at(item, "noteTweet") for item in objects(_document(box, "note-tweet.js")))
    return About(
        identity(NETWORK, at(account, "accountId")),
        _moment(generated),
        {
            "followers": number_of(_document(box, "follower.js")),
            "following": number_of(_document(box, "following.js")),
            "verified": at(_first(box, "verified.js", "verified"), "verified"),
            "notes": {_second(at(note, "createdAt")): at(note, "core", "text") for note in notes},
        },
    )


def items(box: Box, name: str) -> Iterator[Any]:
    """The account, the posts, or the lines of analytics."""
    if name.endswith(".csv"):
        yield from _lines(box, name)
        return
    told = box.json(name)
    yield from (told if isinstance(told, list) else [Broken(str(told))])


def rows(item: Any, about: About) -> Iterator[Row]:  # noqa: ANN401
    """The rows of an account, of a post, or of a line of analytics."""
    if not isinstance(item, dict):
        yield Row("posts", {}, "unreadable_row", "it is no object")
    elif "account" in item:
        yield from _account(item["account"], about)
    elif any(name in item for name in (*_LIKE, "Post Link", "Tweet permalink")):
        yield from _measured(item, about)
    else:
        yield from _tweet(item.get("tweet", item), about)


def _account(told: object, about: About) -> Iterator[Row]:
    account = identity(NETWORK, at(told, "accountId"))
    names = {"handle": at(told, "username"), "created_at": at(told, "createdAt")}
    yield Row("accounts", {"account": account, "network": NETWORK, **names})
    known = {name: about.more.get(name) for name in ("followers", "following", "verified")}
    if any(value is not None for value in known.values()):
        clock = {"happened_at": about.read_at, "known_at": about.read_at}
        yield Row("profiles", {"account": account, **clock, **known})


def _tweet(told: object, about: About) -> Iterator[Row]:
    name = identity(NETWORK, at(told, "id_str") or at(told, "id"))
    made, kind = english(at(told, "created_at")), _kind(told)
    entities = at(told, "entities")
    media = at(told, "extended_entities", "media") or at(entities, "media")
    yield post(
        made,
        post=name,
        account=about.account,
        network=NETWORK,
        kind=kind,
        text=_long_text(told, about),
        lang=text(at(told, "lang")),
        n_media=number_of(media) if media is not None or entities is None else 0,
        n_urls=number_of(at(entities, "urls")),
        n_hashtags=number_of(at(entities, "hashtags")),
        n_mentions=number_of(at(entities, "user_mentions")),
    )
    if kind != "reshare":
        told_of = {"like": at(told, "favorite_count"), "reshare": at(told, "retweet_count")}
        yield from counts(name, about.read_at, told_of, long_after=True)


def _kind(told: object) -> str:
    """What kind of post it is: the counts of a reshare are those of somebody else's post."""
    if (_written(told) or "").startswith("RT @"):
        return "reshare"
    if at(told, "in_reply_to_status_id_str") or at(told, "in_reply_to_status_id"):
        return "reply"
    links = (text(at(link, "expanded_url")) or "" for link in objects(at(told, "entities", "urls")))
    return "quote" if any(_STATUS.match(link) for link in links) else "original"


def _written(told: object) -> str | None:
    return text(at(told, "full_text")) or text(at(told, "text"))


def _long_text(told: object, about: About) -> str | None:
    """The text of a post; of one that is cut, the whole text that the archive keeps apart."""
    short = _written(told)
    whole = text(about.more.get("notes", {}).get(_second(english(at(told, "created_at")))))
    if whole and short and whole.startswith(short.rsplit("https://t.co/", 1)[0].rstrip(" …")[:100]):
        return whole
    return html.unescape(short) if short else short


def _measured(line: dict[Any, Any], about: About) -> Iterator[Row]:
    """The rows of a line of analytics; it has the day of a post, not its hour."""
    link = text(line.get("Post Link")) or text(line.get("Tweet permalink")) or ""
    found = _ID.search(link)
    name = identity(NETWORK, next((line[key] for key in _LIKE if line.get(key)), found[1] if found else None))
    words = text(line.get("Post text")) or text(line.get("Tweet text"))
    told = html.unescape(words) if words else words
    yield post(_day(line.get("Date") or line.get("time")), post=name, account=about.account, network=NETWORK, text=told)
    kinds = {kind: _whole(next((line[key] for key in keys if key in line), None)) for kind, keys in _METRICS.items()}
    yield from counts(name, about.read_at, kinds, long_after=True)


def _day(told: object) -> object:
    """A day such as `Wed, Mar 5, 2025` as a moment; what is none stays."""
    found = _DAY.fullmatch(told.strip()) if isinstance(told, str) else None
    return english(f"Day {found[1]} {found[2]} 00:00:00 +0000 {found[3]}") if found else told


def _whole(told: object) -> object:
    """A number of the table; an empty cell or a dash is not known."""
    return told.replace(",", "") if isinstance(told, str) and told.strip() not in {"", "-"} else None


def _is_analytics(start: bytes) -> bool:
    head = start.decode("utf-8-sig", "replace").split("\n", 1)[0]
    return any(name in head for name in (*_LIKE, "Post Link")) and any(name in head for name in _COLUMNS)


def _lines(box: Box, name: str) -> Iterator[Any]:
    try:
        for line in csv.DictReader(box.texts(name)):
            yield line if None not in line else Broken(str(line))
    except csv.Error as error:
        raise FileError(f"cannot read {name}: {error}; expected the table as it was downloaded") from error


def _document(box: Box, name: str) -> Any:  # noqa: ANN401
    found = [path for path in box.names if PurePosixPath(path).name == name]
    return box.json(found[0]) if found else None


def _first(box: Box, name: str, key: str) -> Any:  # noqa: ANN401
    return at(_document(box, name), 0, key)


def _moment(told: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None


def _second(told: object) -> str:
    """A moment to the second, as it stands in ISO 8601."""
    return str(told)[:19]
