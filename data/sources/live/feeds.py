"""The list of live sources, `sources.toml`, and how any of them is taken in."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import BaseModel, Field, ValidationError

from clout.data.lake import Lake
from clout.data.sources.live.bluesky.feed import BlueskyFeed
from clout.data.sources.live.files import ArchiveFeed, FilesFeed, TableFeed
from clout.data.sources.live.mastodon.feed import MastodonFeed
from clout.data.sources.live.wikipedia import WikipediaFeed
from clout.data.sources.source import Count, Forget, Source, take
from clout.errors import CloutError

FILE = "sources.toml"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
RESERVED = frozenset({"score", "watch"})
EXAMPLE = '[[source]] with kind = "table", name = "club", files = "drop/*.csv" and map = "club.toml"'
# One line a source.
Feed = Annotated[
    TableFeed | ArchiveFeed | BlueskyFeed | MastodonFeed | WikipediaFeed,
    Field(discriminator="kind"),
]


class NetworkFeed(Protocol):
    """What a network's module adds to `Feed`: a frozen model with a `kind` of its own, which says what to read."""

    @property
    def name(self) -> str: ...  # noqa: D102

    def source(self, now: datetime, lake: Lake) -> Source:
        """What is read, as it is now."""


class FeedsError(CloutError):
    """A list of sources that is not there or cannot be used."""

    code = "sources"


class _Feeds(BaseModel, frozen=True, extra="forbid"):
    source: tuple[Feed, ...] = ()


def read_feeds(home: Path) -> tuple[Feed, ...]:
    """The live sources that `sources.toml` in the home names; paths in it are seen from the home."""
    file = home / FILE
    try:
        told = tomllib.loads(file.read_text("utf-8"))
        feeds = _Feeds.model_validate(told, context={"folder": home}).source
    except FileNotFoundError as error:
        raise FeedsError(f"there is no {file}; expected the sources to read, each as {EXAMPLE}: write it") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FeedsError(f"cannot read {file} ({error}); expected TOML in UTF-8: mend it") from error
    except ValidationError as error:
        problems = "; ".join(f"{_where(problem['loc'])}: {problem['msg']}" for problem in error.errors())
        raise FeedsError(f"{file} cannot be used: {problems}; expected each source as {EXAMPLE}: mend it") from error
    _check_names([feed.name for feed in feeds], file)
    return feeds


def take_in(
    feed: FilesFeed | NetworkFeed, lake: Lake, now: datetime, count: Count, forget: Forget | None = None
) -> None:
    """Nothing; what the source has now is then in `lake`. `count` is given each receipt, also when it ends in an error."""
    if isinstance(feed, FilesFeed):
        feed.take_in(lake, now, count, forget)
    else:
        take(lake, feed.source(now, lake), now, forget=forget, count=count)


def _check_names(names: list[str], file: Path) -> None:
    if not names:
        raise FeedsError(f"{file} names no source; expected each as {EXAMPLE}: add one")
    for name, times in Counter(names).items():
        if times > 1 or name in RESERVED or not NAME.fullmatch(name):
            why = f"{times} times" if times > 1 else "as the name of a source"
            raise FeedsError(
                f"{file}: got {name!r} {why}; expected a name of its own for each, of small letters, digits, - and _, "
                f"at most 40, and not {' or '.join(sorted(RESERVED))}: rename it"
            )


def _where(loc: tuple[int | str, ...]) -> str:
    """Which source a problem is in, counted from 1, and what of it.

    >>> _where(("source", 0, "table", "files"))
    'source 1: files'
    """
    if len(loc) < 2 or not isinstance(loc[1], int):
        return ".".join(map(str, loc))
    return ": ".join([f"source {loc[1] + 1}", *map(str, loc[3:])])
