from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import small_bundle
from mlflow import MlflowClient

from clout.models import bundle, registry
from clout.models.bundle import BundleError
from clout.models.registry import RegistryError
from clout.models.score_model import ScoreModel


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database without a model; migrations take seconds, so each test copies it."""
    file = tmp_path_factory.mktemp("mlflow") / "empty.db"
    MlflowClient(f"sqlite:///{file}").create_registered_model("clout")
    return file


@pytest.fixture
def store(empty_store: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(empty_store, tmp_path / 'mlflow.db')}"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def tell(store: str, version: str) -> str:
    """The number of a model version that carries the bundle, as `log_run` leaves it."""
    model = MlflowClient(store).create_model_version("clout", "file:///nowhere", tags={"bundle": version})
    return str(model.version)


def named(store: str) -> str:
    return str(MlflowClient(store).get_model_version_by_alias("clout", "champion").version)


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


def test_a_damaged_copy_is_not_taken_for_installed(home: Path, bundle_directory: Path, model: ScoreModel):
    (registry.install(home, bundle_directory, model.version) / "card.md").write_text("better")
    with pytest.raises(BundleError, match=r"card\.md changed"):
        registry.install(home, bundle_directory, model.version)


def test_many_may_install_at_once(home: Path, bundle_directory: Path, model: ScoreModel):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: registry.install(home, bundle_directory, model.version), range(16)))
    assert [path.name for path in (home / "bundles").iterdir()] == [model.version]


def test_promotion_names_the_champion_here_and_in_mlflow(
    home: Path, store: str, bundle_directory: Path, model: ScoreModel
):
    directory = registry.install(home, bundle_directory, model.version)
    tell(store, "other")
    tell(store, model.version)
    newest = tell(store, model.version)
    assert registry.promote(home, store, "challenger") == directory
    assert registry.champion(home) == registry.resolve(home, "champion") == directory
    assert named(store) == newest == "3"
    pointer = json.loads((home / "champion.json").read_text())
    assert pointer.keys() == {"version", "path", "sha256"}
    assert pointer["version"] == model.version == pointer["sha256"][:16]


def test_a_home_can_be_moved(home: Path, store: str, bundle_directory: Path, model: ScoreModel):
    registry.install(home, bundle_directory, model.version)
    tell(store, model.version)
    registry.promote(home, store, model.version)
    moved = home.rename(home.with_name("elsewhere"))
    assert registry.champion(moved) == moved / "bundles" / model.version


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


def test_a_tampered_bundle_is_not_promoted(home: Path, store: str, bundle_directory: Path, model: ScoreModel):
    directory = registry.install(home, bundle_directory, model.version)
    tell(store, model.version)
    scale = directory / "scale.json"
    scale.write_text(scale.read_text() + " ")
    with pytest.raises(BundleError, match=r"scale\.json changed"):
        registry.promote(home, store, model.version)
    assert not (home / "champion.json").exists()


def test_a_bundle_under_another_name_is_not_promoted(home: Path, store: str, bundle_directory: Path):
    shutil.copytree(bundle_directory, home / "bundles" / "mine")
    with pytest.raises(RegistryError, match=r"holds the bundle .*; expected mine: install it again"):
        registry.promote(home, store, "mine")


def test_other_golden_answers_are_not_promoted(home: Path, store: str, tmp_path: Path):
    files = dict(small_bundle.files())
    content = json.loads(files["golden.json"])
    content["rows"][2]["expected"]["score"] += 1
    version = bundle.write(tmp_path / "wrong", files | {"golden.json": json.dumps(content)})
    registry.install(home, tmp_path / "wrong", version)
    tell(store, version)
    with pytest.raises(RegistryError, match="1 other answers than its golden rows: golden row 2: score is"):
        registry.promote(home, store, version)
    assert not (home / "champion.json").exists()


def test_a_bundle_mlflow_does_not_know_is_not_promoted(
    home: Path, store: str, bundle_directory: Path, model: ScoreModel
):
    registry.install(home, bundle_directory, model.version)
    with pytest.raises(
        RegistryError, match=f"carries the bundle {model.version} at sqlite.*log the bundle there first"
    ):
        registry.promote(home, store, model.version)
    assert not (home / "champion.json").exists()


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
