"""Lines of JSON in a file that may be moved away, and on stderr for those who ask."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from clout.serving.edge.layers import Edge
from clout.serving.edge.request_log import AUDIT, audit_log, error_stream_log
from clout.settings import Settings


def close(log: logging.Logger) -> None:
    for handler in log.handlers:
        handler.close()


def test_each_line_is_an_object_and_the_file_may_be_moved(tmp_path: Path) -> None:
    log, file = audit_log(tmp_path / "home"), tmp_path / "home" / AUDIT
    assert not file.exists()
    log.info("", extra={"told": {"who": "é"}})
    file.rename(tmp_path / "old")
    log.info("", extra={"told": {"who": "b"}})
    close(log)
    lines = [json.loads(path.read_text()) for path in (tmp_path / "old", file)]
    assert [line["who"] for line in lines] == ["é", "b"]
    assert list(lines[0]) == ["at", "who"]


def test_what_cannot_be_written_does_not_stop_the_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "home").touch()
    log = audit_log(tmp_path / "home")
    log.info("", extra={"told": {"who": "a"}})
    close(log)
    assert "Logging error" in capsys.readouterr().err


def test_the_settings_choose(tmp_path: Path) -> None:
    plain = Edge.of(Settings(home=tmp_path), tuple, lambda: None)  # type: ignore[arg-type, return-value]
    assert (plain.every, plain.origins, plain.rate, plain.burst, plain.in_flight) == (None, (), 50, 100, 64)
    assert plain.audit is audit_log(tmp_path)
    settings = Settings(home=tmp_path, log="json", cors_origins="https://a.example, https://b.example", open="never")
    asked = Edge.of(settings, tuple, lambda: None)  # type: ignore[arg-type, return-value]
    assert asked.every is error_stream_log()
    assert asked.origins == ("https://a.example", "https://b.example")
    assert (asked.access.how, asked.access.listens) == ("never", "127.0.0.1")
