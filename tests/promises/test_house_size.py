"""Files and functions that one can read in one sitting, under names that say what is in them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

FILE_LINES = 400
FUNCTION_LINES = 50
MEDIAN_LINES = 8
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "core", "base", "manager", "common", "misc"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@pytest.fixture(scope="session")
def all_files(modules: dict[str, Path], root: Path) -> list[Path]:
    """Every Python file of the packages, the tests and the benchmarks."""
    return [*modules.values(), *sorted(root.glob("tests/**/*.py")), *sorted(root.glob("bench/**/*.py"))]


def functions(file: Path) -> Iterator[tuple[str, int]]:
    """`file:line name` and the number of code lines of each function and method."""
    source = file.read_text()
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function):
            yield f"{file}:{node.lineno} {node.name}", code_lines(node, lines)


def code_lines(function: Function, lines: list[str]) -> int:
    """How many lines a function has, without its docstring, blank lines and lines that are only a comment."""
    documented = ast.get_docstring(function, clean=False) is not None
    docstring = function.body[0]
    inside = range(function.lineno, (function.end_lineno or function.lineno) + 1)
    skipped = range(docstring.lineno, (docstring.end_lineno or 0) + 1) if documented else range(0)
    kept = [lines[number - 1].strip() for number in inside if number not in skipped]
    return sum(1 for line in kept if line and not line.startswith("#"))


def test_files_are_short(all_files: list[Path]) -> None:
    lengths = {str(file): len(file.read_text().splitlines()) for file in all_files}
    long = {file: length for file, length in lengths.items() if length > FILE_LINES}
    assert not long, f"more than {FILE_LINES} lines: {long}"


def test_functions_are_short(all_files: list[Path]) -> None:
    long = [(name, length) for file in all_files for name, length in functions(file) if length > FUNCTION_LINES]
    assert not long, f"more than {FUNCTION_LINES} code lines: {long}"


def test_the_usual_function_is_very_short(modules: dict[str, Path]) -> None:
    assert median(length for file in modules.values() for _, length in functions(file)) <= MEDIAN_LINES


def test_names_say_what_is_inside(all_files: list[Path]) -> None:
    vague = [str(file) for file in all_files if NAMES_THAT_SAY_NOTHING.intersection(file.stem.split("_"))]
    assert not vague


def test_every_package_is_listed(packages: dict[str, Path]) -> None:
    tops = [folder for name, folder in packages.items() if name.count(".") < 2]
    with_code = {file.parent for folder in tops for file in folder.rglob("*.py")}
    assert with_code == set(packages.values())


def test_code_lines_leave_out_docstring_blanks_and_comments() -> None:
    source = 'def f(\n    a: int,\n) -> int:\n    """One.\n\n    Two.\n    """\n\n    # why\n    return a  # so\n'
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert code_lines(function, source.splitlines()) == 4
