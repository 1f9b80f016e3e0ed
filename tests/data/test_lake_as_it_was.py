"""A lake as it was: the state that had a fingerprint, to be read again whatever came later."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from clout.data.lake import Lake, LakeError
from clout.data.tables import SCHEMAS

THEN = datetime(2023, 1, 1, tzinfo=UTC)


@pytest.fixture(params=["local", "memory"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """An empty lake, in a folder and behind a URL."""
    return Lake(tmp_path if request.param == "local" else f"memory://{uuid.uuid4()}")


def posts(*ids: str) -> pl.DataFrame:
    """A post for each of `ids`."""
    rows = [
        {"post": f"x/{name}", "account": "x/ann", "network": "x", "happened_at": THEN, "known_at": THEN}
        | {"text": "hello", "kind": "original"}
        for name in ids
    ]
    return pl.DataFrame(rows, schema=SCHEMAS["posts"])


def test_a_lake_is_read_as_it_was(lake: Lake):
    empty = lake.fingerprint()
    prints, rows = [], []
    for name in ("1", "2", "3"):
        lake.append({"posts": posts(name)}, source=f"{name}.csv", note=f"note {name}")
        prints.append(lake.fingerprint())
        rows.append(lake.read("posts"))
    for fingerprint, expected in zip(prints, rows, strict=True):
        past = lake.as_of(fingerprint)
        assert past.fingerprint() == fingerprint
        assert past.read("posts").equals(expected)
        assert len(past.receipts()) == expected.height
    assert lake.as_of(empty).is_empty()
    assert lake.read("posts").height == 3


def test_a_past_lake_takes_nothing_in(lake: Lake):
    lake.append({"posts": posts("1")}, source="a.csv")
    past = lake.as_of(lake.fingerprint())
    with pytest.raises(LakeError, match=r"got rows for the lake .* as it was; expected the lake as it is"):
        past.append({"posts": posts("2")}, source="b.csv")
    assert lake.append({"posts": posts("2")}, source="b.csv").rows == {"posts": 1}


def test_a_state_it_never_had_is_refused(lake: Lake):
    lake.append({"posts": posts("1", "2")}, source="a.csv")
    other = Lake(f"memory://{uuid.uuid4()}")
    other.append({"posts": posts("1")}, source="a.csv")
    with pytest.raises(LakeError, match=f"never had the fingerprint {other.fingerprint()} in any of its 1 states"):
        lake.as_of(other.fingerprint())
