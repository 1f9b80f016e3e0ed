from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clout.models import bundle, registry
from clout.models.registry import RegistryError
from clout.models.score_model import ScoreModel


def test_an_installed_bundle_is_the_challenger(home: Path, bundle_directory: Path, model: ScoreModel):
    directory = registry.install(home, bundle_directory, model.version)
    assert directory == home / "bundles" / model.version
    assert bundle.verify(directory) == model.version
    assert registry.resolve(home, "challenger") == registry.resolve(home, model.version) == directory
    assert registry.install(home, bundle_directory, model.version) == directory


def test_a_bundle_of_another_version_is_not_installed(home: Path, bundle_directory: Path, model: ScoreModel):
    with pytest.raises(RegistryError, match=f"got the bundle {model.version}; expected 0123"):
        registry.install(home, bundle_directory, "0123")
    assert not (home / "bundles").exists()


def test_a_damaged_copy_is_installed_anew(home: Path, bundle_directory: Path, model: ScoreModel):
    (registry.install(home, bundle_directory, model.version) / "card.md").write_text("better")
    assert bundle.verify(registry.install(home, bundle_directory, model.version)) == model.version
    assert [path.name for path in (home / "bundles").iterdir()] == [model.version]


def test_many_may_install_at_once(home: Path, bundle_directory: Path, model: ScoreModel):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: registry.install(home, bundle_directory, model.version), range(16)))
    assert [path.name for path in (home / "bundles").iterdir()] == [model.version]


def test_without_a_champion_the_error_says_what_there_is(home: Path, bundle_directory: Path, model: ScoreModel):
    with pytest.raises(RegistryError, match=r"no champion in .*; no version is installed yet. Train one") as refusal:
        registry.champion(home)
    assert refusal.value.code == "no_champion"
    registry.install(home, bundle_directory, model.version)
    with pytest.raises(RegistryError, match=f"versions there are: {model.version}"):
        registry.champion(home)


@pytest.mark.parametrize("name", ["0123456789abcdef", "../bundles", "", "."])
def test_an_unknown_version_is_refused(home: Path, bundle_directory: Path, model: ScoreModel, name: str):
    registry.install(home, bundle_directory, model.version)
    with pytest.raises(RegistryError, match=rf"expected champion, challenger or a version: .*{model.version}"):
        registry.resolve(home, name)


def test_a_pointer_to_a_changed_manifest_is_refused(home: Path, bundle_directory: Path, model: ScoreModel):
    directory = registry.install(home, bundle_directory, model.version)
    manifest = directory / "manifest.json"
    manifest.write_text(manifest.read_text() + " ")
    with pytest.raises(RegistryError, match="manifest is missing or changed"):
        registry.resolve(home, "challenger")
    shutil.rmtree(directory)
    with pytest.raises(RegistryError, match="manifest is missing or changed"):
        registry.resolve(home, "challenger")


@pytest.mark.parametrize("content", ["", "[]", '{"version": "1"}'])
def test_a_broken_pointer_is_refused(home: Path, content: str):
    home.mkdir()
    registry.pointer_file(home, "champion").write_text(content)
    with pytest.raises(RegistryError, match=r"champion\.json is not a pointer"):
        registry.champion(home)
    assert registry.pointed(home, "champion") == ("1" if content.startswith("{") else None)


def test_the_beginning_of_a_version_is_enough_when_it_is_the_only_one(home: Path) -> None:
    for version in ("abcd1111", "abcd2222", "beef3333"):
        folder = registry.folder(home, version)
        folder.mkdir(parents=True)
        (folder / "manifest.json").touch()
    assert registry.resolve(home, "beef").name == "beef3333"
    assert registry.resolve(home, "abcd1111").name == "abcd1111"
    with pytest.raises(RegistryError, match="several versions begin: abcd1111, abcd2222; expected one") as refused:
        registry.resolve(home, "abcd")
    assert refused.value.code == "ambiguous"
    for name in ("bee", "BEEF", "beef*", "feed"):
        with pytest.raises(RegistryError, match="expected champion, challenger or a version"):
            registry.resolve(home, name)


def test_what_was_broken_off_is_swept_after_a_day(home: Path) -> None:
    old = [home / name for name in (".training-old", "bundles/.abcd-x")]
    for folder in (*old, home / ".training-new", home / "bundles" / "abcd"):
        (folder / "bundle").mkdir(parents=True)
    old.append(home / ".champion.json-x")
    old[-1].touch()
    for path in (*old, home / "bundles" / "abcd"):
        os.utime(path, (0, 0))
    assert set(registry.sweep(home, datetime.now(UTC))) == set(old)
    assert {path.name for path in home.iterdir()} == {".lock", ".training-new", "bundles"}
    assert {path.name for path in (home / "bundles").iterdir()} == {"abcd"}


def test_two_trainings_that_sweep_at_once_both_go_on(home: Path) -> None:
    old = [home / f".training-{number}" for number in range(50)]
    for folder in old:
        folder.mkdir(parents=True)
        os.utime(folder, (0, 0))
    with ThreadPoolExecutor(2) as threads:
        swept = list(threads.map(lambda _: registry.sweep(home, datetime.now(UTC)), range(2)))
    assert sorted(swept[0] + swept[1]) == sorted(old)


def test_whoever_holds_the_home_may_enter_again_and_others_wait(home: Path) -> None:
    order = []

    def enter(name: str) -> None:
        with registry.locked(home):
            order.append(name)

    with ThreadPoolExecutor(1) as pool:
        with registry.locked(home), registry.locked(home):
            waiting = pool.submit(enter, "other")
            with registry.locked(home):
                order.append("inside")
        waiting.result(timeout=30)
    assert order == ["inside", "other"]


def test_waiting_too_long_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "LOCK_SECONDS", 0)
    with registry.locked(home), ThreadPoolExecutor(1) as pool:
        assert "another program that changes" in pool.submit(held, home).result()


def held(home: Path) -> str:
    """What is said to somebody who cannot get in."""
    with pytest.raises(RegistryError) as refused, registry.locked(home):
        pass
    return str(refused.value)
