"""The values of features as LightGBM's trees see them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clout.models.trees import Missing, Tree, TreesError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]
NOTHING = float(np.float32(1e-35))  # a value as near to 0 as this is 0


@dataclass(frozen=True)
class Seen:
    """The `columns` of a matrix that trees ask for.

    Of these, missing is never missing but 0 in the rows `known` of `values`, and in the rows `zero` 0 is missing.
    """

    columns: Integers
    known: Integers
    zero: Integers

    @classmethod
    def by(cls, trees: Iterable[Tree]) -> Seen:
        """What all these trees see; TreesError when they do not agree on what is missing."""
        missing: dict[int, Missing] = {}
        for tree in trees:
            for feature, kind in zip(tree.feature, tree.missing, strict=True):
                if missing.setdefault(feature, kind) != kind:
                    raise TreesError(f"got splits on column {feature} that differ in what is missing; expected one way")
        columns = np.array(sorted(missing), dtype=np.intp)
        kinds = np.array([missing[column] for column in columns.tolist()], dtype=np.intp)
        return cls(columns, np.flatnonzero(kinds == Missing.NOTHING), np.flatnonzero(kinds == Missing.ZERO))

    def values(self, matrix: Floats) -> Floats:
        """(columns, rows) of a matrix: NaN where a value is missing, and only there."""
        values = matrix.T[self.columns]
        values[np.abs(values) <= NOTHING] = 0.0
        if len(self.known):
            known = values[self.known]
            values[self.known] = np.where(np.isnan(known), 0.0, known)
        if len(self.zero):
            zero = values[self.zero]
            values[self.zero] = np.where(zero == 0, np.nan, zero)
        return values
