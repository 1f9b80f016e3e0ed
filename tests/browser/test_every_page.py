"""Every page in a real browser: three widths, light and dark, two languages; what was seen is kept as pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from scored_home import Scored
from site_pages import PAGES
from watched import WIDTHS, Scheme, Watched, watched

HEAVIEST = 150_000
# In English a window is made narrower and narrower, in Swedish wider: a page must do well loaded at either end.
VIEWS: dict[str, list[tuple[int, Scheme]]] = {
    "en": [(width, scheme) for width in (1280, 768, 320) for scheme in ("light", "dark")],
    "sv": [(width, "light") for width in (320, 1280)],
}
AXE = {("en", 1280, "light"), ("en", 1280, "dark"), ("en", 320, "light"), ("sv", 320, "light")}


@pytest.fixture(scope="session")
def pictures(root: Path) -> Path:
    """The folder in which pictures of the pages are kept."""
    return root / "build" / "screenshots"


@pytest.mark.parametrize("language", VIEWS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_wherever_it_is_read(
    site: str, browser: Browser, scored: Scored, name: str, language: str, pictures: Path
) -> None:
    [(width, _), *_] = VIEWS[language]
    with watched(browser, site, width) as seen:
        PAGES[name].visit(seen, scored, language)
        assert seen.page.locator("html").get_attribute("lang") == language
        assert adds_up(seen.sums()) == [True] * PAGES[name].sums
        assert seen.weight() < HEAVIEST
        found = [*faults_at_each_view(seen, name, language, pictures), *seen.faults]
    assert not found, "\n".join(found)


def adds_up(tables: list[list[tuple[str, int]]]) -> list[bool]:
    """Of each table, whether the start and the parts make its total, as they stand on the screen."""
    return [
        sum(points for part, points in table if part != "total") == dict(table)["total"] and len(table) > 2
        for table in tables
    ]


def faults_at_each_view(seen: Watched, name: str, language: str, pictures: Path) -> Iterator[str]:
    """What is wrong at each width in each scheme, one line each."""
    for width, scheme in VIEWS[language]:
        seen.page.set_viewport_size({"width": width, "height": WIDTHS[width]})
        seen.page.emulate_media(color_scheme=scheme)
        seen.page.screenshot(path=pictures / f"{name}-{language}-{width}-{scheme}.png", full_page=True)
        found = seen.too_wide() + (seen.violations() if (language, width, scheme) in AXE else [])
        yield from (f"{width} {scheme}: {one}" for one in found)
