"""Exact SHAP values of a sum of trees, looked up in tables: what LightGBM's pred_contrib answers, many times faster."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt

from clout.models.leaf_groups import Group, groups
from clout.models.trees import Tree, TreesError, read
from clout.models.values_seen import Seen

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]
States = npt.NDArray[np.int16]
NUMBERS = 2**24  # in all tables: 128 MB
FEW_ROWS = 500  # up to here row by row is faster than pair by pair
BLOCK_ROWS = 8192


class TreeShap:
    """SHAP values of one model: those of its trees' paths (Lundberg et al. 2020), weighted by the rows of training."""

    def __init__(self, text: str, width: int) -> None:
        """Tables for a LightGBM model text of `width` columns; TreesError when it cannot be done."""
        trees = read(text)
        if any(count < 1 for tree in trees for count in (*tree.count, *tree.leaf_count)):
            raise TreesError("got a tree that no row of training came by in places; expected rows everywhere")
        self.width = width
        self.base = sum(_mean(tree) for tree in trees)
        self.seen = Seen.by(trees)
        self.bins = Bins.of(trees, self.seen)
        self.tables = _tables(trees, self.bins, self.seen.columns)

    def __call__(self, matrix: Floats) -> Floats:
        """The SHAP values of each row, (rows, columns): to the last bit the same for a row alone as among others."""
        found = np.zeros((len(matrix), self.width))
        if not len(self.seen.columns):
            return found
        for first in range(0, len(matrix), BLOCK_ROWS):
            values = self.seen.values(matrix[first : first + BLOCK_ROWS])
            few = values.shape[1] <= FEW_ROWS
            explained = self._row_by_row(values) if few else self.tables.of_rows(self.bins.of_rows(values))
            found[first : first + BLOCK_ROWS, self.seen.columns] = explained.T
        return found

    def _row_by_row(self, values: Floats) -> Floats:
        rows = [self.tables.of_row(self.bins.of_row(row)) for row in np.ascontiguousarray(values.T)]
        return np.stack(rows, axis=1)


@dataclass(frozen=True)
class Bins:
    """The sorted thresholds of each feature; a value's bin is how many of them lie below it."""

    thresholds: tuple[Floats, ...]

    @classmethod
    def of(cls, trees: Iterable[Tree], seen: Seen) -> Bins:
        """The thresholds that trees compare the columns of `seen` with."""
        asked: dict[int, set[float]] = {int(column): set() for column in seen.columns}
        for tree in trees:
            for feature, threshold in zip(tree.feature, tree.threshold, strict=True):
                asked[feature].add(threshold)
        return cls(tuple(np.array(sorted(some)) for some in asked.values()))

    def of_row(self, values: Floats) -> Integers:
        """The bin of each value of one row; a missing one is in a bin behind the last."""
        below = np.add.reduceat(values.take(self._owner) > self._threshold, self._first, dtype=np.intp)
        return np.where(np.isnan(values), self._behind, below)

    def of_rows(self, values: Floats) -> Integers:
        """The same for (features, rows)."""
        below = np.stack([np.searchsorted(*both) for both in zip(self.thresholds, values, strict=True)])
        return np.where(np.isnan(values), self._behind[:, None], below)

    @cached_property
    def _owner(self) -> Integers:
        return np.repeat(np.arange(len(self.thresholds)), [len(some) for some in self.thresholds])

    @cached_property
    def _threshold(self) -> Floats:
        return np.concatenate(self.thresholds)

    @cached_property
    def _first(self) -> Integers:
        return _starts(self.thresholds)

    @cached_property
    def _behind(self) -> Integers:
        return _integers(len(some) + 1 for some in self.thresholds)


@dataclass(frozen=True)
class Tables:
    """The tables of all groups of leaves, one behind the other.

    A pair is a group with one of its features. `step` holds for each pair and bin what it adds to the number of the
    group's state, `number` for each pair and state what it adds to the SHAP value of the feature.
    """

    feature: Integers
    group: Integers
    first_pair: Integers
    step: States
    first_step: Integers
    number: Floats
    first_number: Integers

    def of_row(self, bins: Integers) -> Floats:
        """The SHAP values of a row by feature: all pairs at once."""
        steps = self.step.take(self.first_step + bins.take(self.feature))
        states = np.add.reduceat(steps, self.first_pair)
        numbers = self.number.take(self.first_number + states.take(self.group))
        return np.asarray(np.bincount(self.feature, numbers, len(bins)), dtype=np.float64)

    def of_rows(self, bins: Integers) -> Floats:
        """The same for (features, rows): pair by pair, summed in the same order."""
        found = np.zeros(bins.shape)
        state, step = np.empty((2, bins.shape[1]), np.int16)
        number = np.empty_like(found[0])
        for pairs in self._pairs:
            state[:] = 0
            for feature, steps, _ in pairs:
                state += steps.take(bins[feature], out=step, mode="clip")
            for feature, _, numbers in pairs:
                found[feature] += numbers.take(state, out=number, mode="clip")
        return found

    @cached_property
    def _pairs(self) -> list[list[tuple[int, States, Floats]]]:
        """By group: the feature of each pair, its steps and its numbers."""
        steps, numbers = np.split(self.step, self.first_step[1:]), np.split(self.number, self.first_number[1:])
        pairs = list(zip(self.feature.tolist(), steps, numbers, strict=True))
        return [pairs[first:after] for first, after in pairwise([*self.first_pair, len(pairs)])]


def _mean(tree: Tree) -> float:
    """What a tree gives on average over the rows of training."""
    rows = sum(tree.leaf_count)
    return sum(count / rows * value for count, value in zip(tree.leaf_count, tree.leaf_value, strict=True))


def _tables(trees: Sequence[Tree], bins: Bins, columns: Integers) -> Tables:
    place = {column: number for number, column in enumerate(columns.tolist())}
    grouped = _groups(trees, bins, columns)
    tables = [numbers for group in grouped for numbers in group.table()]
    steps = [step for group in grouped for step in _steps(group, bins, place)]
    return Tables(
        feature=_integers(place[feature] for group in grouped for feature in group.cells),
        group=np.repeat(np.arange(len(grouped)), [len(group.cells) for group in grouped]),
        first_pair=_starts([group.cells for group in grouped]),
        step=np.concatenate([np.zeros(0, np.int16), *steps]),
        first_step=_starts(steps),
        number=np.concatenate([np.zeros(0), *tables]),
        first_number=_starts(tables),
    )


def _groups(trees: Iterable[Tree], bins: Bins, columns: Integers) -> list[Group]:
    last_bins = {
        (column, threshold): number
        for column, thresholds in zip(columns.tolist(), bins.thresholds, strict=True)
        for number, threshold in enumerate(thresholds.tolist())
    }
    grouped, left = list[Group](), NUMBERS
    for tree in trees:
        some = groups(tree, last_bins)
        left -= sum(group.states * len(group.cells) for group in some)
        if left < 0:
            raise TreesError(f"got trees whose tables hold more than {NUMBERS} numbers; expected smaller trees")
        grouped += some
    return grouped


def _steps(group: Group, bins: Bins, place: Mapping[int, int]) -> Iterator[States]:
    stride = group.states
    for feature, cells in group.cells.items():
        stride //= len(cells.holds)
        yield (cells.by_bin(len(bins.thresholds[place[feature]]) + 1) * stride).astype(np.int16)


def _integers(values: Iterable[int]) -> Integers:
    return np.fromiter(values, dtype=np.intp)


def _starts(parts: Sequence[Collection[object]]) -> Integers:
    return _integers(accumulate((len(part) for part in parts), initial=0))[:-1]
