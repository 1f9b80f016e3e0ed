"""Standing outside the networks: the Wikipedia pages that somebody declared as accounts', read day by day."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from urllib.parse import unquote

import polars as pl
from pydantic import AfterValidator, BaseModel, ConfigDict

from clout.data.lake import FORGOTTEN, FORGOTTEN_WORDS, Lake
from clout.data.sources.files import read_file
from clout.data.sources.items import Gathered, Row
from clout.data.sources.live.files import in_folder
from clout.data.sources.live.passing import PassingError
from clout.data.sources.live.wikimedia import METRICS, NO_ANSWER, WIKI, Article, RefusedError, Wait, Wikimedia
from clout.data.sources.source import Piece
from clout.errors import CloutError

NOTE = (
    "Which Wikipedia page is an account's was declared, not checked; the views of a day are taken as known a day after "
    "it ended."
)
PAGE = re.compile(r"(?:https?://)?([a-z][a-z-]{1,19})(?:\.m)?\.wikipedia\.org/wiki/([^?#]+)(?:[?#].*)?")
NO_TITLE = re.compile(r"[\x00-\x1f\x7f<>\[\]|{}#\ufffd]")
LONGEST_TITLE = 255
EARLIEST = date(2015, 7, 1)
DAY, MONTH = timedelta(days=1), timedelta(days=31)
PAGES = 20
SILENT = 3


class PagesError(CloutError):
    """A list of declared pages that is none."""

    code = "pages"


class Declared(NamedTuple):
    """A row of the list: an account and its page, or why it is refused."""

    row: int
    account: str
    page: str
    language: str = ""
    title: str = ""
    reason: str | None = None
    sentence: str = ""

    def refused(self, reason: str, sentence: str) -> Row:
        """The row as one that is rejected."""
        return Row("standings", {"account": self.account, "page": self.page}, reason, sentence)

    def counted(self, kind: str, count: int, happened_at: datetime, known_at: datetime) -> Row:
        """What the page had at a moment."""
        page = f"{self.language}.wikipedia.org/wiki/{self.title.replace(' ', '_')}"
        clocks = {"happened_at": happened_at, "known_at": known_at}
        return Row("standings", {"account": self.account, "page": page, "kind": kind, "count": count, **clocks})


class Wikipedia:
    """The pages that the file `pages` declares, columns account and page; a `data.sources.source.Source`.

    Each run reads the days that `lake` does not have yet, so it needs no cursor. `contact`, `metrics`, `wiki`,
    `timeout` and `wait` are those of `Wikimedia`.
    """

    note = NOTE

    def __init__(
        self,
        pages: Path,
        contact: str,
        now: datetime,
        lake: Lake,
        name: str = "wikipedia",
        metrics: str = METRICS,
        wiki: str = WIKI,
        timeout: float = 10.0,
        wait: Wait = time.sleep,
    ) -> None:
        self.name, self._now, self._lake = name, now, lake
        self.declared = read_pages(pages)
        self._ask = partial(Wikimedia, contact, metrics, wiki, timeout, wait)

    def pull(self, since: str | None) -> Iterator[Piece]:  # noqa: ARG002 (the lake tells where to go on)
        """What the lake does not have yet, some pages a piece; a page that gives nothing does not stop the others."""
        silent = 0
        with self._ask() as wikimedia:
            for begun in range(0, len(self.declared), PAGES):
                gathered, pages = Gathered(), iter(self.declared[begun : begun + PAGES])
                while silent < SILENT and (page := next(pages, None)):
                    rows = list(self._rows(wikimedia, page))
                    for row in rows:
                        gathered.add(page.row, row)
                    silent = silent + 1 if any(row.reason == NO_ANSWER for row in rows) else 0
                share = min((begun + PAGES) / len(self.declared), 1.0)
                yield Piece(gathered.tables(), gathered.rejects(), "", share)
                if silent == SILENT:
                    raise PassingError(
                        f"Wikimedia did not answer for {SILENT} pages in a row; expected an answer, or a word when to "
                        "ask again: run this again later, which goes on from here"
                    )

    def _rows(self, wikimedia: Wikimedia, page: Declared) -> Iterator[Row]:
        """What is new of a page, and why the rest is not there."""
        if page.account in self._forgotten:
            page = page._replace(reason=FORGOTTEN, sentence=FORGOTTEN_WORDS)
        days, unlinked = self._unread(page.account), self._is_unlinked(page.account)
        if page.reason is not None:
            yield page.refused(page.reason, page.sentence)
        elif days is not None or unlinked:
            try:
                article = wikimedia.article(page.language, page.title)
                if days is not None:
                    yield from self._viewed(wikimedia, page, article, *days)
                if unlinked:
                    links = wikimedia.links(page.language, article)
                    yield page.counted("link", links, self._now, self._now)
            except RefusedError as error:
                yield page.refused(error.code, str(error))

    def _viewed(self, wikimedia: Wikimedia, page: Declared, article: Article, first: date, last: date) -> Iterator[Row]:
        """The views of each day of which something is told, and of those between two such days, on which nobody came."""
        views = wikimedia.views(page.language, article.titles, first, last)
        if views:
            begun = first if page.account in self._newest["view"] else min(views)
            for day in (begun + number * DAY for number in range((max(views) - begun).days + 1)):
                ended = datetime(day.year, day.month, day.day, tzinfo=UTC) + DAY
                yield page.counted("view", views.get(day, 0), ended, ended + DAY)

    def _unread(self, account: str) -> tuple[date, date] | None:
        """The first and the last day to ask for: of what is not known yet, as much as the account's posts can need."""
        last = (self._now - 2 * DAY).date()
        if account in self._newest["view"]:
            first = self._newest["view"][account].date()
        elif account in self._posted:
            first = min(self._posted[account].date(), last) - MONTH
        else:
            first = last - MONTH
        first = max(first, EARLIEST)
        return (first, last) if first <= last else None

    def _is_unlinked(self, account: str) -> bool:
        """Whether nobody has counted the links of the account's page today."""
        newest = self._newest["link"].get(account)
        return newest is None or newest.date() < self._now.date()

    @cached_property
    def _accounts(self) -> pl.LazyFrame:
        return pl.LazyFrame(
            {"account": sorted({page.account for page in self.declared})}, schema={"account": pl.String}
        )

    @cached_property
    def _newest(self) -> dict[str, dict[str, datetime]]:
        """By kind and account: the newest moment of what the lake has of its page."""
        there = self._lake.scan("standings").join(self._accounts, on="account", how="semi")
        newest = there.group_by("kind", "account").agg(pl.col("happened_at").max()).collect(engine="streaming")
        told: dict[str, dict[str, datetime]] = {"view": {}, "link": {}}
        for kind, account, moment in newest.iter_rows():
            told[kind][account] = moment
        return told

    @cached_property
    def _posted(self) -> dict[str, datetime]:
        """By account: when it published the first post that the lake has."""
        theirs = self._lake.scan("posts").join(self._accounts, on="account", how="semi")
        first = theirs.group_by("account").agg(pl.col("happened_at").min()).collect(engine="streaming")
        return dict(first.iter_rows())

    @cached_property
    def _forgotten(self) -> frozenset[str]:
        """The accounts that must not be kept: nobody is asked for their pages either."""
        accounts = self._accounts.collect()["account"]
        return frozenset(accounts.filter(self._lake.tombstones().accounts_in(accounts)))


