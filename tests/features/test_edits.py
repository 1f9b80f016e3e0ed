"""Posts written otherwise: what becomes of their texts, and when nothing can be said."""

from __future__ import annotations

import polars as pl
import pytest

from clout.features import edits

POST = "@ann @bo Good day to all. #tea #yes https://e.org/1"


@pytest.mark.parametrize(
    ("edit", "text", "after"),
    [
        (edits.without_links(), POST, "@ann @bo Good day to all. #tea #yes"),
        (edits.without_links(), "See https://e.org/1 now", "See now"),
        (edits.with_link(), "See now", "See now https://example.org/"),
        (edits.with_hashtags(0), POST, "@ann @bo Good day to all. https://e.org/1"),
        (edits.with_hashtags(1), POST, "@ann @bo Good day to all. #tea https://e.org/1"),
        (edits.with_hashtags(2), POST, POST),
        (edits.with_hashtag(), "Good weather at sea.", "Good weather at sea. #weather"),
        (edits.with_hashtag(), "a b c", None),
        (edits.asking(), POST, "@ann @bo Good day to all? #tea #yes https://e.org/1"),
        (edits.asking(), "One. And two", "One. And two?"),
        (edits.asking(), "See https://e.org/1", None),
        (edits.saying(), "Is it? https://e.org/?a=1", "Is it. https://e.org/?a=1"),
        (edits.calm(), "Wow!! Now", "Wow. Now"),
        (edits.without_names(), POST, "Good day to all. #tea #yes https://e.org/1"),
        (edits.without_names(), "mail me@home, @ann", "mail me@home,"),
        (edits.names_last(), "@ann @bo Good day.", "Good day. @ann @bo"),
        (edits.cut(2), POST, "@ann @bo Good day. #tea #yes https://e.org/1"),
        (edits.cut(9), "Is it here?", "Is it here?"),
        (edits.drawn_out(6), "Good day to all. #tea", "Good day to all Good day. #tea"),
    ],
)
def test_a_text_is_written_otherwise(edit: pl.Expr, text: str, after: str | None) -> None:
    assert pl.DataFrame({"text": [text]}).select(edit.alias("text"))["text"].to_list() == [after]


@pytest.mark.parametrize(
    "edit", [edits.without_links(), edits.with_hashtags(1), edits.asking(), edits.without_names(), edits.cut(3)]
)
def test_what_is_not_known_stays_so(edit: pl.Expr) -> None:
    assert pl.DataFrame({"text": [None]}, schema={"text": pl.String}).select(edit.alias("text"))["text"].to_list() == [
        None
    ]
