"""The figures as plots: SVG that comes out the same, byte for byte, from the same figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from itertools import groupby
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from measured import even, line, short

from clout.training.curves import COLOURS, INK

KLOUT_ACTIONS, KLOUT_PROFILES = 521_000, 8_700
WIDE = (8.4, 3.4)
BAR = 0.26

Figures = Mapping[str, Any]


def drawn(told: Figures) -> dict[str, bytes]:
    """The plots that there are figures for, by file name."""
    return {f"{name}.svg": _svg(name, draw(told[name])) for name, draw in PLOTS.items() if name in told}


def _svg(name: str, figure: Figure) -> bytes:
    content = BytesIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(content, format="svg", facecolor="white", metadata={"Date": None, "Creator": None})
    lines = (line.rstrip() for line in content.getvalue().splitlines())
    return b"\n".join(lines) + b"\n"


def _panels(*titles: str) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=WIDE, layout="constrained")
    panels = list(figure.subplots(1, len(titles), squeeze=False)[0])
    for axes, title in zip(panels, titles, strict=True):
        axes.set_title(title, loc="left", color=INK, fontsize=11)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=INK, labelsize=9)
        axes.grid(alpha=0.2)
    return figure, panels


def _growth(axes: Axes, points: Sequence[tuple[float, float]], what: tuple[str, str], number: int = 0) -> None:
    """Nothing; `axes` show points and the straight line nearest to them."""
    at_zero, slope = line(points)
    most = max(x for x, _ in points)
    axes.plot([0, most], [at_zero, at_zero + slope * most], ":", color=INK, lw=1, label="straight line")
    axes.plot(*zip(*points, strict=True), "o", color=COLOURS[number], ms=7)
    axes.set(xlabel=what[0], ylabel=what[1], ylim=(0, None))
    axes.xaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: plain(value)))
    axes.legend(frameon=False, fontsize=8, loc="upper left")


def plain(value: float) -> str:
    """A mark of an axis.

    >>> plain(0), plain(1.2), plain(2_000), plain(200_000), plain(5e6)
    ('0', '1.2', '2,000', '200k', '5M')
    """
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= unit:
            return f"{value / (1e3 if letter == 'k' else unit):g}{letter}"
    return f"{value:,.4g}"


def _bars(axes: Axes, groups: Sequence[str], bars: Mapping[str, Sequence[float]], what: str) -> None:
    """Nothing; `axes` show a group of bars for each of `groups`, a colour for each name."""
    for number, (name, values) in enumerate(bars.items()):
        places = [place + (number - (len(bars) - 1) / 2) * BAR for place in range(len(groups))]
        told = axes.barh(places, values, BAR * 0.9, color=COLOURS[number], label=name)
        axes.bar_label(told, [short(value) for value in values], padding=3, fontsize=8, color=INK)
    axes.set_yticks(range(len(groups)), groups)
    axes.invert_yaxis()
    axes.set_xlabel(what)
    axes.margins(x=0.12)
    axes.xaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: plain(value)))
    axes.grid(visible=False, axis="y")


def size(told: Sequence[Mapping[str, Any]]) -> Figure:
    """Time and memory of training by the number of posts."""
    figure, (time, memory) = _panels("Training: time", "Training: memory")
    society = [of for of in told if of["set"] == "society"]
    _growth(time, [(of["posts"], of["cost"]["wall_seconds"]) for of in society], ("posts", "seconds"))
    _growth(memory, [(of["posts"], of["cost"]["peak_mib"] / 1024) for of in society], ("posts", "GiB at most"), 1)
    return figure


def large(told: Sequence[Mapping[str, Any]]) -> Figure:
    """Time and memory of training in shards by the number of posts."""
    figure, (time, memory) = _panels("Training in shards: time", "Training in shards: memory")
    _growth(time, [(of["posts"], of["cost"]["cpu_seconds"]) for of in told], ("posts", "CPU seconds"))
    _growth(memory, [(of["posts"], of["cost"]["peak_mib"] / 1024) for of in told], ("posts", "GiB at most"), 1)
    return figure


def features(told: Sequence[Mapping[str, Any]]) -> Figure:
    """Time and memory of measuring features by the number of actions."""
    figure, (time, memory) = _panels("Features: time", "Features: memory")
    some = even(told)
    _growth(time, [(of["actions"], of["wall_seconds"]) for of in some], ("actions", "seconds"))
    _growth(memory, [(of["actions"], of["peak_mib"] / 1024) for of in some], ("actions", "GiB at most"), 1)
    most = max(of["actions"] for of in some)
    time.plot([0, most], [0, most / KLOUT_ACTIONS], "--", color=INK, lw=1, label="Klout's cluster, 521,000 a second")
    time.legend(frameon=False, fontsize=8, loc="upper left")
    return figure


def reasons(told: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Rows explained a second in three ways."""
    figure, (axes,) = _panels("Reasons: rows explained a second, one thread")
    models = {name: of["rows_per_second"] for name, of in told.items() if "rows_per_second" in of}
    ways = list(next(iter(models.values())))
    _bars(axes, list(models), {way: [speed[way] for speed in models.values()] for way in ways}, "rows a second")
    figure.legend(loc="outside lower center", frameon=False, fontsize=8, ncols=4)
    return figure


