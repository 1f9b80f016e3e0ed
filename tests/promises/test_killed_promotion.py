"""A promotion that is killed at any of its steps leaves one valid champion, and the next one works.

A process of the test's own kills itself in the middle: it forks once a promotion, which saves loading MLflow each time,
its stores included, and LightGBM.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import model_store
import pytest

from clout.models import audit, champion, golden, registry
from clout.models.audit import Asked
from clout.models.champion import Verdicts
from clout.models.score_model import ScoreModel

ASKED = Asked(datetime(2026, 3, 2, 14, 30, tzinfo=UTC), "amy@desk", "a try")
LINES = ("download", "sha256", "golden", "checks", "alias", "pointer")
KILLED = -9
FORKING = r"""
import json, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
import lightgbm, mlflow, mlflow.artifacts
import mlflow.store.model_registry.sqlalchemy_store, mlflow.store.tracking.sqlalchemy_store
from clout.models import audit, champion, mlflow_registry, registry
from clout.models.champion import Verdicts

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def around(place, name, matches, when):
    real = getattr(place, name)
    def wrapped(*given, **named):
        hit = matches(*given)
        if hit and when == "before":
            die()
        if hit and when == "torn":
            file = Path(given[0]) / audit.FILE
            before = file.stat().st_size if file.exists() else 0
            real(*given, **named)
            os.truncate(file, (before + file.stat().st_size) // 2)
            die()
        result = real(*given, **named)
        if hit and when == "after":
            die()
        return result
    setattr(place, name, wrapped)

def arm(point):
    where, when = point.split(":")
    if where == "unpacked":
        around(Path, "rename", lambda path, *_: path.parent.name == "bundles", when)
    elif where == "alias":
        around(mlflow_registry, "set_alias", lambda *_: True, when)
    elif where == "replaced":
        around(Path, "replace", lambda path, target: target.name == "champion.json", when)
    elif where:
        around(audit, "append", lambda _, entry: f"{entry.what} {entry.step}" == where, when)

def run(home, store, what, version, point):
    arm(point)
    asked = audit.Asked(datetime(2026, 3, 2, 14, 30, tzinfo=UTC), "amy@desk", "a try")
    if what == "promote":
        champion.promote(home, store, version, lambda _, __: Verdicts(), asked)
    else:
        champion.rollback(home, store, asked)

for line in sys.stdin:
    started = []
    for change in json.loads(line):
        child = os.fork()
        if not child:
            try:
                run(*change)
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        started.append(child)
    print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in started]), flush=True)
"""


@dataclass
class House:
    """A home with the champion `old` and a challenger `new`, and a process that promotes there and dies on the way."""

    home: Path
    store: str
    old: str
    new: str
    process: subprocess.Popen[str]

    def run(self, *changes: tuple[str, str, str]) -> list[int]:
        """The exit codes of these changes (what, version, where to be killed), begun at the same time."""
        assert self.process.stdin
        assert self.process.stdout
        asked = [(str(self.home), self.store, *change) for change in changes]
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return list(json.loads(self.process.stdout.readline()))

    def promote(self, version: str) -> None:
        """Nothing, once the version is champion."""
        champion.promote(self.home, self.store, version, lambda _, __: Verdicts(), ASKED)

    def served(self) -> str:
        """The one champion: its files are verified, its golden rows answered."""
        model = ScoreModel.load(registry.champion(self.home))
        assert golden.check(model) == []
        return model.version

    def check_agreement(self, version: str) -> None:
        """Pointer, alias and log name this version, and the log is whole."""
        log = audit.read(self.home)
        assert self.served() == model_store.named(self.store) == champion.standing(log.entries)[-1] == version
        assert log.breaks == ()
        assert champion.astray(self.home, log) == ""


@pytest.fixture(scope="module")
def house(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("killed")
    home, store = folder / "home", f"sqlite:///{model_store.make(folder / 'mlflow.db', empty_store)}"
    old, new = (model_store.install(home, store, card) for card in ("old", "new"))
    command = [sys.executable, "-c", FORKING]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        house = House(home, store, old, new, process)
        house.promote(old)
        yield house
        assert process.stdin
        process.stdin.close()


POINTS = (
    *(f"promote {step}:before" for step in LINES),
    "unpacked:before",
    "unpacked:after",
    "alias:after",
    "replaced:before",
    "replaced:after",
    "promote sha256:torn",
    "promote pointer:torn",
)


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_a_killed_promotion_leaves_one_champion(house: House, point: str) -> None:
    house.check_agreement(house.old)
    shutil.rmtree(registry.folder(house.home, house.new))
    assert house.run(("promote", house.new, point)) == [KILLED]
    moved = point in {"replaced:after", "promote pointer:before", "promote pointer:torn"}
    assert house.served() == (house.new if moved else house.old)
    log = audit.read(house.home)
    assert log.breaks == ()
    champion.mend(house.home, house.store, ASKED)
    house.check_agreement(house.new if moved else house.old)
    house.promote(house.new)
    house.check_agreement(house.new)
    assert champion.rollback(house.home, house.store, ASKED).version == house.old


@pytest.mark.slow
@pytest.mark.parametrize("point", ["replaced:before", "replaced:after", "rollback pointer:torn", "alias:after"])
def test_a_killed_rollback_leaves_one_champion(house: House, point: str) -> None:
    house.promote(house.old)
    house.promote(house.new)
    assert house.run(("rollback", "", point)) == [KILLED]
    moved = point != "replaced:before"
    assert house.served() == (house.old if moved else house.new)
    champion.mend(house.home, house.store, ASKED)
    house.check_agreement(house.old if moved else house.new)
    if not moved:
        assert champion.rollback(house.home, house.store, ASKED).version == house.old
    house.check_agreement(house.old)
    assert house.new not in champion.standing(audit.read(house.home).entries), "gone back from, but to be gone back to"


@pytest.mark.slow
def test_two_processes_at_once_come_one_after_the_other(house: House) -> None:
    lines = len(audit.read(house.home).entries)
    assert house.run(("promote", house.new, ":"), ("promote", house.old, ":")) == [0, 0]
    done = audit.read(house.home).entries[lines:]
    assert [entry.step for entry in done] == [*LINES, *LINES]
    assert len({entry.version for entry in done[:6]}) == len({entry.version for entry in done[6:]}) == 1
    house.check_agreement(done[-1].version)


@pytest.mark.slow
def test_one_that_waits_goes_on_when_the_other_is_killed(house: House) -> None:
    house.promote(house.old)
    assert house.run(("promote", house.new, "alias:after"), ("promote", house.new, ":")) == [KILLED, 0]
    house.check_agreement(house.new)
