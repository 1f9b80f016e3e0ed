"""What several models say of one row, all their trees at once: calling LightGBM for each takes longer than its trees do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from clout.models.trees import Tree, read
from clout.models.values_seen import Seen

Floats = npt.NDArray[np.float64]


class RowMargins:
    """The sums of trees of several models, to the last bit those of LightGBM.

    Each feature has two values, so that a missing one goes right in the first and left in the second. Behind them stands
    one that is never known: leaves are asked for it, and lead to themselves.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        """The models of these texts, by name; TreesError when it cannot be done."""
        models = {name: read(text) for name, text in texts.items()}
        trees = [tree for some in models.values() for tree in some]
        self.names = tuple(models)
        self._model = np.repeat(np.arange(len(models)), [len(some) for some in models.values()])
        self._seen = Seen.by(trees)
        self._nodes = _nodes(trees, self._seen.columns.tolist())
        self._root = np.arange(len(trees))

    def __call__(self, matrix: Floats) -> dict[str, Floats]:
        """The margin of a row, (1, columns), by model."""
        seen, nodes = self._seen.values(matrix)[:, 0], self._nodes
        at: npt.NDArray[np.integer] = self._root
        values = np.append(np.stack([seen, np.where(np.isnan(seen), -np.inf, seen)], axis=1), np.nan)
        for _ in range(nodes.depth):
            left = values.take(nodes.value.take(at)) <= nodes.number.take(at)
            at = nodes.first.take(at) + left
        sums = np.asarray(np.bincount(self._model, nodes.number.take(at), len(self.names)), dtype=np.float64)
        return dict(zip(self.names, sums[:, None], strict=True))


class Nodes(NamedTuple):
    """The splits and leaves of trees, level by level, in arrays as small as they can be: a row then reads near memory.

    `value` is the place of what a node compares, `number` its threshold or the value of a leaf; `first` is where its right
    child stands, before the left one. `depth` splits lead to the farthest leaf.
    """

    value: npt.NDArray[np.unsignedinteger]
    number: Floats
    first: npt.NDArray[np.int32]
    depth: int


def _nodes(trees: Sequence[Tree], columns: Sequence[int]) -> Nodes:
    place = {column: 2 * number for number, column in enumerate(columns)}
    unknown = 2 * len(columns)
    value, number, first = list[int](), list[float](), list[int]()
    level, depth = [(tree, tree.root) for tree in trees], -1
    while level:
        below: list[tuple[Tree, int]] = []
        next_level = len(number) + len(level)
        for tree, at in level:
            leaf = at < 0
            value.append(unknown if leaf else place[tree.feature[at]] + tree.missing_left[at])
            first.append(len(number) if leaf else next_level + len(below))
            number.append(tree.leaf_value[~at] if leaf else tree.threshold[at])
            below += () if leaf else ((tree, tree.right[at]), (tree, tree.left[at]))
        level, depth = below, depth + 1
    small = np.min_scalar_type(unknown)
    return Nodes(np.array(value, small), np.array(number), np.array(first, np.int32), max(depth, 0))
