"""The same post written otherwise: what the texts of posts become, as polars expressions on `text`."""

from __future__ import annotations

import polars as pl

from clout.features.message import HASHTAG, URL

TEXT = pl.col("text")
ENDINGS = r"[.!。！…]"
LEADING = r"(?s)^\s*\.?((?:[@]\S+\s+)+)(.*)$"
TAIL = r"(?s)((?:\s+(?:[#＃]\S+|https?://\S+))*\s*)$"
TOLD = r"(?:[@#＃]\S+|https?://\S+)\s*"


def tidy(text: pl.Expr) -> pl.Expr:
    """A text without blanks at its ends or twice in a row."""
    return text.str.replace_all(r"[ \t]{2,}", " ").str.strip_chars()


def without_links() -> pl.Expr:
    """Without any link."""
    return tidy(TEXT.str.replace_all(URL, ""))


def with_link() -> pl.Expr:
    """With a link at the end."""
    return TEXT + " https://example.org/"


def with_hashtags(most: int) -> pl.Expr:
    """With the first `most` hashtags only."""
    kept = TEXT.str.extract(rf"(?s)^((?:.*?{HASHTAG}){{{most}}})") if most else pl.lit("")
    rest = TEXT.str.slice(kept.str.len_chars()).str.replace_all(HASHTAG, "")
    return pl.when(kept.is_null()).then(TEXT).otherwise(tidy(kept + rest))


def with_hashtag() -> pl.Expr:
    """With its last word of four letters or more again as a hashtag; missing without such a word."""
    plain = TEXT.str.replace_all(TOLD, "")
    return TEXT + " #" + plain.str.extract(r"(\p{L}{4,})(?:\P{L}+\p{L}{1,3})*\P{L}*$")


def asking() -> pl.Expr:
    """With its last sentence as a question; missing where that does not end and hashtags or links come after it."""
    end = r"((?:\s+(?:[#＃]\S+|https?://\S+))*\s*)$"
    ended, bare = TEXT.str.contains(rf"{ENDINGS}{end}"), ~TEXT.str.contains(URL) & ~TEXT.str.contains(HASHTAG)
    asked = TEXT.str.replace(rf"(?s)^(.*?\S?){ENDINGS}+{end}", "${1}?${2}")
    return pl.when(ended).then(asked).when(bare).then(TEXT.str.strip_chars_end() + "?")


def saying() -> pl.Expr:
    """With full stops for question marks."""
    return TEXT.str.replace_all(r"[?？]+(\s|$)", ".${1}")


def calm() -> pl.Expr:
    """With full stops for exclamation marks."""
    return TEXT.str.replace_all(r"[!！]+", ".")


def without_names() -> pl.Expr:
    """Without naming anybody."""
    return tidy(TEXT.str.replace_all(r"(^|[^\p{L}\p{N}_])@[\p{L}\p{N}_]+", "${1}"))


def names_last() -> pl.Expr:
    """With the names it begins with at its end."""
    return tidy(TEXT.str.replace(LEADING, "${2} ${1}"))


def said() -> pl.Expr:
    """The words of a post that are no names at its beginning and no hashtags or links at its end, as a list."""
    return _body().str.extract_all(r"\S+")


def cut(most: int) -> pl.Expr:
    """With the first `most` of its words, and all names, hashtags and links around them."""
    return _around(said().list.head(most))


def drawn_out(least: int) -> pl.Expr:
    """With `least` words: those it has, and then the same again."""
    words = _body().str.replace_all(rf"{ENDINGS}(\s|$)", "${1}").str.extract_all(r"\S+")
    return _around(pl.concat_list(words, words, words, words).list.head(least))


def _body() -> pl.Expr:
    return TEXT.str.replace(TAIL, "").str.replace(LEADING, "${2}")


def _around(words: pl.Expr) -> pl.Expr:
    """Words between what stood before and after, ending as the text did."""
    ending = _body().str.extract(r"([.!?。！？…]*)\s*$").fill_null("")
    before, after = TEXT.str.extract(LEADING, 1).fill_null(""), TEXT.str.extract(TAIL, 1).fill_null("")
    return tidy(before + words.list.join(" ").str.strip_chars_end(".!?。！？…,;:") + ending + after)
