"""The loop keeps a service up and plays rounds; it ends when told to, and where the service ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from clout.serving.live import loop
from clout.serving.live.loop import PARENT, Loop, LoopError, told_to_stop

SERVE = ["sleep", "60"]


def shell(text: str) -> list[str]:
    return ["sh", "-c", text]


class UntilThere(Event):
    """An event that is set once a file is there."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002 (a short one will do)
        """Whether the file is there, soon."""
        return super().wait(0.01) or self._file.exists()


def test_rounds_follow_one_another_beside_the_service(tmp_path: Path) -> None:
    rounds, there = tmp_path / "rounds", tmp_path / "there"
    one = f"echo ${PARENT} >> {rounds}; [ $(wc -l < {rounds}) -lt 3 ] || touch {there}; exit 1"
    Loop(SERVE, shell(one), 0.01, pytest.fail).keep_up(UntilThere(there))
    assert {*rounds.read_text().split()} == {str(os.getpid())}


def test_no_round_begins_while_one_goes_on(tmp_path: Path) -> None:
    begun, there = tmp_path / "begun", tmp_path / "there"
    one = f"echo x >> {begun}; sleep 0.3; touch {there}"
    Loop(SERVE, shell(one), 0.01, pytest.fail).keep_up(UntilThere(there))
    assert begun.read_text() == "x\n"


def test_a_service_that_ends_ends_the_loop_and_the_round(tmp_path: Path) -> None:
    number = tmp_path / "pid"
    serve = shell(f"while [ ! -s {number} ]; do sleep 0.01; done; exit 7")
    with pytest.raises(LoopError, match="the service ended with 7; expected it to run"):
        Loop(serve, shell(f"echo $$ > {number}; exec sleep 60"), 60, pytest.fail).keep_up(Event())
    with pytest.raises(ProcessLookupError):
        os.kill(int(number.read_text()), 0)


def test_a_first_round_that_is_refused_ends_the_loop() -> None:
    with pytest.raises(LoopError, match="the first round was refused"):
        Loop(SERVE, shell("exit 2"), 60, pytest.fail).keep_up(Event())


def test_a_later_round_that_is_refused_or_killed_does_not(tmp_path: Path) -> None:
    rounds, there, said = tmp_path / "rounds", tmp_path / "there", list[str]()
    ends = f"case $(wc -l < {rounds}) in 1) exit 0;; 2) exit 2;; 3) kill -9 $$;; 4) touch {there};; esac"
    Loop(SERVE, shell(f"echo x >> {rounds}; {ends}"), 0.01, said.append).keep_up(UntilThere(there))
    assert said == ["a round was ended by SIGKILL; the next goes on where it stood"]


def test_a_child_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(loop, "GRACE_SECONDS", 0.2)
    there, ended = tmp_path / "there", tmp_path / "ended"
    program = (
        "import signal, sys, time; signal.signal(15, 1); open(sys.argv[1], 'w'); time.sleep(9); open(sys.argv[2], 'w')"
    )
    Loop([sys.executable, "-c", program, str(there), str(ended)], SERVE, 60, pytest.fail).keep_up(UntilThere(there))
    assert not ended.exists()


def test_signals_do_what_is_asked_and_then_what_they_did() -> None:
    stop, before = Event(), signal.getsignal(signal.SIGTERM)
    with told_to_stop(stop.set):
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(1)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_server_ends_with_the_process_that_started_it() -> None:
    ending = "Thread(target=end_with, args=(int(sys.argv[1]),), daemon=True).start(); time.sleep(60)"
    serving = "import os, sys, time; from threading import Thread; from clout.serving.start import end_with; "
    serving += f"print(os.getpid(), flush=True); {ending}"
    starting = "import os, subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1], str(os.getpid())]); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", starting, serving], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout
        server = int(parent.stdout.readline())
        os.kill(server, 0)
        parent.kill()
        # What the server holds of the pipe is closed when it ends.
        assert select.select([parent.stdout], [], [], 20)[0]
