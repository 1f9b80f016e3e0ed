"""What others wrote and pages load: each file is listed with where it is from, its licence and its hash."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from clout.serving.pages.assets import assets

LIST = "vendor.json"
FIELDS = {"file", "package", "version", "path", "licence", "licence_file", "sha256"}


@pytest.fixture
def folder(root: Path) -> Path:
    return root / "serving" / "pages" / "static" / "vendor"


@pytest.fixture
def listed(folder: Path) -> list[dict[str, str]]:
    records: list[dict[str, str]] = json.loads((folder / LIST).read_text())
    return records


def test_each_file_is_what_the_list_says(folder: Path, listed: list[dict[str, str]]) -> None:
    assert {one["file"]: hashlib.sha256((folder / one["file"]).read_bytes()).hexdigest() for one in listed} == {
        one["file"]: one["sha256"] for one in listed
    }


def test_each_record_says_where_a_file_is_from_and_names_its_licence(
    folder: Path, listed: list[dict[str, str]]
) -> None:
    for one in listed:
        assert one.keys() == FIELDS
        assert all(one.values())
        assert one["licence"].removeprefix("0") in {"BSD", "MIT"}
        assert (folder / one["licence_file"]).stat().st_size > 500


def test_nothing_lies_beside_the_list(folder: Path, listed: list[dict[str, str]]) -> None:
    named = {LIST} | {one[kind] for one in listed for kind in ("file", "licence_file")}
    assert {file.name for file in folder.iterdir()} == named


def test_what_is_large_was_not_written_here(listed: list[dict[str, str]]) -> None:
    large = {name for name, asset in assets().items() if len(asset.body) > 20_000}
    assert large <= {f"vendor/{one['file']}" for one in listed}
