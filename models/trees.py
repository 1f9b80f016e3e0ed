"""The trees of a LightGBM model text, as plain lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from clout.errors import CloutError

CATEGORICAL_BIT, DEFAULT_LEFT_BIT, MISSING_SHIFT = 1, 2, 2
ONE_OUTPUT = {"num_class": "1", "num_tree_per_iteration": "1"}


class TreesError(CloutError):
    """A model has trees of a kind that is not read here."""

    code = "trees"


class Missing(IntEnum):
    """What counts as missing at a split: nothing (NaN is then 0), zero and NaN, or NaN."""

    NOTHING = 0
    ZERO = 1
    NAN = 2


@dataclass(frozen=True)
class Tree:
    """One tree: a list entry a split, and one a leaf; child -1 is leaf 0, -2 leaf 1 and so on.

    A row goes left where its value is `threshold` or less, or where it is missing and `missing_left`. Counts are the
    rows of training that came by.
    """

    feature: list[int]
    threshold: list[float]
    missing: list[Missing]
    missing_left: list[bool]
    left: list[int]
    right: list[int]
    count: list[int]
    leaf_value: list[float]
    leaf_count: list[int]

    @property
    def root(self) -> int:
        """Where every row begins."""
        return 0 if self.feature else -1

    def counted(self, child: int) -> int:
        """The rows of training that came by a split or a leaf."""
        return self.count[child] if child >= 0 else self.leaf_count[~child]


def read(text: str) -> list[Tree]:
    """The trees in the order in which they are summed; TreesError for several outputs, categories, linear leaves."""
    head, *trees = text.partition("\nend of trees")[0].split("\nTree=")
    fields = _fields(head)
    if any(fields.get(name) != one for name, one in ONE_OUTPUT.items()) or "average_output" in head.splitlines():
        raise TreesError("got a model of several outputs or of averaged trees; expected one sum of trees")
    return [_tree(_fields(tree)) for tree in trees]


def _fields(text: str) -> Mapping[str, str]:
    return dict(_pairs(text))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals:
            yield name, value


def _tree(fields: Mapping[str, str]) -> Tree:
    kinds = [int(kind) for kind in fields.get("decision_type", "").split()]
    if fields["is_linear"] != "0" or any(kind & CATEGORICAL_BIT for kind in kinds):
        raise TreesError("got a tree with linear leaves or categories; expected numbers compared with thresholds")
    values = [float(value) for value in fields["leaf_value"].split()]
    return Tree(
        feature=_integers(fields, "split_feature"),
        threshold=[float(value) for value in fields.get("threshold", "").split()],
        missing=[Missing(kind >> MISSING_SHIFT) for kind in kinds],
        missing_left=[bool(kind & DEFAULT_LEFT_BIT) for kind in kinds],
        left=_integers(fields, "left_child"),
        right=_integers(fields, "right_child"),
        count=_integers(fields, "internal_count"),
        leaf_value=values,
        leaf_count=_integers(fields, "leaf_count") if kinds else [1] * len(values),
    )


def _integers(fields: Mapping[str, str], name: str) -> list[int]:
    return [int(value) for value in fields.get(name, "").split()]
