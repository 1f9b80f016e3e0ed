"""What the post says and shows: features of its own text and form, in any language."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from clout.features.feature import Feature

URL = r"https?://\S+"
HASHTAG = r"[#＃][\p{L}\p{N}_]+"
MENTION = r"(?:^|[^\p{L}\p{N}_])@[\p{L}\p{N}_]+"
LENGTH_STEP, LENGTHS = 40, 4
PLAIN = pl.col("text").str.replace_all(URL, "")
WORDS = PLAIN.str.count_matches(r"\S+")


def _counted(reported: str, pattern: str) -> pl.Expr:
    return pl.coalesce(pl.col(reported), pl.col("text").str.count_matches(pattern).cast(pl.Int64))


def _per_letter(pattern: str) -> pl.Expr:
    letters = PLAIN.str.count_matches(r"\p{L}")
    return pl.when(letters > 0).then(PLAIN.str.count_matches(pattern) / letters)


class _Words(NamedTuple):
    label: str
    helping: str
    holding_back: str
    advice: str = ""


def _message(name: str, unit: str, expression: pl.Expr, words: _Words) -> Feature:
    label, helping, holding_back, advice = words
    missing = "the post's text or form is not known"
    return Feature(name, "format", unit, label, helping, holding_back, expression, advice=advice, missing=missing)


def _flag(pattern: str) -> pl.Expr:
    return pl.col("text").str.contains(pattern)


def _place(pattern: str) -> pl.Expr:
    """How much of the text stands before the first match; missing without one."""
    before = pl.col("text").str.extract(rf"(?s)^(.*?)(?:{pattern})").str.len_chars()
    return before / pl.col("text").str.len_chars()


FEATURES = (
    _message(
        "text_chars",
        "characters",
        PLAIN.str.len_chars(),
        _Words(
            "length of the text",
            "At {value} the text has a length that tends to draw more.",
            "At {value} the text has a length that tends to draw less.",
            "Try a longer or a shorter text.",
        ),
    ),
    _message(
        "text_words",
        "words",
        WORDS,
        _Words(
            "number of words",
            "With {value} the post says about as much as people react to.",
            "With {value} the post says less or more than people react to.",
            "Try more or fewer words.",
        ),
    ),
    _message(
        "word_chars_mean",
        "characters",
        pl.when(PLAIN.str.count_matches(r"\S+") > 0).then(
            PLAIN.str.count_matches(r"\S") / PLAIN.str.count_matches(r"\S+")
        ),
        _Words(
            "length of the words",
            "Its words, {value} on average, suit its readers.",
            "Its words, {value} on average, suit its readers less.",
            "Try shorter or longer words.",
        ),
    ),
    _message(
        "urls_count",
        "links",
        _counted("n_urls", URL),
        _Words(
            "links",
            "With {value}, posts like this draw more.",
            "With {value}, posts like this draw less.",
            "Try with or without a link.",
        ),
    ),
    _message(
        "hashtags_count",
        "hashtags",
        _counted("n_hashtags", HASHTAG),
        _Words(
            "hashtags",
            "With {value}, posts like this draw more.",
            "With {value}, posts like this draw less.",
            "Try fewer or other hashtags.",
        ),
    ),
    _message(
        "hashtags_words_share",
        "of the words",
        pl.when(WORDS > 0).then(_counted("n_hashtags", HASHTAG) / WORDS),
        _Words(
            "share of hashtags among the words",
            "Hashtags make up {value}, which goes with more reactions.",
            "Hashtags make up {value}, which goes with fewer reactions.",
            "Try more words for each hashtag.",
        ),
    ),
    _message(
        "mentions_count",
        "mentions",
        _counted("n_mentions", MENTION),
        _Words(
            "mentions of others",
            "With {value}, posts like this draw more.",
            "With {value}, posts like this draw less.",
            "Try with or without naming others.",
        ),
    ),
    _message(
        "media_count",
        "pictures or videos",
        pl.col("n_media"),
        _Words(
            "pictures and videos",
            "With {value}, posts like this draw more.",
            "With {value}, posts like this draw less.",
            "Try adding a picture.",
        ),
    ),
    _message(
        "questions_count",
        "question marks",
        PLAIN.str.count_matches(r"[?？]"),
        _Words(
            "questions",
            "With {value}, posts like this draw more.",
            "With {value}, posts like this draw less.",
            "Try asking, or not asking, a question.",
        ),
    ),
    _message(
        "exclamations_count",
        "exclamation marks",
        PLAIN.str.count_matches(r"[!！]"),
        _Words(
            "exclamation marks",
            "With {value}, posts like this draw more.",
            "With {value}, posts like this draw less.",
            "Try fewer exclamation marks.",
        ),
    ),
    _message(
        "digits_count",
        "digits",
        PLAIN.str.count_matches(r"\p{Nd}"),
        _Words(
            "numbers in the text",
            "With {value}, posts like this draw more.",
            "With {value}, posts like this draw less.",
            "Try with or without numbers.",
        ),
    ),
    _message(
        "capitals_share",
        "of the letters",
        _per_letter(r"\p{Lu}"),
        _Words(
            "capital letters",
            "Capitals make up {value}, which goes with more reactions.",
            "Capitals make up {value}, which goes with fewer reactions.",
            "Try fewer capitals.",
        ),
    ),
    _message(
        "full_stops_count",
        "full stops",
        PLAIN.str.count_matches(r"[.。]"),
        _Words(
            "full stops",
            "With {value}, posts like this draw more.",
            "With {value}, posts like this draw less.",
            "Try more or fewer sentences.",
        ),
    ),
    _message(
        "mention_place_share",
        "of the text",
        _place(MENTION),
        _Words(
            "place of the first name",
            "The first name comes after {value}, which goes with more reactions.",
            "The first name comes after {value}, which goes with fewer reactions.",
            "Try naming people later, or earlier, in the text.",
        ),
    ),
    _message(
        "hashtag_place_share",
        "of the text",
        _place(HASHTAG),
        _Words(
            "place of the first hashtag",
            "The first hashtag comes after {value}, which goes with more reactions.",
            "The first hashtag comes after {value}, which goes with fewer reactions.",
            "Try hashtags later, or earlier, in the text.",
        ),
    ),
    _message(
        "reply_flag",
        "yes or no",
        (pl.col("kind") == "reply").cast(pl.Float64),
        _Words(
            "being a reply",
            "Whether it replies to someone ({value}) goes with more reactions.",
            "Whether it replies to someone ({value}) goes with fewer reactions.",
            "Posts of one's own and replies reach different people.",
        ),
    ),
    _message(
        "quote_flag",
        "yes or no",
        (pl.col("kind") == "quote").cast(pl.Float64),
        _Words(
            "quoting another post",
            "Whether it quotes a post ({value}) goes with more reactions.",
            "Whether it quotes a post ({value}) goes with fewer reactions.",
            "Try with or without quoting another post.",
        ),
    ),
    _message(
        "mention_first_flag",
        "yes or no",
        _flag(r"^\s*\.?@").cast(pl.Float64),
        _Words(
            "beginning with a name",
            "Whether it begins with a name ({value}) goes with more reactions.",
            "Whether it begins with a name ({value}) goes with fewer reactions.",
            "Try naming people later in the text.",
        ),
    ),
)


_LOWER = pl.col("text").str.to_lowercase()
FORM = {
    "has_link": _counted("n_urls", URL) > 0,
    "has_media": (pl.col("n_media") > 0).fill_null(value=False),
    "length": (PLAIN.str.len_chars() // LENGTH_STEP).clip(upper_bound=LENGTHS - 1),
    "opening": _LOWER.str.extract(r"^\s*(\S+)"),
    "hashtag": _LOWER.str.extract(rf"({HASHTAG})"),
    "hour": pl.col("happened_at").dt.hour(),
    "daypart": pl.col("happened_at").dt.hour() // 3,
    "weekday": pl.col("happened_at").dt.weekday(),
}


def with_form(posts: pl.DataFrame) -> pl.DataFrame:
    """`posts` with what earlier posts of the same form are looked up by, a column for each of `FORM`.

    has_link, has_media (not where media are not reported), length (in steps of 40 characters), opening (the first word),
    hashtag (the first), hour, daypart, weekday.
    """
    return posts.with_columns(**FORM)
