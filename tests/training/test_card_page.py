"""The card as a page: the Markdown card's words, semantic and self-contained, safe whatever the data say."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
import small_bundle
from small_judgement import ACCOUNTS, CHECKS, data, report

from clout.features.catalogue import CONTRACT
from clout.training.card import CardFacts, card
from clout.training.card_page import anchor, page
from clout.training.config import Params

VOID = {"meta", "link", "line", "circle", "br"}


class Elements(HTMLParser):
    """Every element of a page with its attributes; raises where one is not closed as it was opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes an element that opens."""
        self.all.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes an element without content."""
        self.all.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Closes the newest element."""
        assert self._open.pop() == tag

    def handle_data(self, text: str) -> None:
        """Notes words, but for styles."""
        if "style" not in self._open:
            self.words.append(text)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of a kind."""
        return [attributes for name, attributes in self.all if name == tag]


@pytest.fixture(scope="module")
def facts() -> CardFacts:
    return CardFacts(report() | {"account": ACCOUNTS}, CHECKS, Params(), data(), small_bundle.scale(), CONTRACT)


@pytest.fixture(scope="module")
def told(facts: CardFacts) -> Elements:
    return Elements(page(facts))


def test_the_same_facts_give_the_same_bytes(facts: CardFacts) -> None:
    assert page(copy.deepcopy(facts)) == page(facts)


def test_it_says_what_the_markdown_says(facts: CardFacts, told: Elements) -> None:
    lines = [line for line in re.sub(r"[*`]", "", card(facts)).split("\n") if not line.startswith(("In short", "|--"))]
    parts = [part for line in lines for part in (re.split(r"(?<!\\)\|", line) if line.startswith("|") else [line])]
    plain = ["".join(part.replace("\\|", "|").lstrip("#- ").split()) for part in parts]
    words = "".join("".join(told.words).split())
    assert [part for part in plain if part not in words] == []


def test_it_needs_nothing_from_elsewhere(told: Elements) -> None:
    assert not {"script", "img", "iframe", "object", "form", "input"} & {tag for tag, _ in told.all}
    for _, attributes in told.all:
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        for name in ("href", "src"):
            assert (attributes.get(name) or "#").startswith(("#", "data:"))
    assert len(told.named("style")) == 1


def test_it_is_semantic(told: Elements) -> None:
    assert told.named("html") == [{"lang": "en"}]
    assert [len(told.named(tag)) for tag in ("h1", "main", "header", "nav", "title")] == [1] * 5
    assert all(head.get("scope") == "col" for head in told.named("th"))
    assert len([frame for frame in told.named("div") if frame.get("class") == "scroll"]) == len(told.named("table"))
    labels = [frame["aria-label"] for frame in told.named("div") if "aria-label" in frame]
    assert len(labels) == len(set(labels)) > 5
    assert all(picture.get("role") == "img" and picture.get("aria-label") for picture in told.named("svg"))


def test_contents_lead_to_every_section(told: Elements) -> None:
    led = [(link["href"] or "").removeprefix("#") for link in told.named("a")]
    assert led == [heading["id"] for heading in told.named("h2")]
    assert anchor("What it must not be used for") in led


def test_numbers_stand_right(facts: CardFacts) -> None:
    assert '<td class="number">1,200</td>' in page(facts)
    assert "text-align:right" not in page(facts)


def test_what_the_data_say_cannot_become_markup(facts: CardFacts) -> None:
    nasty = data() | {"notes": ["<script>alert(1)</script> [x](javascript:alert(1)) & 'so'"]}
    nasty["networks"] = {"<img src=x>": next(iter(nasty["networks"].values()))}
    told = Elements(page(replace(facts, data=nasty)))
    assert not told.named("script")
    assert not told.named("img")
    assert not [link for link in told.named("a") if "javascript" in str(link["href"])]


def test_a_picture_shows_the_tenths_where_they_are(facts: CardFacts) -> None:
    figures = copy.deepcopy(report())
    figures["deciles"] = [{"expected": 0.0, "actual": 0.0}, {"expected": 99.0, "actual": 9.0}]
    text = page(replace(facts, report=figures))
    assert '<circle class="dot" cx="0.0" cy="240.0" r="5"/>' in text
    assert '<circle class="dot" cx="228.6" cy="125.7" r="5"/>' in text


def test_figures_that_cannot_be_told_leave_no_mark(facts: CardFacts) -> None:
    figures = copy.deepcopy(report())
    figures["skill"]["mean"] = {"value": None, "low": None, "high": None}
    assert page(facts).count('class="range"') == len(figures["skill"])
    assert page(replace(facts, report=figures)).count('class="range"') == len(figures["skill"]) - 1
