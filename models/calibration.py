"""From the margin to log(1 + expected actions): a strictly increasing curve learned out of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from clout.errors import CloutError

Floats = npt.NDArray[np.float64]
END_SLOPE_FLOOR = 0.1


class CalibrationError(CloutError):
    """The knots of a calibration do not make a strictly increasing curve."""

    code = "calibration"


@dataclass(frozen=True)
class Calibration:
    """The curve g from a margin to log(1 + expected actions).

    PCHIP through the knots, straight lines beyond both ends. It is strictly increasing everywhere and its
    slope is continuous: an end slope is never below a tenth of the last segment's.

    >>> curve = Calibration((0.0, 1.0, 2.0), (0.0, 2.0, 3.0))
    >>> curve.apply(np.array([0.0, 1.0, 3.0])).tolist()
    [0.0, 2.0, 3.5]
    """

    margin: tuple[float, ...]
    log_expected: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.margin) != len(self.log_expected) or len(self.margin) < 2:
            raise CalibrationError(
                f"got {len(self.margin)} margins and {len(self.log_expected)} values; expected as many of "
                "each, two or more: calibrate on more posts"
            )
        for name, knots in (("margin", self.margin), ("log_expected", self.log_expected)):
            _refuse_unless_increasing(name, knots)

    @classmethod
    def from_json(cls, record: Mapping[str, Sequence[float]]) -> Calibration:
        """The calibration a `to_json` record describes."""
        return cls(tuple(map(float, record["margin"])), tuple(map(float, record["log_expected"])))

    def to_json(self) -> dict[str, Any]:
        """The knots as lists: `{"margin": [...], "log_expected": [...]}`."""
        return {"margin": list(self.margin), "log_expected": list(self.log_expected)}

    def apply(self, margin: Floats) -> Floats:
        """log(1 + expected actions) of each margin; below 0 where fewer than no actions would be expected."""
        return _value(*self._pieces(margin))

    def derivative(self, margin: Floats) -> Floats:
        """How fast `apply` rises at each margin."""
        (cubic, square, slope, _), step = self._pieces(margin)
        value: Floats = (3 * cubic * step + 2 * square) * step + slope
        return value

    def _pieces(self, margin: Floats) -> tuple[Floats, Floats]:
        origins, coefficients = self.curve
        piece = self.knots.searchsorted(margin, side="right")
        return coefficients.take(piece, axis=1), margin - origins.take(piece)

    @cached_property
    def knots(self) -> Floats:
        """Where its pieces meet."""
        return np.asarray(self.margin, dtype=np.float64)

    @cached_property
    def curve(self) -> tuple[Floats, Floats]:
        """Origins and cubic coefficients (highest power first) of the pieces: a line, the cubics, a line."""
        from scipy.interpolate import CubicHermiteSpline  # noqa: PLC0415 - slow to import

        x, y = self.knots, np.asarray(self.log_expected, dtype=np.float64)
        slopes = _slopes(x, y)
        inner = CubicHermiteSpline(x, y, slopes).c
        below, above = ([0.0, 0.0, slope, level] for slope, level in ((slopes[0], y[0]), (slopes[-1], y[-1])))
        coefficients = np.column_stack([below, inner, above])
        return np.concatenate([x[:1], x]), coefficients


class Calibrations:
    """The curves of several heads, applied at once: for one row that takes a third of the time."""

    def __init__(self, curves: Sequence[Calibration]) -> None:
        self._knots = [curve.knots for curve in curves]
        origins, coefficients = zip(*(curve.curve for curve in curves), strict=True)
        self._origins, self._coefficients = np.concatenate(origins), np.concatenate(coefficients, axis=1)
        self._first = np.cumsum([0, *map(len, origins[:-1])])[:, None]

    def apply(self, margins: Floats) -> Floats:
        """What the curve of each head says of its margins, (heads, rows), to the last bit what `Calibration.apply` says."""
        found = [knots.searchsorted(margin, side="right") for knots, margin in zip(self._knots, margins, strict=True)]
        piece = np.array(found) + self._first
        return _value(self._coefficients.take(piece, axis=1), margins - self._origins.take(piece))


def _value(coefficients: Floats, step: Floats) -> Floats:
    """A cubic's value so far from where its piece begins; its highest power comes first."""
    cubic, square, slope, level = coefficients
    value: Floats = ((cubic * step + square) * step + slope) * step + level
    return value


def _slopes(x: Floats, y: Floats) -> Floats:
    from scipy.interpolate import PchipInterpolator  # noqa: PLC0415 - slow to import

    slopes: Floats = PchipInterpolator(x, y).derivative()(x)
    secants = np.diff(y) / np.diff(x)
    slopes[0] = max(slopes[0], END_SLOPE_FLOOR * secants[0])
    slopes[-1] = max(slopes[-1], END_SLOPE_FLOOR * secants[-1])
    return slopes


def _refuse_unless_increasing(name: str, knots: tuple[float, ...]) -> None:
    values = np.asarray(knots)
    if not np.isfinite(values).all():
        raise CalibrationError(f"{name} holds a number that is not finite; expected finite knots")
    flat = np.flatnonzero(np.diff(values) <= 0)
    if flat.size:
        at = int(flat[0])
        raise CalibrationError(
            f"{name} goes from {knots[at]!r} to {knots[at + 1]!r} at knot {at + 1}; expected strictly "
            "increasing knots: merge equal knots before building the calibration"
        )
