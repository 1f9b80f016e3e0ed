"""What was measured of a lake is kept for the next start, and serves nothing but that lake."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from clout.data.lake import Lake
from clout.features import warm
from clout.features.heard import Heard
from clout.features.request import Draft, features_of_draft
from clout.serving.active_model import Loaded, read_active

WEEK = timedelta(days=7)
WRITERS = 4


@pytest.fixture
def copy(home: Path, tmp_path: Path) -> Path:
    """A home of the test's own, of whose lake nothing is kept yet."""
    mine = Path(shutil.copytree(home, tmp_path / "home"))
    warm.forget(mine)
    return mine


def start(home: Path) -> Loaded:
    return read_active(home, Lake(home / "lake"))


def key(loaded: Loaded) -> str:
    return warm.key_of(loaded.batches, loaded.past.horizon, loaded.past.action_values)


def kept(home: Path, loaded: Loaded) -> Heard | None:
    return warm.read(home, key(loaded))


def features(loaded: Loaded) -> list[dict[str, float | None]]:
    """The features of a draft of each account."""
    drafts = [Draft(name.split("/")[0], name, loaded.past.through["commons"], "A try") for name in loaded.accounts]
    return [
        features_of_draft(draft, loaded.past, 0.1) for draft in sorted(drafts, key=lambda draft: str(draft.account))
    ]


def test_a_second_start_says_the_same_without_the_lake(copy: Path) -> None:
    first, posts = start(copy), Lake(copy / "lake").read("posts")["post"].to_list()
    for file in (copy / "lake").rglob("*.parquet"):
        file.unlink()
    second = start(copy)
    assert features(second) == features(first)
    for name in ("accounts", "handles", "example", "batches", "persons"):
        assert getattr(second, name) == getattr(first, name), name
    assert second.past.through == first.past.through
    assert second.ties.actors_on(first.example) == first.ties.actors_on(first.example)
    drew = [first.published.drew(post) for post in posts]
    assert any(drew)
    assert [second.published.drew(post) for post in posts] == drew


def test_it_serves_no_other_lake_horizon_or_values(copy: Path) -> None:
    loaded = start(copy)
    values, past = dict(loaded.past.action_values), loaded.past
    assert kept(copy, loaded) is not None
    for other in (
        warm.key_of(loaded.batches | {"more"}, past.horizon, values),
        warm.key_of(loaded.batches, past.horizon + WEEK, values),
        warm.key_of(loaded.batches, past.horizon, values | {"like": 9.0}),
    ):
        assert warm.read(copy, other) is None


def test_what_cannot_be_read_is_measured_anew(copy: Path, caplog: pytest.LogCaptureFixture) -> None:
    loaded = start(copy)
    (copy / warm.FOLDER / "handles.arrow").write_bytes(b"nothing")
    assert kept(copy, loaded) is None
    assert "cannot be read, the lake is measured again" in caplog.text
    assert features(start(copy)) == features(loaded)
    assert kept(copy, loaded) is not None


def test_where_it_cannot_be_written_the_service_starts_all_the_same(copy: Path) -> None:
    (copy / warm.FOLDER).write_text("in the way")
    loaded = start(copy)
    assert loaded.accounts
    assert kept(copy, loaded) is None
    assert not list(copy.glob(".warm-*"))


def test_writers_at_once_leave_one_whole_and_complain_of_nothing(copy: Path, caplog: pytest.LogCaptureFixture) -> None:
    loaded = start(copy)
    heard = kept(copy, loaded)
    assert heard is not None
    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(lambda _: warm.write(copy, key(loaded), heard), range(10 * WRITERS)))
    assert caplog.text == ""
    assert kept(copy, loaded) is not None
    assert not list(copy.glob(".warm-*"))


def test_forgetting_leaves_nothing_of_it(copy: Path) -> None:
    loaded = start(copy)
    (copy / ".warm-broken").mkdir()
    warm.forget(copy)
    assert kept(copy, loaded) is None
    assert not list(copy.glob("*warm*"))
