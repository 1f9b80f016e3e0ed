"""Every page in a real browser: three widths, light and dark, two languages; what was seen is kept as pictures."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from scored_home import Scored
from site_pages import PAGES
from watched import COLOURS, RULES, WIDTHS, Scheme, Watched, watched

HEAVIEST = 150_000
# Made narrower and narrower in English, loaded narrow in Swedish.
VIEWS: dict[str, list[tuple[int, Scheme]]] = {
    "en": [(width, scheme) for width in (1280, 768, 320) for scheme in ("light", "dark")],
    "sv": [(320, "light")],
}
AXE = {("en", 1280, "light"): RULES, ("en", 1280, "dark"): COLOURS, ("sv", 320, "light"): RULES}


@pytest.fixture(scope="module")
def window(browser: Browser, site: str) -> Iterator[Watched]:
    """The page in which every one is shown."""
    with watched(browser, site) as seen:
        yield seen


@pytest.mark.parametrize("language", VIEWS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_wherever_it_is_read(
    window: Watched, scored: Scored, name: str, language: str, pictures: Path
) -> None:
    show(window, *VIEWS[language][0])
    PAGES[name].visit(window, scored, language)
    assert window.page.locator("html").get_attribute("lang") == language
    tables = window.sums()
    assert [table for table in tables if not adds_up(table)] == []
    assert len(tables) >= PAGES[name].sums
    assert window.weight() < HEAVIEST
    found = [*faults_at_each_view(window, name, language, pictures), *window.faults]
    assert not found, "\n".join(found)


def show(window: Watched, width: int, scheme: Scheme) -> None:
    """Nothing; the window is so wide, and in these colours."""
    window.page.set_viewport_size({"width": width, "height": WIDTHS[width]})
    window.page.emulate_media(color_scheme=scheme)


def adds_up(table: list[tuple[str, Decimal]]) -> bool:
    """Whether the start and the parts make the total, as they stand on the screen."""
    return len(table) > 1 and sum(points for part, points in table if part != "total") == dict(table)["total"]


def faults_at_each_view(window: Watched, name: str, language: str, pictures: Path) -> Iterator[str]:
    """What is wrong at each width in each scheme, one line each."""
    for width, scheme in VIEWS[language]:
        show(window, width, scheme)
        window.keep_picture(pictures / f"{name}-{language}-{width}-{scheme}.jpeg")
        rules = AXE.get((language, width, scheme))
        found = window.too_wide() + (window.violations(rules) if rules else [])
        yield from (f"{width} {scheme}: {one}" for one in found)
