"""Every text of the pages is in the catalogue, and Swedish says all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import page_words
import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

PLACE = re.compile(r"%\(\w+\)s|\{\w+\}|%%|</?\w+|`[^`]+`")
SYNTAX = Environment(extensions=["jinja2.ext.i18n"])  # noqa: S701 - it reads templates and renders none
LOOKED_UP = {"_", "gettext", "ngettext", "text", "plural"}
HIDDEN = re.compile(r"<(code|pre|script|style)\b.*?</\1>|&\w+;", re.DOTALL)
SHOWN = re.compile(r'\b(?:aria-label|title|alt|placeholder)="([^"]*)"')
# With the attributes that a macro gives to one.
TAG = re.compile(r'<[^>]*>|[\w-]+="[^"]*"', re.DOTALL)
READS_LIKE_ENGLISH = re.compile(r"[a-z]+ [a-z]|^[A-Z][a-z]{2,}")
NAMES = {"Clout"}
# Said alike in both languages, letter by letter.
ALIKE = {"{label}: {missing}.", "{n} person", "Text", "NDCG", "version", "commit"}


def forms(said: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    """One text, or one and many."""
    return (said,) if isinstance(said, str) else tuple(said or ())


def faults(message: Message) -> list[str]:
    """What is wrong with a translation: nothing there, in doubt, other places to fill in, or still English."""
    english, told = forms(message.id), forms(message.string)
    found = []
    if not told or not all(told) or len(told) != len(english):
        return [f"{english[0]!r} is not translated"]
    if message.fuzzy:
        found.append(f"{english[0]!r} is in doubt")
    if any(set(PLACE.findall(one)) != set(PLACE.findall(english[-1])) for one in told):
        found.append(f"{english[0]!r} is filled in otherwise: {told}")
    if told == english and english[0] not in ALIKE and any(map(str.isalpha, PLACE.sub("", english[0]))):
        found.append(f"{english[0]!r} is still English")
    return found


def unsaid(template: str) -> list[str]:
    """What a template says in English alone: text that stands there bare, and words in expressions beside `_`."""
    tree = SYNTAX.parse(template)
    markup = HIDDEN.sub("", "".join(part.data for part in tree.find_all(nodes.TemplateData)))
    bare = [
        *SHOWN.findall(markup),
        *TAG.sub("\n", markup).splitlines(),
        *filter(READS_LIKE_ENGLISH.search, words_in(tree)),
    ]
    return [text.strip() for text in bare if re.search(r"[^\W\d_]{2}", text) and text.strip(" ·") not in NAMES]


def words_in(node: nodes.Node) -> Iterator[str]:
    """The strings in the expressions of a template, but for those that are looked up in the catalogue."""
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Const) and isinstance(child.value, str):
            yield child.value
        elif not (
            isinstance(child, nodes.Call)
            and LOOKED_UP & {getattr(child.node, "name", ""), getattr(child.node, "attr", "")}
        ):
            yield from words_in(child)


@pytest.mark.parametrize("file", page_words.program().TEMPLATES, ids=lambda file: file.name)
def test_no_template_says_a_word_beside_the_catalogue(file: Path) -> None:
    assert not unsaid(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("<p>Hello there</p>", ["Hello there"]),
        ('<a aria-label="Go on" href="/x">{{ _("On") }}</a>', ["Go on"]),
        ('{{ "Not known" if x else _("Known") }}', ["Not known"]),
        ("<p>{% trans %}Hello{% endtrans %} {{ x }}</p><code>clout run</code>", []),
        ('{{ tongue.plural("{n} day", "{n} days", 3) }} <b class="{{ "up" if x }}">·</b>', []),
    ],
)
def test_a_word_beside_the_catalogue_is_seen(template: str, found: list[str]) -> None:
    assert unsaid(template) == found


def test_the_catalogue_is_that_of_the_code() -> None:
    words = page_words.program()
    assert words.POT.read_text(encoding="utf-8") == words.as_text(page_words.gathered()), (
        "run `make words` and commit what it changes"
    )


def test_there_is_a_second_language() -> None:
    assert "sv" in {file.parent.parent.name for file in page_words.program().translations()}


def test_every_translation_says_all() -> None:
    for file in page_words.program().translations():
        with file.open("rb") as source:
            told = read_po(source, locale=file.parent.parent.name)
        wrong = [fault for message in told if message.id for fault in faults(message)]
        assert not wrong, "\n".join(wrong)
        assert {message.id for message in told} == {message.id for message in page_words.gathered()}


@pytest.mark.parametrize(
    ("msgid", "string", "fault"),
    [
        ("Find an account", "", "is not translated"),
        ("{n} of %(day)s", "{n} av %(dag)s", "is filled in otherwise"),
        (("{n} post", "{n} posts"), ("{n} inlägg", ""), "is not translated"),
        ("Find an account", "Find an account", "is still English"),
    ],
)
def test_a_bad_translation_is_seen(msgid: str, string: str, fault: str) -> None:
    assert fault in "".join(faults(Message(msgid, string)))


def test_a_good_translation_passes() -> None:
    assert faults(Message(("{n} post", "{n} posts"), ("{n} inlägg", "{n} inlägg"))) == []
    assert faults(Message("%(low)s–%(high)s", "%(low)s–%(high)s")) == []
