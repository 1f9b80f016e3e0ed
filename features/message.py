"""What the post says and shows: features of its own text and form, in any language."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import polars as pl

from clout.features.feature import Feature
from clout.features.shared import Shared

URL = r"https?://\S+"
HASHTAG = r"[#＃][\p{L}\p{N}_]+"
MENTION = r"(?:^|[^\p{L}\p{N}_])@[\p{L}\p{N}_]+"
LENGTH_STEP, LENGTHS = 40, 4
NONE = "the text has none, or is not known"
PLAIN = pl.col("text").str.replace_all(URL, "")
# To count a run of letters by what stands between is several times as quick as to count each of them.
SPACED = PLAIN.str.replace_all(r"[^\S ]\s*| \s+", " ").str.strip_chars(" ")
CHARS, SPACES = SPACED.str.len_chars(), SPACED.str.count_matches(" ")
WORDS = SPACES + (CHARS > 0)


def _counted(reported: str, pattern: str) -> pl.Expr:
    return pl.coalesce(pl.col(reported), pl.col("text").str.count_matches(pattern).cast(pl.Int64))


def _per_letter(pattern: str) -> pl.Expr:
    letters = CHARS - SPACES - SPACED.str.count_matches(r"[^\p{L} ]")
    return pl.when(letters > 0).then(PLAIN.str.count_matches(pattern) / letters)


class _Words(NamedTuple):
    label: str
    given: str
    advice: str
    missing: str = "the text or the form of the post is not known"


def _message(name: str, unit: str, expression: pl.Expr, words: _Words) -> Feature:
    """A feature of the form; `given` begins a sentence about posts that have its value."""
    label, given, advice, missing = words
    more, less = (f"{given} people tend to react {way}." for way in ("more", "less"))
    return Feature(name, "format", unit, label, more, less, expression, advice=advice, missing=missing)


def _flag(pattern: str) -> pl.Expr:
    return pl.col("text").str.contains(pattern)


def _place(pattern: str) -> pl.Expr:
    """How much of the text stands before the first match; missing without one."""
    text = pl.col("text").str
    before = text.extract(rf"(?s)^.*?(?:{pattern})", 0).str.len_chars() - text.extract(pattern, 0).str.len_chars()
    return before / text.len_chars()


FEATURES = (
    _message(
        "text_chars",
        "characters",
        PLAIN.str.len_chars(),
        _Words(
            "length of the text",
            "With a text of {value},",
            "Compare a longer text with a shorter one.",
        ),
    ),
    _message(
        "text_words",
        "words",
        WORDS,
        _Words(
            "number of words",
            "With a text of {value},",
            "Compare more words with fewer.",
        ),
    ),
    _message(
        "word_chars_mean",
        "characters",
        pl.when(WORDS > 0).then((CHARS - SPACES) / WORDS),
        _Words(
            "length of the words",
            "With words of {value},",
            "Compare shorter words with longer ones.",
        ),
    ),
    _message(
        "urls_count",
        "links",
        _counted("n_urls", URL),
        _Words(
            "links",
            "With {value},",
            "Compare a text with a link and one without.",
        ),
    ),
    _message(
        "hashtags_count",
        "hashtags",
        _counted("n_hashtags", HASHTAG),
        _Words(
            "hashtags",
            "With {value},",
            "Compare more hashtags with fewer, and with others.",
        ),
    ),
    _message(
        "hashtags_words_share",
        "of the words",
        pl.when(WORDS > 0).then(_counted("n_hashtags", HASHTAG) / WORDS),
        _Words(
            "hashtags among the words",
            "With hashtags as {value},",
            "Compare more words for each hashtag with fewer.",
        ),
    ),
    _message(
        "mentions_count",
        "mentions",
        _counted("n_mentions", MENTION),
        _Words(
            "mentions of others",
            "With {value},",
            "Compare naming others with naming nobody.",
        ),
    ),
    _message(
        "media_count",
        "pictures or videos",
        pl.col("n_media"),
        _Words(
            "pictures and videos",
            "With {value},",
            "Compare a post with a picture or a video and one without.",
        ),
    ),
    _message(
        "questions_count",
        "question marks",
        PLAIN.str.count_matches(r"[?？]"),
        _Words(
            "questions",
            "With {value},",
            "Compare asking more with asking less.",
        ),
    ),
    _message(
        "exclamations_count",
        "exclamation marks",
        PLAIN.str.count_matches(r"[!！]"),
        _Words(
            "exclamation marks",
            "With {value},",
            "Compare more exclamation marks with fewer.",
        ),
    ),
    _message(
        "digits_count",
        "digits",
        PLAIN.str.count_matches(r"\p{Nd}"),
        _Words(
            "numbers in the text",
            "With {value},",
            "Compare a text with numbers and one without.",
        ),
    ),
    _message(
        "capitals_share",
        "of the letters",
        _per_letter(r"\p{Lu}"),
        _Words(
            "capital letters",
            "With capitals as {value},",
            "Compare more capital letters with fewer.",
        ),
    ),
    _message(
        "full_stops_count",
        "full stops",
        PLAIN.str.count_matches(r"[.。]"),
        _Words(
            "full stops",
            "With {value},",
            "Compare more sentences with fewer.",
        ),
    ),
    _message(
        "mention_place_share",
        "of the text",
        _place(MENTION),
        _Words(
            "place of the first name",
            "With the first name {value},",
            "Compare names early in the text with names late in it.",
            NONE,
        ),
    ),
    _message(
        "hashtag_place_share",
        "of the text",
        _place(HASHTAG),
        _Words(
            "place of the first hashtag",
            "With the first hashtag {value},",
            "Compare hashtags early in the text with hashtags late in it.",
            NONE,
        ),
    ),
    _message(
        "reply_flag",
        "yes or no",
        (pl.col("kind") == "reply").cast(pl.Float64),
        _Words(
            "replies to others",
            "Replies to others: {value}. With that,",
            "Compare replies to others with posts of your own.",
        ),
    ),
    _message(
        "quote_flag",
        "yes or no",
        (pl.col("kind") == "quote").cast(pl.Float64),
        _Words(
            "quotes of other posts",
            "Quotes of other posts: {value}. With that,",
            "Compare quoting other posts with not quoting.",
        ),
    ),
    _message(
        "mention_first_flag",
        "yes or no",
        _flag(r"^\s*\.?@").cast(pl.Float64),
        _Words(
            "a name at the start",
            "A name at the start: {value}. With that,",
            "Compare a name at the start with one later in the text.",
        ),
    ),
)


_LOWER = pl.col("text").str.to_lowercase()
FORM = {
    "has_link": _counted("n_urls", URL) > 0,
    "has_media": (pl.col("n_media") > 0).fill_null(value=False),
    "length": (PLAIN.str.len_chars() // LENGTH_STEP).clip(upper_bound=LENGTHS - 1),
    "opening": _LOWER.str.extract(r"\S+", 0),
    "hashtag": _LOWER.str.extract(HASHTAG, 0),
    "hour": pl.col("happened_at").dt.hour(),
    "daypart": pl.col("happened_at").dt.hour() // 3,
    "weekday": pl.col("happened_at").dt.weekday(),
}


def with_form(posts: pl.DataFrame, names: Iterable[str] = tuple(FORM)) -> pl.DataFrame:
    """`posts` with what earlier posts of the same form are looked up by, a column for each of `names`.

    has_link, has_media (not where media are not reported), length (in steps of 40 characters), opening (the first word),
    hashtag (the first), hour, daypart, weekday.
    """
    return posts.with_columns(_form(tuple(names)).select(posts))


@cache
def _form(names: tuple[str, ...]) -> Shared:
    return Shared({name: FORM[name] for name in names})
