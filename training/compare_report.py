"""What `compare` found, for people: tables for the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from clout.training.card import UNKNOWN
from clout.training.paired import DIFFERENCE

SUBJECTS = {
    "parameters": "parameters",
    "action_values": "action values",
    "features": "features",
    "trees": "trees",
    "data": "data",
    "scale": "scale",
    "code": "code",
}
FIGURES = {
    "spearman": ("Spearman", 3),
    "r2_log": ("R²", 3),
    "msle": ("squared log error", 3),
    "within_account_spearman": ("Spearman within accounts", 3),
    "top_decile_lift": ("lift of the top tenth", 2),
    "ndcg": ("NDCG", 3),
    "total_ratio": ("expected / actual", 3),
    "decile_log_error": ("log error over tenths", 3),
    "coverage": ("inside their interval", 3),
    "interval_width_log": ("width of the interval", 2),
}
MOVERS_ON_TERMINAL = 8
LONGEST_CELL = 34
Parts = Iterator[Table | Text | Padding]


def tables(told: Mapping[str, Any]) -> Group:
    """The comparison in tables that fit in 80 columns; the HTML page has more groups and all who move."""
    return Group(*_parts(told))


def letters(told: Mapping[str, Any]) -> dict[str, str]:
    """A, B, C, … by version: what tables call them."""
    return {about["version"]: letter for about, letter in zip(told["versions"], ascii_uppercase, strict=False)}


def _parts(told: Mapping[str, Any]) -> Parts:
    named = letters(told)
    yield _table(
        ("", "version", "named", "taught before", "scale"),
        [(named[v["version"]], v["version"], v["name"], v["taught_before"][:10], v["scale"]) for v in told["versions"]],
    )
    yield Text("\nwhat differs", style="bold")
    yield from _differs(told["differs"], list(named.values()))
    yield from _accuracy(told["accuracy"], named)
    yield from _moves(told["moves"], named)


def _differs(differs: Mapping[str, Mapping[str, Sequence[Any]]], named: list[str]) -> Parts:
    only = _only_some_know(differs.get("features", {}), named)
    known = {name for names in only.values() for name in names}
    rows = [
        (f"{SUBJECTS[subject]}: {name}", *(cut(say(value), LONGEST_CELL) for value in values))
        for subject, facts in differs.items()
        for name, values in facts.items()
        if subject != "features" or name not in known
    ]
    if rows:
        yield _table(("", *named), rows, fold=True)
    for who_knows, names in only.items():
        yield Text(f"features only of {who_knows}: {', '.join(names)}")
    if not rows and not only:
        yield Text("nothing that the bundles tell of")


def _only_some_know(features: Mapping[str, Sequence[Any]], named: list[str]) -> dict[str, list[str]]:
    """The features that some lack, by the letters of those that have them."""
    only: dict[str, list[str]] = {}
    for name, values in features.items():
        having = [letter for letter, value in zip(named, values, strict=True) if value is not None]
        if len(having) < len(named):
            only.setdefault(", ".join(having), []).append(name)
    return only


def say(value: Any) -> str:  # noqa: ANN401 - any value of JSON
    """A value as text; a dash where there is none.

    >>> say(None), say("twitter"), say(0.5), say(["a", 1])
    ('–', 'twitter', '0.5', '["a", 1]')
    """
    if value is None:
        return UNKNOWN
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def cut(text: str, most: int) -> str:
    """The text, ended with … where it is longer than `most`.

    >>> cut("0123456789", 5)
    '0123…'
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _accuracy(accuracy: Mapping[str, Any], named: Mapping[str, str]) -> Parts:
    yield Text("\nhow well each judged the same posts", style="bold")
    if accuracy["reason"]:
        yield Text(accuracy["reason"])
        return
    yield Text(judged_on(accuracy))
    first, *others = named
    for other in others:
        yield _table(heads("", named, first, other), figure_rows(accuracy["figures"], first, other))
        yield Text()
        yield _table(
            ("", "posts", *heads("Spearman", named, first, other)[1:]),
            [
                (group_words(name), f"{group['posts']:,}", *figure_row(group["figures"], "spearman", first, other)[1:])
                for name, group in accuracy["groups"].items()
            ],
        )


def judged_on(accuracy: Mapping[str, Any]) -> str:
    """Which posts the figures are of, in words."""
    told = (
        f"{accuracy['posts']:,} posts of {accuracy['accounts']:,} accounts, {accuracy['from'][:10]} to "
        f"{accuracy['through'][:10]}; 95 % intervals from drawing accounts again"
    )
    other = accuracy["other_outcome"]
    return told + (f"; {other:,} more had other outcomes and are left out" if other else "")


