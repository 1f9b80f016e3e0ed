from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import small_bundle

from clout.models import bundle
from clout.models.bundle import Bundle, BundleError

FILES: dict[str, bytes | str] = {"b.json": '{"n": 1}', "a.txt": "ä", "c.bin": b"\x00\xff"}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    bundle.write(tmp_path / "deep" / "bundle", FILES)
    return tmp_path / "deep" / "bundle"


def test_what_is_written_is_read(directory: Path):
    read = bundle.read(directory)
    assert read.files == {"a.txt": "ä".encode(), "b.json": b'{"n": 1}', "c.bin": b"\x00\xff"}
    assert read.text("a.txt") == "ä"
    assert read.json("b.json") == {"n": 1}
    assert read.directory == directory


def test_the_version_is_the_manifest_s_hash_whatever_the_order(directory: Path):
    manifest = (directory / "manifest.json").read_bytes()
    version = hashlib.sha256(manifest).hexdigest()[:16]
    assert json.loads(manifest)["files"]["b.json"] == hashlib.sha256(b'{"n": 1}').hexdigest()
    assert bundle.verify(directory) == version
    assert Bundle.of(dict(reversed(FILES.items()))).version == version
    assert Bundle.of(FILES | {"a.txt": "other"}).version != version


def test_where_it_was_made_is_kept_and_checked_and_decides_nothing(tmp_path: Path):
    versions = {bundle.write(tmp_path / origin, FILES | {bundle.ORIGIN: origin}) for origin in ("here", "there")}
    assert versions == {Bundle.of(FILES).version}
    assert bundle.read(tmp_path / "here").text(bundle.ORIGIN) == "here"
    (tmp_path / "here" / bundle.ORIGIN).write_text("elsewhere")
    with pytest.raises(BundleError, match=r"origin\.json changed in"):
        bundle.read(tmp_path / "here")


def test_other_people_can_read_it(directory: Path):
    assert directory.stat().st_mode & 0o055 == 0o055


@pytest.mark.parametrize("name", list(FILES))
def test_a_changed_file_is_named(directory: Path, name: str):
    content = bytearray((directory / name).read_bytes())
    content[0] ^= 1
    (directory / name).write_bytes(content)
    with pytest.raises(BundleError, match=f"{name} changed in .* copy or train the bundle again"):
        bundle.verify(directory)


def test_a_missing_file_is_named(directory: Path):
    (directory / "a.txt").unlink()
    with pytest.raises(BundleError, match=r"a\.txt missing in"):
        bundle.verify(directory)


def test_an_extra_file_is_named(directory: Path):
    (directory / "notes.txt").write_text("mine")
    with pytest.raises(BundleError, match=r"notes\.txt extra in"):
        bundle.verify(directory)


@pytest.mark.parametrize("manifest", ["", "[]", '{"format": 1}', '{"format": 1, "files": 3}'])
def test_a_broken_manifest_is_refused(directory: Path, manifest: str):
    (directory / "manifest.json").write_text(manifest)
    with pytest.raises(BundleError, match=r"manifest\.json is not a manifest"):
        bundle.verify(directory)


def test_another_format_is_refused(directory: Path):
    (directory / "manifest.json").write_text('{"format": 2, "files": {}}')
    with pytest.raises(BundleError, match="got bundle format 2; expected 1: use the version of clout"):
        bundle.verify(directory)


def test_a_directory_that_is_not_a_bundle_is_refused(tmp_path: Path):
    with pytest.raises(BundleError, match=r"cannot read .*manifest\.json .*expected the directory of a bundle"):
        bundle.verify(tmp_path)


def test_nothing_is_overwritten(directory: Path):
    with pytest.raises(BundleError, match="exists already; expected a new directory"):
        bundle.write(directory, {"a.txt": "new"})
    assert bundle.read(directory).text("a.txt") == "ä"


@pytest.mark.parametrize("name", ["../a.txt", "sub/a.txt", "manifest.json", ""])
def test_only_plain_names_are_taken(tmp_path: Path, name: str):
    with pytest.raises(BundleError, match="expected a plain name"):
        bundle.write(tmp_path / "bundle", {name: "x"})
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_nothing(tmp_path: Path):
    with pytest.raises(OSError, match="too long"):
        bundle.write(tmp_path / "bundle", {"a.txt": "x", "b" * 300: "y"})
    assert list(tmp_path.iterdir()) == []


def test_json_is_exact_and_has_no_nan():
    assert json.loads(bundle.to_json({"x": 0.1 + 0.2}))["x"] == 0.1 + 0.2
    with pytest.raises(ValueError, match="not JSON compliant"):
        bundle.to_json({"x": float("nan")})


def test_an_absent_file_is_named():
    with pytest.raises(BundleError, match=r"has no card\.md; expected it"):
        Bundle.of(FILES).text("card.md")


def test_a_text_that_is_no_booster_is_refused():
    with pytest.raises(BundleError, match=r"a\.txt is not a LightGBM model text"):
        Bundle.of(FILES).booster("a.txt")


def test_a_booster_keeps_its_predictions():
    read, trained = Bundle.of(small_bundle.files()).booster("model.txt"), small_bundle.boosters()["main"]
    matrix = small_bundle.population().matrix[:100]
    assert (read.predict(matrix) == trained.predict(matrix)).all()


def test_some_documents_are_read_alone_and_verified(tmp_path: Path):
    folder = tmp_path / "bundle"
    bundle.write(folder, {"a.json": '{"x": 1}', "b.json": '{"y": 2}', "c.txt": "c"})
    (folder / "c.txt").write_text("changed")
    assert bundle.documents(folder, "a.json", "not.json") == {"a.json": {"x": 1}}
    (folder / "a.json").write_text('{"x": 3}')
    with pytest.raises(BundleError, match=r"a\.json changed in"):
        bundle.documents(folder, "a.json")
    (folder / "b.json").unlink()
    with pytest.raises(BundleError, match=r"b\.json cannot be read \(No such file"):
        bundle.documents(folder, "b.json")
