"""What gets loaded, and what stands when it cannot be."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import pytest

from clout.data.lake import Lake
from clout.models import bundle, registry
from clout.serving.active_model import ActiveModel, NotReadyError, read_active


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
    shutil.copy(registry.pointer_file(home, registry.CHALLENGER), registry.pointer_file(home, registry.CHAMPION))


def reason(home: Path, lake: Path | None = None) -> str:
    """Why `home` is not ready."""
    active = ActiveModel()
    active.load(home, str(lake or home / "lake"))
    assert not active.is_ready
    with pytest.raises(NotReadyError) as caught:
        active.current()
    return str(caught.value)


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
    assert "there is no champion" in caplog.text
