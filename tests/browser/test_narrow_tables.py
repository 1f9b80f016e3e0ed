"""What matters most of a table is in sight on a small telephone, without scrolling sideways."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser
from scored_home import Scored
from site_pages import post_beyond
from watched import watched

OUT_OF_SIGHT = "one => one.scrollWidth - one.clientWidth"


@pytest.mark.parametrize("language", ["en", "sv"])
def test_what_a_post_drew_is_seen_beside_what_was_expected(
    browser: Browser, site: str, scored: Scored, language: str
) -> None:
    with watched(browser, site) as seen:
        seen.go(f"/post/{post_beyond(scored)}?lang={language}")
        for width in (320, 360):
            seen.page.set_viewport_size({"width": width, "height": 640})
            assert seen.page.locator("[aria-labelledby=drew] .scroll").evaluate(OUT_OF_SIGHT) == 0
            assert seen.too_wide() == []
