"""What several models say of one row, all their trees at once: calling LightGBM for each takes longer than its trees do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from clout.models.trees import Tree, read
from clout.models.values_seen import Seen

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]


class RowMargins:
    """The sums of trees of several models, to the last bit those of LightGBM.

    Nodes are the splits and leaves of all trees, those nearest to their root first, so that a row reads near memory. A leaf
    leads to itself, and its value stands where a split has its threshold. Each feature has two values, so that a missing one
    goes right in the first and left in the second.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        """The models of these texts, by name; TreesError when it cannot be done."""
        models = {name: read(text) for name, text in texts.items()}
        trees = [tree for some in models.values() for tree in some]
        self.names = tuple(models)
        self._model = np.repeat(np.arange(len(models)), [len(some) for some in models.values()])
        self._seen = Seen.by(trees)
        levels = [_levels(tree) for tree in trees]
        self._depth = max((max(some) for some in levels), default=0)
        order = np.argsort([level for some in levels for level in some], kind="stable")
        place = {column: number for number, column in enumerate(self._seen.columns.tolist())}
        self._value_at = np.array([at for tree in trees for at in _values_at(tree, place)], dtype=np.intp)[order]
        self._number = np.array([at for tree in trees for at in (*tree.threshold, *tree.leaf_value)])[order]
        first = accumulate((len(some) for some in levels), initial=0)
        child = np.array(
            [at + n for tree, n in zip(trees, first, strict=False) for at in _children(tree)], dtype=np.intp
        )
        self._child: Integers = np.argsort(order)[child.reshape(-1, 2)[order]].ravel()
        self._root = np.arange(len(trees))

    def __call__(self, matrix: Floats) -> dict[str, Floats]:
        """The margin of a row, (1, columns), by model."""
        seen = self._seen.values(matrix)[:, 0]
        values = np.stack([seen, np.where(np.isnan(seen), -np.inf, seen)], axis=1).ravel()
        at = self._root
        for _ in range(self._depth):
            left = values.take(self._value_at.take(at)) <= self._number.take(at)
            at = self._child.take(2 * at + left)
        sums = np.asarray(np.bincount(self._model, self._number.take(at), len(self.names)), dtype=np.float64)
        return dict(zip(self.names, sums[:, None], strict=True))


def _node(tree: Tree, child: int) -> int:
    """The number of a split or a leaf among the nodes of its tree: splits come first."""
    return child if child >= 0 else len(tree.feature) + ~child


def _values_at(tree: Tree, place: Mapping[int, int]) -> list[int]:
    splits = zip(tree.feature, tree.missing_left, strict=True)
    return [2 * place[feature] + to_left for feature, to_left in splits] + [0] * len(tree.leaf_value)


def _children(tree: Tree) -> Iterator[int]:
    """Right and left of each node."""
    for right, left in zip(tree.right, tree.left, strict=True):
        yield from (_node(tree, right), _node(tree, left))
    for leaf in range(len(tree.leaf_value)):
        yield from [len(tree.feature) + leaf] * 2


def _levels(tree: Tree) -> list[int]:
    """How many splits lead to each node."""
    found = [0] * (len(tree.feature) + len(tree.leaf_value))
    depth, level = 0, [tree.root]
    while level:
        for child in level:
            found[_node(tree, child)] = depth
        level = [child for at in level if at >= 0 for child in (tree.left[at], tree.right[at])]
        depth += 1
    return found
