"""What attacks bought, as one page that needs nothing else: no script, no font, no address but its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from clout.training import pages
from clout.training.attacks import report
from clout.training.attacks.measure import OURS
from clout.training.attacks.naive import WORDS
from clout.training.curves import COLOURS, DARK, INK, figure, inline_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCORES = {OURS: "this score", **WORDS}
THICK = 0.2


def page(told: Mapping[str, Any]) -> str:
    """The page in HTML of what `attack` told with its curve; the same figures give the same bytes."""
    environment = pages.templates()
    environment.filters["sentence"] = lambda words: words[:1].upper() + words[1:]
    environment.globals["said"] = report
    seen = [attack for attack in told["attacks"] if not attack["reason"]]
    return environment.get_template("attack.html.j2").render(
        told=told,
        palette=list(zip(COLOURS, DARK, strict=True)),
        scores=SCORES,
        bars=[_bars(seen, base["base"], number) for number, base in enumerate(told["bases"])] if seen else [],
        curves=[[_curve(attack, base["base"]) for attack in seen] for base in told["bases"]],
    )


def _bars(attacks: list[Mapping[str, Any]], base: float, number: int) -> Markup:
    """Points bought by each attack, for every score: the median, and a line up to nine tenths of the accounts."""
    title = f"Points bought, at a base of {base:g}"
    drawn, axes = figure(title, (3.8, 0.5 * len(attacks) + 1.6))
    for place, (name, words) in enumerate(SCORES.items()):
        told = [attack["bases"][number]["points"].get(name, {}) for attack in attacks]
        rows = np.arange(len(attacks)) + (place - 1.5) * THICK
        middle = np.array([of.get("median", np.nan) for of in told], dtype=np.float64)
        high = np.array([of.get("p90", np.nan) for of in told], dtype=np.float64)
        axes.barh(rows, middle, THICK * 0.9, color=COLOURS[place], label=words)
        axes.hlines(rows, middle, high, color=COLOURS[place], lw=1)
    axes.set_yticks(np.arange(len(attacks)), [attack["kind"] for attack in attacks])
    axes.invert_yaxis()
    axes.axvline(0, color=INK, lw=0.8)
    axes.set_xlabel("bar: median, line: up to 9 accounts of 10", fontsize=9)
    axes.grid(axis="x", alpha=0.2)
    drawn.legend(loc="outside lower center", frameon=False, fontsize=8, ncols=2)
    return inline_svg(drawn)


def _curve(attack: Mapping[str, Any], base: float) -> Markup:
    """The median points bought by budget, for every score."""
    drawn, axes = figure(f"{attack['kind']}, base {base:g}", (2.6, 2.1))
    axes.set_title(axes.get_title("left"), loc="left", color=INK, fontsize=10, pad=6)
    mine = [point for point in attack["curve"] if point["base"] == base]
    budgets = [point["budget"] for point in mine]
    for place, name in enumerate(SCORES):
        points = [point["points"].get(name) for point in mine]
        axes.plot(budgets, [np.nan if of is None else of for of in points], "o-", color=COLOURS[place], ms=3, lw=1.4)
    _mark(axes, budgets, attack["unit"])
    return inline_svg(drawn)


def _mark(axes: Axes, budgets: list[int], unit: str) -> None:
    axes.set(xscale="log", xlabel=unit)
    axes.set_xticks(budgets, [f"{budget:,}" for budget in budgets])
    axes.tick_params(labelsize=8)
    axes.tick_params(which="minor", length=0, labelsize=0)
    axes.axhline(0, color=INK, lw=0.6)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -1.0), max(high, 1.0))
    axes.grid(alpha=0.2)
