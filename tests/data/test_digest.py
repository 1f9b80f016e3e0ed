"""A digest is of the rows and of nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from clout.data.digest import combine, digest, total

ROWS = st.lists(st.tuples(st.text(), st.none() | st.integers(-5, 5)), max_size=8)
SCHEMA = {"text": pl.String, "number": pl.Int64}


def frame(rows: list[tuple[str, int | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@given(ROWS, st.randoms(), st.integers(0, 8))
def test_order_and_cuts_do_not_matter(rows: list[tuple[str, int | None]], random: object, cut: int):
    shuffled = rows.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    parts = [digest(frame(shuffled[:cut])), digest(frame(shuffled[cut:]))]
    assert total(parts) == digest(frame(rows))


@given(ROWS, ROWS)
def test_other_rows_have_another_digest(one: list[tuple[str, int | None]], two: list[tuple[str, int | None]]):
    assert (digest(frame(one)) == digest(frame(two))) == (sorted(one, key=repr) == sorted(two, key=repr))


def test_a_digest_never_changes():
    rows = frame([("a\n\u2028ü", 1), ("", None)]).with_columns(at=pl.lit(datetime(2020, 1, 1, tzinfo=UTC)))
    assert digest(rows) == "247e6d0d2d2429471deff82964a76957919be62cf64ed5b558d8ad120aeffa30"


def test_names_without_rows_do_not_enter():
    nothing, something = digest(frame([])), digest(frame([("a", 1)]))
    assert combine({"posts": something, "actions": nothing}) == combine({"posts": something})
    assert combine({"posts": something}) != combine({"actions": something})
