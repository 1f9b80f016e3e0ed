"""Features of one post: the catalogue's own expressions, without a frame where a request cannot wait for one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import polars as pl

from clout.data.index import Found, Index
from clout.data.tally import MICROSECOND
from clout.data.windows import WIDTHS
from clout.features.catalogue import FEATURES
from clout.features.compute import root_names
from clout.features.formula import Formula, UnknownNodeError, formula
from clout.features.message import FORM

EPOCH = datetime.fromisoformat("1970-01-01T00:00:00Z")


def _formulas() -> tuple[dict[str, Formula], list[pl.Expr]]:
    """The features that are functions of one row, and the expressions of the rest, which read nothing but the post."""
    formulas, spelled = {}, []
    for feature in FEATURES:
        try:
            formulas[feature.name] = formula(feature.expression)
        except UnknownNodeError:
            if any("|" in name for name in feature.expression.meta.root_names()):
                raise
            spelled.append(feature.expression.cast(pl.Float64).alias(f"{SPELLED}{feature.name}"))
    return formulas, spelled


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


SPELLED = "feature|"
FORMULAS, REST = _formulas()
LOOKUPS = _lookups()


def read(posts: pl.DataFrame) -> list[dict[str, Any]]:
    """Each row of `posts` with what it says of itself: its form, and features that read nothing but the post."""
    forms = (expression.alias(name) for name, expression in FORM.items())
    return posts.select(*posts.columns, *forms, *REST).rows(named=True)


def measure(
    post: Mapping[str, Any],
    indexes: Mapping[str, Index],
    *,
    logged: bool,
    at: datetime,
    network_at: datetime,
    lift: float | None,
) -> dict[str, float | None]:
    """Every feature of a post that was `read`, by name, as `compute.compute` gives them; missing is None.

    `at` is the moment before which the account's indexes are looked up, `network_at` those of its network; `logged`
    tells whether the network tells who acts, `lift` is that of the post's words.
    """
    found = {**post, "wording": lift, "logged": logged, "at": _microseconds(at)}
    moments = {"account": _microseconds(at), "network": _microseconds(network_at)}
    for source, wanted in LOOKUPS.items():
        index = indexes[source]
        found |= _look_up(index, found, moments[index.key[0]], wanted)
    return {feature.name: _value(feature.name, found) for feature in FEATURES}


def _look_up(
    index: Index, row: Mapping[str, Any], at: int, wanted: list[tuple[str, list[str], list[str]]]
) -> dict[str, Found]:
    """What an index says of a row, by the names that expressions use."""
    span = index.span(tuple(row[name] for name in index.key))
    found: dict[str, Found] = {}
    for width, columns, names in wanted:
        last = width == "last"
        told = index.newest(span, at, columns) if last else index.window(span, at, columns, WIDTHS.get(width))
        found.update(zip(names, told, strict=True))
    return found


def _value(name: str, row: Mapping[str, Any]) -> float | None:
    value = FORMULAS[name](row) if name in FORMULAS else row[SPELLED + name]
    return None if value is None else float(value)


def _microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND
