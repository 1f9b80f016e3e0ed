"""Texts that pages say though no page wrote them: words of features and values, of bands and problems, of answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import astuple
from functools import cache

from clout.features.catalogue import CONTRACT
from clout.features.groups import FIXED
from clout.models import account, change, phrases, step_words
from clout.models.scale import BANDS
from clout.serving.accounts import batch, findings, others, told
from clout.serving.drafts import ideas, judged
from clout.serving.problems import KINDS

SPECS = {spec.name: spec for spec in account.contract_of(CONTRACT).features}
# What is filled into answers in English. They are tried in this order: one that may hold another comes before it.
TEMPLATES = (
    change.NO_EVIDENCE,
    change.NO_BRIDGE,
    findings.SENTENCE,
    told.NO_EARLIER,
    told.SEVERAL,
    told.NOBODY,
    told.NOT_SCORED,
    others.NO_SCORE,
    judged.BETTER_HOUR,
    judged.PUBLISH_AT,
    ideas.KEEP_SOME,
    *step_words.TEMPLATES,
    account.BOTH,
    *account.MORE_POSTS,
    *account.MORE_WEEKS,
    account.NO_POST,
    "{first} and {second}",
)
SENTENCES = (
    *told.ARTICLES.values(),
    told.NO_PERSON,
    others.OTHER_SCALE,
    others.OTHER_MODEL,
    step_words.NOTHING,
    judged.NO_BETTER_HOUR,
    *(getattr(ideas, name) for name in ("ADD_MEDIA", "NO_MEDIA", "ADD_LINK", "NO_LINK")),
    *(getattr(ideas, name) for name in ("ADD_HASHTAG", "NO_HASHTAG", "ADD_QUESTION", "NO_QUESTION", "KEEP_ONE")),
)
# A place to fill in, once a template is escaped.
# What people can do, where what programs can do is of no use to them.
FOR_PEOPLE = {
    "unknown_account": "Check how the name is spelled, or find the account from the first page.",
    "unknown_route": "Go to the first page.",
    "not_scored_yet": "Come back when all accounts have been scored again.",
}
PLACE = re.compile(r"\\{(\w+)\\}")


@cache
def patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Each template with the pattern of what is made of it."""
    return tuple((template, re.compile(PLACE.sub(r"(?P<\1>.+)", re.escape(template)))) for template in TEMPLATES)


def msgids() -> Iterator[str | tuple[str, str]]:
    """Every text, and one and many where it counts."""
    for spec in SPECS.values():
        yield from filter(None, (spec.label, spec.helping, spec.holding_back, spec.advice, spec.missing))
    yield from FIXED.values()
    yield from _of_values()
    yield from (words for _, words in BANDS)
    yield from (*(words for _, words in batch.SIZES), batch.LARGEST)
    for kind in KINDS.values():
        yield from (kind.title, kind.advice)
    yield from FOR_PEOPLE.values()
    yield from (*TEMPLATES, *SENTENCES)


def _of_values() -> Iterator[str | tuple[str, str]]:
    """What values are said with, beside what `phrases` itself says by name."""
    for noun in (*vars(phrases).values(), *(phrases.SIZES | phrases.IN_POSTS | phrases.HAD | phrases.TYPICAL).values()):
        if isinstance(noun, phrases.Noun):
            yield from ((noun.one, noun.many), noun.none)
    for part in phrases.PARTS.values():
        yield from astuple(part)
    for factor in phrases.FACTORS.values():
        yield from astuple(factor)
    yield from phrases.WEEKDAYS
