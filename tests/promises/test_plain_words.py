"""What people read about features is plain: no jargon, and a reading level that school gives at twelve or thirteen."""

from __future__ import annotations

import re
from statistics import fmean

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
