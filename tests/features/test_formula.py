"""A formula says of a row what its expression says of a frame."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clout.features.catalogue import FEATURES
from clout.features.formula import UnknownNodeError, formulas
from clout.features.message import FORM
from clout.features.one_post import FEATURE, LOOKED_UP, READ, SAID, TEXTS, read

A, B = pl.col("a"), pl.col("b")
EXPRESSIONS = {
    "plus": A + B,
    "minus": A - 3 * B,
    "divide": A / B,
    "choose": pl.when(A >= B).then(A).when(A < 0).then(None).otherwise(B.cast(pl.Float64)),
    "greater": pl.when(A > B).then(1.0),
    "equal": (A == B).cast(pl.Float64),
    "root": A.sqrt(),
    "square": A**2 - B,
    "most": pl.max_horizontal(A, B, pl.lit(2.5)),
    "least": pl.min_horizontal(A, B),
    "first": pl.coalesce(A, B, pl.lit(7.0)),
    "known": A.is_not_null().cast(pl.Float64),
}
numbers = st.one_of(st.none(), st.floats(-1e6, 1e6), st.sampled_from([0.0, 1.0, 2.5]))


def told(expression: pl.Expr, row: dict[str, Any]) -> Any:  # noqa: ANN401 (what columns hold)
    """What an expression says of one row."""
    return formulas({"it": expression})(row)["it"]


@pytest.mark.parametrize("name", EXPRESSIONS)
@given(a=numbers, b=numbers)
def test_it_says_what_polars_says(name: str, a: float | None, b: float | None) -> None:
    frame = pl.DataFrame({"a": [a], "b": [b]}, schema={"a": pl.Float64, "b": pl.Float64})
    expected = frame.select(told=EXPRESSIONS[name])["told"][0]
    got = told(EXPRESSIONS[name], {"a": a, "b": b})
    assert got == expected or (math.isnan(got) and math.isnan(expected))


def test_a_span_of_time_is_in_microseconds() -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    half = (pl.col("end") - pl.col("start")).dt.total_microseconds() * 0.5
    micro = {"start": int(start.timestamp() * 1e6), "end": int(end.timestamp() * 1e6)}
    assert told(half, micro) == 12 * 3600 * 1e6
    assert told(half, {**micro, "start": None}) is None


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (pl.col("text").str.reverse(), "got the function"),
        (pl.col("text").str.replace_all("a", "b"), "got the function"),
        (pl.col("text").str.strip_chars(), "got the function"),
        (A % B, "got the operator Modulus"),
        (A**3, "got the function"),
        (A.cast(pl.Int8), "got a cast"),
        (A.sum(), "got Agg"),
    ],
)
def test_what_it_does_not_know_it_refuses(expression: pl.Expr, words: str) -> None:
    with pytest.raises(UnknownNodeError, match=words):
        formulas({"it": expression})


def test_every_feature_is_a_formula_or_read_from_the_text() -> None:
    assert {one.name for one in FEATURES} == LOOKED_UP | {*SAID}
    assert {*TEXTS} == {FEATURE + name for name in SAID} | ({*FORM} & {*TEXTS})
    assert len(LOOKED_UP) > 40


@given(
    st.text(st.characters(max_codepoint=127), max_size=80), st.sampled_from(["", "https://a.b/c?d", "#tag", "x @me"])
)
@settings(max_examples=300)
def test_an_ascii_text_is_read_as_polars_reads_it(text: str, more: str) -> None:
    for whole in (text + more, more + text):
        post = {"text": whole, "n_urls": None, "n_hashtags": None, "n_mentions": None}
        frame = pl.DataFrame([post], schema=READ)
        expected = frame.select(expression.alias(name) for name, expression in TEXTS.items()).row(0, named=True)
        assert read(post) == expected


def test_other_texts_are_read_by_polars() -> None:
    post = {"text": "Ça va? #été", "n_urls": None, "n_hashtags": None, "n_mentions": None}
    assert read(post)[f"{FEATURE}hashtags_count"] == 1
    assert read(post)["opening"] == "ça"


def test_moments_are_told_in_utc() -> None:
    moment = datetime(2026, 3, 1, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    of_moment = pl.col("at").dt.hour() + pl.col("at").dt.minute() * 0.5 + pl.col("at").dt.weekday()
    assert told(of_moment, {"at": moment}) == 4 + 15 + 1
