"""What gets loaded, and what stands when it cannot be."""

from __future__ import annotations

import gc
import json
import logging
import shutil
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import polars as pl
import pytest

from clout.data.lake import Lake
from clout.features import warm
from clout.models import bundle, registry
from clout.serving import active_model
from clout.serving.active_model import NO_MODEL, ActiveModel, NotReadyError, read_active


@pytest.fixture
def copy(home: Path, tmp_path: Path) -> Path:
    """A home of the test's own, to be spoilt."""
    return Path(shutil.copytree(home, tmp_path / "home"))


def champion(home: Path) -> Path:
    return registry.champion(home)


def rewrite(home: Path, name: str, **changes: object) -> None:
    """The champion of `home` with other values in a JSON file, as a whole new bundle."""
    old = bundle.read(champion(home))
    files = dict(old.files) | {name: bundle.to_json({**old.json(name), **changes})}
    version = bundle.write(home / "other", files)
    registry.install(home, home / "other", version)
    shutil.rmtree(home / "other")
    shutil.copy(registry.pointer_file(home, registry.CHALLENGER), registry.pointer_file(home, registry.CHAMPION))


def reason(home: Path, lake: Path | None = None) -> str:
    """Why `home` is not ready."""
    active = ActiveModel()
    active.load(home, str(lake or home / "lake"))
    assert not active.is_ready
    assert active.refused is not None
    with pytest.raises(NotReadyError, match=NO_MODEL):
        active.current()
    return active.refused.reason


def wait_for(holds: Callable[[], object]) -> None:
    """Nothing, once it holds."""
    for _ in range(3000):
        if holds():
            return
        time.sleep(0.01)
    pytest.fail("it never held")


@pytest.fixture
def followed(copy: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ActiveModel]:
    """A model that follows `copy` at a run; it is loaded."""
    for name, seconds in {"LOOK_SECONDS": 0.01, "LAKE_SECONDS": 0.01, "LAKE_SHARE": 0.0, "RETRY_SECONDS": 0.05}.items():
        monkeypatch.setattr(active_model, name, seconds)
    active, stop = ActiveModel(), Event()
    thread = Thread(target=active.follow, args=(copy, str(copy / "lake"), stop))
    thread.start()
    wait_for(lambda: active.is_ready)
    yield active
    stop.set()
    thread.join(timeout=30)
    assert not thread.is_alive()


def test_a_new_champion_is_taken_in_and_the_old_one_let_go(copy: Path, followed: ActiveModel) -> None:
    before = followed.current()
    old, model, past = before.model.version, weakref.ref(before.model), before.past
    rewrite(copy, "metrics.json", posts=1)
    wait_for(lambda: followed.current().model.version != old)
    assert followed.current().model.version == champion(copy).name
    assert followed.current().past is past, "the lake was read again although it is the same"
    del before
    wait_for(lambda: gc.collect() is not None and model() is None)


def test_news_of_the_lake_are_taken_in(copy: Path, followed: ActiveModel) -> None:
    before = followed.current()
    lake = Lake(copy / "lake")
    post = lake.read("posts").tail(1).with_columns(post=pl.lit("commons/new"), account=pl.lit("commons/newcomer"))
    lake.append({"posts": post}, source="test")
    wait_for(lambda: followed.current() is not before)
    assert "commons/newcomer" in followed.current().accounts
    assert "commons/newcomer" not in before.accounts
    assert followed.current().model.version == before.model.version


def test_a_broken_champion_is_refused_until_it_is_whole(copy: Path, followed: ActiveModel) -> None:
    before = followed.current()
    rewrite(copy, "metrics.json", posts=1)
    wait_for(lambda: followed.current() is not before)
    now, card = followed.current(), champion(copy) / "card.md"
    text = card.read_text()
    card.write_text("better")
    pointer = registry.pointer_file(copy, registry.CHAMPION)
    replacement = pointer.with_name("new")
    replacement.write_text(pointer.read_text() + " ")
    replacement.replace(pointer)
    wait_for(lambda: followed.refused)
    assert followed.refused == active_model.Refusal(card.parent.name, followed.refused.reason)
    assert "card.md changed" in followed.refused.reason
    assert followed.current() is now
    card.write_text(text)
    wait_for(lambda: followed.refused is None)
    assert followed.current().model.version == card.parent.name


