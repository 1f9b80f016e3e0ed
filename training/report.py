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
from clout.training.curves import COLOURS, INK, draw_calibration, draw_lift, figure
from clout.training.evaluate import Judgement
from clout.training.metrics import deciles, lifts
from clout.training.shap_explanation import shap_explanation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]
BEESWARM_ROWS, BEESWARM_FEATURES = 2000, 18


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
    for name, drawn in figures.items():
        drawn.savefig(paths[name], dpi=120, bbox_inches="tight", metadata={"Software": None})
    return paths


def _calibration(judged: Judgement) -> Figure:
    drawn, axes = figure("Calibration, by tenths of the posts")
    expected, actual = np.array(deciles(judged.expected, judged.count)).T
    draw_calibration(axes, {"a tenth of the posts": (expected, actual)})
    return drawn


def _lift(judged: Judgement) -> Figure:
    drawn, axes = figure("Lift: what the posts expected to do best did")
    shares = np.geomspace(0.005, 1, 60)
    series = {"this model": (lifts(judged.expected, judged.count, shares), 2.6)}
    series |= {
        BASELINES.get(name, name): (lifts(ranking, judged.count, shares), 1.2)
        for name, ranking in judged.others.items()
    }
    draw_lift(axes, shares, lifts(judged.count, judged.count, shares), series)
    return drawn


def _beeswarm(explanation: Explanation) -> Figure:
    import shap  # noqa: PLC0415 (slow to import)

    rows = np.linspace(0, len(explanation) - 1, min(BEESWARM_ROWS, len(explanation))).astype(int)
    shown = min(BEESWARM_FEATURES, len(explanation.names))
    drawn, axes = figure("What moved the model's output most", (8.5, 0.36 * shown + 1.6))
    values = shap_explanation(explanation, "log")[rows]
    with _chance_put_back(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)  # a feature that none of the rows knows
        shap.plots.beeswarm(
            values, max_display=shown, ax=axes, show=False, plot_size=None, s=9, group_remaining_features=False
        )
    axes.tick_params("y", labelsize=9, length=0)
    axes.tick_params("x", labelsize=9)
    axes.set_xlabel("SHAP value (on the scale of log(1 + actions)); grey: not known", fontsize=10)
    return drawn


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
    drawn, axes = figure("Scores of the judged posts", (7, 4.2))
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
    return drawn


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
        past = max((ranks[name] for name in ("own_mean_90d", "own_mean_all")), key=lambda rank: rank["value"] or 0)
        rows["  of their own past mean"] = past
    for words, told in rows.items():
        grid.add_row(words, *_cell(told, 3).split("\n"))
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
