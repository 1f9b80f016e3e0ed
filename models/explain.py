"""Why a score is what it is: SHAP values of the margin turned into points that add up to the score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import sub
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from clout.errors import CloutError
from clout.features.contract import GROUPS, SIDE_OF, Contract, FeatureSpec, Group, Side
from clout.models import phrases

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
TINY = 1e-9
# Of each feature the values at MARKS, or None where it was never known.
Quantiles = Mapping[str, Sequence[float] | None]
MARKS = (0.05, 0.25, 0.5, 0.75, 0.95)


class AskedError(CloutError):
    """Reasons that are asked for are not there."""

    code = "asked"


def points_rate(moved: Floats, gain: Floats, slope_at_base: Floats) -> Floats:
    """(rows,) points per unit of margin: `gain`, the score above the base score, over `moved`, the margin above its base.

    Points are phi times this rate: the Aumann–Shapley value along the line from the base margin to the margin. Where a
    row's phi cancel out, it is its limit, the slope of the score at the base margin.
    """
    still = np.abs(moved) < TINY
    rate: Floats = np.where(still, slope_at_base, gain / np.where(still, 1.0, moved))
    return rate


@dataclass(frozen=True)
class Reason:
    """What one feature did to one score; `typical` is the middle half of the values seen in training."""

    code: str
    label: str
    group: Group
    side: Side
    value: float | None
    unit: str
    said: str | None
    typical: tuple[float, float] | None
    points: float
    actionable: bool
    sentence: str
    advice: str


class Known(NamedTuple):
    """What can be said of a feature whatever its value and points: fields of its reason, and its words."""

    fields: dict[str, Any]
    spec: FeatureSpec
    over_posts: bool

    def told(self, value: float, points: float) -> dict[str, Any]:
        """The fields of the feature's reason; `value` is NaN where it is missing."""
        said, sentence = phrases.told(self.spec, value, points, over_posts=self.over_posts)
        known = None if said is None else value
        return {**self.fields, "value": known, "said": said, "points": points, "sentence": sentence}


@dataclass(frozen=True)
class Phrasebook:
    """What is known of the features of a contract before any row is explained; made once for many explanations.

    `over_posts` where values are means over the posts of an account, which people say in another way.
    """

    contract: Contract
    quantiles: Quantiles
    over_posts: bool = False

    @cached_property
    def columns(self) -> dict[Group, list[int]]:
        """The columns of each group that has features."""
        columns: dict[Group, list[int]] = {group: [] for group in GROUPS}
        for index, spec in enumerate(self.contract.features):
            columns[spec.group].append(index)
        return {group: indices for group, indices in columns.items() if indices}

    @cached_property
    def places(self) -> dict[Group, npt.NDArray[np.intp]]:
        """The same as arrays."""
        return {group: np.array(columns, dtype=np.intp) for group, columns in self.columns.items()}

    @cached_property
    def known(self) -> tuple[Known, ...]:
        """What can be said of each feature, in the order of the columns."""
        return tuple(
            _known(spec, self.quantiles.get(spec.name), over_posts=self.over_posts) for spec in self.contract.features
        )


@dataclass(frozen=True)
class Sides:
    """Points by side, and how the message and the messenger share what they moved, in absolute points.

    The two shares add up to 1; both are None when neither moved the score.
    """

    message: float
    messenger: float
    timing: float
    network: float
    message_share: float | None
    messenger_share: float | None


@dataclass(frozen=True)
class Printed:
    """Integers that add up: `base` + the sum of `groups` = `score`, each group is the sum of its features."""

    base: int
    score: int
    groups: dict[Group, int]
    features: dict[str, int]


