"""What README.md, docs/*.md and docs/sources/*.md tell people to type works when typed.

Each document gets an empty folder that is also its home. Every fenced `bash` or `python` block runs
there, from top to bottom; a block finds the files that earlier ones left and nothing else. A word after
the language changes that: `no-run` leaves a block out, `background` starts a server that stays until the
document ends. 127.0.0.1:3000 in the text becomes a free port, which the server is given as CLOUT_PORT.
Many documents begin with the same commands, the steps of `BEGINNING`: they are run once, and what they made is copied.
`clout` is one that begins with its libraries in memory (`warm_clout`), but for servers.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import polars as pl
import pytest
from made_once import made_once
from warm_clout import ADDRESS, warm_clout

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs/sources").glob("*.md"))]
BLOCK = re.compile(r"^```(bash|python)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}
Variables = dict[str, str]
BLOCK_SECONDS = 300
SERVER_SECONDS = 120
BEGINNING = ("clout simulate --accounts 300 --days 60\nclout train --set fit.trees=50\n", "clout score --all\n")


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Variables]:
    """The variables with which `clout` begins with its libraries in memory."""
    with warm_clout(tmp_path_factory.mktemp("warm")) as variables:
        yield variables


def run_document(text: str, home: Path, warm: Variables) -> None:
    """Nothing, once every block of the text has worked; else AssertionError with the block and its output."""
    port = free_port()
    environment = environment_of(home, port)
    with ExitStack() as servers:
        for language, words, code in BLOCK.findall(text.replace("127.0.0.1:3000", f"127.0.0.1:{port}")):
            command = [*COMMANDS[language], code]
            if "background" in words.split():
                servers.enter_context(server(command, home, environment, port))
            elif "no-run" not in words.split():
                run_block(command, home, {**environment, **warm})


def steps_of(text: str) -> int:
    """With how many steps of `BEGINNING` the first block that runs begins."""
    blocks = (code for language, words, code in BLOCK.findall(text) if "no-run" not in words.split())
    first = next(blocks, "")
    return max(steps for steps in range(len(BEGINNING) + 1) if first.startswith("".join(BEGINNING[:steps])))


def begun(steps: int, factory: pytest.TempPathFactory, warm: Variables) -> Path:
    """A folder in which so many steps of `BEGINNING` have been run."""

    def make(home: Path) -> None:
        if steps > 1:
            shutil.copytree(begun(steps - 1, factory, warm), home, dirs_exist_ok=True)
        run_block([*COMMANDS["bash"], BEGINNING[steps - 1]], home, environment_of(home, free_port()) | warm)

    return made_once(factory, f"begun{steps}", make)[0]


def environment_of(home: Path, port: int) -> dict[str, str]:
    """What a document's commands find in their environment."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, "HOME": str(home), "PATH": path, "CLOUT_PORT": str(port)}


def run_block(command: list[str], home: Path, environment: dict[str, str]) -> None:
    """Nothing, once the command has ended well."""
    done = subprocess.run(
        command,
        cwd=home,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=BLOCK_SECONDS,
    )
    assert done.returncode == 0, f"this block failed:\n{command[-1]}\nand said:\n{done.stdout}"


@contextmanager
def server(command: list[str], home: Path, environment: dict[str, str], port: int) -> Iterator[None]:
    """A server that answers /readyz, for as long as the context lasts."""
    log = home / "server.log"
    with log.open("w") as said:
        process = subprocess.Popen(
            command, cwd=home, env=environment, stdout=said, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        give_up = time.monotonic() + SERVER_SECONDS
        while not answers(port):
            alive = process.poll() is None and time.monotonic() < give_up
            assert alive, f"this block did not serve:\n{command[-1]}\nand said:\n{log.read_text()}"
            time.sleep(0.1)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def answers(port: int) -> bool:
    """Whether something on the port says that it is ready."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1):
            return True
    except OSError:
        return False


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.relative_to(ROOT).as_posix())
def test_document_runs(
    document: Path, warm: Variables, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = document.read_text()
    if "curl " in text and shutil.which("curl") is None:
        pytest.skip(f"{document.name} uses curl, which is not installed")
    if steps := steps_of(text):
        shutil.copytree(begun(steps, tmp_path_factory, warm), tmp_path, dirs_exist_ok=True)
    run_document(text.replace("".join(BEGINNING[:steps]), "", 1), tmp_path, warm)
    if document == ROOT / "README.md":
        lake = tmp_path / ".clout" / "lake"
        assert people(lake, "actions", "actor") & people(lake, "posts", "account"), "nobody who acts also posts"


def people(lake: Path, table: str, column: str) -> set[str]:
    """The accounts that a column of the lake names."""
    return set(pl.read_parquet([*lake.glob(f"{table}/*.parquet")], columns=[column])[column].drop_nulls())


SAMPLE = """
```bash
echo ready > readyz
```
```bash background
python -m http.server --bind 127.0.0.1 $CLOUT_PORT
```
```python
from urllib.request import urlopen
assert urlopen("http://127.0.0.1:3000/readyz").read() == b"ready\\n"
```
```bash no-run
exit 1
```
```json
not a command
```
"""


def test_blocks_share_a_folder_and_reach_the_server(tmp_path: Path) -> None:
    run_document(SAMPLE, tmp_path, {})


@pytest.mark.parametrize(
    "text",
    [
        "```bash\nfalse | true\n```",
        "```bash\ntrue\n```\n```python\nraise ValueError\n```",
        "```bash background\nexit 0\n```",
    ],
)
def test_a_failing_block_fails_the_document(text: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="this block"):
        run_document(text, tmp_path, {})


@pytest.mark.parametrize(
    "command",
    [
        "clout",
        "clout lake --json",
        "clout lake no",
        "CLOUT_LAKE=$HOME clout lake < /dev/null",
        "clout simulate --accounts 60 --days 8 | cat >&2",
    ],
)
def test_a_clout_with_its_libraries_in_memory_says_what_another_says(
    command: str, warm: Variables, tmp_path: Path
) -> None:
    if warm:
        assert Path(shutil.which("clout", path=warm["PATH"]) or "").parent == Path(warm[ADDRESS]).parent
    told = []
    for number, variables in enumerate(({}, warm)):
        home = tmp_path / str(number) / "home"
        home.mkdir(parents=True)
        done = subprocess.run(
            [*COMMANDS["bash"], command],
            cwd=home,
            env=environment_of(home, 1) | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        told.append([done.returncode, *(said.replace(str(home.parent), "") for said in (done.stdout, done.stderr))])
    assert told[0] == told[1]
