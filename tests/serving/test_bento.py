"""`clout build` makes a Bento that gives the same answers, far from the home it was built in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from asked import JSON, free_port

from clout.serving import scoring
from clout.serving.active_model import Loaded

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Built:
    """A Bento, the store it lies in, and an environment that knows the store but no home."""

    tag: str
    path: Path
    environment: dict[str, str]


def build(home: Path, store: Path) -> Built:
    """What `clout build` makes of `home` in a store of its own."""
    environment = {**os.environ, "BENTOML_HOME": str(store), "BENTOML_DO_NOT_TRACK": "True"}
    command = [BIN / "clout", "build", "--json"]
    out = subprocess.run(
        command, env={**environment, "CLOUT_HOME": str(home)}, cwd=store, capture_output=True, text=True, check=True
    ).stdout
    told = json.loads(out)
    return Built(told["bento"], Path(told["path"]), environment)


@pytest.fixture(scope="module")
def built(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(home, tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def url(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where `bentoml serve` answers with the Bento."""
    port = str(free_port())
    command = [BIN / "bentoml", "serve", built.tag, "--host", "127.0.0.1", "--port", port]
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    process = subprocess.Popen(command, env=built.environment, cwd=elsewhere)
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{address}/readyz").status_code == 200:
                break
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    yield address
    process.terminate()
    process.wait(timeout=20)


@pytest.mark.slow
def test_it_gives_the_same_answers(url: str, loaded: Loaded) -> None:
    now = datetime.now(UTC)
    for account in sorted(loaded.accounts)[::40]:
        body = json.dumps({"account": account, "text": "A question", "happened_at": "2026-01-05T12:00:00Z"})
        answer = httpx.post(f"{url}/v1/posts:explain", content=body, headers=JSON)
        expected = scoring.explain(loaded, scoring.read_request(body, now), now)
        assert answer.json() == json.loads(expected.model_dump_json())
    assert httpx.get(f"{url}/v1/model").text == scoring.model(loaded).model_dump_json()
    assert httpx.get(f"{url}/docs.json").json()["code"] == "unknown_route"


@pytest.mark.slow
def test_it_erases_nothing(url: str, loaded: Loaded) -> None:
    account = min(loaded.accounts)
    answer = httpx.delete(f"{url}/v1/accounts/{account}", headers={"X-Confirm": account})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert "`clout forget ACCOUNT`" in answer.json()["detail"]
    body = json.dumps({"account": account, "text": "A question"})
    assert httpx.post(f"{url}/v1/posts:score", content=body, headers=JSON).status_code == 200


@pytest.mark.slow
def test_it_holds_no_training_and_no_path_of_the_machine(built: Built, home: Path) -> None:
    names = {file.relative_to(built.path / "src").as_posix() for file in (built.path / "src").rglob("*.py")}
    assert {"clout/errors.py", "clout/serving/service.py", "clout/features/request.py"} <= names
    assert not any("training" in name or "test" in name for name in names)
    model = Path(built.environment["BENTOML_HOME"]) / "models" / "clout"
    for file in (path for folder in (built.path, model) for path in folder.rglob("*") if path.is_file()):
        if file.suffix not in {".parquet", ".py"}:
            assert str(home) not in file.read_text(), file


@pytest.mark.slow
def test_the_same_parts_give_the_same_bento(built: Built, home: Path) -> None:
    again = build(home, Path(built.environment["BENTOML_HOME"]))
    assert (again.tag, again.path) == (built.tag, built.path)


OPTIONAL = ("charset_normalizer", "matplotlib", "mlflow", "pandas", "pyarrow", "shap", "typer", "zstandard")
WITHOUT_THEM = """
import json, sys
from importlib.metadata import packages_distributions, requires
from packaging.requirements import Requirement
home, *without = sys.argv[1:]
sys.modules.update(dict.fromkeys(without))

from datetime import UTC, datetime
from pathlib import Path
from clout.serving import scoring, service
from clout.serving.bento import LIBRARIES
service.active.load(Path(home), f"{home}/lake")
loaded, now = service.active.current(), datetime.now(UTC)
body = json.dumps({"account": loaded.example, "text": "Hello", "account_facts": {"followers": 3}})
scoring.explain(loaded, scoring.read_request(body, now), now)

imported = {name.partition(".")[0] for name, module in sys.modules.items() if module}
whole, waiting = set(), ["bentoml", *LIBRARIES]
while waiting:
    name = waiting.pop().lower().replace("_", "-")
    if name not in whole:
        whole.add(name)
        needs = [Requirement(line) for line in requires(name) or ()]
        waiting += [need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
from_ = packages_distributions()
print(json.dumps([m for m in imported if m in from_ and not whole & {d.lower().replace("_", "-") for d in from_[m]}]))
"""


@pytest.mark.slow
def test_it_asks_for_every_library_the_server_needs(home: Path) -> None:
    command = [sys.executable, "-c", WITHOUT_THEM, str(home), *OPTIONAL]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert set(json.loads(out.splitlines()[-1])) <= {"clout", "_distutils_hack", "_virtualenv"}
