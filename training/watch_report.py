"""What a watch shows: tables for the terminal, and one page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table

from clout.training import pages
from clout.training.drift import LEAST_EFFECT

SHOWN = 8
DRAWN = 6
WORDS = {
    "spearman": "rank correlation",
    "skill": "skill over the account's past mean",
    "msle": "mean squared log error",
    "crps": "CRPS",
    "total_ratio": "expected / actual actions",
    "coverage": "outcomes inside their interval",
}
PLOT_WIDTH, PLOT_HEIGHT = 300, 96


def table(told: Mapping[str, Any]) -> Group:
    """The tables for the terminal; they fit in 80 columns."""
    parts: list[Any] = []
    if told["inputs"]:
        parts += [_inputs(shown(told)), "", _others([*told["predictions"], *told["categories"]]), ""]
    if told["accuracy"]:
        parts += [_accuracy(told)]
    parts += [*data_lines(told)]
    return Group(*parts)


def shown(told: Mapping[str, Any], most: int = SHOWN) -> list[Mapping[str, Any]]:
    """The features that drifted, then those that matter most and moved most, `most` of them at least."""
    inputs = told["inputs"]
    drifted = [one for one in inputs if one["drifted"]]
    return drifted + [one for one in inputs if not one["drifted"]][: max(0, most - len(drifted))]


def data_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """Sentences about the data themselves."""
    volume, rejected = told["volume"], told["rejected"]
    if volume is not None:
        low, high = min(volume["earlier"]), max(volume["earlier"])
        yield f"{volume['now']:,.1f} posts a day; stretches as long before had {low:,.1f} to {high:,.1f}"
    yield f"rows rejected: {rejected['newest']:.1%} of the newest batch, {rejected['before']:.1%} of those before"
    if not told["accuracy"]:
        yield f"{told['ripe']:,} outcomes became known since the training: too few to tell how well it does"


def _inputs(rows: Sequence[Mapping[str, Any]]) -> Table:
    grid = _grid(("what the model looks at", "weight", "moved", "ordinary", "mean", "missing"))
    for one in rows:
        missing = "" if one["now"][-1] == 0 else f"{one['now'][-1]:.0%}"
        cells = (f"{one['share']:.0%}", *_moved(one), missing)
        grid.add_row(one["feature"], *cells, style="bold" if one["drifted"] else "")
    return grid


def _others(rows: Sequence[Mapping[str, Any]]) -> Table:
    grid = _grid(("what it says, and of whom", "moved", "ordinary", "mean", "new"))
    for one in rows:
        new = "" if one["now"][-2] == 0 else f"{one['now'][-2]:.1%}"
        grid.add_row(one["feature"], *_moved(one), new, style="bold" if one["drifted"] else "")
    return grid


def _moved(one: Mapping[str, Any]) -> tuple[str, str, str]:
    shift = "" if one["shift"] is None else f"{one['shift']:+.2f} SD"
    return f"{one['distance']:.2f}", f"to {max(one['floor'], LEAST_EFFECT):.2f}", shift


def _accuracy(told: Mapping[str, Any]) -> Table:
    grid = _grid((f"{told['ripe']:,} newly ripe posts", "now", "95 %", "rolling blocks"))
    for figure in told["accuracy"]:
        numbers = (number(figure["now"]), between(figure), number(figure["then"]))
        grid.add_row(WORDS[figure["name"]], *numbers, style="bold" if figure["worse"] else "")
    return grid


def number(value: float | None) -> str:
    """A figure with three digits; empty where it cannot be told."""
    return "" if value is None else f"{value:.3f}"


def between(figure: Mapping[str, Any]) -> str:
    """The interval of a figure; empty where it cannot be told."""
    return "" if figure["low"] is None else f"{figure['low']:.3f} to {figure['high']:.3f}"


def _grid(heads: tuple[str, ...]) -> Table:
    grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for place, head in enumerate(heads):
        grid.add_column(head, justify="right" if place else "left", no_wrap=True)
    return grid


def page(told: Mapping[str, Any]) -> str:
    """The page in HTML, pictures inside; the same watch gives the same bytes."""
    drawn = [*told["predictions"], *shown(told, DRAWN)[: 2 * DRAWN], *told["categories"]]
    return (
        pages.templates()
        .get_template("watch.html.j2")
        .render(
            told=told,
            rows=shown(told, 2 * SHOWN),
            drawn=[(one, _bars(one)) for one in drawn],
            accuracy=[(figure, WORDS[figure["name"]]) for figure in told["accuracy"]],
            volume=_volume(told["volume"]),
            lines=list(data_lines(told)),
            number=number,
            between=between,
            least=LEAST_EFFECT,
            width=PLOT_WIDTH,
            height=PLOT_HEIGHT,
        )
    )


def _bars(one: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The bins of a feature that hold something: name, shares, and where their two bars stand."""
    kept = [bin_ for bin_ in zip(one["bins"], one["before"], one["now"], strict=True) if bin_[1] or bin_[2]]
    top, step = max(max(was, is_) for _, was, is_ in kept), PLOT_WIDTH / len(kept)
    return [
        {
            "name": name,
            "before": was,
            "now": is_,
            "x": round(place * step + 1, 1),
            "width": round(max(1.0, step / 2 - 2), 1),
            "before_height": round(PLOT_HEIGHT * was / top, 1),
            "now_height": round(PLOT_HEIGHT * is_ / top, 1),
        }
        for place, (name, was, is_) in enumerate(kept)
    ]


def _volume(volume: Mapping[str, Any] | None) -> list[dict[str, float]]:
    """A bar for each earlier stretch and one for now: posts a day, and where it stands."""
    if volume is None:
        return []
    values = [*volume["earlier"], volume["now"]]
    step, top = PLOT_WIDTH / len(values), max(values)
    return [
        {
            "value": value,
            "x": round(place * step + 1, 1),
            "width": round(max(1.0, step - 2), 1),
            "height": round(PLOT_HEIGHT * value / top, 1),
        }
        for place, value in enumerate(values)
    ]
