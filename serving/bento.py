"""`clout build`: a Bento that holds the champion, the history it is asked about, and the code that serves them."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import bentoml

from clout.data.history import read_tables
from clout.data.lake import Lake
from clout.models import registry
from clout.serving.service import NAME

SERVICE = "clout.serving.service:service"
PACKAGES = ("clout.data", "clout.features", "clout.models", "clout.serving")
LIBRARIES = (
    "alembic",
    "babel",
    "filelock",
    "fsspec",
    "lightgbm",
    "numpy",
    "polars",
    "prometheus-client",
    "psycopg",
    "psycopg-binary",
    "pydantic",
    "pydantic-settings",
    "scikit-learn",
    "scipy",
    "sqlalchemy",
    "starlette",
)
SYSTEM_LIBRARIES = ("libgomp1",)


def build(home: Path, lake: Lake) -> bentoml.Bento:
    """The Bento of the champion of `home` and the rows of `lake`; the same three parts give the same tag again."""
    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")
    model = _pack(home, lake)
    with tempfile.TemporaryDirectory() as folder:
        _copy_code(Path(folder))
        tag = f"{NAME}:{model.tag.version}-{_digest(Path(folder))}"
        try:
            return bentoml.get(tag)
        except bentoml.exceptions.NotFound:
            pass
        return bentoml.build(
            SERVICE,
            name=NAME,
            version=tag.partition(":")[2],
            description="Clout: an open influence score. POST /v1/posts:explain, GET /v1/model.",
            models=[str(model.tag)],
            build_ctx=folder,
            python={"packages": [f"{name}=={version(name)}" for name in LIBRARIES], "lock_packages": False},
            docker={"system_packages": list(SYSTEM_LIBRARIES)},
        )


def _pack(home: Path, lake: Lake) -> bentoml.Model:
    """A home in the model store: the champion with its pointer, and the lake in one batch."""
    directory = registry.champion(home)
    tag = f"{NAME}:{directory.name}-{lake.fingerprint()[:8]}"
    try:
        return bentoml.models.get(tag)
    except bentoml.exceptions.NotFound:
        pass
    with bentoml.models.create(tag) as model:
        packed = Path(model.path)
        shutil.copytree(directory, packed / directory.relative_to(home))
        pointer = registry.pointer_file(home, registry.CHAMPION)
        shutil.copy(pointer, registry.pointer_file(packed, registry.CHAMPION))
        Lake(packed / "lake").append(read_tables(lake), source="clout build")
    return bentoml.models.get(tag)


def _copy_code(target: Path) -> None:
    """`target` then holds the package `clout` with all the server imports, as plain folders."""
    root = _folder("clout")
    shutil.copytree(root, target / "clout", ignore=lambda _, names: [n for n in names if (root / n).is_dir()])
    for name in PACKAGES:
        shutil.copytree(_folder(name), target.joinpath(*name.split(".")), ignore=shutil.ignore_patterns("__pycache__"))


def _folder(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None and spec.submodule_search_locations  # noqa: S101, PT018 (our own packages are there)
    return Path(next(iter(spec.submodule_search_locations)))


def _digest(folder: Path) -> str:
    """The sha256 of the files in `folder` with their paths, shortened."""
    whole = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        whole.update(f"{file.relative_to(folder)}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    return whole.hexdigest()[:8]
