"""Pages where everybody needs a key, which the browser asks for once."""

from __future__ import annotations

from live_server import listening
from playwright.sync_api import Browser, expect
from scored_home import NOW, Scored
from watched import watched

from clout.serving.accounts.kept import AccountStore
from clout.serving.api import application
from clout.serving.edge import keys
from clout.serving.edge.gate import Access
from clout.serving.edge.keys import Key, KeyRing
from clout.serving.edge.layers import Edge

SECRET = "s" * 43
KEY = Key("reader", "Ann", ("read", "score"), keys.digest(SECRET), NOW)


def test_a_key_given_once_opens_a_page_with_all_it_loads_and_links_to(browser: Browser, scored: Scored) -> None:
    edge = Edge(Access("never"), KeyRing(lambda: [KEY], lambda: NOW))
    app = application(scored.active, lambda: NOW, AccountStore(lambda: scored.url), edge=edge)
    given = {"username": "Ann", "password": keys.written(KEY.id, SECRET)}
    with listening(app) as host, watched(browser, host, http_credentials=given) as seen:
        seen.go(f"/why/{scored.accounts[0]}")
        seen.page.wait_for_load_state("networkidle")
        seen.page.click("a[href='/v1/model/card']")
        expect(seen.page.locator("body")).to_contain_text("Clout")
        assert "/v1/model/card" in seen.page.url
        assert seen.faults == []