def test_a_lake_out_of_reach_is_asked_again(
    copy: Path, followed: ActiveModel, caplog: pytest.LogCaptureFixture
) -> None:
    before = followed.current()
    receipts = copy / "lake" / "receipts"
    receipts.rename(receipts.with_name("away"))
    receipts.symlink_to(receipts)
    wait_for(lambda: "does not say what it holds" in caplog.text)
    assert followed.current() is before


def test_before_loading_it_is_not_ready() -> None:
    active = ActiveModel()
    assert not active.is_ready
    with pytest.raises(NotReadyError, match="is being loaded"):
        active.current()


def test_champion_and_history_together(home: Path) -> None:
    loaded = read_active(home, Lake(home / "lake"))
    assert loaded.model.version == champion(home).name
    assert loaded.wording is not None
    assert loaded.accounts >= set(Lake(home / "lake").read("accounts")["account"])
    assert set(loaded.past.through) == {"commons", "square"}
    assert loaded.example in loaded.accounts


def test_no_champion(tmp_path: Path) -> None:
    assert "there is no champion" in reason(tmp_path)


def test_a_changed_file(copy: Path) -> None:
    with (champion(copy) / "model.txt").open("a") as file:
        file.write("\n")
    assert "model.txt changed" in reason(copy)


def test_a_changed_pointer(copy: Path) -> None:
    pointer = registry.pointer_file(copy, registry.CHAMPION)
    pointer.write_text(json.dumps({**json.loads(pointer.read_text()), "sha256": "0"}))
    assert "manifest is missing or changed" in reason(copy)


def test_features_this_version_does_not_measure(copy: Path) -> None:
    contract = json.loads((champion(copy) / "contract.json").read_text())
    contract["features"][0]["unit"] = "furlongs"
    rewrite(copy, "contract.json", **contract)
    assert "was trained on other features" in reason(copy)


def test_golden_rows_that_are_answered_otherwise(copy: Path) -> None:
    rows = json.loads((champion(copy) / "golden.json").read_text())["rows"]
    rows[0]["expected"]["score"] += 0.5
    rewrite(copy, "golden.json", rows=rows)
    assert "other answers than its golden rows (golden row 0: score" in reason(copy)


def test_an_empty_lake(home: Path, tmp_path: Path) -> None:
    assert f"the lake {tmp_path / 'nothing'} is empty" in reason(home, tmp_path / "nothing")


def test_a_damaged_lake(copy: Path) -> None:
    warm.forget(copy)
    next((copy / "lake" / "posts").glob("*.parquet")).unlink()
    assert "is missing" in reason(copy)


def test_what_nobody_foresaw(copy: Path, caplog: pytest.LogCaptureFixture) -> None:
    rewrite(copy, "data.json", horizon_days="soon")
    assert "see the log of the service" in reason(copy)
    assert "Traceback" in caplog.text


def test_what_answered_before_stays(home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    active = ActiveModel()
    with caplog.at_level(logging.INFO):
        active.load(home, str(home / "lake"))
    before = active.current()
    active.load(tmp_path, str(tmp_path / "lake"))
    assert active.current() is before
    assert f"model {before.model.version} is ready" in caplog.text
    assert f"model {before.model.version} goes on: there is no champion" in caplog.text
    assert "no model could be loaded" not in caplog.text


def test_the_log_names_the_champion_that_was_refused(copy: Path, caplog: pytest.LogCaptureFixture) -> None:
    active, lake = ActiveModel(), str(copy / "lake")
    active.load(copy, lake)
    old = active.current().model.version
    rewrite(copy, "metrics.json", posts=1)
    new = champion(copy)
    (new / "card.md").write_text("better")
    active.load(copy, lake)
    said = f"the newer champion {new.name} could not be taken in, model {old} goes on: card.md changed in {new}"
    assert said in caplog.text
    active.load(copy, lake)
    assert caplog.text.count(said) == 1


class OnceRound(Event):
    """Set as soon as it is waited for."""

    def wait(self, _: float | None = None) -> bool:
        """True, for it is set."""
        self.set()
        return True


def test_what_was_loaded_is_not_loaded_again_when_it_is_followed(home: Path) -> None:
    active, lake = ActiveModel(), str(home / "lake")
    active.load(home, lake)
    loaded = active.current()
    active.follow(home, lake, OnceRound())
    assert active.current() is loaded
