"""Expressions that read texts, with what they share read once: polars by itself shares only the outermost of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any

import polars as pl

Tree = Any  # what JSON holds


class Shared:
    """Named expressions, to be selected from as many frames as one likes.

    >>> plain = pl.col("text").str.replace_all("b", "")
    >>> both = Shared({"chars": plain.str.len_chars(), "words": plain.str.count_matches("a+")})
    >>> both.select(pl.DataFrame({"text": ["ab a"]})).row(0), len(both.steps)
    ((3, 2), 1)
    """

    def __init__(self, expressions: Mapping[str, pl.Expr]) -> None:
        """Finds the steps: each holds what reads only the frame and the steps before it."""
        trees = {name: json.loads(one.meta.serialize(format="json")) for name, one in expressions.items()}
        self._often = Counter(key for tree in trees.values() for key in _readings(tree))
        self._step_of: dict[str, int] = {}
        self.steps: list[dict[str, pl.Expr]] = []
        after = {name: self._replaced(tree) for name, tree in trees.items()}
        self._expressions = {
            name: one if after[name] == trees[name] else _expression(after[name]) for name, one in expressions.items()
        }

    def select(self, frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
        """`columns` of `frame`, then each expression by its name."""
        for step in self.steps:
            frame = frame.with_columns(**step)
        return frame.select(*columns, **self._expressions)

    def _replaced(self, tree: Tree) -> Tree:
        """`tree` with a column for each reading that is there more than once."""
        if isinstance(tree, list):
            return [self._replaced(part) for part in tree]
        if not isinstance(tree, dict):
            return tree
        key = json.dumps(tree)
        if key not in self._step_of:
            tree = {name: self._replaced(part) for name, part in tree.items()}
            if self._often[key] < 2:
                return tree
            self._keep(key, _expression(tree))
        return {"Column": key}

    def _keep(self, key: str, reading: pl.Expr) -> None:
        before = [self._step_of[name] for name in reading.meta.root_names() if name in self._step_of]
        step = self._step_of[key] = 1 + max(before, default=-1)
        if step == len(self.steps):
            self.steps.append({})
        self.steps[step][key] = reading


def _readings(tree: Tree) -> Iterator[str]:
    """Every part of a tree that does something with a text."""
    if isinstance(tree, list):
        for part in tree:
            yield from _readings(part)
    elif isinstance(tree, dict):
        if "StringExpr" in str(tree.get("Function", {}).get("function")):
            yield json.dumps(tree)
        yield from _readings(list(tree.values()))


def _expression(tree: Tree) -> pl.Expr:
    return pl.Expr.deserialize(StringIO(json.dumps(tree)), format="json")
