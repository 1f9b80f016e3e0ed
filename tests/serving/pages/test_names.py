"""Names are shown as their owners write them, and turn nothing round that stands beside them."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import polars as pl
import pytest
from asked import Asked
from read_page import HTML
from scored_home import NOW, Scored
from selectolax.lexbor import LexborHTMLParser

from clout.data.lake import Lake
from clout.data.tables import SCHEMAS
from clout.serving.store.rows import Run
from clout.serving.store.scores import Store

TURN = "\N{RIGHT-TO-LEFT OVERRIDE}"
TURNED = f"{TURN}gnp.exe"
ALONE, DONE = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"


@pytest.fixture(scope="module")
def named(scored: Scored, tmp_path_factory: pytest.TempPathFactory) -> Scored:
    """A home in which three accounts have a name that turns the writing round, two of them a score."""
    home = scored.copy(tmp_path_factory.mktemp("named") / "home")
    row = {"account": f"commons/{TURN}1", "network": "commons", "handle": TURNED, "created_at": None}
    lake = Lake(home.home / "lake")
    lake.append({"accounts": pl.DataFrame([row], schema=SCHEMAS["accounts"])}, source="later.csv")
    home.active.load(home.home, str(home.home / "lake"))
    with Store.open(home.url) as store:
        found = [record for account in scored.accounts[:2] if (record := store.latest(account))]
        run = store.begin(Run(NOW, home.champion, "1", "lake", NOW))
        store.write(run, [replace(record, as_of=NOW, handle=TURNED) for record in found])
        store.finish(run, NOW)
    return home


@pytest.fixture
def ask(named: Scored) -> Asked:
    return named.client()


def page(ask: Asked, path: str) -> LexborHTMLParser:
    return LexborHTMLParser(ask.get(path, headers=HTML).text)


@pytest.mark.parametrize("language", ["en", "sv"])
def test_a_name_turns_nothing_round_beside_it(ask: Asked, named: Scored, language: str) -> None:
    one, other = named.accounts[:2]
    for path, names in (
        (f"/why/{one}?", 1),
        (f"/compare?with={one}&with={other}&with={one}&", 4),
        (f"/compare?with={quote(TURNED)}s&", 1),
        (f"/find?account={quote(TURNED)}e&", 3),
        (f"/why/commons/{quote(TURN)}nobody?", 0),
    ):
        body = page(ask, f"{path}lang={language}").body
        assert body is not None
        alone = body.css("bdi")
        assert len([name for name in alone if TURN in name.text()]) >= names, path
        for name in alone:
            name.decompose()
        assert TURN not in body.text(), path


def test_a_title_stays_as_it_is_read(ask: Asked, named: Scored) -> None:
    title = page(ask, f"/why/{named.accounts[0]}").css_first("title").text()
    assert title == f"Why {ALONE}{TURNED}{DONE} has this score · Clout"
