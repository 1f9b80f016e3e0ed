"""The pages of performance, capacity and accuracy, and their plots, are what the figures that were measured give."""

from __future__ import annotations

import doctest
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

FEATURES = [
    {"actions": 1e6, "posts": 1e5, "accounts": 2e3, "wall_seconds": 3.0, "cpu_seconds": 5.0, "peak_mib": 500.0},
    {"actions": 9e6, "posts": 9e5, "accounts": 4e3, "wall_seconds": 9.0, "cpu_seconds": 17.0, "peak_mib": 700.0},
]
STAR = FEATURES[1] | {"star": 0.3, "wall_seconds": 90.0, "actions": 9.9e6, "peak_mib": 9e3}
FLOOD = [
    {
        "actions": 1_000,
        "posts": 100,
        "accounts": 10,
        "batches": 3,
        "last_tenth_to_first": 1.0,
        "per_second": {"made": 9.0, "appended": 1e5},
        "bytes": {"actions": 15_000, "posts": 2_000},
        "cost": {"wall_seconds": 1.0, "cpu_seconds": 1.0, "peak_mib": 100.0},
    }
]
BULK = {"found": [{"way": "tables", "processes": 2, "rows_per_cpu_second": 5_000.0}]}


@pytest.fixture(scope="module")
def docs(root: Path) -> Iterator[Callable[[str], ModuleType]]:
    """A function that gives a module of docs/ by its name."""
    sys.path.insert(0, str(root / "docs"))
    yield importlib.import_module
    sys.path.remove(str(root / "docs"))


def test_pages_and_plots_are_those_of_the_figures(docs: Callable[[str], ModuleType]) -> None:
    written = docs("performance").written()
    stale = [file.name for file, content in written.items() if not file.exists() or file.read_bytes() != content]
    assert not stale, f"{', '.join(stale)}: run `make docs` and commit what it changes"
    assert {file.name for file in docs("measured").FOLDER.glob("*.svg")} <= {file.name for file in written}


def test_every_figure_is_shown_once(docs: Callable[[str], ModuleType]) -> None:
    page = docs("performance")
    places = [place[2] for file in page.DOCUMENTS for place in page.PLACE.finditer(file.read_text())]
    assert sorted(places) == sorted({*page.MEASURED, *page.CAPACITY, *page.ACCURACY})
    assert {*page.PLOTS} <= {*page.MEASURED} <= {*docs("measured").NAMES}


def test_other_figures_make_other_pages(docs: Callable[[str], ModuleType]) -> None:
    page = docs("performance")
    text = "<!-- figures: features (make docs) -->\nold\n<!-- end -->\n"
    row = next(line for line in page.filled(text, {"features": FEATURES}).splitlines() if "9 million" in line)
    assert row == "| 9 million | 900,000 | 4,000 | 9 | 17 | 700 MiB | 1 million | 1.92 |"
    assert "| 9.9 million, 30% of them one account's |" in page.filled(text, {"features": [*FEATURES, STAR]})
    assert docs("plots").drawn({"features": FEATURES}).keys() == {"features.svg"}


def test_a_page_without_figures_says_how_to_make_them(docs: Callable[[str], ModuleType]) -> None:
    page = docs("performance")
    for file in page.DOCUMENTS:
        text = page.filled(file.read_text(), {})
        measured = len(page.PLACE.findall(text)) - text.count("<!-- figures: capacity.")
        assert text.count("Not measured yet: `python bench/") >= (measured or 3)
        assert page.filled(text, {}) == text


def test_capacity_is_computed_from_slopes(docs: Callable[[str], ModuleType]) -> None:
    capacity, told = docs("capacity"), {"features": [*FEATURES, STAR], "flood": FLOOD, "bulk": BULK}
    actions, posts = (step.per_second * 86_400 for step in capacity.steps(told))
    assert (actions, posts) == (86.4e9, 864e6)
    assert "| 86.4 billion | 864 billion | 8.64 trillion | 45 billion | 0.521 |" in capacity.a_day(told)
    assert f"| {(300 + 1e6 * 0.1) / 1024:.3g} GiB |" in capacity.memory(told)
    assert "| 14 GiB | 15 |" in capacity.disk(told)
    appending, measuring, scoring = 1e9 / 1e5, 1e9 / 1e6, 1e8 / 1e4
    assert f"| {(appending + measuring + scoring) / 3600:.3g} | $0.58 |" in capacity.cost(told)


def test_training_says_where_memory_ends(docs: Callable[[str], ModuleType]) -> None:
    large = [
        {"trees": 20, "posts": posts, "cost": {"wall_seconds": posts / 1e3, "peak_mib": 1024 + posts / 1e3}}
        for posts in (1e5, 1e6)
    ]
    told = docs("capacity").walls({"large": large, "machine": {"memory_gib": 11.0}})
    assert "On that line 10.2 million posts fill the 11 GiB" in told
    assert "16.7 minutes and 1,000 MiB for every million, with heads of 20 trees" in told


def test_what_is_missed_is_said(docs: Callable[[str], ModuleType]) -> None:
    accuracy = docs("accuracy")
    targets = [
        {"quantity": name, "figure": {"value": 0.5, "low": 0.4, "high": 0.6}, "must": [0.45, None], "met": True}
        for name, _, _ in accuracy.TARGETS
    ]
    targets[1] |= {"must": [0.9, 1.1], "met": False}
    targets[2] |= {"must": [0, 0.15], "met": False}
    past = dict.fromkeys(("spearman", "r2_log", "total_ratio"), 0.3)
    report = {"baselines": {"account_mean": past}, "account": {"coverage": {"value": 0.94}}}
    first, second, third, *_, last = accuracy.targets(
        {"politicians": {"targets": targets, "report": report}}
    ).splitlines()[2:]
    assert first.endswith("| 0.500 (0.400 to 0.600) | 0.300 | at least 0.45 |")
    assert second.endswith("| **0.90 to 1.10: missed** |")
    assert third.endswith("| **at most 0.15: missed** |")
    assert last.endswith("| 0.940 |  | **0.87 to 0.93: missed** |")


@pytest.mark.parametrize("name", ["measured", "plots", "capacity", "accuracy", "performance"])
def test_examples_of_the_pages_are_true(name: str, docs: Callable[[str], ModuleType]) -> None:
    assert not doctest.testmod(docs(name)).failed


def test_no_figures_are_kept_that_no_page_shows(docs: Callable[[str], ModuleType]) -> None:
    assert {file.stem for file in docs("measured").FOLDER.glob("*.json")} <= {*docs("measured").NAMES}
