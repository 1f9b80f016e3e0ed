"""What people read on pages is plain: no jargon, and a reading level that school gives at twelve or thirteen."""

from __future__ import annotations

import re
from statistics import fmean

import page_words
import pytest
import textstat

from clout.features.catalogue import FEATURES
from clout.features.contract import Contract, FeatureSpec
from clout.features.groups import FIXED
from clout.models.account import BEYOND
from clout.models.explain import Phrasebook

MOST_ON_AVERAGE, MOST = 5.0, 10.5
JARGON = re.compile(
    r"\b(logs?|logarithm\w*|scale|shares?|selectiv\w*|margins?|features?|models?|engag\w*|metrics?|percentiles?"
    r"|quantiles?|shap|outcomes?|variable|median|deviation|regression|utc offset|null|nan|actions?)\b",
    re.IGNORECASE,
)
# How it is measured, and the page of data scientists.
FOR_EXPERTS = ("serving/pages/templates/methodology", "serving/pages/templates/models")
IN_PAGES = re.compile(
    r"\b(logs?|logarithm\w*|selectiv\w*|margins?|features?|metrics?|percentiles?|quantiles?|shap|outcomes?|variable"
    r"|median|deviation|regression|correlat\w*|null|nan|engagers?)\b",
    re.IGNORECASE,
)
# A grade says little of a label: it is made for sentences.
WORDS_OF_A_SENTENCE = 4
# What is filled in, and what only programs read.
PLACE, CODE = re.compile(r"%\(\w+\)s|\{\w+\}"), re.compile(r"<[^>]+>|`[^`]+`|Content-Type: \w+/\w+")
SPECS = (*(feature.spec for feature in FEATURES), BEYOND)
BOOKS = [Phrasebook(Contract(features=SPECS), {}, over_posts=over_posts) for over_posts in (False, True)]


def sentences(spec: FeatureSpec) -> list[str]:
    """Everything that is said of a feature, with values small and large, of one post and of many."""
    known = [book.known[SPECS.index(spec)] for book in BOOKS]
    said = [
        one.told(value, points)["sentence"]
        for one in known
        for value in (0.0, 0.3, 1.0, 3.3, float("nan"))
        for points in (1.0, -1.0)
    ]
    return [*dict.fromkeys(said), *filter(None, [spec.advice])]


def grade(text: str) -> float:
    """The school year that a text asks for, by Flesch and Kincaid."""
    return float(textstat.flesch_kincaid_grade(text))


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_no_sentence_is_hard_to_read(spec: FeatureSpec) -> None:
    hard = {text: grade(text) for text in sentences(spec) if grade(text) > MOST}
    assert not hard


def test_most_sentences_are_easy() -> None:
    assert fmean(grade(text) for spec in SPECS for text in sentences(spec)) <= MOST_ON_AVERAGE


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_there_is_no_jargon(spec: FeatureSpec) -> None:
    found = {text: told[0] for text in (spec.label, *sentences(spec)) if (told := JARGON.search(text))}
    assert not found


@pytest.mark.parametrize("text", FIXED.values(), ids=FIXED)
def test_why_something_is_fixed_is_plain_too(text: str) -> None:
    assert grade(text) <= MOST
    assert not JARGON.search(text)


def of_pages() -> list[tuple[str, str]]:
    """Each text of the pages as people may read it, with the file that says it."""
    return [
        (CODE.sub("", PLACE.sub("12", text)), message.locations[0][0])
        for message in page_words.gathered()
        if message.id
        for text in ((message.id,) if isinstance(message.id, str) else message.id)
    ]


def test_no_text_of_a_page_is_hard_to_read_but_for_experts() -> None:
    said = {text for text, file in of_pages() if not file.startswith(FOR_EXPERTS)}
    grades = {text: grade(text) for text in said if len(text.split()) >= WORDS_OF_A_SENTENCE}
    assert fmean(grades.values()) <= MOST_ON_AVERAGE
    assert not {text: found for text, found in grades.items() if found > MOST}


def test_no_page_has_jargon_but_for_experts() -> None:
    assert not [text for text, file in of_pages() if not file.startswith(FOR_EXPERTS) and IN_PAGES.search(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Hashtag utilisation demonstrates a substantially favourable association with anticipated engagement.",
        "Usual reactions to posts that also have pictures or videos, or also have none: fewer than two earlier posts like this have a known result.",
    ],
)
def test_a_hard_sentence_is_seen(text: str) -> None:
    assert grade(text) > MOST


@pytest.mark.parametrize("text", ["a share of the reactions", "Engagers' selectivity", "12 steps on a log scale"])
def test_jargon_is_seen(text: str) -> None:
    assert JARGON.search(text)
