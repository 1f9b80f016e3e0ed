"""The page: one file that needs nothing else, holds every part, and never takes a name for markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from small_comparison import FIRST, SECOND, told

from clout.training.compare_page import page


@pytest.fixture(scope="module")
def content() -> str:
    return page(told())


class Elements(HTMLParser):
    """The elements of a page by name, and every attribute that could fetch something."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.fetched: list[str] = []
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Nothing; the element is kept."""
        self.found.append(tag)
        self.fetched += [
            value or "" for name, value in attrs if name in {"src", "href", "xlink:href", "srcset", "data", "action"}
        ]


def test_it_needs_nothing_from_elsewhere(content: str) -> None:
    elements = Elements(content)
    assert elements.fetched
    assert all(address.startswith(("#", "data:,")) for address in elements.fetched)
    assert not {"script", "img", "iframe", "object", "embed"} & set(elements.found)
    assert elements.found.count("link") == 1
    assert "@import" not in content
    assert not re.search(r"url\((?!['\"]?#)", content)


def test_names_are_text(content: str) -> None:
    assert "<script" not in content
    assert re.search(r"</b> <bdi>[^<]*&lt;script", content)
    assert content.count("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;") == 2


def test_every_part_is_there(content: str) -> None:
    assert Elements(content).found.count("svg") == 3
    for words in (FIRST, SECOND, "Calibration", "Lift", "Change of the score", "lang de", "cold start", "label.kinds"):
        assert words in content
    assert "model part +7.0: results beyond what was expected +5.0, the starting point +2.0" in content
    assert "accounts with too little evidence for a score: the service gives them none" in content
    assert re.search(r"<td>results beyond what was expected</td><td>\+5\.00</td>", content)


def test_pictures_take_the_colours_of_the_page(content: str) -> None:
    pictures = content[content.index("<svg") :]
    assert "currentColor" in pictures
    assert "var(--c0)" in pictures
    assert not re.search(r"#(333333|000000|1f5fa8|d1782f)", pictures)
    assert "prefers-color-scheme: dark" in content


def test_the_same_comparison_gives_the_same_page(content: str) -> None:
    assert page(told()) == content


def test_what_cannot_be_told_says_why() -> None:
    content = page(told() | {"accuracy": {"reason": "too <few>"}, "moves": {"reason": "other scales"}})
    assert "<p>too &lt;few&gt;</p>" in content
    assert "<p>other scales</p>" in content
    assert "<svg" not in content
