"""Values as people read them: a number with its unit, in English or in the speech of another language.

What may be said is a template in English, which is also its key in a catalogue of texts: `{n}` is a number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from clout.features.contract import SIDE_OF, FeatureSpec

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LARGEST_LOG = 30.0
# The sides whose values one sets anew with every post.
OF_EACH_POST = ("message", "timing")
NOTHING, HARDLY = 1e-9, 0.005


class Speech(Protocol):
    """A language: how it says texts, plurals, numbers and percentages."""

    def text(self, msgid: str, /, **values: object) -> str:
        """The text in this language, `{name}` replaced by `values`."""

    def plural(self, one: str, many: str, n: float, digits: int = 0) -> str:
        """The one of both that goes with `n`, which `{n}` stands for, told with so many digits."""

    def number(self, value: float, digits: int = 0) -> str:
        """A number with so many digits after the point."""

    def percent(self, share: float, digits: int = 0) -> str:
        """A share of 1 as a percentage."""


class English:
    """What the code itself says."""

    def text(self, msgid: str, /, **values: object) -> str:
        """The text, `{name}` replaced by `values`."""
        return msgid.format(**values) if values else msgid

    def plural(self, one: str, many: str, n: float, digits: int = 0) -> str:
        """`one` for 1, else `many`; `{n}` is the number."""
        return (one if n == 1 else many).replace("{n}", f"{n:,.{digits}f}")

    def number(self, value: float, digits: int = 0) -> str:
        """A number with thousands apart."""
        return f"{value:,.{digits}f}"

    def percent(self, share: float, digits: int = 0) -> str:
        """A share of 1 as a percentage."""
        return f"{share:,.{digits}%}"


ENGLISH = English()
Say = Callable[[Speech, float], str]


def say(value: float, unit: str, speech: Speech = ENGLISH, *, over_posts: bool = False) -> str:
    """A value with its unit, in words; `over_posts` where it is a mean over the posts of an account.

    Some units say how the value is kept: "… (typical)" as log1p of a count, "times …" as the logarithm of a
    factor, "of …" as a share.

    >>> say(math.log1p(1250), "actions (typical)"), say(math.log(1.25), "times your usual")
    ('about 1,250 reactions', '25% more than your usual')
    >>> say(0.25, "of the words"), say(36.0, "hours"), say(1, "posts"), say(1234567.8, "followers")
    ('25% of the words', '36 hours', '1 post', '1,234,568 followers')
    >>> say(2, "links"), say(0.3, "links", over_posts=True), say(0.3, "yes or no", over_posts=True)
    ('2 links', '3 links in 10 posts', '3 of 10 posts')
    >>> say(14.51, "o'clock (UTC)"), say(14.51, "o'clock (UTC)", over_posts=True), say(5, "(1 is Monday)")
    ('14:30 UTC', 'your usual hours', 'Friday')
    """
    known = (MEANS.get(unit) if over_posts else None) or UNITS.get(unit) or _unheard(unit)
    return known(speech, value)


def told(
    spec: FeatureSpec, value: float, points: float, speech: Speech = ENGLISH, *, over_posts: bool = False
) -> tuple[str | None, str]:
    """A feature's value in words, None where it is missing (NaN), and the sentence of what it did to a score.

    `over_posts` where the value is a mean over the posts of an account.
    """
    if math.isnan(value):
        label, missing = speech.text(spec.label), speech.text(spec.missing)
        return None, speech.text("{label}: {missing}.", label=f"{label[:1].upper()}{label[1:]}", missing=missing)
    said = say(value, spec.unit, speech, over_posts=over_posts and SIDE_OF[spec.group] in OF_EACH_POST)
    return said, speech.text(spec.holding_back if points < 0 else spec.helping).replace("{value}", said)


@dataclass(frozen=True)
class Noun:
    """What is counted: one of it, many of it, none of it."""

    one: str
    many: str
    none: str

    def count(self, speech: Speech, number: float) -> str:
        """So many of it."""
        digits = _digits(number)
        shown = round(number, digits)
        return speech.plural(self.one, self.many, shown, digits) if shown else speech.text(self.none)

    def about(self, speech: Speech, number: float) -> str:
        """About so many of it, to three figures."""
        if number < 0.95:
            few = number > NOTHING
            return speech.text("less than {count}", count=self.count(speech, 1)) if few else speech.text(self.none)
        size = 1 if number < 1000 else 10 ** (math.floor(math.log10(number)) - 2)
        return speech.text("about {count}", count=self.count(speech, round(number / size) * size))

    def typical(self, speech: Speech, log: float) -> str:
        """A count that is kept as its log1p."""
        return self.about(speech, math.expm1(min(log, LARGEST_LOG)))

    def in_posts(self, speech: Speech, mean: float) -> str:
        """How many there are in a post, or in ten where there are few."""
        if mean <= NOTHING:
            return self.count(speech, 0)
        if mean >= 1:
            return speech.text("{count} a post", count=self.count(speech, mean))
        some, posts = _of_ten(mean)
        return speech.text("{count} in {posts} posts", count=self.count(speech, some), posts=posts)


@dataclass(frozen=True)
class Part:
    """A share of something: some of it, almost none, none at all."""

    some: str
    almost_none: str
    none: str

    def said(self, speech: Speech, share: float) -> str:
        """The share in words."""
        if share < HARDLY:
            return speech.text(self.none if share <= NOTHING else self.almost_none)
        return speech.text(self.some, percent=speech.percent(share))


@dataclass(frozen=True)
class Factor:
    """What lies beside its usual: about at it, some per cent above or below, several times as high."""

    usual: str
    more: str
    less: str
    times: str

    def said(self, speech: Speech, log: float) -> str:
        """The factor, kept as its logarithm, in words."""
        factor = math.exp(min(log, LARGEST_LOG))
        if factor >= 2:
            return speech.text(self.times, n=_told(speech, factor))
        change = abs(factor - 1)
        if change < 0.015:
            return speech.text(self.usual)
        return speech.text(self.more if factor > 1 else self.less, percent=speech.percent(change))


@cache
def _unheard(unit: str) -> Say:
    """How a unit is said that no feature of ours has, by how it says its value is kept."""
    many = unit.removesuffix("(typical)").strip()
    if many != unit:
        return Noun(f"{{n}} {many}", f"{{n}} {many}", f"no {many}").typical
    if unit.startswith("of "):
        return Part(f"{{percent}} {unit}", f"almost none {unit}", f"none {unit}").said
    if unit.startswith("times "):
        usual = unit.removeprefix("times ")
        return Factor(
            f"about {usual}", f"{{percent}} more than {usual}", f"{{percent}} less than {usual}", f"{{n}} {unit}"
        ).said
    return lambda speech, value: f"{_told(speech, value)} {unit}".strip()


def _counted(noun: Noun) -> Say:
    """A whole number."""
    return lambda speech, value: noun.count(speech, round(value))


def _waited(speech: Speech, hours: float) -> str:
    """A time in the unit that suits it."""
    if hours < 1:
        return MINUTES.count(speech, round(60 * hours))
    return HOURS.count(speech, hours) if hours < 48 else DAYS.count(speech, hours / 24)


def _clock(_: Speech, hour: float) -> str:
    minutes = int(hour * 60 + 1e-6)
    return f"{minutes // 60}:{minutes % 60:02d} UTC"


def _weekday(speech: Speech, day: float) -> str:
    return speech.text(WEEKDAYS[(round(day) - 1) % 7])


def _yes(speech: Speech, flag: float) -> str:
    return speech.text("yes") if flag else speech.text("no")


def _often(speech: Speech, mean: float) -> str:
    """Of how many posts something is true."""
    if mean <= NOTHING:
        return speech.text("no post")
    if mean >= 1 - NOTHING:
        return speech.text("every post")
    some, posts = _of_ten(mean)
    return speech.text("{n} of {posts} posts", n=some, posts=posts)


def _place(speech: Speech, share: float) -> str:
    """Where something stands, given as the share of the text before it."""
    if share < HARDLY:
        return speech.text("at the very start")
    return speech.text("after {percent} of the text", percent=speech.percent(share))


def _ratio(speech: Speech, share: float) -> str:
    """Followers beside accounts followed, given as the share of followers in both."""
    if share < HARDLY:
        return speech.text("almost no followers")
    if share > 1 - HARDLY:
        return speech.text("almost only followers")
    if share < 0.475:
        return speech.text("1 follower for each {n} accounts you follow", n=_told(speech, (1 - share) / share))
    if share < 0.525:
        return speech.text("as many followers as accounts you follow")
    return speech.text("{n} followers for each account you follow", n=_told(speech, share / (1 - share)))


def _choosy(speech: Speech, selectivity: float) -> str:
    """How much people react elsewhere, given as 1 / (1 + their reactions in a month)."""
    times = round(1 / max(selectivity, NOTHING) - 1)
    if times < 2:
        return speech.text("people who hardly react to anybody else")
    return speech.text("people who react about {n} times a month", n=speech.number(times))


def _spread(speech: Speech, deviation: float) -> str:
    """How far posts lie apart, given as the deviation of their log1p."""
    factor = math.exp(min(deviation, LARGEST_LOG))
    if factor < 1.05:
        return speech.text("about your usual")
    return speech.text("{low} to {high} times your usual", low=_told(speech, 1 / factor), high=_told(speech, factor))


def _digits(number: float) -> int:
    """One digit after the point below ten, where it says something."""
    return 0 if number >= 10 or abs(number - round(number)) < 0.05 else 1


def _told(speech: Speech, number: float) -> str:
    return speech.number(number, _digits(number))


def _of_ten(mean: float) -> tuple[int, int]:
    """A mean below 1 as so many in so many posts: in ten, or in a hundred where it is small or large.

    >>> _of_ten(0.3), _of_ten(0.04), _of_ten(0.98), _of_ten(0.001)
    ((3, 10), (4, 100), (98, 100), (1, 100))
    """
    if 0.095 <= mean < 0.95:
        return round(10 * mean), 10
    return min(max(round(100 * mean), 1), 99), 100


REACTIONS = Noun("{n} reaction", "{n} reactions", "no reactions")
PEOPLE = Noun("{n} person", "{n} people", "no people")
VIEWS = Noun("{n} view", "{n} views", "no views")
MINUTES = Noun("{n} minute", "{n} minutes", "less than a minute")
HOURS = Noun("{n} hour", "{n} hours", "less than an hour")
DAYS = Noun("{n} day", "{n} days", "less than a day")
SIZES = {
    "characters": Noun("{n} character", "{n} characters", "no characters"),
    "words": Noun("{n} word", "{n} words", "no words"),
}
IN_POSTS = {
    "links": Noun("{n} link", "{n} links", "no links"),
    "hashtags": Noun("{n} hashtag", "{n} hashtags", "no hashtags"),
    "mentions": Noun("{n} mention", "{n} mentions", "no mentions"),
    "pictures or videos": Noun("{n} picture or video", "{n} pictures or videos", "no pictures or videos"),
    "question marks": Noun("{n} question mark", "{n} question marks", "no question marks"),
    "exclamation marks": Noun("{n} exclamation mark", "{n} exclamation marks", "no exclamation marks"),
    "digits": Noun("{n} digit", "{n} digits", "no digits"),
    "full stops": Noun("{n} full stop", "{n} full stops", "no full stops"),
}
HAD = {
    "posts": Noun("{n} post", "{n} posts", "no posts"),
    "followers": Noun("{n} follower", "{n} followers", "no followers"),
    "accounts": Noun("{n} account", "{n} accounts", "no accounts"),
    "lists": Noun("{n} list", "{n} lists", "no lists"),
    "pages": Noun("{n} page", "{n} pages", "no pages"),
}
TYPICAL = {
    "actions (typical)": REACTIONS,
    "likes (typical)": Noun("{n} like", "{n} likes", "no likes"),
    "reshares (typical)": Noun("{n} reshare", "{n} reshares", "no reshares"),
    "replies (typical)": Noun("{n} reply", "{n} replies", "no replies"),
    "quotes (typical)": Noun("{n} quote", "{n} quotes", "no quotes"),
}
PARTS = {
    "of the words": Part("{percent} of the words", "almost none of the words", "none of the words"),
    "of the letters": Part("{percent} of the letters", "almost none of the letters", "none of the letters"),
    "of your posts": Part("{percent} of your posts", "almost none of your posts", "none of your posts"),
    "of the reactions": Part("{percent} of the reactions", "almost none of the reactions", "none of the reactions"),
    "of the newly followed": Part(
        "{percent} of the accounts you had just followed",
        "almost none of the accounts you had just followed",
        "none of the accounts you had just followed",
    ),
}
FACTORS = {
    "times your usual": Factor(
        "about your usual",
        "{percent} more than your usual",
        "{percent} less than your usual",
        "{n} times your usual",
    ),
    "times their authors' usual": Factor(
        "about their authors' usual",
        "{percent} more than their authors' usual",
        "{percent} less than their authors' usual",
        "{n} times their authors' usual",
    ),
    "times what was expected": Factor(
        "about as much as expected",
        "{percent} more than expected",
        "{percent} less than expected",
        "{n} times what was expected",
    ),
}
UNITS: Mapping[str, Say] = {
    **{unit: noun.count for unit, noun in (SIZES | IN_POSTS).items()},
    **{unit: _counted(noun) for unit, noun in HAD.items()},
    **{unit: noun.typical for unit, noun in TYPICAL.items()},
    **{unit: part.said for unit, part in PARTS.items()},
    **{unit: factor.said for unit, factor in FACTORS.items()},
    "reactions (by weight)": REACTIONS.about,
    "people (by weight)": PEOPLE.about,
    "views a day": VIEWS.about,
    "hours": _waited,
    "o'clock (UTC)": _clock,
    "(1 is Monday)": _weekday,
    "yes or no": _yes,
    "of the text": _place,
    "of both": _ratio,
    "(1 is most selective)": _choosy,
    "steps on a log scale": _spread,
}
# Between two of these lies nothing that people would call usual.
UNORDERED = frozenset(("o'clock (UTC)", "(1 is Monday)", "yes or no"))
# How the mean over an account's posts is said, where that is not how one value is.
MEANS: Mapping[str, Say] = {
    **{unit: noun.about for unit, noun in SIZES.items()},
    **{unit: noun.in_posts for unit, noun in IN_POSTS.items()},
    "o'clock (UTC)": lambda speech, _: speech.text("your usual hours"),
    "(1 is Monday)": lambda speech, _: speech.text("your usual days"),
    "yes or no": _often,
}
