"""The export that TikTok gives an account's owner: videos with their likes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from clout.data.sources.container import Box
from clout.data.sources.items import About, Broken, Row, at, counts, identity, objects, post, text

KIND, TITLE, NETWORK = "tiktok", "an export of TikTok", "tiktok"
OF_ONE_ACCOUNT = True
_NAME = re.compile(r"user_data(?:_tiktok)?\.json")
_VIDEO = re.compile(r"/video/(\d+)")
_VIDEOS = (("Video", "Videos"), ("Post", "Posts"), ("Posts", "Posts"), ("Activity", "Videos"))
_PROFILES = (("Profile", "Profile Information"), ("Profile", "Profile Info"), ("Profile And Settings", "Profile Info"))


def find(box: Box) -> list[str]:
    """The one document of the export."""
    found = [name for name in box.names if _NAME.fullmatch(PurePosixPath(name).name)]
    return found[:1] or [name for name in box.names if name.endswith(".json") and b'"VideoList"' in box.peek(name)][:1]


def about(box: Box) -> About:
    """Whose export it is."""
    told = box.json(find(box)[0]) if find(box) else None
    names = (at(told, *path, "ProfileMap", "userName") for path in _PROFILES)
    return About(identity(NETWORK, next((name for name in names if name), None)))


def items(box: Box, name: str) -> Iterator[Any]:
    """The videos."""
    told = box.json(name)
    for path in _VIDEOS:
        for item in objects(at(told, *path, "VideoList")):
            yield item if isinstance(item, dict) else Broken(str(item))


def rows(item: Any, about: About) -> Iterator[Row]:  # noqa: ANN401
    """The rows of a video: the export has its likes, and neither comments nor shares nor views."""
    made = at(item, "Date") or at(item, "date")
    link = text(at(item, "Link")) or text(at(item, "link")) or ""
    found = _VIDEO.search(link)
    own = found[1] if found else f"{(about.account or '').rpartition('/')[2]}:{made}" if text(made) else None
    name, likes = (
        identity(NETWORK, own),
        at(
            item,
            "Likes",
        )
        if at(item, "Likes") is not None
        else at(item, "likes"),
    )
    words = text(at(item, "Title")) or text(at(item, "title"))
    yield post(made, post=name, account=about.account, network=NETWORK, text=words, n_media=1)
    yield from counts(name, about.read_at, {"like": likes}, long_after=True)
