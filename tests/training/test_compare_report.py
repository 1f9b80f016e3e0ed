"""The comparison on a terminal: whole, within 80 columns, true to the figures."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from rich.console import Console
from small_comparison import FIRST, RUDE, SECOND, told

from clout.training.compare_report import figure_row, group_words, letters, move_words, tables


def printed(comparison: dict[str, Any]) -> list[str]:
    """The lines of the tables on a terminal."""
    console = Console(width=80, no_color=True)
    with console.capture() as captured:
        console.print(tables(comparison))
    return [line.rstrip() for line in captured.get().split("\n")]


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return printed(told())


def row(lines: list[str], begins: str) -> list[str]:
    """The words of the first line that begins so."""
    return next(line for line in lines if line.startswith(begins)).removeprefix(begins).split()


def test_it_fits_in_80_columns_and_nothing_is_cut(lines: list[str]) -> None:
    assert max(map(len, lines)) <= 80
    assert "…" not in "\n".join(lines)


def test_versions_have_letters(lines: list[str]) -> None:
    assert letters(told()) == {FIRST: "A", SECOND: "B"}
    assert row(lines, "A ") == [FIRST, "champion", "2026-01-01", "1"]


def test_only_what_differs_is_told(lines: list[str]) -> None:
    assert row(lines, "parameters: seed") == ["7", "8"]
    assert row(lines, "parameters: label.kinds") == ['["like"]', "–"]
    same = copy.deepcopy(told()) | {"differs": {"parameters": {}}}
    assert "nothing that the bundles tell of" in printed(same)


def test_features_that_some_lack_are_told_by_who_has_them() -> None:
    features = {
        "x": ["days, free", None],
        "y": ["days, free", None],
        "z": [None, "a, free"],
        "w": ["a, free", "b, free"],
    }
    lines = printed(copy.deepcopy(told()) | {"differs": {"features": features}})
    assert "features only of A: x, y" in lines
    assert "features only of B: z" in lines
    assert row(lines, "features: w") == ["a,", "free", "b,", "free"]
    assert "nothing that the bundles tell of" not in lines


def test_figures_stand_beside_each_other_with_the_difference(lines: list[str]) -> None:
    figure = told()["accuracy"]["figures"]["msle"]
    less = figure[SECOND]["difference"]
    ours, theirs, difference, low, to, high = row(lines, "squared log error")
    assert (ours, theirs) == (f"{figure[FIRST]['value']:.3f}", f"{figure[SECOND]['value']:.3f}")
    assert difference == f"−{-less['value']:.3f}*"
    assert (low, to, high) == (f"−{-less['low']:.3f}", "to", f"−{-less['high']:.3f}")


def test_a_difference_that_may_be_none_has_no_star() -> None:
    less = {"value": 0.01, "low": -0.01, "high": 0.03}
    figures = {"spearman": {FIRST: {"value": 0.5}, SECOND: {"value": 0.51, "difference": less}}}
    assert figure_row(figures, "spearman", FIRST, SECOND)[3:] == ("+0.010", "−0.010 to +0.030")
    unknown = {"value": None, "low": None, "high": None}
    figures = {"spearman": {FIRST: {"value": None}, SECOND: {"value": None, "difference": unknown}}}
    assert figure_row(figures, "spearman", FIRST, SECOND)[1:] == ("–", "–", "–", "– to –")


def test_posts_that_were_left_out_are_counted() -> None:
    other = copy.deepcopy(told())
    other["accuracy"]["other_outcome"] = 12
    assert "12 more had other outcomes" in " ".join(printed(other))
    assert "other outcomes" not in " ".join(printed(told()))


def test_moves_are_told_in_words(lines: list[str]) -> None:
    text = " ".join(" ".join(lines).split())
    assert "from A to B: half of them by 2.5 points or less" in text
    assert "22.2 % more than 5, 0.0 % more than 10; 66.7 % rise and 11.1 % fall" in move_words(
        told()["moves"]["to"][SECOND]
    )
    assert f"twitter/1 (@{RUDE}) 41.0 → 48.0" in text
    assert "model part +7.0: results beyond what was expected +5.0, the starting point +2.0" in text


def test_what_cannot_be_told_says_why() -> None:
    told_not = told() | {"accuracy": {"reason": "too few"}, "moves": {"reason": "other scales"}}
    text = "\n".join(printed(told_not))
    assert "how well each judged the same posts\ntoo few\n" in text
    assert "whose scores move\nother scales\n" in text


@pytest.mark.parametrize(("name", "words"), [("cold start", "cold start"), ("followers<1000", "followers < 1,000")])
def test_groups_in_words(name: str, words: str) -> None:
    assert group_words(name) == words
