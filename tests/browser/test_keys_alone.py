"""All that one can do on the pages, by the keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from keys import expected_stops, stops, tab_to, type_into
from playwright.sync_api import Browser, expect
from scored_home import Scored
from site_pages import PAGES, TEXT
from watched import Watched, watched


@pytest.fixture
def seen(browser: Browser, site: str) -> Iterator[Watched]:
    """A page; nothing may go wrong while a test uses it."""
    with watched(browser, site, reduced_motion="reduce") as one:
        yield one
        assert one.faults == []


@pytest.mark.parametrize("name", PAGES)
def test_every_stop_is_seen_and_none_holds_the_keys(browser: Browser, site: str, scored: Scored, name: str) -> None:
    with watched(browser, site, 320, reduced_motion="reduce") as seen:
        PAGES[name].visit(seen, scored, "en")
        found = stops(seen.page)
        hidden = [stop.said for stop in found if not (stop.ringed and stop.on_screen)]
        assert len(found) >= expected_stops(seen.page)
    assert hidden == []


def test_the_first_stop_skips_to_the_content(seen: Watched, scored: Scored) -> None:
    seen.go(f"/why/{scored.accounts[0]}")
    seen.page.keyboard.press("Tab")
    expect(seen.page.locator(".skip")).to_be_in_viewport()
    seen.page.keyboard.press("Enter")
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("() => document.querySelector('main').contains(document.activeElement)")


def test_an_account_is_found_from_the_first_page(seen: Watched, scored: Scored) -> None:
    seen.go("/")
    type_into(seen.page, "#account", scored.accounts[0])
    seen.page.keyboard.press("Enter")
    expect(seen.page.locator("#score-number")).to_have_text(printed(scored, scored.accounts[0]))


def test_a_draft_is_written_judged_and_changed_as_offered(seen: Watched, scored: Scored) -> None:
    seen.go("/draft")
    type_into(seen.page, "#account", scored.accounts[0])
    type_into(seen.page, "#text", TEXT)
    score = seen.page.locator("#score-number")
    expect(score).to_be_visible()
    before = score.inner_text()
    tab_to(seen.page, "#result section[aria-labelledby=ideas] button")
    seen.page.keyboard.press("Enter")
    expect(score).not_to_have_text(before)


def test_two_accounts_are_compared(seen: Watched, scored: Scored) -> None:
    one, other = scored.accounts[:2]
    seen.go("/compare")
    type_into(seen.page, "#with-1", one)
    type_into(seen.page, "#with-2", other)
    tab_to(seen.page, "form button")
    seen.page.keyboard.press("Enter")
    expect(seen.page.locator(".beside .number")).to_have_text([printed(scored, one), printed(scored, other)])


def test_a_post_is_opened_from_the_page_of_its_account(seen: Watched, scored: Scored) -> None:
    seen.go(f"/why/{scored.accounts[0]}")
    words = seen.page.locator(".posts a").first.inner_text()
    tab_to(seen.page, ".posts a")
    seen.page.keyboard.press("Enter")
    expect(seen.page.locator("main")).to_contain_text(words)
    assert "/post/" in seen.page.url


def test_a_problem_is_reported(seen: Watched, scored: Scored) -> None:
    seen.go(f"/feedback?account={scored.accounts[0]}")
    tab_to(seen.page, "#kind-not_me")
    seen.page.keyboard.press("Space")
    seen.page.keyboard.press("ArrowDown")
    type_into(seen.page, "#said", "These posts are another person's.")
    tab_to(seen.page, "form.reporting button")
    seen.page.keyboard.press("Enter")
    expect(seen.page.locator("#reference")).to_be_visible()
    expect(seen.page.locator("main")).to_contain_text("The data is wrong")


def printed(scored: Scored, account: str) -> str:
    """The score of an account as pages print it."""
    return str(round(scored.records[account]["score"]))
