"""What Wikimedia tells of a Wikipedia page: the views of each day, and the articles that link to it."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, Self
from urllib.parse import quote

import httpx

from clout.data.sources.items import at, objects
from clout.data.sources.live.passing import PassingError
from clout.errors import CloutError

METRICS = "https://wikimedia.org/api/rest_v1"
WIKI = "https://{language}.wikipedia.org/w/api.php"
NO_ANSWER = "no_answer"
TRIES = 4
PAUSE = 0.2
LONGEST_WAIT = 60.0
MOST_BYTES = 2**23
MOST_LINKS, MOST_PAGES = 10_000, 80
BUSY = frozenset({"maxlag", "ratelimited", "readonly"})
ADDRESS = re.compile(r"[!-~]+@[!-~]+\.[!-~]+|https?://[!-~]+")
Wait = Callable[[float], object]


class WikimediaError(CloutError):
    """Wikimedia does not want to be asked like this."""

    code = "wikimedia"


class RefusedError(CloutError):
    """Nothing can be told of one page: `code` and the message say why, as a rejected row does."""


class Article(NamedTuple):
    """A page as its wiki knows it, and the titles its readers ask for: the one declared, and where that leads."""

    page_id: int
    title: str
    titles: frozenset[str]


class _Answer(NamedTuple):
    """What came back: a status, the body or why there is none, and how long to wait before another try."""

    status: int
    body: bytes | None
    trouble: str
    wait: float | None


class Wikimedia:
    """Wikimedia's interfaces, asked one question at a time with a pause before each.

    `contact` is told to Wikimedia, as its rules ask; `metrics` and `wiki` are where the interfaces are, the latter for
    a `{language}`. Connections last as long as its context.
    """

    def __init__(
        self, contact: str, metrics: str = METRICS, wiki: str = WIKI, timeout: float = 10.0, wait: Wait = time.sleep
    ) -> None:
        if not ADDRESS.fullmatch(contact):
            raise WikimediaError(
                f"got the contact {contact!r}; expected an e-mail address or a URL where Wikimedia can reach whoever runs "
                "this, as its rules ask"
            )
        self._metrics, self._wiki, self._wait = metrics.rstrip("/"), wiki, wait
        self._client = httpx.Client(timeout=timeout, headers={"User-Agent": f"clout ({contact}) httpx"})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def article(self, language: str, title: str) -> Article:
        """The article that a title means, where it has been moved or leads on to another the one it leads to."""
        told = self._wiki_says(language, {"titles": title, "redirects": "1"})
        page = at(told, "query", "pages", 0)
        page_id, found = at(page, "pageid"), at(page, "title")
        if at(page, "missing") or at(page, "invalid") or at(told, "query", "interwiki"):
            raise RefusedError("its wiki has no such page", code="no_such_page")
        if not isinstance(page_id, int) or not isinstance(found, str):
            raise _unreadable()
        if at(page, "ns") != 0:
            raise RefusedError("the page is no article: anybody can make one of that kind", code="not_an_article")
        return Article(page_id, found, frozenset({found, _capital(title)}))

    def views(self, language: str, titles: frozenset[str], first: date, last: date) -> dict[date, int]:
        """Readers' views by day, of all titles together; a day of which nothing is told is not there.

        Nothing is told of a day without views, nor of one that Wikimedia has not counted yet.
        """
        total: Counter[date] = Counter()
        for title in sorted(titles):
            name = quote(title.replace(" ", "_"), safe="")
            days = f"{first:%Y%m%d}00/{last:%Y%m%d}00"
            path = f"{language}.wikipedia/all-access/user/{name}/daily/{days}"
            told = self._ask(f"{self._metrics}/metrics/pageviews/per-article/{path}", {})
            total.update(_days(told, first, last) if told is not None else {})
        return dict(total)

    def links(self, language: str, article: Article) -> int:
        """How many other articles link to an article, by itself or by a title that leads to it; 10,000 are at least that."""
        asked = {"list": "backlinks", "bltitle": article.title, "blnamespace": "0", "bllimit": "max"}
        asked |= {"blredirect": "1", "blfilterredir": "nonredirects"}
        found: set[int] = set()
        go_on: Mapping[str, str] = {}
        for _ in range(MOST_PAGES):
            told = self._wiki_says(language, {**asked, **go_on})
            found |= _linking(told) - {article.page_id}
            more = at(told, "continue")
            if not isinstance(more, dict) or len(found) >= MOST_LINKS:
                return min(len(found), MOST_LINKS)
            go_on = {name: str(value) for name, value in more.items()}
        raise _unreadable()

    def _wiki_says(self, language: str, asked: Mapping[str, str]) -> Any:  # noqa: ANN401 (anything that JSON holds)
        usual = {"action": "query", "format": "json", "formatversion": "2", "maxlag": "5"}
        told = self._ask(self._wiki.replace("{language}", language), {**usual, **asked})
        if told is None or "query" not in told:
            raise _unreadable()
        return told

    def _ask(self, url: str, asked: Mapping[str, str]) -> dict[str, Any] | None:
        """The JSON object that a URL answers with; None where it says that it has nothing (404)."""
        trouble = ""
        for attempt in range(TRIES):
            self._wait(PAUSE)
            answer = self._get(url, asked)
            if answer.status == 404:
                return None
            if answer.status in {401, 403}:
                raise WikimediaError(
                    f"Wikimedia refuses to answer ({answer.status}); expected it to take the contact that was given: "
                    "see that it is right, and what its rules for programs say"
                )
            if 300 <= answer.status < 500 and answer.status != 429:
                raise RefusedError(f"Wikimedia answers {answer.status} when asked for it", code="bad_answer")
            told, trouble = _read(answer)
            if told is not None:
                return told
            if attempt < TRIES - 1:
                self._wait(_patience(answer, attempt))
        if trouble.startswith(UNREADABLE):
            raise _unreadable()
        raise RefusedError(f"Wikimedia did not answer, asked {TRIES} times: {trouble}", code=NO_ANSWER)

    def _get(self, url: str, asked: Mapping[str, str]) -> _Answer:
        try:
            with self._client.stream("GET", url, params=asked or None) as answer:
                body = bytearray()
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > MOST_BYTES:
                        return _Answer(answer.status_code, None, f"{UNREADABLE}: too long", None)
                return _Answer(answer.status_code, bytes(body), f"status {answer.status_code}", _asked_for(answer))
        except httpx.RequestError as error:
            return _Answer(0, None, f"{type(error).__name__} {error}".strip(), None)


UNREADABLE = "an answer that cannot be read"


def _unreadable() -> RefusedError:
    return RefusedError("Wikimedia's answer cannot be read", code="unreadable_answer")


def _read(answer: _Answer) -> tuple[dict[str, Any] | None, str]:
    """(what the answer says, the trouble with it): the one or the other."""
    if answer.body is None or answer.status != 200:
        return None, answer.trouble
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None, UNREADABLE
    if not isinstance(told, dict):
        return None, UNREADABLE
    if "error" in told:
        code = str(at(told, "error", "code"))[:60]
        if code in BUSY:
            return None, code
        raise RefusedError(f"its wiki says {code}", code="bad_answer")
    return told, ""


def _patience(answer: _Answer, attempt: int) -> float:
    """How long to wait before another try; raises `PassingError` where Wikimedia asks for longer than we wait."""
    asked = 2.0**attempt if answer.wait is None else answer.wait
    if asked > LONGEST_WAIT:
        raise PassingError(
            f"Wikimedia asks for {asked:,.0f} seconds without a question; expected at most {LONGEST_WAIT:.0f}: "
            "run this again later"
        )
    return asked


def _asked_for(answer: httpx.Response) -> float | None:
    """The seconds of a Retry-After header, which has a number or a date; None where it says nothing that can be read."""
    told = answer.headers.get("Retry-After", "")
    if told.isdecimal():
        return float(told)
    with suppress(ValueError, TypeError):
        then, now = (parsedate_to_datetime(moment) for moment in (told, answer.headers.get("Date", "")))
        return max((then - now).total_seconds(), 0.0)
    return None


def _days(told: Mapping[str, Any], first: date, last: date) -> dict[date, int]:
    """The views of each day in an answer, which must be of the days asked for."""
    views = {}
    for item in objects(told.get("items")):
        stamp, count = at(item, "timestamp"), at(item, "views")
        try:
            day = datetime.strptime(str(stamp)[:8], "%Y%m%d").date()  # noqa: DTZ007 (a day has no zone)
        except ValueError:
            raise _unreadable() from None
        if not isinstance(count, int) or isinstance(count, bool) or count < 0 or not first <= day <= last:
            raise _unreadable()
        views[day] = count
    return views


def _linking(told: object) -> set[int]:
    """The ids of the articles in an answer that link to the page, themselves or through a title that leads to it."""
    found = set()
    for link in objects(at(told, "query", "backlinks")):
        leads_on = at(link, "redirect") not in (None, False)
        for page in objects(at(link, "redirlinks")) if leads_on else [link]:
            page_id = at(page, "pageid")
            if not isinstance(page_id, int):
                raise _unreadable()
            found.add(page_id)
    return found


def _capital(title: str) -> str:
    """A title as Wikipedia writes it: its first letter is a capital."""
    return title[:1].upper() + title[1:]
