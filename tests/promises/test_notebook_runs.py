"""docs/notebook.md works when it is run, and shows what it prints."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOKEN = re.compile(r"-?\d[\d,]*(?:\.\d+)?|[^\s\d]+")
LEEWAY, LEAST = 0.15, 0.05


@pytest.fixture(scope="module")
def notebook(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("notebook", root / "docs" / "notebook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def differences(shown: str, now: str) -> list[str]:
    """The words that are not the same, and the numbers that are farther apart than other libraries make them."""
    pairs = [re.findall(TOKEN, text) for text in (shown, now)]
    if len(pairs[0]) != len(pairs[1]):
        return [f"{len(pairs[0])} words are shown, {len(pairs[1])} there are now"]
    return [f"{old} is shown, {new} it is now" for old, new in zip(*pairs, strict=True) if not _alike(old, new)]


def _alike(old: str, new: str) -> bool:
    if old == new:
        return True
    try:
        a, b = (float(token.replace(",", "")) for token in (old, new))
    except ValueError:
        return False
    return abs(a - b) <= max(LEAST, LEEWAY * abs(a))


@pytest.mark.slow
def test_the_page_shows_what_its_cells_print(root: Path, tmp_path: Path) -> None:
    program = root / "docs" / "notebook.py"
    done = subprocess.run([sys.executable, program, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    page = root / "docs" / "notebook.md"
    found = differences(page.read_text(), (tmp_path / "notebook.md").read_text())
    assert not found, f"run `python docs/notebook.py` and look at what it changes: {found[:5]}"
    pictures = {file.name for file in (root / "docs" / "notebook").iterdir()}
    assert {file.name for file in (tmp_path / "notebook").iterdir()} == pictures
    assert all(f"](notebook/{name})" in page.read_text() for name in pictures)
    assert all((root / "docs" / "notebook" / name).stat().st_size < 100_000 for name in pictures)


PAGE = """
```python no-run cell
a = 2
```

```python no-run cell
print("is", a)
a * 1.5
```

```text
old
```

```python
never = run
```
"""


def test_cells_share_names_and_show_what_they_print(notebook: ModuleType) -> None:
    assert list(notebook.run(PAGE)) == ["", "is 2\n3.0\n"]
    assert "```text\nis 2\n3.0\n```\n\n```python\nnever" in notebook.filled(PAGE)
    assert notebook.filled(notebook.filled(PAGE)) == notebook.filled(PAGE)


@pytest.mark.parametrize(
    ("now", "found"),
    [("1.00 a 201", 0), ("1.04 a 200", 0), ("1.30 a 200", 1), ("1.00 b 200", 1), ("1.00 a", 1), ("-1.00 a 200", 1)],
)
def test_what_has_changed_is_seen(now: str, found: int) -> None:
    assert len(differences("1.00 a 200", now)) == found