def heads(title: str, named: Mapping[str, str], first: str, other: str) -> tuple[str, ...]:
    """The heads of a table that puts one version beside the first."""
    a, b = named[first], named[other]
    return (title, a, b, f"{b} less {a}", "95 %")


def figure_rows(figures: Mapping[str, Any], first: str, other: str) -> list[tuple[str, ...]]:
    """The rows of such a table: words, both values, the difference and its interval."""
    return [figure_row(figures, name, first, other) for name in figures]


def figure_row(figures: Mapping[str, Any], name: str, first: str, other: str) -> tuple[str, ...]:
    """One row of it; a difference whose interval leaves out 0 has a star."""
    label, digits = FIGURES[name]
    ours, theirs = figures[name][first], figures[name][other]
    less = theirs[DIFFERENCE]
    star = "*" if less["low"] is not None and (less["low"] > 0 or less["high"] < 0) else ""
    interval = f"{signed(less['low'], digits)} to {signed(less['high'], digits)}"
    return (
        label,
        number(ours["value"], digits),
        number(theirs["value"], digits),
        signed(less["value"], digits) + star,
        interval,
    )


def number(value: float | None, digits: int) -> str:
    """A figure with its digits; a dash where it cannot be told."""
    return UNKNOWN if value is None else f"{value:.{digits}f}".replace("-", "−")


def signed(value: float | None, digits: int) -> str:
    """A difference with its sign.

    >>> signed(0.012, 3), signed(-0.5, 1), signed(0.0001, 2), signed(None, 2)
    ('+0.012', '−0.5', '0.00', '–')
    """
    if value is None:
        return UNKNOWN
    text = f"{value:+.{digits}f}".replace("-", "−")
    return text[1:] if not any(figure in text for figure in "123456789") else text


def group_words(name: str) -> str:
    """A group's name for people.

    >>> group_words("followers>=1e+04"), group_words("history<10"), group_words("lang=en")
    ('followers ≥ 10,000', 'history < 10', 'lang en')
    """
    for sign, words in ((">=", " ≥ "), ("<", " < "), ("=", " ")):
        if sign in name:
            what, mark = name.split(sign)
            return what + words + (mark if sign == "=" else f"{float(mark):,.0f}")
    return name


def _moves(moves: Mapping[str, Any], named: Mapping[str, str]) -> Parts:
    yield Text("\nwhose scores move", style="bold")
    if moves["reason"]:
        yield Text(moves["reason"])
        return
    first = next(iter(named.values()))
    yield Text(
        f"{moves['accounts']:,} accounts, {', '.join(moves['networks'])}; all from the same data, at {moves['at'][:16]}"
    )
    for version, to in moves["to"].items():
        yield Text(f"\nfrom {first} to {named[version]}: {move_words(to)}")
        yield _table(
            (f"score in {first}", "accounts", "5 %", "median", "95 % of the change"),
            [
                (
                    f"{band['from']}–{band['to']}",
                    f"{band['accounts']:,}",
                    *(signed(band[mark], 1) for mark in ("p5", "p50", "p95")),
                )
                for band in to["bands"]
            ],
        )
        yield Text(f"\nthose that move most (all {len(to['movers'])}: --html or --json)")
        for mover in to["movers"][:MOVERS_ON_TERMINAL]:
            yield Text(f"{who(mover)} {mover['score'][0]:.1f} → {mover['score'][1]:.1f}")
            yield Padding(Text(mover["words"]), (0, 0, 0, 2))


def move_words(to: Mapping[str, Any]) -> str:
    """How far scores move, in one sentence."""
    beyond = {step: share["rose"] + share["fell"] for step, share in to["beyond"].items()}
    shares = ", ".join(f"{share:.1%} more than {step}".replace("%", " %") for step, share in beyond.items())
    rose, fell = (to["beyond"]["1"][way] for way in ("rose", "fell"))
    return (
        f"half of them by {to['median']:.1f} points or less, 95 % by {to['p95']:.1f}, 99 % by {to['p99']:.1f}, at most "
        f"{to['most']:.1f}; {shares}; {100 * rose:.1f} % rise and {100 * fell:.1f} % fall by more than 1"
    )


def who(mover: Mapping[str, Any]) -> str:
    """An account as it is told: its id, and its handle where one is known."""
    return f"{mover['account']} (@{mover['handle']})" if mover["handle"] else str(mover["account"])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, fold: bool = False) -> Table:
    grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for place, name in enumerate(head):
        grid.add_column(
            name,
            justify="left" if place == 0 or fold else "right",
            overflow="fold",
            no_wrap=not fold,
            header_style="bold",
        )
    for row in rows:
        grid.add_row(*map(Text, row))
    return grid
