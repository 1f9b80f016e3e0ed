"""The first tree of every head: for accounts larger than nearly all that were learned from, it rises as their level does.

Trees cut a feature only where they saw posts, and say the same of all that lies beyond: whoever is larger than all they
were taught on would be judged as the largest of those. So beyond a knee the first tree is a line, in steps, and the others
learn what is left. Being a tree, it is read by whatever reads a model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
LEVEL = "outcome_level_365d"
# Of the posts that teach, the share below the knee.
KNEE = 0.95
# Of a step of level, what the line rises: with less, accounts nobody learned from are told too little, with more too much.
SLOPE = 0.8
# In log1p of the outcome: 31 steps up to 2,300 times the knee, and no deeper a tree than others are.
STEP, STEPS = 0.25, 31
# A leaf counts each post so often, and one more: none may be without, and that one must not weigh.
TIMES, MOST = 1_000, 2**30
MISSING_LEFT = 10
_SIZES = re.compile(r"^tree_sizes=.*\n", re.MULTILINE)
_FIRST = "\nTree=0\n"


@dataclass(frozen=True)
class Staircase:
    """A line in steps over the feature of number `column`: flat up to `knee`, and where the feature is missing.

    `start` is what it says there; `counts` (`STEPS` + 1,) are the posts on the flat and on each step.
    """

    column: int
    knee: float
    start: float
    counts: npt.NDArray[np.intp]

    @classmethod
    def fitted(cls, column: int, level: Floats, target: Floats) -> Staircase | None:
        """The one whose mean is that of `target`, by the level of each post, both (n,); None where no level is known."""
        known = level[~np.isnan(level)]
        if not known.size:
            return None
        bare = cls(column, float(np.quantile(known, KNEE)), 0.0, np.zeros(STEPS + 1, dtype=np.intp))
        counts = np.bincount(bare._step(level), minlength=STEPS + 1)
        return cls(column, bare.knee, float(np.mean(target - bare(level))), counts)

    def __call__(self, level: Floats) -> Floats:
        """What it says of each level, (n,)."""
        return np.take(self._values, self._step(level))

    def before(self, text: str) -> str:
        """The text of a model with this tree before those of `text`, which were taught on what it leaves."""
        head, rest = _SIZES.sub("", text, count=1).split(_FIRST, 1)
        return f"{head}{_FIRST}{self._text()}\n\n{_FIRST}{rest}"

    @property
    def _edges(self) -> Floats:
        return np.asarray(self.knee + STEP * np.arange(STEPS))

    @property
    def _values(self) -> Floats:
        rise: Floats = np.concatenate([[0.0], SLOPE * STEP * (np.arange(STEPS) + 0.5)])
        return self.start + rise

    def _step(self, level: Floats) -> npt.NDArray[np.intp]:
        """The number of the step on which each level lies, 0 for the flat."""
        return np.where(np.isnan(level), 0, np.searchsorted(self._edges, level, side="left"))

    def _text(self) -> str:
        """The tree as LightGBM writes one, below its number."""
        counts = self.counts * min(TIMES, max(1, MOST // int(self.counts.sum()))) + 1
        splits = _halved(0, STEPS + 1)
        number = {middle: place for place, middle in enumerate(splits)}
        below = [
            [_child(at, end, number) for at, end in ((first, middle), (middle, last))]
            for middle, (first, last) in splits.items()
        ]
        among = [slice(*ends) for ends in splits.values()]
        lines = {
            "num_leaves": [STEPS + 1],
            "num_cat": [0],
            "split_feature": [self.column] * STEPS,
            "split_gain": [0] * STEPS,
            "threshold": [float(self._edges[middle - 1]) for middle in splits],
            "decision_type": [MISSING_LEFT] * STEPS,
            "left_child": [left for left, _ in below],
            "right_child": [right for _, right in below],
            "leaf_value": self._values.tolist(),
            "leaf_weight": counts.tolist(),
            "leaf_count": counts.tolist(),
            "internal_value": [float(np.average(self._values[steps], weights=counts[steps])) for steps in among],
            "internal_weight": [int(counts[steps].sum()) for steps in among],
            "internal_count": [int(counts[steps].sum()) for steps in among],
            "is_linear": [0],
            "shrinkage": [1],
        }
        return "\n".join(f"{name}={' '.join(map(repr, numbers))}" for name, numbers in lines.items())


def _halved(first: int, last: int) -> dict[int, tuple[int, int]]:
    """The splits of a tree with the leaves from `first` up to `last`, by the first leaf on their right: their leaves.

    >>> _halved(0, 3)
    {1: (0, 3), 2: (1, 3)}
    """
    if last - first < 2:
        return {}
    middle = (first + last) // 2
    return {middle: (first, last)} | _halved(first, middle) | _halved(middle, last)


def _child(first: int, last: int, number: dict[int, int]) -> int:
    """A child as LightGBM counts them: the number of a split, or of a leaf from -1 downwards."""
    return ~first if last - first == 1 else number[(first + last) // 2]
