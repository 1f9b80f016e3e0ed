"""What a training shows: pictures for the run, tables for the terminal, and the card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from rich.console import Group
from rich.table import Table

from clout.models.explain import Explanation
from clout.models.scale import MEAN_SCORE, P95_SCORE
from clout.training.card import BASELINES, FIGURES, CardFacts, card, number
from clout.training.evaluate import Judgement
from clout.training.metrics import deciles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CardFacts", "card", "plots", "table"]

Floats = npt.NDArray[np.float64]
INK, MODEL_COLOUR, OTHER_COLOURS = (
    "#333333",
    "#1f5fa8",
    ("#d1782f", "#5a9a68", "#9a6fb0", "#a8a23a", "#8a8a8a", "#c06078"),
)
BEESWARM_ROWS, BEESWARM_FEATURES = 2000, 18
TOLERATED = 0.15


def plots(directory: Path, judged: Judgement, scores: Floats, explanation: Explanation) -> dict[str, Path]:
    """The PNG files written to `directory`: calibration, lift, beeswarm, scores.

    `scores` are those of the judged posts (n,); `explanation` is of some of them.
    """
    figures = {
        "calibration": _calibration(judged),
        "lift": _lift(judged),
        "beeswarm": _beeswarm(explanation),
        "scores": _scores(scores, judged.frame["network"].to_numpy()),
    }
    paths = {name: directory / f"{name}.png" for name in figures}
    for name, figure in figures.items():
        figure.savefig(paths[name], dpi=120, bbox_inches="tight", metadata={"Software": None})
    return paths


def _figure(title: str, size: tuple[float, float] = (6.4, 5.2)) -> tuple[Figure, Axes]:
    """A figure that pyplot does not know, so that nothing has to be closed."""
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow to import)

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", color=INK, fontsize=12, pad=12)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK)
    return figure, axes


def _calibration(judged: Judgement) -> Figure:
    figure, axes = _figure("Calibration, by tenths of the posts")
    expected, actual = np.log1p(np.array(deciles(judged.expected, judged.count)).T)
    ends = np.array([0, max(expected.max(), actual.max()) * 1.06])
    axes.plot(ends, ends, color=INK, lw=1, label="expected = actual")
    axes.fill_between(
        ends, ends - TOLERATED, ends + TOLERATED, color=INK, alpha=0.1, lw=0, label=f"±{TOLERATED:g} on the log scale"
    )
    axes.plot(expected, actual, "o-", color=MODEL_COLOUR, ms=7, lw=1.2, label="a tenth of the posts")
    marks = _marks(ends[1])
    axes.set_xticks(np.log1p(marks), [f"{mark:,}" for mark in marks])
    axes.set_yticks(np.log1p(marks), [f"{mark:,}" for mark in marks])
    axes.set(
        xlim=ends,
        ylim=ends,
        aspect="equal",
        xlabel="expected actions a post (mean)",
        ylabel="actual actions a post (mean)",
    )
    axes.grid(alpha=0.2)
    axes.legend(frameon=False, loc="upper left")
    return figure


def _marks(highest: float) -> list[int]:
    """0, 1, 3, 10, 30, … up to expm1(`highest`); every second one where they are many."""
    marks = [0, *(step * 10**power for power in range(9) for step in (1, 3) if np.log1p(step * 10**power) <= highest)]
    return marks if len(marks) < 10 else [mark for mark in marks if not str(mark).startswith("3")]


def _lift(judged: Judgement) -> Figure:
    figure, axes = _figure("Lift: what the posts expected to do best did, over the mean of all")
    shares = np.geomspace(0.005, 1, 60)
    rankings = {"model": judged.expected, **judged.others}
    colours = {"model": MODEL_COLOUR, **dict(zip(judged.others, OTHER_COLOURS, strict=False))}
    axes.plot(shares, _lifts(judged.count, judged.count, shares), color=INK, lw=1, ls=":", label="perfect order")
    for name, ranking in rankings.items():
        width = 2.4 if name == "model" else 1.2
        label = BASELINES.get(name, name)
        axes.plot(shares, _lifts(ranking, judged.count, shares), color=colours.get(name, INK), lw=width, label=label)
    axes.axhline(1, color=INK, lw=0.8)
    axes.set(xscale="log", yscale="log", xlabel="share of the posts, those expected to do best first", ylabel="lift")
    axes.set_xticks([0.005, 0.01, 0.03, 0.1, 0.3, 1], ["0.5 %", "1 %", "3 %", "10 %", "30 %", "100 %"])
    axes.set_xticks([], minor=True)
    axes.grid(alpha=0.2)
    axes.legend(frameon=False, fontsize=9)
    return figure


def _lifts(ranking: Floats, count: Floats, shares: Floats) -> Floats:
    taken = np.maximum(1, np.round(shares * len(count))).astype(int)
    means = np.cumsum(count[np.argsort(-ranking, kind="stable")])[taken - 1] / taken
    return np.asarray(means / max(float(count.mean()), 1e-12))


def _beeswarm(explanation: Explanation) -> Figure:
    import shap  # noqa: PLC0415 (slow to import)

    rows = np.linspace(0, len(explanation) - 1, min(BEESWARM_ROWS, len(explanation))).astype(int)
    shown = min(BEESWARM_FEATURES, len(explanation.names))
    figure, axes = _figure("What moved the model's output most", (8.5, 0.36 * shown + 1.6))
    values = shap.Explanation(
        explanation.phi[rows],
        explanation.base_margin[rows],
        explanation.values[rows],
        feature_names=list(explanation.names),
    )
    shap.plots.beeswarm(
        values, max_display=shown, ax=axes, show=False, plot_size=None, s=9, group_remaining_features=False
    )
    axes.tick_params("y", labelsize=9, length=0)
    axes.tick_params("x", labelsize=9)
    axes.set_xlabel("SHAP value (on the scale of log(1 + actions)); grey: not known", fontsize=10)
    return figure


def _scores(scores: Floats, networks: npt.NDArray[np.object_]) -> Figure:
    figure, axes = _figure("Scores of the judged posts", (7, 4.2))
    names = sorted(set(networks))
    bins = [float(edge) for edge in range(0, 102, 2)]
    colours = dict(zip(names, (MODEL_COLOUR, *OTHER_COLOURS), strict=False))
    for name in names:
        mine = scores[networks == name]
        axes.hist(
            mine,
            bins,
            weights=np.full(len(mine), 100 / len(mine)),
            color=colours.get(name, INK),
            alpha=0.75 if len(names) == 1 else 0.5,
            label=f"{name} ({len(mine):,} posts)",
        )
    for mark, words in ((MEAN_SCORE, "mean account"), (P95_SCORE, "95th percentile")):
        axes.axvline(mark, color=INK, lw=1, ls="--")
        axes.text(
            mark + 0.8,
            0.98,
            f"{mark:.0f}: {words}",
            transform=axes.get_xaxis_transform(),
            va="top",
            fontsize=9,
            color=INK,
        )
    axes.set(xlim=(1, 100), xlabel="score", ylabel="share of the posts (%)")
    axes.legend(frameon=False, loc="upper left", fontsize=9)
    return figure


def table(report: Mapping[str, Any]) -> Group:
    """The tables for the terminal: the model judged against baselines, then calibration and accounts."""
    return Group(_judged_against(report), "", _held(report))


def _judged_against(report: Mapping[str, Any]) -> Table:
    heads = ("Spearman", "R²", "skill over it", "in account", "lift", "NDCG", "exp / act", "CRPS")
    grid = _grid(f"{report['posts']:,} posts of {report['accounts']:,} accounts, none learned from", ("", *heads))
    columns = (*FIGURES[:2], "skill", *FIGURES[2:])
    figures = {"model": report["model"]}
    figures |= {name: told | {"skill": report["skill"][name]} for name, told in report["baselines"].items()}
    for name, told in figures.items():
        cells = [_cell(told.get(column)) for column in columns]
        grid.add_row(BASELINES.get(name, name), *cells, style="bold" if name == "model" else "")
    return grid


def _held(report: Mapping[str, Any]) -> Table:
    grid = _grid(None, ("", "", ""))
    grid.show_header = False
    model = report["model"]
    asked = {
        "coverage": "inside the interval",
        "coverage_worst_group": "in the worst group",
        "decile_log_error": "log error over tenths",
    }
    for name, words in asked.items():
        grid.add_row(words, _cell(model[name]))
    rank = report.get("account", {}).get("spearman", {})
    for name, words in (("margin", "accounts: Spearman"), ("own_mean_all", "accounts: of their own mean")):
        if name in rank:
            grid.add_row(words, _cell(rank[name]))
    return grid


def _cell(figure: Mapping[str, float | None] | float | None) -> str:
    if not isinstance(figure, Mapping):
        return "" if figure is None else number(figure)
    if figure.get("low") is None:
        return number(figure["value"])
    return f"{number(figure['value'])}\n{number(figure['low'], 2)}–{number(figure['high'], 2)}"


def _grid(title: str | None, heads: tuple[str, ...]) -> Table:
    grid = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for place, head in enumerate(heads):
        grid.add_column(head, justify="left" if place == 0 else "right")
    return grid
