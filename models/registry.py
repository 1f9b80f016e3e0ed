"""Which bundle is champion: bundles copied under one home, pointers to them, and the alias in MLflow."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

from clout.errors import CloutError
from clout.models import bundle, golden
from clout.models.score_model import ScoreModel

MODEL_NAME = "clout"
VERSION_TAG = "bundle"
CHAMPION, CHALLENGER = "champion", "challenger"
LOCK_SECONDS = 60


class RegistryError(CloutError):
    """A bundle that is asked for is not there, or may not become champion."""

    code = "registry"


@dataclass(frozen=True)
class Pointer:
    """What a pointer file holds: `path` is relative to the home, `sha256` is that of the manifest."""

    version: str
    path: str
    sha256: str


def install(home: str | Path, bundle_directory: str | Path, version: str) -> Path:
    """The directory under `home` that now holds a verified copy of the bundle, which is the challenger."""
    source, target = bundle.read(bundle_directory), _folder(home, version)
    if source.version != version:
        raise RegistryError(f"got the bundle {source.version}; expected {version}: give the version its manifest has")
    with _locked(home):
        if target.exists():
            bundle.verify(target)
        else:
            bundle.write(target, source.files)
        _point(Path(home), CHALLENGER, target, version)
    return target


def promote(home: str | Path, tracking_uri: str, name: str) -> Path:
    """The directory of the new champion: verified, its golden rows answered, named champion in MLflow, then here."""
    with _locked(home):
        directory = resolve(home, name)
        model = ScoreModel.load(directory)
        if model.version != directory.name:
            raise RegistryError(
                f"{directory} holds the bundle {model.version}; expected {directory.name}: install it again"
            )
        differences = golden.check(model, tolerance=golden.ACROSS_MACHINES)
        if differences:
            raise RegistryError(
                f"{model.version} gives {len(differences)} other answers than its golden rows: {differences[0]}, …; "
                "install the libraries it was trained with, or train again"
            )
        _set_alias(tracking_uri, model.version)
        _point(Path(home), CHAMPION, directory, model.version)
    return directory


def champion(home: str | Path) -> Path:
    """The directory of the champion."""
    return resolve(home, CHAMPION)


def resolve(home: str | Path, name: str) -> Path:
    """The directory of `champion`, `challenger` or a version."""
    if name in (CHAMPION, CHALLENGER):
        return _follow(Path(home), name)
    directory = _folder(home, name)
    if Path(name).name != name or not (directory / bundle.MANIFEST).is_file():
        raise RegistryError(f"got {name!r}; expected champion, challenger or a version: {_known(home)}")
    return directory


def pointer_file(home: str | Path, name: str) -> Path:
    """The file that says which bundle `champion` or `challenger` is; it is replaced whole, never edited."""
    return Path(home) / f"{name}.json"


def _follow(home: Path, name: str) -> Path:
    file = pointer_file(home, name)
    try:
        pointer = Pointer(**json.loads(file.read_text()))
    except FileNotFoundError:
        raise RegistryError(
            f"there is no {name} in {home}; {_known(home)}. {_next_step(Path(home), name)}", code=f"no_{name}"
        ) from None
    except (ValueError, TypeError) as error:
        raise RegistryError(f"{file} is not a pointer ({error}); expected one: promote a version again") from error
    manifest = home / pointer.path / bundle.MANIFEST
    if not manifest.is_file() or _sha256(manifest) != pointer.sha256:
        raise RegistryError(
            f"{name} points to {pointer.version}, whose manifest is missing or changed; {_known(home)}. "
            "Install that bundle again or promote another one"
        )
    return manifest.parent


def _next_step(home: Path, name: str) -> str:
    if name == CHAMPION and pointer_file(home, CHALLENGER).exists():
        return "See `clout evaluate challenger`, and make it champion with `clout promote challenger`"
    return "Train one with `clout train`"


def _point(home: Path, name: str, directory: Path, version: str) -> None:
    path = directory.relative_to(home).as_posix()
    pointer = Pointer(version, path, _sha256(directory / bundle.MANIFEST))
    _replace(pointer_file(home, name), bundle.to_json(asdict(pointer)))


def _replace(file: Path, content: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _set_alias(tracking_uri: str, version: str) -> None:
    from mlflow import MlflowClient  # noqa: PLC0415 - takes seconds, and a server never promotes

    client = MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
    found = client.search_model_versions(f"name = '{MODEL_NAME}' and tags.{VERSION_TAG} = '{version}'")
    if not found:
        raise RegistryError(
            f"no version of the registered model {MODEL_NAME!r} carries the bundle {version} at {tracking_uri}; "
            "expected one: log the bundle there first, or give the tracking URI it was logged to"
        )
    newest = max(found, key=lambda model: int(model.version))
    client.set_registered_model_alias(MODEL_NAME, CHAMPION, newest.version)


def _locked(home: str | Path) -> FileLock:
    Path(home).mkdir(parents=True, exist_ok=True)
    return FileLock(Path(home) / ".lock", timeout=LOCK_SECONDS)


def _folder(home: str | Path, version: str) -> Path:
    return Path(home) / "bundles" / version


def _known(home: str | Path) -> str:
    folder = Path(home) / "bundles"
    versions = (
        sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) if folder.is_dir() else []
    )
    return f"versions there are: {', '.join(versions)}" if versions else "no version is installed yet"


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
