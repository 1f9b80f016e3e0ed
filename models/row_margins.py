"""What several models say of one row, all their trees at once: calling LightGBM for each takes longer than its trees do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from clout.models.trees import Tree, read
from clout.models.values_seen import Seen

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]


class RowMargins:
    """The sums of trees of several models, to the last bit those of LightGBM.

    Nodes are the splits and leaves of all trees, numbered through; a leaf leads to itself. Each feature has two values, so
    that a missing one goes right in the first and left in the second.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        """The models of these texts, by name; TreesError when it cannot be done."""
        models = {name: read(text) for name, text in texts.items()}
        trees = [tree for some in models.values() for tree in some]
        self.names = tuple(models)
        self._model = np.repeat(np.arange(len(models)), [len(some) for some in models.values()])
        self._seen = Seen.by(trees)
        sizes = [len(tree.feature) + len(tree.leaf_value) for tree in trees]
        first = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp)
        self._root: Integers = first + np.array([_node(tree, tree.root) for tree in trees], dtype=np.intp)
        self._depth = max((_depth(tree) for tree in trees), default=0)
        place = {column: number for number, column in enumerate(self._seen.columns.tolist())}
        self._value_at = np.array([at for tree in trees for at in _values_at(tree, place)], dtype=np.intp)
        self._threshold = np.array([at for tree in trees for at in _with_leaves(tree, tree.threshold)])
        self._leaf_value = np.array([at for tree in trees for at in [*[0.0] * len(tree.feature), *tree.leaf_value]])
        self._child = np.array(
            [at + n for tree, n in zip(trees, first.tolist(), strict=True) for at in _children(tree)]
        )

    def __call__(self, matrix: Floats) -> dict[str, Floats]:
        """The margin of a row, (1, columns), by model."""
        seen = self._seen.values(matrix)[:, 0]
        values = np.stack([seen, np.where(np.isnan(seen), -np.inf, seen)], axis=1).ravel()
        at = self._root
        for _ in range(self._depth):
            left = values.take(self._value_at.take(at)) <= self._threshold.take(at)
            at = self._child.take(2 * at + left)
        sums = np.asarray(np.bincount(self._model, self._leaf_value.take(at), len(self.names)), dtype=np.float64)
        return dict(zip(self.names, sums[:, None], strict=True))


def _node(tree: Tree, child: int) -> int:
    """The number of a split or a leaf among the nodes of its tree: splits come first."""
    return child if child >= 0 else len(tree.feature) + ~child


def _values_at(tree: Tree, place: Mapping[int, int]) -> list[int]:
    splits = zip(tree.feature, tree.missing_left, strict=True)
    return [2 * place[feature] + to_left for feature, to_left in splits] + [0] * len(tree.leaf_value)


def _with_leaves(tree: Tree, of_splits: Sequence[float]) -> list[float]:
    return [*of_splits, *[0.0] * len(tree.leaf_value)]


def _children(tree: Tree) -> Iterator[int]:
    """Right and left of each node."""
    for right, left in zip(tree.right, tree.left, strict=True):
        yield from (_node(tree, right), _node(tree, left))
    for leaf in range(len(tree.leaf_value)):
        yield from [len(tree.feature) + leaf] * 2


def _depth(tree: Tree) -> int:
    """How many splits lie on the longest path."""
    deepest, level = 0, [tree.root]
    while level := [child for at in level if at >= 0 for child in (tree.left[at], tree.right[at])]:
        deepest += 1
    return deepest
