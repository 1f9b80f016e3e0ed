"""What one can do otherwise with one's coming posts: single steps, not yet whether they help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from clout.features import edits
from clout.features.catalogue import FEATURES
from clout.features.message import WORDS

HOURS = 3
LENGTHS = (10, 16, 24)
LATELY = "lately"
RISING = frozenset({"picture_more", "link_more", "hashtags_more", "question_more", "longer", "hour", "weekend_more"})


@dataclass(frozen=True, eq=False)
class Step:
    """One thing to do otherwise, and how posts look that were published so.

    `feature` is what it is about. `level` is how far one post does it already: the mean over an account's posts is where
    the account stands, a share of its posts or a number a post. `columns` are the columns of the posts table that become
    another, of the posts that `fits`; `alike` are posts that are already as these would be. `looked_up` is what becomes
    another of what is looked up, with what had happened before each post. `to` is the number that the step names: the most
    hashtags, the words, the hour.
    """

    code: str
    feature: str
    level: pl.Expr
    fits: pl.Expr
    alike: pl.Expr
    columns: Mapping[str, pl.Expr] = field(default_factory=dict)
    looked_up: Mapping[str, pl.Expr] = field(default_factory=dict)
    to: int | None = None

    @property
    def rises(self) -> bool:
        """Whether an account does more of it afterwards."""
        return self.code in RISING


def _measure(name: str) -> pl.Expr:
    """What the catalogue says of a post by itself."""
    return next(feature.expression for feature in FEATURES if feature.name == name)


def _told(column: str, value: pl.Expr) -> dict[str, pl.Expr]:
    """A count of the posts table that becomes another, where there is one."""
    return {column: pl.when(pl.col(column).is_not_null()).then(value.cast(pl.Int64))}


def _pictures() -> Iterator[Step]:
    shown = _measure("media_count") > 0
    said = pl.col("text").str.strip_chars() != ""
    for code, fits, count in (("picture_more", ~shown, 1), ("picture_less", shown & said, 0)):
        alike = shown if count else ~shown
        yield Step(code, "media_count", shown, fits, alike, _told("n_media", pl.lit(count)))


def _links() -> Iterator[Step]:
    linked = _measure("urls_count") > 0
    less = {"text": edits.without_links(), **_told("n_urls", pl.lit(0))}
    yield Step("link_less", "urls_count", linked, linked & (WORDS > 0), ~linked, less)
    more = {"text": edits.with_link(), **_told("n_urls", pl.lit(1))}
    yield Step("link_more", "urls_count", linked, ~linked, linked, more)


def _hashtags() -> Iterator[Step]:
    tags = _measure("hashtags_count")
    for most in (0, 1, 2):
        fewer = {"text": edits.with_hashtags(most), **_told("n_hashtags", pl.lit(most))}
        fits = (tags > most) & (WORDS > 1)
        yield Step("hashtags_fewer", "hashtags_count", tags, fits, tags == most, fewer, to=most)
    more = {"text": edits.with_hashtag(), **_told("n_hashtags", pl.lit(1))}
    yield Step("hashtags_more", "hashtags_count", tags, tags == 0, tags == 1, more, to=1)


def _tone() -> Iterator[Step]:
    asks, shouts = _measure("questions_count") > 0, _measure("exclamations_count") > 0
    yield Step("question_more", "questions_count", asks, ~asks, asks, {"text": edits.asking()})
    yield Step("question_less", "questions_count", asks, asks, ~asks, {"text": edits.saying()})
    yield Step("exclamation_less", "exclamations_count", shouts, shouts, ~shouts, {"text": edits.calm()})


def _names() -> Iterator[Step]:
    """Whom a reply answers has to be named."""
    names, first = _measure("mentions_count"), _measure("mention_first_flag") == 1
    own, reply = pl.col("kind") != "reply", pl.col("kind") == "reply"
    fewer = {"text": edits.without_names(), **_told("n_mentions", pl.lit(0))}
    level = pl.when(own).then(names)
    yield Step("names_fewer", "mentions_count", level, own & (names > 0), own & (names == 0), fewer)
    later = own & (names > 0) & ~first
    yield Step("names_later", "mention_first_flag", first & ~reply, first & own, later, {"text": edits.names_last()})


def _lengths() -> Iterator[Step]:
    said = edits.said().list.len()
    for words in LENGTHS:
        shorter, longer = said > words, said.is_between(words // 3, words - 1)
        near = (said >= words // 2) & (said <= words)
        yield Step("shorter", "text_words", WORDS, shorter, near, {"text": edits.cut(words)}, to=words)
        near = (said >= words) & (said <= 2 * words)
        yield Step("longer", "text_words", WORDS, longer, near, {"text": edits.drawn_out(words)}, to=words)


def _times() -> Iterator[Step]:
    hour, weekday = pl.col("happened_at").dt.hour(), _measure("weekday")
    for start in range(0, 24, HOURS):
        there = hour // HOURS == start // HOURS
        moved = pl.col("happened_at") + pl.duration(hours=start + 1 - hour.cast(pl.Int64))
        yield Step("hour", "hour_utc", there, ~there, there, {"happened_at": moved}, to=start)
    late, day = weekday >= 6, weekday.cast(pl.Int64)
    for code, fits, days in (
        ("weekend_less", late, pl.when(day == 6).then(-1).otherwise(1)),
        ("weekend_more", ~late, 6 - day),
    ):
        moved = pl.col("happened_at") + pl.duration(days=days)
        yield Step(code, "weekday", late, fits, ~fits, {"happened_at": moved})


def _pace() -> Iterator[Step]:
    """Half of the posts in the day before, and twice the time since the last one."""
    gap = pl.col("at") - 2 * (pl.col("at") - pl.col("posts|time|last"))
    eased = {"posts|n|1d": pl.col("posts|n|1d") // 2, "posts|time|last": gap}
    lately = pl.col(LATELY)
    half = {LATELY: lately // 2}
    yield Step("fewer_a_day", "posts_count_1d", lately, lately >= 2, lately <= 1, half, looked_up=eased)


STEPS: tuple[Step, ...] = (
    *_pictures(),
    *_links(),
    *_hashtags(),
    *_tone(),
    *_names(),
    *_lengths(),
    *_times(),
    *_pace(),
)
