"""A trained model as a directory of plain files, each with its sha256."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clout.errors import CloutError

if TYPE_CHECKING:
    import lightgbm

MANIFEST = "manifest.json"
ORIGIN = "origin.json"  # where it was made decides nothing: the version does not depend on it
FORMAT = 1


class BundleError(CloutError):
    """A bundle is not what its manifest says."""

    code = "bundle"


@dataclass(frozen=True)
class Bundle:
    """The files of a bundle, as read and verified; `directory` is where they lie, if anywhere."""

    version: str
    files: Mapping[str, bytes]
    directory: Path | None = None

    @classmethod
    def of(cls, files: Mapping[str, bytes | str]) -> Bundle:
        """A bundle that has not been written yet; its version is the one `write` will give."""
        contents = {name: _bytes(content) for name, content in files.items()}
        return cls(_version(_hashed(contents)), contents)

    def text(self, name: str) -> str:
        """The content of a text file."""
        if name not in self.files:
            raise BundleError(f"the bundle {self.version} has no {name}; expected it: train the bundle again")
        return self.files[name].decode()

    def json(self, name: str) -> dict[str, Any]:
        """The content of a JSON file."""
        return dict(json.loads(self.text(name)))

    def booster(self, name: str) -> lightgbm.Booster:
        """The LightGBM booster a model text describes."""
        import lightgbm  # noqa: PLC0415 - takes a second, and single posts are scored without it

        try:
            return lightgbm.Booster(model_str=self.text(name))
        except lightgbm.basic.LightGBMError as error:
            raise BundleError(f"{name} is not a LightGBM model text ({error}); expected one: train again") from error


def to_json(value: object) -> str:
    """JSON text as it is written in bundles: indented, in the order given, exact floats, no NaN."""
    return json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def write(directory: str | Path, files: Mapping[str, bytes | str]) -> str:
    """The version of the bundle now standing at `directory`: whole or, after an error, not there at all."""
    target, bundle = Path(directory), Bundle.of(files)
    if target.exists():
        raise BundleError(f"{target} exists already; expected a new directory: give another one or remove it")
    for name in bundle.files:
        if name in ("", MANIFEST) or Path(name).name != name:
            raise BundleError(f"got a file named {name!r}; expected a plain name other than {MANIFEST}")
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        for name, content in {**bundle.files, MANIFEST: _manifest(_hashed(bundle.files))}.items():
            (temporary / name).write_bytes(content)
        temporary.chmod(0o755)
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return bundle.version


def put(directory: str | Path, files: Mapping[str, bytes | str]) -> None:
    """Nothing; a whole bundle stands at `directory`: the one of `files`, unless there was a whole one already."""
    target = Path(directory)
    if not target.exists():
        write(target, files)
    elif damage(target):
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as aside:
            write(Path(aside) / "whole", files)
            target.rename(Path(aside) / "damaged")
            (Path(aside) / "whole").rename(target)


def damage(directory: str | Path) -> str:
    """What is wrong with the bundle at `directory`; empty when it is whole."""
    try:
        verify(directory)
    except BundleError as error:
        return str(error)
    return ""


def read(directory: str | Path) -> Bundle:
    """The bundle at `directory`, verified: a file that is missing, changed or extra is an error naming it."""
    folder = Path(directory)
    hashes = _hashes(folder, _read_manifest(folder))
    present = {path.name for path in folder.iterdir()} - {MANIFEST}
    for problem, names in (("missing", set(hashes) - present), ("extra", present - set(hashes))):
        if names:
            raise BundleError(f"{_list(names)} {problem} in {folder}; {_AGAIN}")
    files = {name: (folder / name).read_bytes() for name in hashes}
    _refuse_changed(folder, files, hashes)
    return Bundle(_version(hashes), files, folder)


def documents(directory: str | Path, *names: str) -> dict[str, dict[str, Any]]:
    """Those of the named JSON files that the bundle at `directory` has, verified; its other files are not looked at."""
    folder = Path(directory)
    hashes = _hashes(folder, _read_manifest(folder))
    try:
        files = {name: (folder / name).read_bytes() for name in names if name in hashes}
    except OSError as error:
        raise BundleError(f"{error.filename} cannot be read ({error.strerror}); {_AGAIN}") from error
    _refuse_changed(folder, files, hashes)
    return {name: dict(json.loads(content)) for name, content in files.items()}


def verify(directory: str | Path) -> str:
    """The version of the bundle at `directory`, whose files are exactly those of its manifest."""
    return read(directory).version


_AGAIN = (
    "expected exactly the files of its manifest: copy or train the bundle again; `clout promote` of its version takes it "
    "from MLflow again"
)


def _read_manifest(folder: Path) -> bytes:
    try:
        return (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise BundleError(
            f"cannot read {folder / MANIFEST} ({error.strerror}); expected the directory of a bundle"
        ) from error


def _hashes(folder: Path, manifest: bytes) -> dict[str, str]:
    try:
        record = json.loads(manifest)
        got, hashes = record["format"], dict(record["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{folder / MANIFEST} is not a manifest; {_AGAIN}") from error
    if got != FORMAT:
        raise BundleError(f"got bundle format {got!r}; expected {FORMAT}: use the version of clout that wrote it")
    return hashes


def _refuse_changed(folder: Path, files: Mapping[str, bytes], hashes: Mapping[str, str]) -> None:
    changed = {name for name, content in files.items() if _sha256(content) != hashes[name]}
    if changed:
        raise BundleError(f"{_list(changed)} changed in {folder}; {_AGAIN}")


def _hashed(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: _sha256(content) for name, content in files.items()}


def _manifest(hashes: Mapping[str, str]) -> bytes:
    return to_json({"format": FORMAT, "files": {name: hashes[name] for name in sorted(hashes)}}).encode()


def _version(hashes: Mapping[str, str]) -> str:
    """The sha256 of the manifest of the files that decide something."""
    return _sha256(_manifest({name: value for name, value in hashes.items() if name != ORIGIN}))[:16]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names))
