"""Declared Wikipedia pages: what is read of them, when it counts as known, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wikimedia_stand_in import Fault, StandIn, wikimedia

from clout.data.erasure import erase
from clout.data.lake import Lake
from clout.data.sources.live.feeds import read_feeds, take_in
from clout.data.sources.live.passing import PassingError
from clout.data.sources.live.wikimedia import PAUSE, WikimediaError
from clout.data.sources.live.wikipedia import PagesError, Wikipedia, read_pages
from clout.data.sources.source import Taken, take
from clout.data.tables import SCHEMAS, validate

NOW = datetime(2024, 5, 20, 15, 30, tzinfo=UTC)
LAST = date(2024, 5, 18)
ANN = "https://en.wikipedia.org/wiki/Ann_Example"
CONTACT = "ops@example.org"


class Desk:
    """A lake, a list of pages and a world to read them from; `waited` are the waits, none of which is waited."""

    def __init__(self, folder: Path, where: dict[str, str], world: StandIn) -> None:
        self.lake, self.world, self.where, self.file = Lake(folder / "lake"), world, where, folder / "pages.csv"
        self.waited: list[float] = []

    def declare(self, *rows: tuple[str, str]) -> None:
        """Nothing; the list then says so."""
        self.file.write_text("account,page\n" + "".join(f"{account},{page}\n" for account, page in rows))

    def source(self, now: datetime = NOW, timeout: float = 5.0) -> Wikipedia:
        """The list as a source."""
        return Wikipedia(self.file, CONTACT, now, self.lake, **self.where, timeout=timeout, wait=self.waited.append)

    def run(self, now: datetime = NOW, timeout: float = 5.0) -> Taken:
        """What a run at a moment brought in."""
        return take(self.lake, self.source(now, timeout), now)

    def rows(self, *columns: str, **where: str) -> list[Any]:
        """What the lake holds of pages, oldest first."""
        rows = self.lake.read("standings").filter(**where).sort("happened_at", "account")
        return rows.select(columns).rows() if len(columns) > 1 else rows[columns[0]].to_list()

    def refused(self) -> list[tuple[int, str]]:
        """(row, reason) of all that was rejected."""
        return self.lake.rejects().select("row", "reason").collect().rows()


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[dict[str, str], StandIn]]:
    """A world that answers, made up anew by each test."""
    world = StandIn()
    with wikimedia(world) as where:
        yield where, world


@pytest.fixture
def desk(served: tuple[dict[str, str], StandIn], tmp_path: Path) -> Desk:
    """A desk whose world has one article: read on three days, linked to by four others."""
    where, world = served
    for part in (world.ids, world.views, world.links, world.leads, world.asked, world.faults):
        part.clear()
    world.add("Ann Example", {date(2024, 5, 10): 7, date(2024, 5, 13): 2, LAST: 5}, ["A", "B", "C", "D"])
    desk = Desk(tmp_path, where, world)
    desk.declare(("x/ann", ANN))
    return desk


def test_views_are_dated_by_their_day_and_links_by_the_reading(desk: Desk) -> None:
    taken = desk.run()
    assert (taken.rows, taken.rejected) == ({"standings": 10}, {})
    views = desk.rows("happened_at", "known_at", "count", kind="view")
    ended = [datetime(2024, 5, day, tzinfo=UTC) for day in range(11, 20)]
    assert [row[0] for row in views] == ended, "from the first day anybody came to the last full day but one"
    assert all(known == happened + timedelta(days=1) <= NOW for happened, known, _ in views)
    assert [row[2] for row in views] == [7, 0, 0, 2, 0, 0, 0, 0, 5], "between two days that are told, nothing told is 0"
    assert desk.rows("happened_at", "known_at", "count", kind="link") == [(NOW, NOW, 4)]
    assert set(desk.rows("page")) == {"en.wikipedia.org/wiki/Ann_Example"}


def test_it_asks_as_wikimedia_wants_to_be_asked(desk: Desk) -> None:
    desk.run()
    paths, asked, headers = zip(*desk.world.asked, strict=True)
    days = "2024041700/2024051800"
    assert paths[1] == f"/metrics/pageviews/per-article/en.wikipedia/all-access/user/Ann_Example/daily/{days}"
    assert {query["maxlag"] for query in asked if query} == {"5"}
    assert all(one["user-agent"].startswith(f"clout ({CONTACT})") for one in headers)
    assert desk.waited == [PAUSE] * len(paths), "a pause before each question, and none at once"


def test_the_same_again_asks_nothing_and_the_next_day_asks_for_the_new_days(desk: Desk) -> None:
    desk.run()
    state, asked = desk.lake.fingerprint(), len(desk.world.asked)
    assert desk.run(NOW + timedelta(hours=5)).rows == {}
    assert (desk.lake.fingerprint(), len(desk.world.asked)) == (state, asked)
    desk.world.views["en", "Ann Example"][date(2024, 5, 21)] = 4
    assert desk.run(NOW + timedelta(days=4)).rows == {"standings": 3 + 1}
    assert desk.rows("count", kind="view")[-3:] == [0, 0, 4]
    assert len(desk.rows("count", kind="link")) == 2


def test_a_day_that_is_not_counted_yet_is_asked_for_again_and_never_becomes_zero(desk: Desk) -> None:
    desk.run()
    assert desk.run(NOW + timedelta(days=2)).rows == {"standings": 1}, "the links; of the views nothing is told"
    desk.world.views["en", "Ann Example"] |= {date(2024, 5, 19): 3, date(2024, 5, 20): 6}
    assert desk.run(NOW + timedelta(days=2, hours=1)).rows == {"standings": 2}
    assert desk.rows("count", kind="view")[-2:] == [3, 6]


def test_a_page_of_which_nothing_is_told_stays_missing(desk: Desk) -> None:
    desk.world.add("Quiet", {}, [])
    desk.declare(("x/quiet", "en.wikipedia.org/wiki/Quiet"))
    assert desk.run().rejected == {}
    assert desk.rows("kind", "count") == [("link", 0)]


def test_views_reach_back_to_what_the_first_post_can_need(desk: Desk) -> None:
    post = {"post": "x/1", "account": "x/ann", "network": "x", "kind": "original"}
    clocks = {"happened_at": datetime(2023, 2, 1, tzinfo=UTC), "known_at": datetime(2023, 2, 1, tzinfo=UTC)}
    desk.lake.append({"posts": pl.DataFrame([post | clocks], schema=SCHEMAS["posts"])}, source="posts.csv")
    desk.run()
    assert "/daily/2023010100/" in desk.world.asked[1][0]


@pytest.mark.parametrize(
    ("title", "page"),
    [
        ("AC/DC", "https://en.wikipedia.org/wiki/AC/DC"),
        ("AC/DC", "http://en.m.wikipedia.org/wiki/AC%2FDC#History"),
        ("Åke Ünal (författare)", "sv.wikipedia.org/wiki/%C3%85ke_%C3%9Cnal_(f%C3%B6rfattare)?action=x"),
        ("100% & more?", "https://en.wikipedia.org/wiki/100%25_%26_more%3F"),
        ("王菲", "https://zh-yue.wikipedia.org/wiki/王菲"),
        ("Ann example", "https://en.wikipedia.org/wiki/ann_example"),
    ],
)
def test_titles_of_any_kind(title: str, page: str, desk: Desk) -> None:
    language = page.removeprefix("https://").removeprefix("http://").partition(".")[0]
    desk.world.add(title, {LAST: 9}, ["A"], language)
    desk.declare(("x/ann", page))
    desk.run()
    assert sorted(desk.rows("kind", "count")) == [("link", 1), ("view", 9)]
    assert len(desk.world.asked) == 3, "what it is, its views, its links"


def test_a_moved_page_keeps_its_readers_and_its_links(desk: Desk) -> None:
    """Its old title leads on to the new one; days are counted under the title that was asked for."""
    desk.world.leads["en", "Ann Example"] = "Ann E. Example"
    desk.world.add("Ann E. Example", {LAST: 3}, ["Ann Example", "D", "E", "Ann E. Example"])
    desk.world.links_at_once = 1
    desk.run()
    desk.world.links_at_once = 3
    assert desk.rows("count", kind="view")[-1] == 5 + 3
    assert desk.rows("count", kind="link") == [5], "A to E, D once, and not the page itself"


def test_more_links_than_are_counted_are_told_as_the_most(desk: Desk) -> None:
    desk.world.links_at_once = 20_000
    desk.world.add("Sun", {LAST: 1}, [f"L{number}" for number in range(10_050)])
    desk.declare(("x/sun", "en.wikipedia.org/wiki/Sun"))
    desk.run()
    desk.world.links_at_once = 3
    assert desk.rows("count", kind="link") == [10_000]


def test_what_is_refused_says_why_and_stops_nobody(desk: Desk) -> None:
    desk.world.ids["en", "User:Ann"] = 99
    desk.declare(
        ("x/gone", "en.wikipedia.org/wiki/No_such_page"),
        ("x/user", "en.wikipedia.org/wiki/User:Ann"),
        ("ann", ANN),
        ("", ANN),
        ("x/far", "https://example.org/wiki/Ann"),
        ("x/www", "https://www.wikipedia.org/wiki/Ann"),
        ("x/pipe", "https://en.wikipedia.org/wiki/A%7CB"),
        ("x/ann", ANN),
        ("x/ann", "en.wikipedia.org/wiki/Other"),
    )
    taken = desk.run()
    reasons = ["no_such_page", "not_an_article", "id_without_network", "id_without_network", "bad_page", "bad_page"]
    assert desk.refused() == [*enumerate([*reasons, "bad_page"], 1), (9, "second_page")]
    assert taken.rows == {"standings": 10}
    raw = json.loads(desk.lake.rejects().collect()["raw"][4])
    assert (raw["account"], raw["page"]) == ("x/far", "https://example.org/wiki/Ann")
    assert not any("example.org" in path or "Other" in str(query) for path, query, _ in desk.world.asked)


def test_nobody_asks_for_the_page_of_a_forgotten_account(desk: Desk) -> None:
    desk.run()
    erase(desk.lake, ["x/ann"], "asked", NOW.date())
    desk.world.asked.clear()
    assert desk.run().rejected == {"forgotten": 1}
    assert desk.lake.read("standings").is_empty()
    assert not desk.world.asked
    assert "Ann" not in str(desk.lake.rejects().collect().rows())


BUSY = Fault(429, headers={"Retry-After": "7"})
LAGGED = Fault(body=b'{"error": {"code": "maxlag"}}', headers={"Retry-After": "5"})
TORN = Fault(body=b'{"items": [')
ENDLESS = Fault(body=b'{"query": {"pages": [{"pageid": 9, "ns": 0, "title": "B"}]}}' + b" " * 2**23)


@pytest.mark.parametrize(
    ("faults", "waits"),
    [
        ([BUSY], [7]),
        ([LAGGED], [5]),
        ([Fault(500), Fault(502), Fault(503)], [1, 2, 4]),
        ([TORN], [1]),
        ([ENDLESS], [1]),
        ([Fault(body=b"[" * 100_000)], [1]),
        ([Fault(body=b"[1]")], [1]),
        ([Fault(429, headers={"Retry-After": "soon"})], [1]),
        ([Fault(body=b"torn", headers={"Content-Encoding": "gzip"})], [1]),
    ],
)
def test_trouble_that_passes_is_waited_out_as_asked(faults: list[Fault], waits: list[float], desk: Desk) -> None:
    desk.world.faults.extend(faults)
    assert desk.run().rows == {"standings": 10}
    assert [wait for wait in desk.waited if wait != PAUSE] == waits


def test_a_moment_to_come_back_at_is_waited_for(desk: Desk) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=50), usegmt=True)
    desk.world.faults.append(Fault(503, headers={"Retry-After": later}))
    assert desk.run().rows == {"standings": 10}
    (wait,) = (wait for wait in desk.waited if wait != PAUSE)
    assert 20 < wait < 55


def test_an_answer_that_does_not_come_is_given_up(desk: Desk) -> None:
    desk.world.faults.extend([Fault(hang=1.0)])
    assert desk.run(timeout=0.1).rows == {"standings": 10}


VIEWED, WIKI = "pageviews", "api.php"


def items(**item: object) -> bytes:
    """The body of an answer with the views of one day."""
    return json.dumps({"items": [{"timestamp": "2024051800", "views": 1} | item]}).encode()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(body=items(views=-1), where=VIEWED), "unreadable_answer"),
        (Fault(body=items(views="7"), where=VIEWED), "unreadable_answer"),
        (Fault(body=items(timestamp="2031010100"), where=VIEWED), "unreadable_answer"),
        (Fault(body=items(timestamp=None), where=VIEWED), "unreadable_answer"),
        (Fault(400, where=VIEWED), "bad_answer"),
        (Fault(301, headers={"Location": "http://127.0.0.1:1/"}, where=VIEWED), "bad_answer"),
        (Fault(body=b'{"error": {"code": "badtoken"}}', where=WIKI), "bad_answer"),
        (Fault(body=b"{}", where=WIKI), "unreadable_answer"),
        (Fault(404, where=WIKI), "unreadable_answer"),
        (Fault(body=b'{"query": {"pages": [{"ns": 0, "title": 3}]}}', where=WIKI), "unreadable_answer"),
        (Fault(body=b'{"query": {"pages": "none"}}', where=WIKI), "unreadable_answer"),
        (Fault(body=b'{"query": {"interwiki": [{"title": "de:A", "iw": "de"}]}}', where=WIKI), "no_such_page"),
        (Fault(body=b'{"query": {"pages": [{"title": "[]", "invalid": true}]}}', where=WIKI), "no_such_page"),
    ],
)
def test_an_answer_of_another_shape_costs_its_page_alone(fault: Fault, reason: str, desk: Desk) -> None:
    desk.world.add("Bob", {LAST: 1}, [])
    desk.declare(("x/ann", ANN), ("x/bob", "en.wikipedia.org/wiki/Bob"))
    desk.world.faults.append(fault)
    desk.run()
    assert desk.refused() == [(1, reason)]
    assert not desk.rows("kind", account="x/ann")
    assert len(desk.rows("kind", account="x/bob")) == 2


SAID = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=8)
NAMES = st.sampled_from(
    ("query", "pages", "items", "views", "timestamp", "backlinks", "redirlinks", "continue", "error")
)
SHAPES = st.recursive(
    SAID, lambda part: st.lists(part, max_size=3) | st.dictionaries(NAMES, part, max_size=4), max_leaves=8
)
ANSWERS = st.binary(max_size=30) | SHAPES.map(lambda told: json.dumps(told).encode())


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(bodies=st.lists(ANSWERS, min_size=1, max_size=4), where=st.sampled_from(("", VIEWED, WIKI)))
def test_whatever_is_answered_rows_come_in_or_a_reason(bodies: list[bytes], where: str, desk: Desk) -> None:
    desk.world.faults.extend(Fault(body=body, where=where) for body in bodies)
    pieces = list(Wikipedia(desk.file, CONTACT, NOW, Lake("memory://none"), **desk.where, wait=float).pull(None))
    desk.world.faults.clear()
    rows, rejects = validate("standings", pieces[0].tables["standings"], NOW)
    assert rows.height + rejects.height > 0
    assert {*rejects["reason"]} <= {"no_such_page", "not_an_article", "bad_answer", "unreadable_answer", "no_answer"}


def test_views_stay_where_links_cannot_be_read(desk: Desk) -> None:
    desk.world.links_at_once = 0
    assert desk.run().rejected == {"unreadable_answer": 1}, "a list of links that never ends"
    desk.world.links_at_once = 3
    assert set(desk.rows("kind")) == {"view"}
    assert desk.run().rows == {"standings": 1}, "the next run has them"


def test_a_whole_that_does_not_answer_ends_the_run_and_the_next_goes_on(desk: Desk) -> None:
    names = ["Ann Example", "Bob", "Cid", "Dan", "Eve"]
    for name in names[1:]:
        desk.world.add(name, {LAST: 1}, [])
    desk.declare(*((f"x/{name}", f"en.wikipedia.org/wiki/{name}") for name in names))
    desk.world.faults.extend([Fault(503, where=VIEWED)] * 12)
    with pytest.raises(PassingError, match=r"did not answer for 3 pages in a row; .*run this again later"):
        desk.run()
    assert desk.refused() == [(1, "no_answer"), (2, "no_answer"), (3, "no_answer")]
    assert desk.run().rows == {"standings": 10 + 4 * 2}


def test_silent_pages_among_others_end_nothing(desk: Desk) -> None:
    desk.world.add("Bob", {LAST: 1}, [])
    silent = [(f"x/ann-{number}", ANN) for number in range(3)]
    heard = [(f"x/bob-{number}", "en.wikipedia.org/wiki/Bob") for number in range(3)]
    desk.declare(*(row for both in zip(silent, heard, strict=True) for row in both))
    desk.world.faults.extend([Fault(503, where="Ann_Example")] * 12)
    assert desk.run().rejected == {"no_answer": 3}
    assert set(desk.rows("account")) == {account for account, _ in heard}


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (Fault(403), WikimediaError, "refuses to answer \\(403\\); expected it to take the contact"),
        (Fault(429, headers={"Retry-After": "3600"}), PassingError, "asks for 3,600 seconds without a question"),
    ],
)
def test_what_it_says_of_all_questions_ends_the_run(
    fault: Fault, error: type[Exception], words: str, desk: Desk
) -> None:
    desk.world.faults.append(fault)
    with pytest.raises(error, match=words):
        desk.run()
    assert len(desk.world.asked) == 1


@pytest.mark.parametrize("contact", ["", "ops", "a@b", "ops@example.org\r\nX: y", "Åke@example.org"])
def test_a_contact_that_reaches_nobody_is_refused(contact: str, desk: Desk) -> None:
    with pytest.raises(WikimediaError, match="expected an e-mail address or a URL where Wikimedia can reach"):
        next(Wikipedia(desk.file, contact, NOW, desk.lake).pull(None))


def test_a_list_without_the_columns_is_refused(desk: Desk) -> None:
    desk.file.write_text("who,page\nx/ann,y\n")
    with pytest.raises(PagesError, match="has the columns who, page and not account; expected account"):
        read_pages(desk.file)


def test_many_pages_come_in_pieces_that_are_each_whole(desk: Desk) -> None:
    for number in range(45):
        desk.world.add(f"P{number}", {LAST: 1}, [])
    desk.declare(*((f"x/{number}", f"en.wikipedia.org/wiki/P{number}") for number in range(45)))
    pieces = desk.source().pull(None)
    first = next(pieces)
    assert (first.tables["standings"].height, round(first.share, 2)) == (40, 0.44)
    pieces.close()
    assert desk.run().rows == {"standings": 90}
    assert len(desk.lake.receipts()) == 3


def test_the_same_source_can_be_pulled_again(desk: Desk) -> None:
    source = desk.source()
    first, again = (list(source.pull(None)) for _ in range(2))
    assert first[0].tables["standings"].equals(again[0].tables["standings"])


def test_it_is_one_of_the_live_sources(desk: Desk, tmp_path: Path) -> None:
    where = "".join(f'{name} = "{place}"\n' for name, place in desk.where.items())
    told = f'[[source]]\nkind = "wikipedia"\nname = "fame"\npages = "pages.csv"\ncontact = "{CONTACT}"\n{where}'
    (tmp_path / "sources.toml").write_text(told)
    taken = Taken("", "")
    take_in(read_feeds(tmp_path)[0], desk.lake, NOW, taken.add)
    assert taken.rows == {"standings": 10}
    assert desk.lake.receipts()[0].source == "fame"
