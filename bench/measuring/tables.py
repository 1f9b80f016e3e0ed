"""Figures as tables on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import track
from rich.table import Table

Cell = str | int | float | None
Item = TypeVar("Item")
PAGE = 120


def watched(items: Iterable[Item], what: str) -> Iterable[Item]:
    """The items, with a progress bar on stderr."""
    return track(items, what, console=Console(stderr=True), transient=True)


def show(title: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]], digits: int = 3) -> None:
    """Nothing; a table goes to stdout, numbers to the right."""
    grid = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for place, head in enumerate(heads):
        grid.add_column(head, justify="right" if place else "left", no_wrap=place > 0)
    for row in rows:
        grid.add_row(*(_text(cell, digits) for cell in row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=PAGE)
    console.print(grid)
    console.print()


def spread(figure: Mapping[str, Any] | None, digits: int = 3) -> str:
    """A figure with its 95 % interval, as `0.683 (0.651 to 0.712)`."""
    if figure is None or figure["value"] is None:
        return ""
    value = _text(figure["value"], digits)
    if figure.get("low") is None:
        return value
    return f"{value} ({_text(figure['low'], digits)} to {_text(figure['high'], digits)})"


def _text(cell: Cell, digits: int) -> str:
    if isinstance(cell, float):
        return f"{cell:.{digits}f}"
    return "" if cell is None else f"{cell:,}" if isinstance(cell, int) else cell
