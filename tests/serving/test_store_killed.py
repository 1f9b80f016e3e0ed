"""A batch that is killed leaves whole calls of `write` and nothing of the one it was in; the rest can be written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from score_store import day, record

from clout.serving.store.scores import Store

KILLED = -9
CALLS, EACH = 3, 200
WRITING = r"""
import os, signal, sys
from sqlalchemy import Engine, event
from score_store import record, run
from clout.serving.store.scores import Store

url, point, calls, each = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
written = 0

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def in_the_middle(connection, cursor, statement, *_):
    if written == calls - 1 and statement.startswith("INSERT INTO scores"):
        die()

def before_it_is_done(connection):
    if written == calls - 1:
        die()

with Store.open(url) as store:
    begun = store.begin(run(0))
    event.listen(Engine, *{"middle": ("after_cursor_execute", in_the_middle), "end": ("commit", before_it_is_done)}[point])
    for call in range(calls):
        store.write(begun, [record(0, f"x/{call}-{number}") for number in range(each)])
        written += 1
"""


@pytest.mark.slow
@pytest.mark.parametrize("point", ["middle", "end"])
def test_a_killed_batch_leaves_whole_calls(store: Store, store_url: str, point: str, root: Path):
    environment = {**os.environ, "PYTHONPATH": str(root / "tests" / "fixtures")}
    command = [sys.executable, "-c", WRITING, store_url, point, str(CALLS), str(EACH)]
    assert subprocess.run(command, env=environment, check=False).returncode == KILLED
    there = {f"x/{call}-{number}" for call in range(CALLS - 1) for number in range(EACH)}
    assert store.written(day(0), "a") == there
    assert store.newest_run() is None
    begun = store.run_of(day(0), "a")
    assert begun is not None
    batch = [record(0, f"x/{call}-{number}") for call in range(CALLS) for number in range(EACH)]
    assert store.write(begun, batch) == EACH
    assert all(store.latest(one.account) == one for one in batch[:: EACH // 2])
    assert store.finish(begun, day(0.1)).accounts == CALLS * EACH
