"""What attacks bought, in tables that fit on a terminal and on a page that needs nothing else."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from clout.training.attacks import page, report
from clout.training.attacks.kinds import KINDS

NAIVE = ("followers", "likes", "per_post")


def figures(median: float) -> dict[str, float]:
    """Figures around a median."""
    return {"median": median, "p90": 2 * median, "most": 3 * median, "per_thousand": median / 2}


def bought(base: float, limit: float | None) -> dict[str, Any]:
    """What an attack bought at a base."""
    points = {"clout": figures(-1.25), **{name: figures(float(place)) for place, name in enumerate(NAIVE)}}
    ends = {"worst": {"score": "per_post", "ratio": -0.625}, "best": {"score": "followers", "ratio": None}}
    return {"base": base, "points": points, **ends, "limit": limit, "within": 3, "targets": 4}


def told(kinds: tuple[str, ...] = ("throwaways", "followers")) -> dict[str, Any]:
    """Two attacks on two bases: the first cannot be told, the others bought something."""
    attacks: list[dict[str, Any]] = []
    for name in kinds:
        kind = KINDS[name]
        words = {"kind": name, "what": kind.what, "cost": kind.cost, "unit": "<b>"}
        attacks.append({**words, "reason": "it <cannot> be told"})
        if name != kinds[0]:
            curve = [
                {"budget": budget, "base": base, "points": {"clout": 1.0, "likes": budget / 9, "per_post": None}}
                for budget in (10, 33, 100, 300)
                for base in (2.0, 20.0)
            ]
            others = {"accounts": 9, "median": 0.02, "most": 0.31}
            bases = [bought(2.0, None), bought(20.0, 0.0)]
            attacks[-1] |= {"reason": None, "others": others, "bases": bases, "curve": curve}
    bases = [{"base": base, "targets": 4, "scores": {"clout": 41.26}} for base in (2.0, 20.0)]
    about = {"version": "v1", "network": "Commons", "at": "2026-01-02T00:00:00Z", "budget": 1_000, "posts": 30}
    return {**about, "bases": bases, "attacks": attacks}


def printed(width: int = 80) -> list[str]:
    """The lines on a terminal."""
    console = Console(file=StringIO(), width=width)
    console.print(report.tables(told()))
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


def test_tables_fit_and_say_it_all() -> None:
    lines = [" ".join(line.split()) for line in printed()]
    assert lines.count("followers −1.2 −2.5 −3.8 −0.6 0.0 +1.0 +2.0 −0.62× –") == 2
    assert lines.count("throwaways – – – – – – – – –") == 2
    assert "usual actions a post: about 20 (4 accounts, typical score 41.3)" in lines
    text = " ".join(lines)
    assert "throwaways: it <cannot> be told" in text
    assert "followers at 20: promised at most 0 points, 3 of 4 accounts are within" in text
    assert "accounts that took no part moved by 0.02 points in the median there, at most by 0.31" in text
    assert text.count("promised") == 1


@pytest.mark.parametrize("kind", KINDS)
def test_no_cell_is_broken(kind: str) -> None:
    console = Console(file=StringIO(), width=80)
    console.print(report.tables(told(("pod", kind))))
    assert f"\n{kind} " in console.file.getvalue()  # type: ignore[attr-defined]


def test_the_page_has_a_plot_for_each_base_and_a_curve_for_each_attack() -> None:
    html = page.page(told())
    assert re.findall(r'aria-label="([^"]+)"', html) == [
        "Points bought, at a base of 2",
        "followers, base 2",
        "Points bought, at a base of 20",
        "followers, base 20",
    ]
    assert "Model v1 on Commons at 2026-01-02" in html
    assert "<td>−0.62×</td><td>–</td>" in html
    assert html == page.page(told())


def test_the_page_needs_nothing_else_and_nothing_breaks_out() -> None:
    html = page.page(told())
    assert "<script" not in html
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)[^\"]*\"", html)
    assert "it &lt;cannot&gt; be told" in html
    assert "<cannot>" not in html
    assert "<b>" not in html


def test_without_anything_to_tell_the_page_says_why() -> None:
    nothing = told(("pod",))
    html = page.page(nothing)
    assert "<svg" not in html
    assert "Pod: it &lt;cannot&gt; be told" in html
