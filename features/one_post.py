"""Features of one post: the catalogue's own expressions, without a frame where a request cannot wait for one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from functools import cache, cached_property
from typing import Any, TypeVar

import polars as pl

from clout.data.index import Found, Index
from clout.data.moments import MICROSECOND
from clout.data.windows import WIDTHS
from clout.features.catalogue import FEATURES
from clout.features.compute import of_accounts, root_names
from clout.features.formula import Formulas, formulas
from clout.features.message import FORM
from clout.features.shared import Shared

Row = Mapping[str, Any]
Features = dict[str, float | None]
Told = TypeVar("Told")
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00Z")


def _reads_text(expression: pl.Expr) -> bool:
    return "text" in expression.meta.root_names()


def _lookups() -> dict[str, list[tuple[str, list[str], list[str]]]]:
    """By stream: each window, the columns that features read in it, and what those are called."""
    wanted: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name in root_names():
        source, column, width = name.split("|")
        wanted[source][width].append(column)
    return {
        source: [
            (width, columns, [f"{source}|{column}|{width}" for column in columns]) for width, columns in of.items()
        ]
        for source, of in wanted.items()
    }


FEATURE = "feature|"
TEXTS = {name: expression for name, expression in FORM.items() if _reads_text(expression)} | {
    FEATURE + feature.name: feature.expression for feature in FEATURES if _reads_text(feature.expression)
}
SHARED = Shared(TEXTS)
SAID = {name.removeprefix(FEATURE): name for name in TEXTS if name.startswith(FEATURE)}
OF_TEXT = formulas(TEXTS)
OF_FORM = formulas({name: expression for name, expression in FORM.items() if name not in TEXTS})
LOOKED_UP = frozenset(feature.name for feature in FEATURES) - {*SAID}
LOOKUPS = _lookups()
# Of one account: far more than the forms that its posts take.
MOST_FOUND = 1000
# What of a post depends on when it is published, but for what was known before.
DATED = {"happened_at", *(name for name, expression in FORM.items() if "happened_at" in expression.meta.root_names())}
READ = {"text": pl.String, "n_urls": pl.Int64, "n_hashtags": pl.Int64, "n_mentions": pl.Int64}


def read(post: Row) -> dict[str, Any]:
    """What the text of a post says, whenever it is published: parts of its form, and features that read nothing else."""
    text = post["text"]
    if text is None or text.isascii():
        return OF_TEXT(post)
    frame = pl.DataFrame({name: [post[name]] for name in READ}, schema=READ)
    return SHARED.select(frame).row(0, named=True)


@cache
def _features(names: frozenset[str]) -> Formulas:
    """What tells these features of a row."""
    return formulas({one.name: one.expression.cast(pl.Float64) for one in FEATURES if one.name in names})


OF_ACCOUNT = _features(LOOKED_UP & {*of_accounts()})
OF_POST = _features(LOOKED_UP - {*of_accounts()})


class Lookups:
    """What was known before a moment: an account's indexes before `at`, those of its network before `network_at`.

    What was looked up once is remembered, so that many drafts of one moment cost little more than one.
    """

    def __init__(self, indexes: Mapping[str, Index], at: datetime, network_at: datetime) -> None:
        """Nothing is looked up yet."""
        self.at = _microseconds(at)
        self._indexes = indexes
        self._moments = {"account": self.at, "network": _microseconds(network_at)}
        self._found: dict[tuple[object, ...], dict[str, Found]] = {}
        self._features: dict[tuple[object, ...], Features] = {}

    @cached_property
    def dated(self) -> frozenset[str]:
        """The features that depend on when a post is published, even where the same was known before."""
        asked = {source for source, index in self._indexes.items() if DATED & {*index.key}}
        found = {name for source in asked & {*LOOKUPS} for _, _, names in LOOKUPS[source] for name in names}
        return frozenset(
            feature.name for feature in FEATURES if (DATED | found) & {*feature.expression.meta.root_names()}
        )

    def of(self, row: Row) -> dict[str, Found]:
        """What every index says of a row, by the names that expressions use."""
        found: dict[str, Found] = {}
        for source, wanted in LOOKUPS.items():
            index = self._indexes[source]
            asked = (source, *[row[name] for name in index.key])
            told = self._found.get(asked)
            if told is None:
                told = _look_up(index, asked[1:], self._moments[index.key[0]], wanted)
                _remember(self._found, asked, told)
            found.update(told)
        return found

    def of_account(self, row: Row) -> Features:
        """The features that are the same for every post of the row's account."""
        asked = row["account"], row["network"], row["logged"]
        told = self._features.get(asked)
        if told is None:
            told = OF_ACCOUNT(row)
            _remember(self._features, asked, told)
        return told


def measure(
    post: Row, said: Row, known: Lookups, *, logged: bool, lift: float | None, earlier: Features | None = None
) -> Features:
    """Every feature of a post by name, as `compute.compute` gives them; missing is None.

    `said` is what was `read` of its text. `logged` tells whether the network tells who acts, `lift` is that of the post's
    words. `earlier` are the features of the same post at another moment, with the same known before.
    """
    row = {**post, **said, **OF_FORM(post), "wording": lift, "logged": logged, "at": known.at}
    row.update(known.of(row))
    if earlier is not None:
        return earlier | _features(known.dated)(row)
    of_text = {name: None if (value := said[at]) is None else float(value) for name, at in SAID.items()}
    return {**known.of_account(row), **of_text, **OF_POST(row)}


def _look_up(
    index: Index, key: tuple[object, ...], at: int, wanted: list[tuple[str, list[str], list[str]]]
) -> dict[str, Found]:
    """What an index says of a key, by the names that expressions use."""
    span = index.span(key)
    found: dict[str, Found] = {}
    for width, columns, names in wanted:
        last = width == "last"
        told = index.newest(span, at, columns) if last else index.window(span, at, columns, WIDTHS.get(width))
        found.update(zip(names, told, strict=True))
    return found


def _remember(found: dict[tuple[object, ...], Told], asked: tuple[object, ...], told: Told) -> None:
    """Nothing; what was `told` is found when it is asked again, and where much was found before, that is forgotten."""
    if len(found) >= MOST_FOUND:
        found.clear()
    found[asked] = told


def _microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND
