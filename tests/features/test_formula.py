"""A formula says of a row what its expression says of a frame."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clout.features.catalogue import FEATURES
from clout.features.formula import UnknownNodeError, formula
from clout.features.one_post import FORMULAS

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


@pytest.mark.parametrize("name", EXPRESSIONS)
@given(a=numbers, b=numbers)
def test_it_says_what_polars_says(name: str, a: float | None, b: float | None) -> None:
    frame = pl.DataFrame({"a": [a], "b": [b]}, schema={"a": pl.Float64, "b": pl.Float64})
    expected = frame.select(told=EXPRESSIONS[name])["told"][0]
    got = formula(EXPRESSIONS[name])({"a": a, "b": b})
    assert got == expected or (math.isnan(got) and math.isnan(expected))


def test_a_span_of_time_is_in_microseconds() -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    told = formula((pl.col("end") - pl.col("start")).dt.total_microseconds() * 0.5)
    micro = {"start": int(start.timestamp() * 1e6), "end": int(end.timestamp() * 1e6)}
    assert told(micro) == 12 * 3600 * 1e6
    assert told({**micro, "start": None}) is None


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (pl.col("text").str.len_chars(), "got the function"),
        (A % B, "got the operator Modulus"),
        (A**3, "got the power"),
        (A.cast(pl.Int8), "got a cast"),
        (A.sum(), "got Agg"),
    ],
)
def test_what_it_does_not_know_it_refuses(expression: pl.Expr, words: str) -> None:
    with pytest.raises(UnknownNodeError, match=words):
        formula(expression)


def test_every_looked_up_feature_has_a_formula() -> None:
    looked_up = {one.name for one in FEATURES if any("|" in name for name in one.expression.meta.root_names())}
    assert looked_up <= set(FORMULAS)
    assert len(looked_up) > 30
