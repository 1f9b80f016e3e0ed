"""The languages of the pages."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from string import Formatter

import pytest
from starlette.requests import Request

from clout.features.catalogue import CONTRACT
from clout.models import account, phrases
from clout.models.account import AccountRule
from clout.serving.accounts import findings
from clout.serving.answers import Reason
from clout.serving.pages import texts
from clout.serving.pages.tongue import Tongue, tongue_of, tongues

VALUES = (0.0, 1e-6, 0.003, 0.02, 0.3, 0.5, 0.7, 0.96, 1.0, 1.4, 2.0, 3.25, 9.96, 23.9, 137.0)


@pytest.fixture
def english() -> Tongue:
    return tongues()["en"]


@pytest.fixture
def swedish() -> Tongue:
    return tongues()["sv"]


def asked(query: str = "", accept: str = "") -> Request:
    """A request with a query and an Accept-Language header."""
    headers = [(b"accept-language", accept.encode())] if accept else []
    return Request({"type": "http", "query_string": query.encode(), "headers": headers})


@pytest.mark.parametrize(
    ("query", "accept", "code"),
    [
        ("", "", "en"),
        ("lang=sv", "", "sv"),
        ("lang=en", "sv", "en"),
        ("lang=xx", "sv", "sv"),
        ("", "sv-SE,sv;q=0.9,en;q=0.8", "sv"),
        ("", "de, sv;q=0.5, en;q=0.7", "en"),
        ("", "SV", "sv"),
        ("", "sv;q=0, de", "en"),
        ("", "*", "en"),
        ("", "sv;q=nonsense, en;q=0.1", "en"),
        ("", ";;q=,,=", "en"),
    ],
)
def test_the_language_is_as_asked_or_as_preferred(query: str, accept: str, code: str) -> None:
    assert tongue_of(asked(query, accept)).code == code


def test_numbers_points_and_days_are_written_as_readers_write_them(english: Tongue, swedish: Tongue) -> None:
    day = datetime(2026, 3, 2, 14, 5, tzinfo=UTC)
    told = [
        [one.number(1234567.25, 1), one.points(4), one.points(-4.4, 1), one.percent(0.256), one.percent(0.256, 1)]
        for one in (english, swedish)
    ]
    assert told[0] == ["1,234,567.2", "+4", "−4.4", "26%", "25.6%"]
    assert told[1] == [
        "1\N{NO-BREAK SPACE}234\N{NO-BREAK SPACE}567,2",
        "+4",
        "−4,4",
        "26\N{NO-BREAK SPACE}%",
        "25,6\N{NO-BREAK SPACE}%",
    ]
    assert (english.day(date(2026, 3, 2)), english.moment(day)) == ("2 March 2026", "2 March 2026, 14:05 UTC")
    assert (swedish.day(date(2026, 3, 2)), swedish.moment(day)) == ("2 mars 2026", "2 mars 2026, 14:05 UTC")


@pytest.mark.parametrize("points", [0.0, 0.3, -0.3, -0.0])
def test_no_points_have_no_sign(english: Tongue, points: float) -> None:
    assert english.points(points) == "0"


def test_plurals_follow_the_language(english: Tongue, swedish: Tongue) -> None:
    link = phrases.IN_POSTS["links"]
    assert [english.plural(link.one, link.many, n) for n in (1, 2, 1200)] == ["1 link", "2 links", "1,200 links"]
    assert [swedish.plural(link.one, link.many, n) for n in (1, 2)] == ["1 länk", "2 länkar"]
    assert swedish.plural(link.one, link.many, 1.4, 1) == "1,4 länkar"


@pytest.mark.parametrize("unit", phrases.UNITS)
def test_a_page_in_english_says_values_as_answers_do(english: Tongue, unit: str) -> None:
    for value in VALUES:
        for over_posts in (False, True):
            assert english.said(value, unit, over_posts=over_posts) == phrases.say(value, unit, over_posts=over_posts)


@pytest.mark.parametrize("unit", phrases.UNITS)
def test_swedish_says_every_value_its_own_way(english: Tongue, swedish: Tongue, unit: str) -> None:
    alike = {
        value
        for value in VALUES
        if english.said(value, unit) == swedish.said(value, unit) and not english.said(value, unit).endswith("UTC")
    }
    assert not alike


def reason(code: str, value: float | None, points: float) -> Reason:
    """A reason as answers tell it."""
    spec = texts.SPECS[code]
    said, sentence = phrases.told(spec, math.nan if value is None else value, points)
    return Reason(
        code=code, label=spec.label, group=spec.group, side="message", value=value, unit=spec.unit, said=said, typical=None,
        points=points, points_printed=round(points), actionable=spec.actionable, sentence=sentence, advice=spec.advice,
    )  # fmt: skip


def test_a_reason_is_told_in_the_language(swedish: Tongue) -> None:
    told = swedish.reason(reason("urls_count", 0.3, -2.0), over_posts=True)
    assert told.sentence == "Med 3 länkar på 10 inlägg brukar folk reagera mindre."
    assert (told.label, told.said, told.advice) == (
        "länkar",
        "3 länkar på 10 inlägg",
        "Jämför en text med länk och en utan.",
    )
    assert (told.points, told.value, told.code) == (-2.0, 0.3, "urls_count")


def test_a_feature_is_called_what_it_is_called_now(swedish: Tongue) -> None:
    assert swedish.label("urls_count", "web addresses") == "länkar"
    assert swedish.label("urls_of_old", "web addresses") == "web addresses"


def test_a_missing_value_is_told_in_the_language(swedish: Tongue) -> None:
    told = swedish.reason(reason("outcome_log_max_all", None, 0.5))
    assert (told.said, told.sentence) == (None, "Bästa inlägget hittills: inget tidigare inlägg har ett känt resultat.")


@pytest.mark.parametrize("code", ["followers_last", "outcome_log_max_all", "network_outcome_log_mean_30d"])
def test_why_something_cannot_be_changed_is_said(english: Tongue, code: str) -> None:
    assert english.reason(reason(code, 3.0, 1.0)).advice.startswith("You cannot change")


def test_there_is_no_range_of_days_or_of_yes_and_no(english: Tongue) -> None:
    spans = {code: reason(code, 1.0, 1.0).model_copy(update={"typical": (1.0, 3.0)}) for code in texts.SPECS}
    without = {code for code, told in spans.items() if english.reason(told).typical is None}
    assert without == {"hour_utc", "weekday", "reply_flag", "quote_flag", "mention_first_flag", "verified_flag"}


def test_words_of_an_older_model_give_way_to_those_of_now(english: Tongue) -> None:
    older = reason("urls_count", 2.0, 1.0).model_copy(update={"sentence": "Stiff.", "label": "urls"})
    assert english.reason(older).sentence == "With 2 links, people tend to react more."
    assert english.reason(older).label == "links"


def test_a_feature_that_is_not_known_any_more_keeps_its_words(swedish: Tongue) -> None:
    gone = reason("urls_count", 2.0, 1.0).model_copy(update={"code": "urls_of_old"})
    other_unit = reason("urls_count", 2.0, 1.0).model_copy(update={"unit": "percent"})
    assert swedish.reason(gone) == gone
    assert swedish.reason(other_unit) == other_unit


MISSING = [
    AccountRule().lacks(*told) for told in ((3, 3, 15.0), (0, 0, 0.0), (0, 40, 300.0), (9, 9, 21.5), (9, 40, 1.0))
]
FINDING = findings.findings(
    {"actions_burst_share_30d": 0.7}, {feature: [0.0, 0.0, 0.0, 0.0, 0.06] for feature in CONTRACT.names}
)[0]["sentence"]


@pytest.mark.parametrize(
    ("english", "told"),
    [
        (MISSING[0], "7 inlägg till med känt resultat (3 av 10 hittills), och 2 veckor till"),
        (
            MISSING[1],
            "10 inlägg till med känt resultat (0 av 10 hittills), och 4 veckor till, och ett inlägg under de senaste 90 dagarna",
        ),
        (MISSING[2], "ett inlägg under de senaste 90 dagarna"),
        (MISSING[3], "1 inlägg till med känt resultat (9 av 10 hittills), och 1 vecka till"),
        (MISSING[4], "4 veckor till"),
        (
            FINDING,
            "Det här betyget vilar på ovanligt engagemang: reaktioner som kom i en plötslig våg utgör "
            "70\N{NO-BREAK SPACE}%; 19 av 20 inlägg har högst 6\N{NO-BREAK SPACE}%.",
        ),
        (
            "There was not enough evidence for a score on 2026-03-02 and 2026-03-03.",
            "Det fanns inte nog underlag för ett betyg den 2 mars 2026 och 3 mars 2026.",
        ),
        ("There is no score from a week before.", "Det finns inget betyg från en vecka tidigare."),
        ("Publish it at 14:00 UTC on Friday.", "Lägg ut det klockan 14:00 UTC på fredag."),
        (
            "At the best hour the score is 3.5 points more than at the draft's own time.",
            "Vid den bästa timmen är betyget 3,5 poäng högre än vid utkastets egen tid.",
        ),
        ("Leave out the link.", "Ta bort länken."),
        ("well above average", "klart över medel"),
        ("1,000 to 9,999 followers", "1 000 till 9 999 följare"),
        ("Somebody else wrote this.", "Somebody else wrote this."),
        ("", ""),
    ],
)
def test_what_answers_say_is_told_again(english: str, told: str, swedish: Tongue) -> None:
    assert swedish.retold(english) == told


def test_english_tells_nothing_again(english: Tongue) -> None:
    assert english.retold("1,000 to 9,999 followers") == "1,000 to 9,999 followers"


@pytest.mark.parametrize("template", texts.TEMPLATES)
def test_each_sentence_is_told_again_by_its_own_template(template: str, swedish: Tongue) -> None:
    values = {name: "12" for _, name, _, _ in Formatter().parse(template) if name}
    assert swedish.retold(template.format(**values)) == swedish.text(template, **values)


def test_the_account_s_own_reason_is_among_them() -> None:
    assert account.BEYOND.name in texts.SPECS
