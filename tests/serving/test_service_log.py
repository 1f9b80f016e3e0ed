"""With `CLOUT_LOG=json` all that the service says of itself is JSON."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from asked import free_port

from clout.models import registry
from clout.serving.edge.service_log import ServiceLines

CLOUT = Path(sys.executable).parent / "clout"


def line(**options: Any) -> dict[str, Any]:  # noqa: ANN401
    """The line of a record."""
    record = logging.LogRecord("clout.serving", logging.WARNING, "", 0, "got %s", ("é",), **options)
    told: dict[str, Any] = json.loads(ServiceLines().format(record))
    return told


def test_a_line_says_when_how_bad_and_what() -> None:
    told = line(exc_info=None)
    assert list(told) == ["at", "level", "message"]
    assert (told["level"], told["message"]) == ("warning", "got é")
    assert told["at"].endswith("+00:00")


def test_a_trace_is_in_the_line() -> None:
    error = ZeroDivisionError("by nothing")
    assert line(exc_info=(type(error), error, None))["trace"] == "ZeroDivisionError: by nothing"


@pytest.mark.slow
def test_requests_and_trouble_are_lines_of_json(home: Path, tmp_path: Path) -> None:
    mine, port = Path(shutil.copytree(home, tmp_path / "home")), str(free_port())
    with (registry.champion(mine) / "card.md").open("a") as card:
        card.write("better")
    environment = {**os.environ, "CLOUT_HOME": str(mine), "CLOUT_PORT": port, "CLOUT_LOG": "json"}
    process = subprocess.Popen([CLOUT, "serve"], env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    lines = [json.loads(process.stderr.readline())]
    with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
        assert client.get(f"http://127.0.0.1:{port}/livez").status_code == 200
    process.terminate()
    lines += [json.loads(line) for line in process.communicate(timeout=30)[1].splitlines()]
    assert all(list(told)[:3] == ["at", "level", "message"] for told in lines)
    assert lines[0]["level"] == "error"
    assert "card.md changed" in lines[0]["message"]
    assert "/livez" in [told.get("route") for told in lines]
