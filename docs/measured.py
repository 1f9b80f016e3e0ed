"""The figures that were measured, and numbers as documents show them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "figures" / "performance"
NAMES = (
    *("machine", "aggregates", "features", "chain", "chain_long", "spark", "learners", "cluster", "size", "reasons"),
    *("bulk", "flood", "accounts", "large", "judged_against", "serve"),
)
TWO_SIZES = "--actions 5000000 --actions 50000000 "
LONG_CHAIN = "500000000 --no-whole "
ARGUMENTS = {"aggregates": TWO_SIZES, "flood": TWO_SIZES, "accounts": "--people 20000 ", "chain_long": LONG_CHAIN}


def read(folder: Path = FOLDER) -> dict[str, Any]:
    """The figures of each program of bench/ that was run, by its name; the others are not there."""
    files = {name: folder / f"{name}.json" for name in NAMES}
    return {name: json.loads(file.read_text("utf-8")) for name, file in files.items() if file.exists()}


def even(told: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The figures of features where no account takes a great share of all actions."""
    return [of for of in told if not of.get("star")]


def command(name: str) -> str:
    """What makes the figures of a name anew."""
    program = name.removesuffix("_long")
    return f"`python bench/{program}.py {ARGUMENTS.get(name, '')}--json > docs/figures/performance/{name}.json`"


def missing(name: str) -> str:
    """A sentence where there are no figures yet."""
    return f"Not measured yet: {command(name)}\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table with numbers to the right.

    >>> print(table(("", "b"), [("a", "1")]), end="")
    |  | b |
    |---|---:|
    | a | 1 |
    """
    lines = [_line(heads), f"|---|{'---:|' * (len(heads) - 1)}", *(_line(row) for row in rows)]
    return "".join(f"{line}\n" for line in lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def short(value: float) -> str:
    """A number with three digits that count, large ones in words.

    >>> short(0.12345), short(12.345), short(12_345), short(12_345_678), short(45e9)
    ('0.123', '12.3', '12,300', '12.3 million', '45 billion')
    """
    for unit, words in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million")):
        if abs(value) >= unit * 0.9995:
            return f"{_digits(value / unit)}{words}"
    return _digits(value)


def _digits(value: float) -> str:
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:g}"


def size(mib: float) -> str:
    """Memory or disk.

    >>> size(300), size(2_560), size(3_000_000)
    ('300 MiB', '2.5 GiB', '2.86 TiB')
    """
    for unit, words in ((2**20, "TiB"), (2**10, "GiB")):
        if mib >= unit:
            return f"{_digits(mib / unit)} {words}"
    return f"{_digits(mib)} MiB"


def line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """(at 0, slope) of the straight line nearest to points (least squares); one point is taken to lie on a line from 0.

    >>> line([(1, 3), (2, 5)]), line([(2, 5)])
    ((1.0, 2.0), (0.0, 2.5))
    """
    if len({x for x, _ in points}) == 1:
        return 0.0, points[0][1] / points[0][0]
    mean_x, mean_y = (sum(values) / len(points) for values in zip(*points, strict=True))
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)
    return mean_y - slope * mean_x, slope
