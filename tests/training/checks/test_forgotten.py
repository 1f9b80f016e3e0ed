"""The check for the forgotten sees every way in which one of them could still be there."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from tampered import with_tables

from clout.data.tombstones import Erasure, Tombstones
from clout.training.checks.evidence import Evidence
from clout.training.checks.forgotten import NobodyForgotten

GHOST, POST = "commons/ghost", "commons/ghosts-post"


def with_tombstones(evidence: Evidence) -> Evidence:
    """The evidence where one account and its post were forgotten that are not in the data."""
    erasure = Erasure(number=9, salt="5a17").naming([GHOST], [POST], [])
    return replace(evidence, tombstones=Tombstones((erasure,)))


def test_nobody_forgotten_passes_and_tells_how_many_were_looked_for(sound: Evidence) -> None:
    check = NobodyForgotten()
    status, detail, _ = check.verdict(sound)
    assert (status, detail.split(" among ")[0]) == ("passed", "0 forgotten accounts looked for")
    status, detail, _ = check.verdict(with_tombstones(sound))
    assert status == "passed"
    people = {*sound.store.tables["accounts"]["account"], *sound.store.tables["actions"]["actor"]}
    told = f"1 forgotten accounts looked for among {len(people):,} accounts and engagers: 0 found, and 0 of their posts"
    assert detail == told


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("accounts", "account", GHOST),
        ("profiles", "account", GHOST),
        ("posts", "account", GHOST),
        ("posts", "post", POST),
        ("actions", "actor", GHOST),
        ("actions", "account", GHOST),
        ("actions", "post", POST),
    ],
)
def test_one_row_put_back_by_hand_is_found(table: str, column: str, value: str, sound: Evidence) -> None:
    frame = sound.store.tables[table]
    tampered = frame.with_columns(
        pl.when(pl.int_range(pl.len()) == 7).then(pl.lit(value)).otherwise(column).alias(column)
    )
    evidence = with_tombstones(with_tables(sound, {table: tampered}))
    status, detail, _ = NobodyForgotten().verdict(evidence)
    assert status == "finding"
    assert detail.endswith("1 found, and 0 of their posts" if value == GHOST else "0 found, and 1 of their posts")
    assert value not in detail, "a finding travels in the bundle, where no id may be"


def test_a_row_of_the_dataset_is_found_too(sound: Evidence) -> None:
    first = sound.dataset.frame["account"][0]
    erasure = Erasure(number=9, salt="5a17").naming([first], [], [])
    empty = {name: frame.clear() for name, frame in sound.store.tables.items()}
    evidence = replace(with_tables(sound, empty), tombstones=Tombstones((erasure,)))
    assert NobodyForgotten().verdict(evidence).status == "finding"
