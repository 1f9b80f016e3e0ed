"""A language as pages speak it: texts from the catalogue, numbers, dates and values the way its readers write them.

English is what the code says; every other language is a `serving/locale/<code>/LC_MESSAGES/clout.po`, read once.
A text is a template: `{name}` stands for a value in Python, `%(name)s` in a Jinja template.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale, negotiate_locale
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from starlette.requests import Request

from clout.features.groups import FIXED
from clout.models import phrases
from clout.serving.answers import Reason
from clout.serving.pages import texts

FOLDER = Path(__file__).parent.parent / "locale"
ENGLISH = "en"
REGION_OF_ENGLISH = "en_GB"
MINUS = "\N{MINUS SIGN}"
SEVERAL = 2
NUMBER = re.compile(r"(?P<number>\d[\d,]*(\.\d+)?)(?P<percent>%?)")
DATE = re.compile(r"\d{4}-\d\d-\d\d")
DAY, MOMENT = "d MMMM y", "d MMMM y, HH:mm"


@dataclass(frozen=True, eq=False)
class Tongue:
    """A language: its `code`, how its `locale` writes numbers and dates, and its `texts`."""

    code: str
    locale: Locale
    texts: NullTranslations

    def text(self, msgid: str, /, **values: object) -> str:
        """The text in this language, `{name}` replaced by `values`; the English one where there is no other."""
        return _filled(self.gettext(msgid), values)

    def plural(self, one: str, many: str, n: float, digits: int = 0, **values: object) -> str:
        """`one` or `many`, whichever goes with `n`, in this language; `{n}` is the number with so many digits."""
        return _filled(self.ngettext(one, many, n), {"n": self.number(n, digits), **values})

    def number(self, value: float, digits: int = 0) -> str:
        """A number with so many digits after the point, thousands apart."""
        told = _decimal(abs(round(value, digits)), digits, self.locale)
        return f"{MINUS}{told}" if round(value, digits) < 0 else told

    def points(self, value: float, digits: int = 0) -> str:
        """Points with their sign: +4, −4, 0."""
        told = self.number(value, digits)
        return f"+{told}" if round(value, digits) > 0 else told

    def percent(self, share: float, digits: int = 0) -> str:
        """A share of 1 as a percentage."""
        plain = self.locale.percent_formats[None].pattern
        return str(format_percent(share, plain.replace("#,##0", _pattern(digits)), self.locale))

    def day(self, moment: date) -> str:
        """A day: 22 November 2026."""
        return str(format_date(moment, DAY, locale=self.locale))

    def moment(self, moment: datetime) -> str:
        """A day and the time of it in UTC."""
        return f"{format_datetime(moment, MOMENT, tzinfo=UTC, locale=self.locale)} UTC"

    def weekday(self, moment: datetime) -> str:
        """The day of the week in UTC: Monday."""
        return str(format_datetime(moment, "EEEE", tzinfo=UTC, locale=self.locale))

    def hour(self, moment: datetime) -> str:
        """The time of the day in UTC: 06:00."""
        return str(format_datetime(moment, "HH:mm", tzinfo=UTC, locale=self.locale))

    def said(self, value: float, unit: str, *, over_posts: bool = False) -> str:
        """A value with its unit, in words; `over_posts` where it is a mean over the posts of an account."""
        return phrases.say(value, unit, self, over_posts=over_posts)

    def label(self, code: str, otherwise: str) -> str:
        """What a feature is called now, in this language; `otherwise` where none of that code is known any more."""
        return self.text(texts.SPECS[code].label) if code in texts.SPECS else otherwise

    def reason(self, reason: Reason, *, over_posts: bool = False) -> Reason:
        """A reason in this language, in the words that its feature has now; of an account's score `over_posts`.

        Its `advice` also says why one cannot change what one cannot; `typical` is None where a range says nothing.
        """
        spec = texts.SPECS.get(reason.code)
        if spec is None or spec.unit != reason.unit:
            return reason
        value = math.nan if reason.value is None else reason.value
        said, sentence = phrases.told(spec, value, reason.points, self, over_posts=over_posts)
        advice = self.text(spec.advice or FIXED[spec.group])
        typical = None if spec.unit in phrases.UNORDERED else reason.typical
        told = {"label": self.text(spec.label), "said": said, "sentence": sentence, "advice": advice}
        return reason.model_copy(update={**told, "typical": typical})

    def retold(self, sentence: str) -> str:
        """What answers say in English, in this language; itself where none of our templates made it."""
        if self.code == ENGLISH:
            return sentence
        known = self.gettext(sentence) if sentence else sentence
        return known if known != sentence else self._made(sentence) or self._number(sentence)

    def gettext(self, msgid: str) -> str:
        """The text as it stands, nothing replaced."""
        return self.texts.gettext(msgid)

    def ngettext(self, one: str, many: str, n: float) -> str:
        """`one` or `many` as it stands, nothing replaced; a fraction goes as several do."""
        return self.texts.ngettext(one, many, int(n) if n == int(n) else SEVERAL)

    def _made(self, sentence: str) -> str | None:
        """The sentence anew from its template, what was filled in told again too; None where it is of no template."""
        for template, pattern in texts.patterns():
            if found := pattern.fullmatch(sentence):
                return self.text(template, **{name: self.retold(part) for name, part in found.groupdict().items()})
        return None

    def _number(self, told: str) -> str:
        """A number, a percentage or a day as this language writes it; anything else as it is."""
        if DATE.fullmatch(told):
            return self.day(date.fromisoformat(told))
        if not (found := NUMBER.fullmatch(told)):
            return told
        plain = float(found["number"].replace(",", ""))
        digits = len(found["number"].partition(".")[2])
        return self.percent(plain / 100, digits) if found["percent"] else self.number(plain, digits)


@cache
def tongues() -> dict[str, Tongue]:
    """Every language that pages can be read in, by its code; English first."""
    files = sorted(FOLDER.glob("*/LC_MESSAGES/clout.po"))
    told = {code: _read(code, file) for file in files if (code := file.parent.parent.name)}
    return {ENGLISH: Tongue(ENGLISH, Locale.parse(REGION_OF_ENGLISH), NullTranslations()), **told}


def tongue_of(request: Request) -> Tongue:
    """The language of a request: `lang` in its query, else what its reader prefers, else English."""
    asked, known = request.query_params.get("lang", ""), tongues()
    if asked in known:
        return known[asked]
    return known[negotiate_locale(_preferred(request.headers.get("accept-language", "")), list(known), "-") or ENGLISH]


def _preferred(accept: str) -> list[str]:
    """The languages of an Accept-Language header, best first; those its reader does not want left out.

    >>> _preferred("de;q=0.5, sv-SE, en;q=0.9, fr;q=0")
    ['sv-se', 'en', 'de']
    """
    parts = [part.partition(";") for part in accept.replace(" ", "").lower().split(",") if part]
    weighed = [(_weight(quality), name) for name, _, quality in parts]
    return [name for weight, name in sorted(weighed, key=lambda told: -told[0]) if weight > 0]


def _weight(quality: str) -> float:
    try:
        return float(quality.removeprefix("q=") or 1)
    except ValueError:
        return 0.0


def _read(code: str, file: Path) -> Tongue:
    with file.open("rb") as source, BytesIO() as compiled:
        write_mo(compiled, read_po(source, locale=code))
        compiled.seek(0)
        return Tongue(code, Locale.parse(code), GNUTranslations(compiled))


def _filled(template: str, values: dict[str, object]) -> str:
    return template.format(**values) if values else template


@lru_cache(4096)
def _decimal(value: float, digits: int, locale: Locale) -> str:
    return str(format_decimal(value, _pattern(digits), locale))


def _pattern(digits: int) -> str:
    return f"#,##0.{'0' * digits}" if digits else "#,##0"
