"""The leaves of trees in groups that share one table of SHAP values.

A leaf's contributions depend only on which of the conditions on its path hold (Yang 2021). Neighbouring leaves share most
conditions, so subtrees are joined as long as their features take few enough distinct states together: a state says, for
each feature, which leaves it lets a row reach. One state, one line of the table, exact for any row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate, pairwise
from math import prod
from operator import xor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from clout.models.trees import Tree, TreesError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]
STATES = 512  # of a group of several leaves: few groups, and tables that stay in a near cache
EVERY_BIN = 2**31
PATH_FEATURES = 12  # of a leaf: its table has two to this power lines


class Span(NamedTuple):
    """What a path asks of a feature: a bin from `first` to `last`, or nothing known and `missing`; `ratio` is its cover."""

    first: int
    last: int
    missing: bool
    ratio: float


@dataclass(frozen=True)
class Leaf:
    """A leaf: its value, and by feature what its path asks."""

    value: float
    spans: Mapping[int, Span]


@dataclass(frozen=True)
class Cells:
    """The bins of a feature in cells that its leaves do not tell apart.

    `edges` are the first bins of each run of bins, `runs` the cell of each run, `missing` the cell of a missing value;
    `holds` has a number a cell, whose bit is set for each leaf that a row may reach.
    """

    edges: list[int]
    runs: list[int]
    missing: int
    holds: list[int]

    def by_bin(self, bins: int) -> Integers:
        """The cell of each bin, then of a missing value."""
        lengths = [after - first for first, after in pairwise([*self.edges, bins])]
        return np.repeat([*self.runs, self.missing], [*lengths, 1]).astype(np.intp)


@dataclass(frozen=True)
class Group:
    """Leaves of one tree that share a table."""

    leaves: list[Leaf]

    @cached_property
    def cells(self) -> Mapping[int, Cells]:
        """The cells of each feature, in the order of the features."""
        features = sorted({feature for leaf in self.leaves for feature in leaf.spans})
        return {feature: _cells([leaf.spans.get(feature) for leaf in self.leaves]) for feature in features}

    @property
    def states(self) -> int:
        """How many lines its table has."""
        return prod(len(cells.holds) for cells in self.cells.values())

    def table(self) -> Floats:
        """SHAP values, (features, states); the cell of the last feature moves fastest.

        What a leaf gives to a feature is an integral over how many others are known, a polynomial, which Gauss' points
        sum up exactly.
        """
        points, weights = _gauss(-(-max(len(leaf.spans) for leaf in self.leaves) // 2))
        values = np.array([leaf.value for leaf in self.leaves])
        known = [_bits(cells.holds, len(self.leaves)) for cells in self.cells.values()]
        ratios = [np.array([_ratio(leaf, feature) for leaf in self.leaves]) for feature in self.cells]
        factors = [
            ratio[:, None, None] * (1 - points[:, None]) + bits[:, None, :] * points[:, None]
            for ratio, bits in zip(ratios, known, strict=True)
        ]
        product = np.ones((len(values), len(points), 1))
        for factor in factors:
            product = (product[..., None] * factor[:, :, None, :]).reshape(len(values), len(points), -1)
        product *= values[:, None, None] * weights[:, None]
        gains = [
            (bits - ratio[:, None])[:, None, :] / factor
            for ratio, bits, factor in zip(ratios, known, factors, strict=True)
        ]
        return np.stack(list(_summed(product, gains)))


def groups(tree: Tree, bins: Mapping[tuple[int, float], int]) -> list[Group]:
    """The leaves of a tree in groups, from left to right; `bins` is the last bin at or below a feature's threshold."""
    done: list[Group] = []

    def walk(child: int, spans: Mapping[int, Span]) -> Group | None:
        """The leaves below `child` as one group, which may still grow; None where they are more than fit in one."""
        if child < 0:
            return Group([Leaf(tree.leaf_value[~child], spans)])
        left, right = (walk(side, then) for side, then in _sides(tree, child, spans, bins))
        if left and right:
            both = Group(left.leaves + right.leaves)
            if both.states <= STATES:
                return both
        done.extend(group for group in (left, right) if group)
        return None

    whole = walk(tree.root, {})
    return [group for group in [*done, *([whole] if whole else [])] if group.cells]


def _sides(
    tree: Tree, split: int, spans: Mapping[int, Span], bins: Mapping[tuple[int, float], int]
) -> Iterator[tuple[int, Mapping[int, Span]]]:
    """Both children of a split with what their paths ask."""
    feature, last = tree.feature[split], bins[tree.feature[split], tree.threshold[split]]
    before = spans.get(feature, Span(0, EVERY_BIN, missing=True, ratio=1.0))
    for child, to_left in ((tree.left[split], True), (tree.right[split], False)):
        span = Span(
            before.first if to_left else max(before.first, last + 1),
            min(before.last, last) if to_left else before.last,
            missing=before.missing and tree.missing_left[split] == to_left,
            ratio=before.ratio * tree.counted(child) / tree.count[split],
        )
        if len(spans) == PATH_FEATURES and feature not in spans:
            raise TreesError(f"got a path of more than {PATH_FEATURES} features; expected shorter ones")
        yield child, {**spans, feature: span}


def _cells(spans: list[Span | None]) -> Cells:
    """The cells of one feature, by what each leaf asks of it, if anything."""
    asked = [(1 << leaf, span) for leaf, span in enumerate(spans) if span]
    missing = always = (1 << len(spans)) - 1 - sum([bit for bit, _ in asked])
    changes = {0: always}
    for bit, span in asked:
        if span.missing:
            missing += bit
        if span.first <= span.last:
            changes[span.first] = changes.get(span.first, 0) ^ bit
            changes[span.last + 1] = changes.get(span.last + 1, 0) ^ bit
    edges = sorted(changes.keys() - {EVERY_BIN + 1})
    found: dict[int, int] = {}
    runs = [found.setdefault(holds, len(found)) for holds in accumulate([changes[edge] for edge in edges], xor)]
    return Cells(edges, runs, found.setdefault(missing, len(found)), list(found))


def _bits(holds: list[int], leaves: int) -> Floats:
    """(leaves, cells): 1 where a row in the cell may reach the leaf."""
    return np.array([[hold >> leaf & 1 for hold in holds] for leaf in range(leaves)], dtype=np.float64)


def _ratio(leaf: Leaf, feature: int) -> float:
    span = leaf.spans.get(feature)
    return 1.0 if span is None else span.ratio


def _summed(product: Floats, gains: Iterable[Floats]) -> Iterator[Floats]:
    """For each feature the sum over leaves and points of its gain times the product, by state."""
    before, states = 1, product.shape[2]
    for gain in gains:
        cells = gain.shape[2]
        after = states // before // cells
        shaped = product.reshape(-1, before, cells, after)
        yield np.einsum("labc,lb->abc", shaped, gain.reshape(-1, cells)).ravel()
        before *= cells


@cache
def _gauss(count: int) -> tuple[Floats, Floats]:
    """Points in (0, 1) and weights that integrate a polynomial of degree 2 count - 1 exactly."""
    points, weights = np.polynomial.legendre.leggauss(max(count, 1))
    return (points + 1) / 2, weights / 2
