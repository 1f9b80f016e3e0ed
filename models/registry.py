"""The bundles of one home, and the pointers that say which is champion and which challenger."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout

from clout.errors import CloutError
from clout.models import bundle, whole_file

MODEL_NAME = "clout"
VERSION_TAG = "bundle"
CHAMPION, CHALLENGER = "champion", "challenger"
LOCK_SECONDS = 600
TRAINING = ".training-"
LEFT_OVER = timedelta(days=1)
_LEFT = (f"{TRAINING}*", f".{CHAMPION}.json-*", f".{CHALLENGER}.json-*", "bundles/.*-*")
_PREFIX = re.compile(r"[0-9a-f]{4,}")


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
    source, target = bundle.read(bundle_directory), folder(home, version)
    if source.version != version:
        raise RegistryError(f"got the bundle {source.version}; expected {version}: give the version its manifest has")
    with locked(home):
        bundle.put(target, source.files)
        point(home, CHALLENGER, target, version)
    return target


@contextmanager
def locked(home: str | Path) -> Iterator[None]:
    """A block that nobody else runs on the same home; whoever is inside may enter it again."""
    place = Path(home).absolute()
    place.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(place / ".lock", timeout=LOCK_SECONDS, is_singleton=True):
            yield
    except Timeout as error:
        raise RegistryError(
            f"waited {LOCK_SECONDS} s for another program that changes {home}; expected it to end: try again when it has"
        ) from error


def point(home: str | Path, name: str, directory: Path, version: str) -> None:
    """Nothing; `champion` or `challenger` is then the bundle in `directory`, on disk, also after a power cut."""
    _settle(directory)
    path = directory.relative_to(home).as_posix()
    pointer = Pointer(version, path, _sha256(directory / bundle.MANIFEST))
    whole_file.write(pointer_file(home, name), bundle.to_json(asdict(pointer)))


def pointed(home: str | Path, name: str) -> str | None:
    """The version that `champion` or `challenger` names, whether its bundle is whole or not; None when there is none."""
    try:
        return str(json.loads(pointer_file(home, name).read_bytes())["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def champion(home: str | Path) -> Path:
    """The directory of the champion."""
    return resolve(home, CHAMPION)


def resolve(home: str | Path, name: str) -> Path:
    """The directory of `champion`, `challenger`, a version, or the one version that begins with four letters or more."""
    if name in (CHAMPION, CHALLENGER):
        return _follow(Path(home), name)
    there = versions(home)
    begun = [version for version in there if version.startswith(name)] if _PREFIX.fullmatch(name) else []
    found = [name] if name in there else begun
    if len(found) > 1:
        raise ambiguous(name, found)
    if not found:
        raise RegistryError(
            f"got {name!r}; expected champion, challenger or a version: {known(home)}", code="no_version"
        )
    return folder(home, found[0])


def ambiguous(name: str, found: Iterable[str]) -> RegistryError:
    """The refusal of the beginning of several versions."""
    return RegistryError(
        f"got {name!r}, with which several versions begin: {', '.join(found)}; expected one: give more of it",
        code="ambiguous",
    )


def versions(home: str | Path) -> list[str]:
    """The names of the bundles in the home, sorted."""
    place = Path(home) / "bundles"
    found = place.iterdir() if place.is_dir() else ()
    return sorted(path.name for path in found if not path.name.startswith(".") and (path / bundle.MANIFEST).is_file())


def folder(home: str | Path, version: str) -> Path:
    """Where a bundle of this version lies, or would."""
    return Path(home) / "bundles" / version


def known(home: str | Path) -> str:
    """Which versions there are, in words."""
    there = versions(home)
    return f"versions there are: {', '.join(there)}" if there else "no version is installed yet"


def sweep(home: str | Path, now: datetime) -> list[Path]:
    """What broken-off trainings and promotions left more than a day ago; it is gone now."""
    with locked(home):
        left = [path for pattern in _LEFT for path in Path(home).glob(pattern)]
        old = [path for path in left if now - datetime.fromtimestamp(path.stat().st_mtime, UTC) > LEFT_OVER]
        for path in old:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return old


def pointer_file(home: str | Path, name: str) -> Path:
    """The file that says which bundle `champion` or `challenger` is; it is replaced whole, never edited."""
    return Path(home) / f"{name}.json"


def comparison_file(home: str | Path) -> Path:
    """The page that the newest comparison of models left in the home."""
    return Path(home) / "comparison.html"


def _follow(home: Path, name: str) -> Path:
    file = pointer_file(home, name)
    try:
        pointer = Pointer(**json.loads(file.read_text()))
    except FileNotFoundError:
        raise RegistryError(
            f"there is no {name} in {home}; {known(home)}. {_next_step(Path(home), name)}", code=f"no_{name}"
        ) from None
    except (ValueError, TypeError) as error:
        raise RegistryError(f"{file} is not a pointer ({error}); expected one: promote a version again") from error
    manifest = home / pointer.path / bundle.MANIFEST
    if not manifest.is_file() or _sha256(manifest) != pointer.sha256:
        raise RegistryError(
            f"{name} points to {pointer.version}, whose manifest is missing or changed; {known(home)}. "
            "Install that bundle again or promote another one"
        )
    return manifest.parent


def _next_step(home: Path, name: str) -> str:
    if name == CHAMPION and pointer_file(home, CHALLENGER).exists():
        return "See `clout evaluate challenger`, and make it champion with `clout promote challenger`"
    return "Train one with `clout train`"


def _settle(directory: Path) -> None:
    """Nothing; every file of the directory has reached the disk."""
    for path in (*directory.iterdir(), directory, directory.parent):
        whole_file.sync(path)


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
