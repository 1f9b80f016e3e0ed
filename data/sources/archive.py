"""An archive of a network as a source: what it is, whose, when its counts were read, and its rows in pieces."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from clout.data.sources.archives import (
    activity_streams,
    google_plus,
    instagram,
    khoros,
    reddit,
    tiktok,
    tumblr,
    x,
    youtube,
)
from clout.data.sources.container import Box, open_box
from clout.data.sources.items import About, Broken, Gathered, Row
from clout.data.sources.refused import why_refused
from clout.data.sources.source import Piece
from clout.data.tables import EARLIEST
from clout.data.values import TIME, read
from clout.errors import CloutError

ITEMS = 50_000
CHARACTERS = 2**25
FINGERPRINTED = 2**20


class ArchiveError(CloutError):
    """An archive of no kind that is known, or one that lacks what its rows need."""

    code = "archive"


class Format(Protocol):
    """A kind of archive: a module of `archives`. Its functions take any JSON, and never raise on its shape."""

    KIND: str
    TITLE: str
    NETWORK: str

    def find(self, box: Box) -> list[str]:
        """The files in `box` to be read, in order; none where it is no archive of this kind."""

    def about(self, box: Box) -> About:
        """What the archive says of itself."""

    def items(self, box: Box, name: str) -> Iterator[Any]:
        """The items of a file, `Broken` in place of those that cannot be read."""

    def rows(self, item: Any, about: About) -> Iterable[Row]:  # noqa: ANN401 (anything that JSON holds)
        """The rows that an item makes."""


FORMATS: tuple[Format, ...] = (
    x,
    activity_streams,
    instagram,
    tiktok,
    google_plus,
    youtube,
    khoros,
    tumblr,
    reddit,
)
KINDS = tuple(form.KIND for form in FORMATS)


class Archive:
    """The archive at `path`, a `data.sources.source.Source`; `account` is whose it is where it does not say.

    `now` bounds what is believed of its dates. A piece has at most `size` items.
    """

    def __init__(
        self, path: Path, now: datetime, kind: str | None = None, account: str | None = None, size: int = ITEMS
    ) -> None:
        self.path, self.name = path, path.name
        self._now, self._size = now, size
        self._box = open_box(path)
        self.form, self.files = _recognised(self._box, kind)
        about = self.form.about(self._box)
        self.about = replace(about, account=about.account or _checked(account, self.form, path))

    @cached_property
    def read_at(self) -> tuple[datetime, str]:
        """When the counts were read, and how that is known: the archive says it, or its newest post, or its file."""
        if self.about.read_at is not None and self.about.read_at <= self._now:
            return self.about.read_at, "the archive says so"
        newest = self._newest()
        if newest is not None:
            return newest, "its newest post is of then"
        written = datetime.fromtimestamp(self.path.stat().st_mtime, UTC)
        return min(written, self._now), "the file was written then"

    @property
    def note(self) -> str:
        """What was assumed, told wherever the data are used."""
        if self.form is reddit:
            return reddit.ASSUMED
        moment, why = self.read_at
        return (
            f"the counts of {self.form.TITLE} were read once, taken as on {moment:%Y-%m-%d} ({why}); "
            "each is taken as known when its post had ripened"
        )

    def pull(self, since: str | None) -> Iterator[Piece]:
        """The pieces after the cursor `since`."""
        done = self._done(since)
        about = self.about if self.form is reddit else replace(self.about, read_at=self.read_at[0])
        items = islice(self._items(), done, None)
        item = next(items, None)
        while item is not None:
            gathered, begun = Gathered(), done
            while item is not None and done - begun < self._size and gathered.size < CHARACTERS:
                done += 1
                _gather(gathered, done, item[1], self.form, about)
                place, item = item[0], next(items, None)
            cursor = "" if item is None else json.dumps({"archive": self._fingerprint, "items": done})
            yield Piece(gathered.tables(), gathered.rejects(), cursor, (place + 1) / len(self.files))

    def _items(self) -> Iterator[tuple[int, Any]]:
        """(place of its file, item) of all items."""
        for place, name in enumerate(self.files):
            yield from ((place, item) for item in self.form.items(self._box, name))

    def _done(self, since: str | None) -> int:
        """How many items were read up to the cursor `since`; none where it is another archive's."""
        told = json.loads(since) if since else {}
        return int(told["items"]) if told.get("archive") == self._fingerprint else 0

    @cached_property
    def _fingerprint(self) -> str:
        """What tells this archive from another of its name, and reading it as one kind from reading it as another."""
        size = self.path.stat().st_size
        told = sha256(f"{size} {self.form.KIND} {self.about.account}".encode())
        with self.path.open("rb") as file:
            told.update(file.read(FINGERPRINTED))
            file.seek(max(size - FINGERPRINTED, 0))
            told.update(file.read(FINGERPRINTED))
        return told.hexdigest()[:16]

    def _newest(self) -> datetime | None:
        """The newest believable moment of a post; it is at most when the counts were read."""
        moments = (
            row.values.get("happened_at")
            for _, item in self._items()
            if not isinstance(item, Broken)
            for row in self.form.rows(item, self.about)
            if row.table == "posts"
        )
        newest = None
        while batch := list(islice((str(moment) for moment in moments if moment), ITEMS)):
            times = pl.DataFrame({"at": batch}).select(read(pl.col("at"), pl.String(), TIME).value)["at"]
            last = times.filter((times >= EARLIEST) & (times <= self._now)).max()
            if isinstance(last, datetime):
                newest = max(last, newest or last)
        return newest


def _gather(gathered: Gathered, number: int, item: Any, form: Format, about: About) -> None:  # noqa: ANN401
    if isinstance(item, Broken):
        gathered.refuse(number, item)
        return
    for row in form.rows(item, about):
        gathered.add(number, row)


def _recognised(box: Box, kind: str | None) -> tuple[Format, list[str]]:
    """The format of `box` and the files to be read."""
    wanted = [form for form in FORMATS if kind in {None, form.KIND}]
    if not wanted:
        raise ArchiveError(f"got the kind {kind!r}; expected one of {', '.join(KINDS)}")
    for form in wanted:
        if files := form.find(box):
            return form, files
    refusal = why_refused(box)
    if refusal:
        raise ArchiveError(refusal)
    shown = ", ".join(repr(name)[1:-1] for name in box.names[:8])
    inside = f"; it holds {shown}{' and more' if len(box.names) > 8 else ''}"
    raise ArchiveError(
        f"{box.path.name} is no archive that is known{f' as {kind}' if kind else ''}{inside if box.names else ''}; "
        f"expected one of {', '.join(KINDS)}: see docs/sources, or bring a table in with clout ingest table"
    )


def _checked(account: str | None, form: Format, path: Path) -> str | None:
    """`account`, if the archive's rows need none or it is one of its network."""
    if account is not None and not account.removeprefix(f"{form.NETWORK}/").strip():
        account = None
    if account is not None and not account.startswith(f"{form.NETWORK}/"):
        raise ArchiveError(f"got the account {account}; expected one of {form.NETWORK}, as in {form.NETWORK}/17")
    if account is None and getattr(form, "OF_ONE_ACCOUNT", False):
        raise ArchiveError(
            f"{path.name} ({form.TITLE}) does not say whose it is; expected its account: add --account {form.NETWORK}/ID"
        )
    return account
