"""One process at a time works on a home; another is told who it is, and a killed one holds nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clout.serving.live.hold import HeldError, held

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOLDING = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from clout.serving.live.hold import held
with held(Path(sys.argv[1]), "round", datetime(2026, 1, 1, 12, tzinfo=UTC)):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_is_told_who_the_first_is_until_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDING, tmp_path], stdout=subprocess.PIPE) as first:
        assert first.stdout
        first.stdout.readline()
        told = rf"^process {first.pid} on .* since 2026-01-01 12:00:00 UTC is at it; expected one round at a time in .*: wait"
        with pytest.raises(HeldError, match=told), held(tmp_path, "round", NOW):
            pass
        with held(tmp_path, "up", NOW):
            pass
        os.kill(first.pid, signal.SIGKILL)
    with held(tmp_path, "round", NOW):
        assert (tmp_path / ".round.holder").read_text().startswith(f"process {os.getpid()} ")
    assert not (tmp_path / ".round.holder").exists()


def test_a_block_that_fails_holds_nothing_any_more(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"), held(tmp_path, "round", NOW):
        raise OSError("full")
    with held(tmp_path, "round", NOW):
        pass
