"""What `compare` found, as one page that needs nothing else: no script, no font, no address but its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jinja2 import Environment
from markupsafe import Markup

from clout.training import compare_report as said
from clout.training import pages
from clout.training.curves import COLOURS, DARK, INK, draw_calibration, draw_lift, figure, inline_svg
from clout.training.paired import GROUP_FIGURES

SIZE = (4.4, 4.0)


def page(told: Mapping[str, Any]) -> str:
    """The page in HTML; the same comparison gives the same bytes."""
    named = said.letters(told)
    first = next(iter(named))
    others = {version: letter for version, letter in named.items() if version != first}
    return (
        _templates()
        .get_template("compare.html.j2")
        .render(
            told=told,
            named=named,
            first=first,
            others=others,
            palette=list(zip(COLOURS, DARK, strict=True)),
            group_figures=GROUP_FIGURES,
            curves=_curves(told["accuracy"], named),
            moved={version: _moved(to["bands"], named[first]) for version, to in _to(told).items()},
        )
    )


def _to(told: Mapping[str, Any]) -> Mapping[str, Any]:
    return {} if told["moves"]["reason"] else told["moves"]["to"]


def _curves(accuracy: Mapping[str, Any], named: Mapping[str, str]) -> list[Markup]:
    if accuracy["reason"]:
        return []
    calibration, axes = figure("Calibration, by tenths of the posts", SIZE)
    draw_calibration(
        axes,
        {
            named[version]: (
                np.array([tenth["expected"] for tenth in tenths]),
                np.array([tenth["actual"] for tenth in tenths]),
            )
            for version, tenths in accuracy["deciles"].items()
        },
    )
    lift, axes = figure("Lift, best expected first", SIZE)
    curves = accuracy["lift"]
    draw_lift(
        axes,
        np.array(curves["share"]),
        np.array(curves["perfect"]),
        {named[version]: (np.array(values), 1.6) for version, values in curves["versions"].items()},
    )
    return [inline_svg(calibration), inline_svg(lift)]


def _moved(bands: list[dict[str, Any]], first: str) -> Markup:
    drawn, axes = figure("Change of the score, in points", (SIZE[0], 4.2))
    middle = [(band["from"] + band["to"]) / 2 for band in bands]
    marks = {mark: [band[mark] for band in bands] for mark in ("p5", "p25", "p50", "p75", "p95")}
    axes.axhline(0, color=INK, lw=0.8)
    axes.vlines(middle, marks["p5"], marks["p95"], color=COLOURS[0], lw=1.4, label="nine tenths of the accounts")
    axes.vlines(middle, marks["p25"], marks["p75"], color=COLOURS[0], lw=6, alpha=0.55, label="half of the accounts")
    axes.plot(middle, marks["p50"], "o", color=COLOURS[1], ms=5, label="median")
    axes.set(xlim=(0, 100), xlabel=f"score in {first}")
    axes.set_xticks(range(0, 101, 20))
    axes.grid(alpha=0.2)
    drawn.legend(loc="outside lower center", frameon=False, fontsize=9)
    return inline_svg(drawn)


def _templates() -> Environment:
    environment = pages.templates()
    environment.filters |= {"say": said.say, "signed": said.signed, "group": said.group_words, "who": said.who}
    environment.globals |= {"said": said}
    return environment