def bulk(told: Mapping[str, Any]) -> Figure:
    """Rows scored and explained a second, by one process and by two."""
    figure, (axes,) = _panels("Scored and explained: rows a second")
    processes = sorted({of["processes"] for of in told["found"]})
    ways = list(dict.fromkeys(of["way"] for of in told["found"]))
    speed = {(of["way"], of["processes"]): of["rows_per_second"] for of in told["found"]}
    names = [f"{count} process{'es' if count > 1 else ''}" for count in processes]
    _bars(axes, names, {way: [speed[way, count] for count in processes] for way in ways}, "rows a second")
    axes.axvline(KLOUT_PROFILES, color=INK, lw=1, ls="--", label="Klout's cluster: 8,700 profiles scored")
    figure.legend(loc="outside lower center", frameon=False, fontsize=8, ncols=4)
    return figure


def aggregates(told: Sequence[Mapping[str, Any]]) -> Figure:
    """Actions a second of the same aggregations by engine, of the most actions that all of them did."""
    figure, (speed, memory) = _panels("Aggregations: million actions a second", "Aggregations: GiB at most")
    least = min(of["actions"] for of in told)
    by_engine = groupby(
        sorted((of for of in told if of["actions"] == least), key=lambda of: of["engine"].lower()),
        key=lambda of: of["engine"],
    )
    found = {engine: {of["what"]: of for of in some} for engine, some in by_engine}
    works = list(dict.fromkeys(of["what"] for of in told))
    names = [work.replace(", ", ",\n").replace(" per ", "\nper ").replace("exact ", "exact\n") for work in works]
    rates = {engine: [of[work]["actions_per_second"] / 1e6 for work in works] for engine, of in found.items()}
    peaks = {engine: [of[work]["peak_mib"] / 1024 for work in works] for engine, of in found.items()}
    _bars(speed, names, rates, f"of {least:,} actions")
    _bars(memory, [""] * len(works), peaks, "less is better")
    speed.legend(frameon=False, fontsize=8)
    return figure


def learners(told: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Seconds of each learner until all are equally good."""
    figure, panels = _panels(*(f"Learners: {name}" for name in told))
    for axes, of in zip(panels, told.values(), strict=True):
        names = list(of["learners"])
        for number, name in enumerate(names):
            axes.barh(number, of["learners"][name]["equal"]["seconds"], 0.6, color=COLOURS[number])
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set_xlabel(f"seconds to a squared error of {of['same_error']:.4f}, {of['rows']:,} rows", fontsize=9)
        axes.grid(visible=False, axis="y")
    return figure


PLOTS: dict[str, Callable[[Any], Figure]] = {
    "size": size,
    "large": large,
    "features": features,
    "reasons": reasons,
    "bulk": bulk,
    "aggregates": aggregates,
    "learners": learners,
}
