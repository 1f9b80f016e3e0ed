"""Run docs/notebook.md from top to bottom, as a notebook would: `python docs/notebook.py [FOLDER]`.

FOLDER (docs without one) then holds notebook.md with what its cells print now, and the pictures they draw. A cell is a
block that begins ```python no-run cell; the ```text block after it is its output.
"""

from __future__ import annotations

import ast
import io
import os
import re
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import chdir, redirect_stdout
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
PAGE, PICTURES = HERE / "notebook.md", "notebook"
CELL = re.compile(r"(^```python no-run cell\n(.*?)^```\n)(\n```text\n.*?^```\n)?", re.MULTILINE | re.DOTALL)


def run(text: str) -> Iterator[str]:
    """What each cell of `text` prints, the value of its last expression included; the cells share their names."""
    np.random.seed(0)  # noqa: NPY002 - shap draws from it where points of a picture lie, and pictures should stay
    names: dict[str, object] = {"__name__": "__main__"}
    for cell in CELL.finditer(text):
        printed = io.StringIO()
        with redirect_stdout(printed):
            _execute(ast.parse(cell[2]), names)
        yield printed.getvalue()


def _execute(cell: ast.Module, names: dict[str, object]) -> None:
    last = cell.body.pop() if cell.body and isinstance(cell.body[-1], ast.Expr) else None
    exec(compile(cell, str(PAGE), "exec"), names)  # noqa: S102 - our own document
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), str(PAGE), "eval"), names)  # noqa: S307 - our own document
        if value is not None:
            print(value)  # noqa: T201 - what a notebook shows


def filled(text: str) -> str:
    """`text` with the output of every cell as it is now; a cell that prints nothing has none."""
    outputs = run(text)
    return CELL.sub(lambda cell: cell[1] + _output(next(outputs)), text)


def _output(printed: str) -> str:
    lines = [line.rstrip() for line in printed.rstrip().split("\n")]
    return "\n```text\n" + "\n".join(lines) + "\n```\n" if printed.strip() else ""


def main(folder: Path) -> None:
    """Nothing; `folder` then holds the page and its pictures."""
    os.environ["MPLBACKEND"] = "agg"
    warnings.simplefilter("ignore", PendingDeprecationWarning)  # how shap 0.51 makes its colour maps
    with tempfile.TemporaryDirectory() as place, chdir(place):
        Path(PICTURES).mkdir()
        text = filled(PAGE.read_text("utf-8"))
        shutil.copytree(PICTURES, folder / PICTURES, dirs_exist_ok=True)
    (folder / PAGE.name).write_text(text, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else HERE)
