"""What attacks bought, for people: tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from clout.training.attacks.measure import OURS
from clout.training.attacks.naive import NAMES, WORDS
from clout.training.compare_report import signed

HEADS = ("bought by", "median", "9 of 10", "most", "per 1,000", "followers", "likes", "a post", "/worst", "/best")
MISSING = "–"


def tables(told: Mapping[str, Any]) -> Group:
    """The attacks in tables that fit in 80 columns, one a base, and sentences about them."""
    return Group(*_parts(told))


def about(told: Mapping[str, Any]) -> str:
    """Who was attacked, in a sentence."""
    return (
        f"model {told['version']} on {told['network']} at {told['at'][:10]}: {told['budget']:,} for each target, spread over "
        f"its newest {told['posts']} posts with a known outcome, in memory"
    )


def about_base(base: Mapping[str, Any]) -> str:
    """The targets of a base, in words.

    >>> about_base({"base": 2.0, "targets": 20, "scores": {"clout": 38.26}})
    'usual actions a post: about 2 (20 accounts, typical score 38.3)'
    """
    accounts = f"{base['targets']} account{'' if base['targets'] == 1 else 's'}"
    return f"usual actions a post: about {base['base']:g} ({accounts}, typical score {base['scores'][OURS]:.1f})"


def row(attack: Mapping[str, Any], number: int) -> tuple[str, ...]:
    """The cells of an attack under `HEADS`, for the base of this number."""
    if attack["reason"]:
        return (attack["kind"], *[MISSING] * (len(HEADS) - 1))
    bought = attack["bases"][number]
    ours = (signed(bought["points"][OURS][name], 1) for name in ("median", "p90", "most", "per_thousand"))
    naive = (signed(bought["points"][name]["median"], 1) if name in bought["points"] else MISSING for name in NAMES)
    return (attack["kind"], *ours, *naive, *(_times(bought[end]["ratio"]) for end in ("worst", "best")))


def remarks(told: Mapping[str, Any]) -> Iterator[str]:
    """Sentences on what the table cannot say: limits, what could not be told, and how far others moved."""
    for attack in told["attacks"]:
        if attack["reason"]:
            yield f"{attack['kind']}: {attack['reason']}"
            continue
        for bought in attack["bases"]:
            if bought["limit"] is not None:
                yield (
                    f"{attack['kind']} at {bought['base']:g}: promised at most {bought['limit']:g} points, "
                    f"{bought['within']} of {bought['targets']} accounts are within"
                )
    others = [attack["others"] for attack in told["attacks"] if not attack["reason"] and attack["others"]["accounts"]]
    if others:
        most = max(others, key=lambda one: one["median"])
        yield (
            f"all targets of an attack share one world: accounts that took no part moved by {most['median']:.2f} points in "
            f"the median there, at most by {most['most']:.2f}"
        )


def _parts(told: Mapping[str, Any]) -> Iterator[Text | Table | Padding]:
    yield Text(about(told))
    for number, base in enumerate(told["bases"]):
        yield Text(f"\n{about_base(base)}", style="bold")
        grid = Table(show_edge=False, pad_edge=False, box=None, header_style="bold", padding=(0, 1, 0, 0))
        for place, head in enumerate(HEADS):
            grid.add_column(head, justify="right" if place else "left")
        for attack in told["attacks"]:
            grid.add_row(*row(attack, number))
        yield grid
    yield Text()
    yield Text(f"followers, likes, a post: naive scores ({', '.join(WORDS.values())}), median points")
    yield Text("/worst, /best: points of this score over those of the most and the least bought naive one")
    for sentence in remarks(told):
        yield Padding(f"- {sentence}", 0)


def _times(ratio: float | None) -> str:
    return MISSING if ratio is None else f"{signed(ratio, 2).removeprefix('+')}×"
