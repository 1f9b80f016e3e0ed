"""The line of an account whose scores go further back than its page shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from live_server import listening
from playwright.sync_api import Browser, expect
from scored_home import NOW, WEEK_BEFORE, Scored
from watched import RULES, WIDTHS, watched

from clout.serving.accounts.kept import AccountStore
from clout.serving.api import application
from clout.serving.store.scores import Store

LONG_AGO = WEEK_BEFORE - timedelta(days=200)


def test_the_whole_line_is_drawn_and_fits_whatever_the_window(
    browser: Browser, scored: Scored, tmp_path: Path, pictures: Path
) -> None:
    older = scored.copy(tmp_path / "home")
    score_long_ago(older)
    app = application(older.active, lambda: NOW, AccountStore(lambda: older.url))
    with listening(app) as host, watched(browser, host) as seen:
        seen.go(f"/why/{scored.accounts[0]}?lang=sv")
        expect(seen.page.locator("#long-history canvas")).to_be_visible()
        for width, height in WIDTHS.items():
            seen.page.set_viewport_size({"width": width, "height": height})
            seen.keep_picture(pictures / f"why-long-sv-{width}-light.jpeg")
            assert seen.too_wide() == []
        assert seen.violations(RULES) == []
        assert seen.faults == []


def score_long_ago(older: Scored) -> None:
    """Nothing; the first account had the score of today long ago already."""
    with Store.open(older.url) as store:
        record, run = store.latest(older.accounts[0]), store.newest_run("commons")
        assert record
        assert run
        long_ago = store.begin(replace(run, as_of=LONG_AGO))
        store.write(long_ago, [replace(record, as_of=LONG_AGO)])
