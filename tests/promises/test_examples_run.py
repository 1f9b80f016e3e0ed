"""The examples in docstrings are true, and every module can be imported."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest


def test_docstring_examples(modules: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    results = [doctest.testmod(importlib.import_module(name)) for name in modules]
    assert not sum(result.failed for result in results), capsys.readouterr().out
