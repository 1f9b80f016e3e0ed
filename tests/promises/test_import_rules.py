"""Who may import whom, and which library has which door. ARCHITECTURE.md says why."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

EVERYONE = ("clout.errors",)
ARROWS = {
    "clout": (),
    "clout.cli": ("clout",),
    "clout.__main__": ("clout.cli",),
    "clout.commands": ("clout",),
    "clout.display_champion": ("clout.display",),
    "clout.display_live": ("clout.display_champion", "clout.serving"),
    "clout.data": (),
    "clout.features": ("clout.data",),
    "clout.models": ("clout.features.contract",),
    "clout.training": ("clout.data", "clout.features", "clout.models"),
    "clout.training.notebook": ("clout.data", "clout.features", "clout.models", "clout.settings"),
    "clout.training.pipeline": ("clout.data", "clout.features", "clout.models", "clout.settings"),
    "clout.serving": ("clout.data", "clout.features", "clout.models", "clout.settings"),
}
DOORS = {
    "polars": ("clout.data", "clout.features", "clout.training"),
    "lightgbm": ("clout.training.fit", "clout.models.bundle"),
    "mlflow": ("clout.training.tracking", "clout.models.mlflow_registry", "clout.models.mlflow_loader"),
    "optuna": ("clout.training.tune",),
    "bentoml": ("clout.serving.service", "clout.serving.bento"),
    "sqlalchemy": (
        "clout.serving.store",
        # MLflow lets its errors through.
        "clout.training.tracking",
        "clout.models.mlflow_registry",
    ),
    "alembic": ("clout.serving.store",),
    "atproto_client": ("clout.data.sources.live.bluesky.server",),
    "libipld": ("clout.data.sources.live.bluesky.frames",),
    "websockets": ("clout.data.sources.live.bluesky.frames",),
    "mastodon": ("clout.data.sources.live.mastodon.server",),
    "psycopg": (),
    "pyspark": ("clout.features.sharded.spark",),
    "py4j": ("clout.features.sharded.spark",),
    "shap": ("clout.training.report", "clout.training.shap_explanation"),
}


def within(name: str, places: tuple[str, ...]) -> bool:
    """Whether a dotted name is one of the places or inside one."""
    return any(f"{name}.".startswith(f"{place}.") for place in places)


def runtime_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node except what stands under `if TYPE_CHECKING:`."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield from runtime_nodes(node)


def imported(nodes: Iterator[ast.AST]) -> Iterator[str]:
    """The dotted names that import statements bring in; a relative one keeps its dots."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)


def breaches(module: str, source: str) -> list[str]:
    """One line for each import this module must not have; a type may name any library."""
    tree = ast.parse(source)
    own_package = ".".join(module.split(".")[:2])
    arrows = ARROWS.get(module, ARROWS.get(own_package, ()))
    rooms = (*EVERYONE, *arrows, own_package)
    ours = [name for name in imported(ast.walk(tree)) if within(name, ("clout",)) or name.startswith(".")]
    found = [f"{module} imports {name}" for name in ours if not within(name, rooms)]
    for name in imported(runtime_nodes(tree)):
        door = DOORS.get(name.split(".")[0])
        if door is not None and not within(module, door):
            found.append(f"{module} imports {name}, whose door is {', '.join(door)}")
    return found


def test_every_module_stays_in_its_room(modules: dict[str, Path]) -> None:
    found = [line for name, file in modules.items() for line in breaches(name, file.read_text())]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("clout.data.lake", "from clout.features import contract"),
        ("clout.data.sources.table", "def f():\n    import clout.training.fit"),
        ("clout.features.compute", "from clout.models.scale import Scale"),
        ("clout.models.scale", "from clout.features.compute import compute"),
        ("clout.models.scale", "from clout import features"),
        ("clout.serving.api", "if TYPE_CHECKING:\n    from clout.training.config import Config"),
        ("clout.training.fit", "from clout.settings import Settings"),
        ("clout.training.fit", "from . import config"),
        ("clout.settings", "from clout.data import lake"),
        ("clout.models.scale", "import polars as pl"),
        ("clout.serving.api", "import lightgbm"),
        ("clout.data.sources.live.mastodon.rows", "from mastodon import Mastodon"),
        ("clout.features.sharded.run", "def f():\n    from pyspark import SparkContext"),
        ("clout.serving.api", "from sqlalchemy import text"),
        ("clout.serving.store.engine", "import psycopg"),
        ("clout.serving.active_model", "def f():\n    from mlflow.tracking import MlflowClient"),
    ],
)
def test_a_breach_is_seen(module: str, source: str) -> None:
    assert len(breaches(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("clout.models.score_model", "if TYPE_CHECKING:\n    import polars as pl"),
        ("clout.models.score_model", "from clout.features.contract import Contract"),
        ("clout.data.sources.table", "from clout.data.lake import Lake\nfrom clout.errors import CloutError"),
        ("clout.cli", "def run():\n    from clout.training.pipeline import run"),
        ("clout.training.pipeline", "from clout.settings import Settings"),
    ],
)
def test_what_is_allowed_passes(module: str, source: str) -> None:
    assert breaches(module, source) == []


def modules_after(program: str, *arguments: str) -> set[str]:
    """The modules that a fresh interpreter holds after running the program."""
    ending = "\nimport sys, json; print('\\n' + json.dumps(sorted(sys.modules)))"
    command = [sys.executable, "-c", program + ending, *arguments]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return set(json.loads(lines[-1]))


def test_the_server_loads_neither_training_nor_its_libraries(root: Path) -> None:
    if not (root / "serving" / "service.py").is_file():
        pytest.skip("serving/service.py is not there yet")
    loaded = modules_after("import clout.serving.service")
    assert {"clout.serving.service", "bentoml"} <= loaded
    assert not loaded & {"mlflow", "shap", "clout.training"}


def test_the_process_that_forks_workers_loads_nothing_with_threads() -> None:
    """A forked process inherits the pool of polars' threads without the threads, and waits for them for ever."""
    loaded = modules_after("import clout.serving.start")
    assert "granian" in loaded
    assert not loaded & {"polars", "lightgbm", "bentoml", "clout.serving.scoring", "clout.serving.pages"}


def test_help_loads_nothing_heavy(root: Path) -> None:
    if not (root / "clout" / "cli.py").is_file():
        pytest.skip("clout/cli.py is not there yet")
    program = "import sys; sys.argv[0] = 'clout'\nfrom clout.cli import app\napp(standalone_mode=False)"
    loaded = modules_after(program, "--help")
    assert "clout.cli" in loaded
    assert not loaded & {"polars", "pandas", "numpy", "lightgbm", "mlflow", "bentoml", "sklearn"}
