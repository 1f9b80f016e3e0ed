"""A running service takes the champion that is promoted beside it, or keeps the one it has and says why."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import httpx
import model_store
import pytest
from asked import JSON, free_port

from clout.data.lake import Lake
from clout.models import bundle, champion, registry
from clout.models.audit import Asked
from clout.models.champion import Verdicts
from clout.serving import scoring
from clout.serving.active_model import Loaded, read_active

CLOUT = Path(sys.executable).parent / "clout"
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
PATIENCE = 60
STORM = 20


@dataclass
class Running:
    """A home, its store, and the service that answers from it."""

    home: Path
    store: str
    url: str
    log: Path

    def ready(self) -> dict[str, object]:
        """What /readyz answers; nothing while it does not."""
        try:
            answer = httpx.get(f"{self.url}/readyz")
        except httpx.TransportError:
            return {}
        return answer.json() if answer.status_code == 200 else {}

    def wait(self, holds: Callable[[dict[str, object]], object]) -> float:
        """The seconds until what /readyz answers holds."""
        began = time.monotonic()
        while not holds(self.ready()):
            assert time.monotonic() - began < PATIENCE, self.log.read_text()
            time.sleep(0.05)
        return time.monotonic() - began

    def install(self, **changes: object) -> str:
        """The version of the champion with other values in calibration.json, installed and told to the store."""
        old = bundle.read(registry.champion(self.home))
        files = dict(old.files) | {"calibration.json": bundle.to_json({**old.json("calibration.json"), **changes})}
        files["golden.json"] = bundle.to_json({"rows": []})
        version = bundle.write(self.home / "made", files)
        registry.install(self.home, self.home / "made", version)
        shutil.rmtree(self.home / "made")
        model_store.tell(self.store, version)
        return version

    def promote(self, version: str) -> None:
        """Nothing, once the version is champion."""
        champion.promote(self.home, self.store, version, lambda _, __: Verdicts(), Asked(NOW, "amy@desk"))


@pytest.fixture(scope="module")
def running(home: Path, empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("running")
    mine, port = Path(shutil.copytree(home, folder / "home")), free_port()
    store = f"sqlite:///{model_store.make(folder / 'mlflow.db', empty_store)}"
    model_store.tell(store, registry.champion(mine).name)
    environment = {**os.environ, "CLOUT_HOME": str(mine), "CLOUT_PORT": str(port)}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([CLOUT, "serve"], env=environment, stdout=log, stderr=subprocess.STDOUT)
        running = Running(mine, store, f"http://127.0.0.1:{port}", folder / "log")
        running.wait(lambda told: told.get("status") == "ready")
        yield running
        process.terminate()
        process.wait(timeout=20)


@dataclass
class Asking:
    """Asks the same over and over, until told to stop; keeps what was answered."""

    running: Running
    body: str
    answers: list[tuple[int, str]] = field(default_factory=list)
    stop: Event = field(default_factory=Event)

    def __call__(self) -> None:
        """Nothing, once it was told to stop."""
        with httpx.Client() as client:
            while not self.stop.is_set():
                answer = client.post(f"{self.running.url}/v1/posts:explain", content=self.body, headers=JSON)
                self.answers.append((answer.status_code, answer.text))


def expected(running: Running, body: str) -> tuple[str, Loaded]:
    """What the champion of now answers, read in this process."""
    loaded = read_active(running.home, Lake(running.home / "lake"))
    return scoring.explain(loaded, scoring.read_request(body, NOW), NOW).model_dump_json(), loaded


@pytest.mark.slow
def test_every_answer_is_whole_and_of_one_model_while_another_is_promoted(running: Running) -> None:
    body = json.dumps({"account": "commons/12", "text": "A question", "happened_at": "2026-01-05T12:00:00Z"})
    before, old = expected(running, body)
    curve = {"margin": [0.0, 1.0, 2.0, 4.0], "log_expected": [0.1, 1.5, 2.9, 5.5]}
    new = running.install(main=curve)
    asking = [Asking(running, body) for _ in range(3)]
    threads = [Thread(target=one) for one in asking]
    for thread in threads:
        thread.start()
    running.promote(new)
    took = running.wait(lambda told: told["model_version"] == new)
    time.sleep(0.3)
    for one, thread in zip(asking, threads, strict=True):
        one.stop.set()
        thread.join()
    after, _ = expected(running, body)
    answers = [answer for one in asking for answer in one.answers]
    assert before != after
    assert {status for status, _ in answers} == {200}
    assert {text for _, text in answers} == {before, after}
    for one in asking:
        order = [text == after for _, text in one.answers]
        assert order == sorted(order), "an answer of the model before came after one of the new"
    assert took < PATIENCE
    assert f"model {new} is ready, after {old.model.version}" in running.log.read_text()


@pytest.mark.slow
def test_a_storm_of_promotions_costs_no_request_and_mixes_no_answer(running: Running) -> None:
    body = json.dumps({"account": "commons/12", "text": "A question", "happened_at": "2026-01-05T12:00:00Z"})
    before, old = expected(running, body)
    new = running.install(main={"margin": [0.0, 1.0, 4.0], "log_expected": [0.2, 1.4, 5.2]})
    asking = [Asking(running, body) for _ in range(2)]
    threads = [Thread(target=one) for one in asking]
    for thread in threads:
        thread.start()
    for number in range(STORM):
        running.promote(old.model.version if number % 2 else new)
    running.promote(new)
    running.wait(lambda told: told["model_version"] == new)
    for one, thread in zip(asking, threads, strict=True):
        one.stop.set()
        thread.join()
    answers = [answer for one in asking for answer in one.answers]
    assert {status for status, _ in answers} == {200}
    assert {text for _, text in answers} <= {before, expected(running, body)[0]}
    assert running.ready()["refused"] is None


@pytest.mark.slow
def test_a_damaged_champion_leaves_the_one_before(running: Running) -> None:
    old = registry.champion(running.home).name
    new = running.install(main={"margin": [0.0, 4.0], "log_expected": [0.0, 5.0]})
    running.promote(new)
    running.wait(lambda told: told["model_version"] == new)
    running.promote(old)
    running.wait(lambda told: told["model_version"] == old)
    with (running.home / "bundles" / new / "model.txt").open("a") as file:
        file.write("\n")
    shutil.copy(running.home / "challenger.json", running.home / "champion.json")
    running.wait(lambda told: told["refused"])
    told = running.ready()
    assert told["model_version"] == old
    assert told["refused"]["version"] == new
    assert told["refused"]["reason"].startswith(f"the newer champion {new} could not be taken in")
    metrics = httpx.get(f"{running.url}/metrics").text
    assert "clout_champion_refused 1.0" in metrics
    assert f'version="{old}"}} 1.0' in metrics
    said = f"the newer champion {new} could not be taken in, model {old} goes on: model.txt changed"
    assert said in running.log.read_text()
    champion.rollback(running.home, running.store, Asked(NOW, "amy@desk"))
    running.wait(lambda told: told["refused"] is None)
    assert running.ready()["model_version"] == old
