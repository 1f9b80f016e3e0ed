"""What a text says and shows, in any language."""

from __future__ import annotations

import time

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nasty_tables import Published, features_of, tables_of
from polars.testing import assert_frame_equal

from clout.features.message import FEATURES, with_form

NAMES = [feature.name for feature in FEATURES]
PLAIN, TEXT = pl.col("text").str.replace_all(r"https?://\S+", "").str, pl.col("text").str
ONE_BY_ONE = {
    "text_words": PLAIN.count_matches(r"\S+"),
    "word_chars_mean": PLAIN.count_matches(r"\S") / PLAIN.count_matches(r"\S+"),
    "capitals_share": PLAIN.count_matches(r"\p{Lu}") / PLAIN.count_matches(r"\p{L}"),
    "hashtags_words_share": TEXT.count_matches(r"[#＃][\p{L}\p{N}_]+") / PLAIN.count_matches(r"\S+"),
    "hashtag_place_share": TEXT.extract(r"(?s)^(.*?)[#＃][\p{L}\p{N}_]").str.len_chars() / TEXT.len_chars(),
    "mention_place_share": TEXT.extract(r"(?s)^(.*?)(?:^|[^\p{L}\p{N}_])@[\p{L}\p{N}_]").str.len_chars()
    / TEXT.len_chars(),
}


def shape(text: str | None, **form: object) -> dict[str, float | None]:
    """The message features of one post that says `text`."""
    post = Published(0, 0, text=text, **form)  # type: ignore[arg-type]
    return features_of(tables_of([post], [], [], [])).select(NAMES).row(0, named=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {"text_chars": 0, "text_words": 0, "word_chars_mean": None, "capitals_share": None}),
        ("Hello, World", {"text_chars": 12, "text_words": 2, "word_chars_mean": 5.5, "capitals_share": 0.2}),
        ("one\ntwo\n\n", {"text_words": 2}),
        ("see https://example.org/?q=1! now", {"urls_count": 1, "text_chars": 8, "questions_count": 0}),
        ("你好吗？好！", {"text_chars": 6, "text_words": 1, "questions_count": 1, "exclamations_count": 1}),
        ("你好\u3000世界", {"text_words": 2, "word_chars_mean": 2.0}),
        ("🎉🎉 ☀ ok", {"text_chars": 7, "text_words": 3}),
        ("👨‍👩‍👧", {"text_words": 1, "text_chars": 5}),
        ("One. Two... 三。 https://a.b/c.d", {"full_stops_count": 5}),
        ("١٢ ４ 7", {"digits_count": 4}),
        ("ÉCOLE Straße", {"capitals_share": 6 / 11}),
        ("#one ＃zwei #三 # #", {"hashtags_count": 3, "hashtag_place_share": 0}),
        ("@amy .@bob x@y.org (@eve)", {"mentions_count": 3, "mention_first_flag": 1}),
        ("  .@amy hi", {"mention_first_flag": 1, "mentions_count": 1}),
        ("hi @amy", {"mention_first_flag": 0}),
        ("Привет, МИР!", {"capitals_share": 4 / 9, "exclamations_count": 1}),
        ("नमस्ते दुनिया", {"text_words": 2, "capitals_share": 0.0}),
        ("مرحبا؟", {"text_words": 1, "capitals_share": 0.0}),
    ],
)
def test_shapes(text: str, expected: dict[str, float | None]) -> None:
    got = shape(text)
    assert {name: got[name] for name in expected} == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "name", "hashtag"),
    [
        ("@amy hello", 0, None),
        ("hello @amy and @bob", 5 / 19, None),
        ("a@b.org #one", None, 8 / 12),
        ("＃一 @二", 2 / 5, 0),
        ("one\ntwo #3", None, 8 / 10),
        ("no one", None, None),
        ("", None, None),
    ],
)
def test_where_the_first_name_and_hashtag_stand(text: str, name: float | None, hashtag: float | None) -> None:
    """Nothing of the text stands before a name that opens it; what sets a later name apart is not counted."""
    got = shape(text)
    assert (got["mention_place_share"], got["hashtag_place_share"]) == (name, hashtag)


@given(st.lists(st.none() | st.text() | st.text("aÉ好 \n\t\u3000\x85\x1c#＃@.٣"), min_size=20, max_size=60))
@example([None, "", " ", "\u3000 a", "x https://a.b  y", " \x85\u2028 @a  #b ", "\x1c", "#a @b", "@@a##b"])
@settings(max_examples=50)
def test_what_stands_between_tells_as_much_as_each_letter(texts: list[str | None]) -> None:
    posts = pl.DataFrame({"text": texts}, schema={"text": pl.String}).with_columns(n_hashtags=pl.lit(None, pl.Int64))
    got = posts.select(feature.expression.alias(feature.name) for feature in FEATURES if feature.name in ONE_BY_ONE)
    expected = posts.select(pl.when(one.is_finite()).then(one).alias(name) for name, one in ONE_BY_ONE.items())
    assert_frame_equal(got, expected, check_exact=True, check_column_order=False, check_dtypes=False)


def test_an_unknown_text_says_nothing() -> None:
    known = {name for name, value in shape(None).items() if value is not None}
    assert known == {"reply_flag", "quote_flag"}


def test_what_the_source_counted_stands() -> None:
    got = shape("no link, @one name", n_urls=3, n_mentions=0, n_media=2)
    assert (got["urls_count"], got["mentions_count"], got["media_count"]) == (3, 0, 2)


@pytest.mark.parametrize(("kind", "reply", "quote"), [("original", 0, 0), ("reply", 1, 0), ("quote", 0, 1)])
def test_the_kind_of_post(kind: str, reply: int, quote: int) -> None:
    got = shape("hi", kind=kind)
    assert (got["reply_flag"], got["quote_flag"]) == (reply, quote)


def test_a_very_long_text_is_quick() -> None:
    began = time.perf_counter()
    got = shape("Wort, 好! @x #y " * 7143)
    assert got["text_chars"] == 7143 * 15
    assert got["hashtags_count"] == got["mentions_count"] == 7143
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize("text", ["@" * 100_000, "#" * 100_000, "http://" * 14_000, "\n" * 100_000, "a" * 100_000])
def test_no_text_is_a_trap(text: str) -> None:
    began = time.perf_counter()
    assert shape(text)["text_chars"] is not None
    assert time.perf_counter() - began < 5


def test_the_form_by_which_earlier_posts_are_found() -> None:
    posts = [
        Published(0, 0, text="https://a.b", n_media=1),
        Published(0, 1, text="plain", n_media=0),
        Published(0, 2, text=None),
    ]
    form = with_form(tables_of(posts, [], [], [])["posts"])
    assert form["has_link"].to_list() == [True, False, None]
    assert form.select("hour", "daypart", "weekday").row(0) == (0, 0, 1)
    assert form.schema["daypart"] == pl.Int8