class Reasoned:
    """The reasons of many rows in words and sums: `base_score` + the sum of a row's `points` is its `score`.

    `values` and `points` are (rows, features) in contract order, the scores (rows,).
    """

    phrasebook: Phrasebook
    values: Floats
    score: Floats
    base_score: Floats
    points: Floats

    @property
    def contract(self) -> Contract:
        """The features that are the reasons."""
        return self.phrasebook.contract

    @property
    def quantiles(self) -> Quantiles:
        """The values of the features seen in training."""
        return self.phrasebook.quantiles

    @property
    def names(self) -> tuple[str, ...]:
        """The features, in the order of the columns."""
        return self.contract.names

    def reasons(self, row: int, limit: int | None = None) -> list[Reason]:
        """The reasons of a row, those that moved the score most first; at most `limit`."""
        if not 0 <= row < len(self.points):
            raise AskedError(f"got row {row} of {len(self.points)}; expected one of these, of which 0 is the first")
        if limit is not None and limit < 0:
            raise AskedError(f"got limit {limit}; expected how many reasons, 0 or more, or None for all")
        return [Reason(**told) for told in self.told(row, limit)]

    def told(self, row: int, limit: int | None = None) -> list[dict[str, Any]]:
        """The fields of each of `reasons`."""
        values, points, known = self.values[row].tolist(), self.points[row].tolist(), self.phrasebook.known
        return [known[at].told(values[at], points[at]) for at in self.order(row)[:limit]]

    def order(self, row: int) -> list[int]:
        """The columns of a row, those that moved its score most first."""
        order: list[int] = np.argsort(-np.abs(self.points[row]), kind="stable").tolist()
        return order

    def groups(self, row: int) -> Mapping[Group, float]:
        """Points of a row summed by the groups its features belong to."""
        if row not in self._groups:
            self._groups[row] = self._sums(self.points[row])
        return self._groups[row]

    @cached_property
    def _groups(self) -> dict[int, dict[Group, float]]:
        """The sums by group of the rows that were asked for."""
        return {}

    def sides(self, row: int) -> Sides:
        """Points of a row by side, and message against messenger."""
        points: dict[Side, float] = dict.fromkeys(SIDE_OF.values(), 0.0)
        moved, moved_by = dict.fromkeys(points, 0.0), self._sums(np.abs(self.points[row]))
        for group, told in self.groups(row).items():
            points[SIDE_OF[group]] += told
            moved[SIDE_OF[group]] += moved_by[group]
        both = moved["message"] + moved["messenger"]
        message = moved["message"] / both if both else None
        return Sides(
            points["message"],
            points["messenger"],
            points["timing"],
            points["network"],
            message,
            None if message is None else 1 - message,
        )

    def printed(self, row: int) -> Printed:
        """The row in integers by the largest remainder, groups first, then features within their group."""
        base, score = round(float(self.base_score[row])), round(float(self.score[row]))
        shares = self.groups(row)
        groups = dict(zip(shares, integers(list(shares.values()), score - base), strict=True))
        points = self.points[row].tolist()
        whole = [0] * len(points)
        for group, columns in self.phrasebook.columns.items():
            for column, number in zip(columns, integers([points[at] for at in columns], groups[group]), strict=True):
                whole[column] = number
        return Printed(base, score, groups, dict(zip(self.names, whole, strict=True)))

    def _sums(self, numbers: Floats) -> dict[Group, float]:
        """Numbers of a row, one a feature, summed by group."""
        return {group: float(np.add.reduce(numbers.take(at))) for group, at in self.phrasebook.places.items()}


@dataclass(frozen=True)
class Explanation(Reasoned):
    """The reasons of many rows as a model tells them.

    `phi` is (rows, features) in contract order, the margins (rows,); `rate` is points per unit of margin, `ids` are the
    id columns of the frame that was explained.
    """

    phrasebook: Phrasebook
    networks: tuple[str, ...]
    values: Floats
    margin: Floats
    base_margin: Floats
    phi: Floats
    score: Floats
    base_score: Floats
    rate: Floats
    ids: Mapping[str, Sequence[str]]

    def __len__(self) -> int:
        """How many rows are explained."""
        return len(self.score)

    @cached_property
    def points(self) -> Floats:  # type: ignore[override]
        """What each feature did to each score."""
        points: Floats = self.phi * self.rate[:, None]
        return points

    def to_frame(self) -> pd.DataFrame:
        """One line a row and feature: ids, row, network, feature, group, side, value, phi, points."""
        import pandas as pd  # noqa: PLC0415 - slow to import, and only data scientists ask for a frame

        rows, width = self.points.shape
        lines = np.repeat(np.arange(rows), width)
        specs = self.contract.features
        return pd.DataFrame(
            {name: np.repeat(np.asarray(ids, dtype=object), width) for name, ids in self.ids.items()}
            | {
                "row": lines,
                "network": np.repeat(np.asarray(self.networks, dtype=object), width),
                "feature": np.tile([spec.name for spec in specs], rows),
                "group": np.tile([spec.group for spec in specs], rows),
                "side": np.tile([SIDE_OF[spec.group] for spec in specs], rows),
                "value": self.values.ravel(),
                "phi": self.phi.ravel(),
                "points": self.points.ravel(),
            }
        )


@dataclass(frozen=True)
class Recalled(Reasoned):
    """The reasons of accounts that a model told before, from their values and points, without the model."""

    phrasebook: Phrasebook
    values: Floats
    score: Floats
    base_score: Floats
    points: Floats

    @classmethod
    def of(
        cls,
        contract: Contract,
        quantiles: Quantiles,
        values: Mapping[str, float | None],
        points: Mapping[str, float],
        score: float,
        base_score: float,
    ) -> Recalled:
        """The reasons of one account, its `values` (None where missing) and `points` given by feature."""
        found = np.array([[values[name] for name in contract.names]], dtype=np.float64)
        told = np.array([[points[name] for name in contract.names]], dtype=np.float64)
        book = Phrasebook(contract, quantiles, over_posts=True)
        return cls(book, found, np.array([score]), np.array([base_score]), told)


def _known(spec: FeatureSpec, marks: Sequence[float] | None, *, over_posts: bool) -> Known:
    fields = {
        "code": spec.name,
        "label": spec.label,
        "group": spec.group,
        "side": SIDE_OF[spec.group],
        "unit": spec.unit,
        "typical": None if marks is None else (marks[1], marks[3]),
        "actionable": spec.actionable,
        "advice": spec.advice,
    }
    return Known(fields, spec, over_posts)


def integers(shares: Sequence[float], total: int) -> list[int]:
    """Integers that sum to `total`: the largest remainders are rounded up, among equals the smallest share.

    >>> integers([4.5, 8.8], 13)
    [4, 9]
    """
    told = list(map(math.floor, shares))
    everyone, some = divmod(total - sum(told), len(shares))
    if some:
        left = sorted(zip(map(sub, told, shares), map(abs, shares), range(len(told)), strict=True))
        for _, _, at in left[:some]:
            told[at] += 1
    return [number + everyone for number in told] if everyone else told