class WikipediaFeed(BaseModel):
    """Wikipedia pages among the live sources; `pages` is a path seen from the folder of the list of sources."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["wikipedia"]
    name: str
    pages: Annotated[str, AfterValidator(in_folder)]
    contact: str
    metrics: str = METRICS
    wiki: str = WIKI

    def source(self, now: datetime, lake: Lake) -> Wikipedia:
        """The pages as they are declared now."""
        return Wikipedia(Path(self.pages), self.contact, now, lake, self.name, self.metrics, self.wiki)


def read_pages(file: Path) -> list[Declared]:
    """The rows of a list of declared pages; an account's second page is refused."""
    frame = read_file(file)
    absent = [name for name in ("account", "page") if name not in frame.columns]
    if absent:
        raise PagesError(
            f"{file} has the columns {', '.join(frame.columns)} and not {' and '.join(absent)}; expected account "
            "(network/id) and page (https://en.wikipedia.org/wiki/…): name them so in its first line"
        )
    seen: set[str] = set()
    rows = frame.select(pl.col("account", "page").cast(pl.String).fill_null("")).iter_rows()
    return [_declared(number, account, page, seen) for number, (account, page) in enumerate(rows, 1)]


def _declared(row: int, account: str, page: str, seen: set[str]) -> Declared:
    """A row of the list, judged; `seen` are the accounts that a row before it has a page for."""
    bare, found = Declared(row, account, page), PAGE.fullmatch(page.strip())
    title = unquote(found[2]).replace("_", " ").strip() if found else ""
    if not re.fullmatch(r"[^/]+/.+", account):
        return bare._replace(reason="id_without_network", sentence="an id does not read network/id")
    if not found or found[1] == "www" or not title or NO_TITLE.search(title) or len(title.encode()) > LONGEST_TITLE:
        return bare._replace(reason="bad_page", sentence="its page does not read https://en.wikipedia.org/wiki/Title")
    if account in seen:
        return bare._replace(reason="second_page", sentence="a row before it declares a page of this account")
    seen.add(account)
    return bare._replace(language=found[1], title=title)
