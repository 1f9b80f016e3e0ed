"""The pages where scripts are off, and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from unicodedata import normalize

import pytest
from playwright.sync_api import Browser
from pypdf import PdfReader
from scored_home import Scored
from site_pages import PAGES
from watched import Watched, watched

SHOWN = """
() => {
  document.querySelectorAll('.unseen').forEach(one => one.remove());
  const folded = [...document.querySelectorAll('main details')].map(one => one.textContent);
  return [document.querySelector('main').innerText, ...folded].join(' ').normalize('NFKC');
}
"""
FOLD = "() => document.querySelectorAll('details').forEach(one => { one.open = false })"


@pytest.fixture(scope="module")
def plain(browser: Browser, site: str) -> Iterator[Watched]:
    """A browser that runs no script of a page."""
    with watched(browser, site, java_script_enabled=False) as seen:
        yield seen


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_without_scripts_and_on_paper(plain: Watched, scored: Scored, name: str) -> None:
    page = plain.page
    page.emulate_media(media="screen")
    PAGES[name].visit(plain, scored, "en")
    assert len(plain.sums()) >= PAGES[name].sums
    page.evaluate(FOLD)
    page.emulate_media(media="print")
    paper = on_paper(page.pdf(format="A4"))
    assert [word for word in page.evaluate(SHOWN).split() if word not in paper] == []
    assert plain.faults == []


def on_paper(pdf: bytes) -> str:
    """The text of a document without its spaces: a line may end within a word."""
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)
    return "".join(normalize("NFKC", text).split())
