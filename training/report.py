"""What a training shows: pictures for the run and tables for the terminal."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from rich.console import Group
from rich.table import Table

from clout.models.explain import Explanation
from clout.models.scale import MEAN_SCORE, P95_SCORE
from clout.training.card import BASELINES, DIGITS
from clout.training.evaluate import Judgement
from clout.training.metrics import deciles, ranked

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]
INK, COLOURS = "#333333", ("#1f5fa8", "#d1782f", "#4f9a68", "#9a6fb0", "#a8922a", "#c05068", "#7a8a99")
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
    axes.plot(expected, actual, "o-", color=COLOURS[0], ms=7, lw=1.2, label="a tenth of the posts")
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
    figure, axes = _figure("Lift: what the posts expected to do best did")
    shares = np.geomspace(0.005, 1, 60)
    axes.plot(shares, _lifts(judged.count, judged.count, shares), color=INK, lw=1, ls=":", label="the perfect order")
    axes.plot(shares, _lifts(judged.expected, judged.count, shares), color=COLOURS[0], lw=2.6, label="this model")
    for colour, (name, ranking) in zip(cycle(COLOURS[1:]), judged.others.items(), strict=False):
        axes.plot(shares, _lifts(ranking, judged.count, shares), color=colour, lw=1.2, label=BASELINES.get(name, name))
    axes.set(xscale="log", yscale="log", xlabel="share of the posts, those expected to do best first")
    axes.set_ylabel("their mean over the mean of all posts")
    axes.set_xticks([0.005, 0.01, 0.03, 0.1, 0.3, 1], ["0.5 %", "1 %", "3 %", "10 %", "30 %", "100 %"])
    marks = [mark for mark in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if _within(mark, axes.get_ylim())]
    axes.set_yticks(marks, [f"{mark:g}" for mark in marks])
    axes.tick_params(which="minor", length=0, labelsize=0)
    axes.grid(alpha=0.2)
    axes.legend(frameon=False, fontsize=9)
    return figure


def _within(mark: float, ends: tuple[float, float]) -> bool:
    return ends[0] <= mark <= ends[1]


def _lifts(ranking: Floats, count: Floats, shares: Floats) -> Floats:
    taken = np.maximum(1, np.round(shares * len(count))).astype(int)
    means = np.cumsum(ranked(ranking, count))[taken - 1] / taken
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
    with _chance_put_back(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)  # a feature that none of the rows knows
        shap.plots.beeswarm(
            values, max_display=shown, ax=axes, show=False, plot_size=None, s=9, group_remaining_features=False
        )
    axes.tick_params("y", labelsize=9, length=0)
    axes.tick_params("x", labelsize=9)
    axes.set_xlabel("SHAP value (on the scale of log(1 + actions)); grey: not known", fontsize=10)
    return figure


@contextmanager
def _chance_put_back() -> Iterator[None]:
    """Numpy's shared generator, which shap draws from, seeded for a while: pictures repeat, nobody else notices."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


def _scores(scores: Floats, networks: npt.NDArray[np.object_]) -> Figure:
    figure, axes = _figure("Scores of the judged posts", (7, 4.2))
    names = sorted(set(networks))
    bins = [float(edge) for edge in range(0, 102, 2)]
    for colour, name in zip(cycle(COLOURS), names, strict=False):
        mine = scores[networks == name]
        shares, label = np.full(len(mine), 100 / len(mine)), f"{name} ({len(mine):,} posts)"
        axes.hist(mine, bins, weights=shares, color=colour, alpha=0.6 / len(names))
        axes.hist(mine, bins, weights=shares, color=colour, lw=1.4, histtype="step", label=label)
    axes.margins(y=0.16)
    for mark, words in ((MEAN_SCORE, "mean account"), (P95_SCORE, "95th percentile")):
        axes.axvline(mark, color=INK, lw=1, ls="--")
        place: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "va": "top", "fontsize": 9, "color": INK}
        axes.text(mark + 0.8, 0.98, f"{mark:.0f}: {words}", **place)
    axes.set(xlim=(1, 100), xlabel="score", ylabel="share of the posts (%)")
    axes.legend(frameon=False, loc="center right", fontsize=9)
    return figure


def table(report: Mapping[str, Any]) -> Group:
    """The tables for the terminal: the model judged against baselines, then calibration and accounts.

    They fit in 80 columns; under a figure stands its 95 % interval.
    """
    return Group(_judged_against(report), "", _held(report))


def _judged_against(report: Mapping[str, Any]) -> Table:
    heads = (
        "Spearman",
        "R²",
        "skill\nover it",
        "within\naccount",
        "lift of\nthe top",
        "NDCG",
        "exp. /\nactual",
        "CRPS",
    )
    grid = _grid(("", *heads), f"{report['posts']:,} posts of {report['accounts']:,} accounts")
    rows = {"model": report["model"]}
    rows |= {name: figures | {"skill": report["skill"][name]} for name, figures in report["baselines"].items()}
    order = ("spearman", "r2_log", "skill", *list(DIGITS)[2:])
    for name, figures in rows.items():
        cells = [_cell(figures.get(figure), DIGITS.get(figure, 3)) for figure in order]
        grid.add_row(name.replace("_", " "), *cells, style="bold" if name == "model" else "")
    return grid


def _held(report: Mapping[str, Any]) -> Table:
    grid = _grid(("", "", ""))
    grid.show_header = False
    rows = {
        "outcomes inside their interval": report["model"]["coverage"],
        "  in the worst group": report["model"]["coverage_worst_group"],
        "log error over tenths of the posts": report["model"]["decile_log_error"],
    }
    ranks = report.get("account", {}).get("spearman", {})
    if ranks:
        rows[f"Spearman of {report['account']['accounts']:,} accounts"] = ranks["margin"]
        rows["  of their own past mean"] = ranks["own_mean_all"]
    for words, figure in rows.items():
        grid.add_row(words, *_cell(figure, 3).split("\n"))
    return grid


def _cell(figure: Mapping[str, float | None] | float | None, digits: int) -> str:
    if not isinstance(figure, Mapping):
        return "" if figure is None else _short(figure, digits)
    if figure["value"] is None:
        return ""
    low, high = figure.get("low"), figure.get("high")
    interval = "" if low is None or high is None else f"\n{_short(low, digits - 1)}–{_short(high, digits - 1)}"
    return _short(figure["value"], digits) + interval


def _short(value: float, digits: int) -> str:
    """0.683 as .683, so that the table fits."""
    return f"{value:.{digits}f}".replace("-0.", "-.").removeprefix("0")


def _grid(heads: tuple[str, ...], title: str | None = None) -> Table:
    grid = Table(title=title, title_justify="left", title_style="", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for place, head in enumerate(heads):
        grid.add_column(head, justify="left" if place == 0 else "right", no_wrap=place > 0, header_style="bold")
    return grid
