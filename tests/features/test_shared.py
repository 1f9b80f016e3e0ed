"""Sharing changes no value, and reads nothing twice."""

from __future__ import annotations

import polars as pl
from nasty_tables import history_of, nasty_tables
from polars.testing import assert_frame_equal

from clout.features.catalogue import FEATURES
from clout.features.compute import MEASURED, look_up, prepare, root_names
from clout.features.shared import Shared

TEXT = pl.col("text").str
PLAIN = TEXT.replace_all("b", "").str
EXPRESSIONS = {
    "chars": PLAIN.strip_chars(" ").str.len_chars(),
    "words": PLAIN.count_matches(r"\S+"),
    "share": PLAIN.strip_chars(" ").str.len_chars() * 0.1 / TEXT.len_chars(),
    "n": pl.col("n") * 0.1,
}


def test_the_catalogue_says_the_same() -> None:
    tables = nasty_tables(posts=60)
    context = look_up(tables["posts"], prepare(history_of(tables)), root_names()).with_columns(wording=0.5)
    expected = context.select(feature.expression.cast(pl.Float64).alias(feature.name) for feature in FEATURES)
    assert_frame_equal(MEASURED.select(context), expected, check_exact=True)


def test_columns_come_first_and_steps_are_left_out() -> None:
    frame = pl.DataFrame({"post": ["1", "2"], "text": [" ab a", None], "n": [1, 2]})
    expected = frame.select("post", **EXPRESSIONS)
    assert_frame_equal(Shared(EXPRESSIONS).select(frame, "post"), expected, check_exact=True)


def test_what_is_read_twice_is_a_step() -> None:
    """The text without b, that without blanks at its ends, and how long that is, each on its own."""
    steps = Shared(EXPRESSIONS).steps
    assert [len(step) for step in steps] == [1, 1, 1]
    assert ["text" in one.meta.root_names() for step in steps for one in step.values()] == [True, False, False]


def test_what_reads_no_text_stays_itself() -> None:
    assert not Shared({"one": pl.col("n") * 0.1, "two": pl.col("n") * 0.1 + 1}).steps
