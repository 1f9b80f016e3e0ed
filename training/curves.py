"""Curves that show how well models know what posts drive: calibration and lift, of one model or of several."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from clout.training.metrics import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, COLOURS = "#333333", ("#1f5fa8", "#d1782f", "#4f9a68", "#9a6fb0", "#a8922a", "#c05068", "#7a8a99")
DARK = ("#6ea8e6", "#e59a5a", "#79c492", "#c29bd8", "#cdb954", "#e07d92", "#a9b8c7")
TOLERATED = 0.15


def figure(title: str, size: tuple[float, float] = (6.4, 5.2)) -> tuple[Figure, Axes]:
    """A figure that pyplot does not know, so that nothing has to be closed."""
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow to import)

    drawn = Figure(figsize=size, layout="constrained")
    axes = drawn.add_subplot()
    axes.set_title(title, loc="left", color=INK, fontsize=12, pad=12)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK)
    return drawn, axes


def inline_svg(drawn: Figure) -> Markup:
    """The figure as an SVG element in the colours of its page, light or dark: `--c0` and on stand for `COLOURS`."""
    import matplotlib as mpl  # noqa: PLC0415 (slow to import)

    title, content = drawn.axes[0].get_title("left"), StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": title}):
        drawn.savefig(content, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    element = content.getvalue().partition("<svg")[2]
    for ink in (INK, "#000000"):
        element = element.replace(ink, "currentColor")
    for place, colour in enumerate(COLOURS):
        element = element.replace(colour, f"var(--c{place})")
    return Markup(f'<svg role="img" aria-label="{title}"{element}')  # noqa: S704 (drawn here)


def draw_calibration(axes: Axes, series: Mapping[str, tuple[Floats, Floats]]) -> None:
    """Nothing; `axes` show mean expected and mean actual actions of tenths of the posts, by the words of a legend."""
    logs = {label: (np.log1p(expected), np.log1p(actual)) for label, (expected, actual) in series.items()}
    ends = np.array([0, max(float(values.max()) for pair in logs.values() for values in pair) * 1.06])
    axes.plot(ends, ends, color=INK, lw=1, label="expected = actual")
    axes.fill_between(
        ends, ends - TOLERATED, ends + TOLERATED, color=INK, alpha=0.1, lw=0, label=f"±{TOLERATED:g} on the log scale"
    )
    for colour, (label, (expected, actual)) in zip(cycle(COLOURS), logs.items(), strict=False):
        axes.plot(expected, actual, "o-", color=colour, ms=7, lw=1.2, label=label)
    marks = _marks(ends[1])
    axes.set_xticks(np.log1p(marks), [f"{mark:,}" for mark in marks])
    axes.set_yticks(np.log1p(marks), [f"{mark:,}" for mark in marks])
    axes.set(xlim=ends, ylim=ends, aspect="equal")
    axes.set(xlabel="expected actions a post (mean)", ylabel="actual actions a post (mean)")
    axes.grid(alpha=0.2)
    axes.legend(frameon=False, loc="upper left")


def _marks(highest: float) -> list[int]:
    """0, 1, 3, 10, 30, … up to expm1(`highest`); every second one where they are many."""
    marks = [0, *(step * 10**power for power in range(9) for step in (1, 3) if np.log1p(step * 10**power) <= highest)]
    return marks if len(marks) < 10 else [mark for mark in marks if not str(mark).startswith("3")]


def draw_lift(axes: Axes, shares: Floats, perfect: Floats, series: Mapping[str, tuple[Floats, float]]) -> None:
    """Nothing; `axes` show the lift at each share of the posts: the perfect order's, and (lift, line width) by label."""
    axes.plot(shares, perfect, color=INK, lw=1, ls=":", label="the perfect order")
    for colour, (label, (lift, width)) in zip(cycle(COLOURS), series.items(), strict=False):
        axes.plot(shares, lift, color=colour, lw=width, label=label)
    axes.set(xscale="log", yscale="log", xlabel="share of the posts, those expected to do best first")
    axes.set_ylabel("their mean over the mean of all posts")
    axes.set_xticks([0.005, 0.01, 0.03, 0.1, 0.3, 1], ["0.5 %", "1 %", "3 %", "10 %", "30 %", "100 %"])
    low, high = axes.get_ylim()
    marks = [mark for mark in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if low <= mark <= high]
    axes.set_yticks(marks, [f"{mark:g}" for mark in marks])
    axes.tick_params(which="minor", length=0, labelsize=0)
    axes.grid(alpha=0.2)
    axes.legend(frameon=False, fontsize=9)
