"""The tables in the documents are those of the code, and the documents lead where they say."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest
from typer.main import get_command

from clout.cli import app
from clout.features.catalogue import FEATURES
from clout.training.checks.codes import CODES

LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def generate(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", root / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_tables_are_those_of_the_code(generate: ModuleType) -> None:
    stale = [file.name for file in generate.documents() if generate.filled(file.read_text()) != file.read_text()]
    assert not stale, f"{', '.join(stale)}: run `make docs` and commit what it changes"


def test_every_table_has_its_place_once(generate: ModuleType) -> None:
    found = [name for file in generate.documents() for name in generate.places(file.read_text())]
    assert sorted(found) == sorted(generate.TABLES)


def test_a_table_that_has_changed_is_seen(generate: ModuleType) -> None:
    text = "before\n<!-- table: checks.training (make docs) -->\n\n| old |\n\n<!-- end -->\nafter <!-- end -->\n"
    new = generate.filled(text)
    assert new != text
    assert "CLOUT001" in new
    assert new.startswith("before\n")
    assert new.endswith("<!-- end -->\nafter <!-- end -->\n")
    assert generate.filled(new) == new


def test_a_place_for_a_table_nobody_makes_is_an_error(generate: ModuleType) -> None:
    with pytest.raises(KeyError, match="no_such"):
        generate.filled("<!-- table: no_such (make docs) -->\n<!-- end -->")


@pytest.mark.parametrize(("data", "mark"), [("politicians", ""), ("society", " *(society)*")])
def test_what_a_feature_is_worth_is_told_once_it_is_measured(
    data: str, mark: str, generate: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = next(feature for feature in FEATURES if feature.group == "track_record")
    monkeypatch.setattr(generate, "ABLATION", tmp_path / "ablation.json")
    assert "it adds" not in generate.features("track_record")
    gains = {"r2_gain": 0.01234, "r2_error": 0.001, "spearman_gain": -0.001, "spearman_error": 0.002}
    (tmp_path / "ablation.json").write_text(json.dumps({first.name: {"data": data, "earns": "earns", **gains}}))
    heads, _, row, *others = generate.features("track_record").splitlines()
    assert "R² it adds" in heads
    assert row.endswith(f"| 0.0123 ± 0.0010{mark} | -0.0010 ± 0.0020{mark} |")
    assert all(other.endswith("| – | – |") for other in others)


def test_each_check_says_what_to_do_on_a_finding(root: Path) -> None:
    text = (root / "docs" / "checks.md").read_text()
    told = dict(re.findall(r"^### (CLOUT\d+)\b.*?\n(.*?)(?=^#|\Z)", text, re.M | re.S))
    assert sorted(told) == list(CODES)
    assert all(re.search(r"\bOn (a finding|an error)\b", " ".join(body.split())) for body in told.values())


def test_every_command_is_in_the_documents(generate: ModuleType) -> None:
    text = "\n".join(file.read_text() for file in generate.documents())
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        names = [f"{name} {inner}" for inner in command.commands] if hasattr(command, "commands") else [name]
        assert not [name for name in names if f"clout {name}" not in text]


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    heads = HEADING.findall(CODE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_links_lead_somewhere(generate: ModuleType, root: Path) -> None:
    records = sorted((root / "docs" / "decisions").glob("*.md"))
    lost = []
    for file in [*generate.documents(), root / "ARCHITECTURE.md", root / "CHANGELOG.md", *records]:
        for path, anchor in LINK.findall(CODE.sub("", file.read_text())):
            target = (file.parent / path).resolve() if path else file
            if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
                lost.append(f"{file.name}: {path}#{anchor}")
    assert not lost
