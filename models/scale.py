"""From expected actions to a score between 1 and 100: one curve a network, frozen apart from models."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from clout.errors import CloutError

Floats = npt.NDArray[np.float64]
MEAN_SCORE, P95_SCORE = 40.0, 63.0
BEND_LOW, BEND_HIGH = 10.0, 90.0
LOWEST, HIGHEST = float(np.nextafter(1.0, 2.0)), float(np.nextafter(100.0, 0.0))
MIN_ACCOUNTS = 30
BANDS = (
    (80, "exceptional"),
    (63, "among the top 5 %"),
    (52, "well above average"),
    (41, "above average"),
    (39, "average"),
    (28, "below average"),
    (0, "well below average"),
)


class ScaleError(CloutError):
    """A scale cannot be made from, or used on, what was handed in."""

    code = "scale"


@dataclass(frozen=True)
class Curve:
    """One network's anchors: log(1 + expected actions) of its mean account and of its 95th percentile."""

    mean: float
    p95: float
    accounts: int

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and math.isfinite(self.p95) and self.p95 > self.mean):
            raise ScaleError(
                f"got a mean of {self.mean!r} and a 95th percentile of {self.p95!r}; expected the percentile "
                "above the mean: accounts this alike make no scale, add accounts or give a frozen scale"
            )


def fit_curve(account_log_expected: Sequence[float] | Floats) -> Curve:
    """The curve of a reference population, one log(1 + expected actions) an account."""
    values = np.asarray(account_log_expected, dtype=np.float64)
    if len(values) < MIN_ACCOUNTS:
        raise ScaleError(
            f"got {len(values)} accounts; expected at least {MIN_ACCOUNTS} to fix a scale: add accounts "
            "of this network, or give a frozen scale that has it"
        )
    return Curve(float(values.mean()), float(np.quantile(values, 0.95)), len(values))


@dataclass(frozen=True)
class Scale:
    """The curves of all networks under one version.

    >>> scale = Scale("1", {"twitter": Curve(mean=2.0, p95=4.3, accounts=500)})
    >>> scale.score(np.array([2.0, 4.3]), ["twitter", "twitter"]).round(6).tolist()
    [40.0, 63.0]
    >>> round(scale.ten_points("twitter"), 3)
    2.718
    """

    version: str
    curves: Mapping[str, Curve]

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Scale:
        """The scale a `to_json` record describes."""
        return cls(record["version"], {name: Curve(**curve) for name, curve in record["curves"].items()})

    def to_json(self) -> dict[str, Any]:
        """Version and curves as plain values."""
        return {
            "version": self.version,
            "curves": {name: asdict(curve) for name, curve in self.curves.items()},
        }

    def score(self, log_expected: Floats, networks: Sequence[str]) -> Floats:
        """The score of each value, strictly inside (1, 100); values are (rows,) or (anything, rows)."""
        z, _ = self._straight(log_expected, networks)
        if not ((z < BEND_LOW) | (z > BEND_HIGH)).any():
            return z
        low = 1 + (BEND_LOW - 1) * np.exp(np.minimum(z - BEND_LOW, 0) / (BEND_LOW - 1))
        high = 100 - (100 - BEND_HIGH) * np.exp(-np.maximum(z - BEND_HIGH, 0) / (100 - BEND_HIGH))
        score = np.where(z < BEND_LOW, low, np.where(z > BEND_HIGH, high, z))
        return np.minimum(np.maximum(score, LOWEST), HIGHEST)

    def log_expected(self, score: float, network: str) -> float:
        """The log(1 + expected actions) that a network's curve gives this score; `score` undone."""
        score = min(max(score, LOWEST), HIGHEST)
        if score < BEND_LOW:
            z = BEND_LOW + (BEND_LOW - 1) * math.log((score - 1) / (BEND_LOW - 1))
        elif score > BEND_HIGH:
            z = BEND_HIGH - (100 - BEND_HIGH) * math.log((100 - score) / (100 - BEND_HIGH))
        else:
            z = score
        curve = self._curve(network)
        return curve.mean + (z - MEAN_SCORE) * (curve.p95 - curve.mean) / (P95_SCORE - MEAN_SCORE)

    def derivative(self, log_expected: Floats, networks: Sequence[str]) -> Floats:
        """Points per unit of log(1 + expected actions) at each value."""
        z, rate = self._straight(log_expected, networks)
        low = np.exp(np.minimum(z - BEND_LOW, 0) / (BEND_LOW - 1))
        high = np.exp(-np.maximum(z - BEND_HIGH, 0) / (100 - BEND_HIGH))
        slope: Floats = rate * low * high
        return slope

    def ten_points(self, network: str) -> float:
        """The factor by which ten points multiply 1 + expected actions, between scores of 10 and 90."""
        curve = self._curve(network)
        return math.exp(10 * (curve.p95 - curve.mean) / (P95_SCORE - MEAN_SCORE))

    def _straight(self, log_expected: Floats, networks: Sequence[str]) -> tuple[Floats, Floats]:
        curves = [self._curve(network) for network in networks]
        mean = np.array([curve.mean for curve in curves], dtype=np.float64)
        rate = np.array([(P95_SCORE - MEAN_SCORE) / (curve.p95 - curve.mean) for curve in curves], dtype=np.float64)
        return MEAN_SCORE + rate * (log_expected - mean), rate

    def _curve(self, network: str) -> Curve:
        try:
            return self.curves[network]
        except (KeyError, TypeError):
            raise ScaleError(
                f"got the network {network!r}; expected one the scale has a curve for: "
                f"{', '.join(sorted(self.curves))}. Train on posts of that network first",
                code="unknown_network",
            ) from None


def band(score: float) -> str:
    """The words for a score, judged on the integer people see.

    >>> band(40.2), band(62.7), band(12.0)
    ('average', 'among the top 5 %', 'well below average')
    """
    return next(words for floor, words in BANDS if round(score) >= floor)
