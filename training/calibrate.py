"""From margins to expected actions, and how wide intervals must be: both learned on blocks nobody trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from sklearn.isotonic import IsotonicRegression

from clout.errors import CloutError
from clout.models.calibration import Calibration
from clout.models.intervals import HALF_AN_ACTION, Intervals, spread

Floats = npt.NDArray[np.float64]
BINS = 20
MIN_ROWS_PER_BIN = 30
BEYOND = 3.0
A_HAIR = 1e-3


class CalibrationDataError(CloutError):
    """Too little variety to calibrate on."""

    code = "too_little_to_calibrate"


def fit_calibration(margin: Floats, count: Floats) -> Calibration:
    """The strictly increasing curve from margins to log(1 + mean count), through isotonic block means.

    Rows are put in bins of equal size by margin, equal margins in one. How far a bin's log mean count lies above its
    margin is shrunken to what is usual for all bins, as far as chance explains it: a single post that went round the
    world must not decide what the largest accounts are promised (random effects, Paule and Mandel, 1982). Isotonic
    regression then pools bins whose means fall; each block is one knot. Beyond them a step of margin is a step of log
    count. Raises `CalibrationDataError` where nothing rises.
    """
    if not count.any():
        raise _no_rise(count)
    bins = _bins(margin)
    size = np.array([len(rows) for rows in bins], dtype=np.float64)
    place = np.array([np.log(np.exp(margin[rows]).mean()) for rows in bins])
    mean = np.array([count[rows].mean() for rows in bins])
    chance = np.array([count[rows].var() for rows in bins]) / size / (1 + mean) ** 2
    lift = shrink(np.log1p(mean) - place, chance)
    pooled = IsotonicRegression().fit_transform(place, place + lift, sample_weight=size)
    levels, block = np.unique(pooled, return_inverse=True)
    weight = np.bincount(block, weights=size)
    knots = np.bincount(block, weights=size * place) / weight
    if len(levels) < 2:
        raise _no_rise(count)
    return Calibration(tuple(_beyond(knots)), tuple(_beyond(levels)))


def _no_rise(count: Floats) -> CalibrationDataError:
    return CalibrationDataError(
        f"the outcomes of {len(count)} held-back posts do not rise with the model's output; expected at least two "
        "levels: there is too little data, or nothing in it tells posts apart"
    )


def _bins(margin: Floats) -> list[npt.NDArray[np.intp]]:
    order = np.argsort(margin, kind="stable")
    even = np.array_split(order, int(np.clip(len(order) // MIN_ROWS_PER_BIN, 2, BINS)))
    edges = np.unique(margin[[rows[0] for rows in even if len(rows)]])
    bin_of = np.searchsorted(edges, margin[order], side="right")
    return np.split(order, np.flatnonzero(np.diff(bin_of)) + 1)


def shrink(value: Floats, variance: Floats) -> Floats:
    """Each value moved to the weighted mean of all, by the share of its deviation that `variance` explains.

    The variance between values is Paule and Mandel's: the one that makes the weighted squares what chance expects.
    """
    variance = np.maximum(variance, 1e-6)
    between = 0.0
    for _ in range(100):
        weight = 1 / (variance + between)
        center = float((weight * value).sum() / weight.sum())
        excess = float((weight * (value - center) ** 2).sum()) - (len(value) - 1)
        if abs(excess) < 1e-9 or (between == 0 and excess < 0):
            break
        between = max(0.0, between + excess / float((weight**2 * (value - center) ** 2).sum()))
    return np.asarray(center + (value - center) * between / (between + variance))


def _beyond(knots: Floats) -> list[float]:
    return [float(knots[0]) - BEYOND, *knots.tolist(), float(knots[-1]) + BEYOND]


def fit_intervals(
    features: tuple[str, str],
    edges: tuple[Sequence[float], Sequence[float]],
    groups: tuple[Floats, Floats],
    errors: Mapping[str, Floats],
    level: float,
    min_posts: int,
) -> Intervals:
    """The offsets that make intervals hold `level` of held-back outcomes, overall and in each group of posts.

    `errors` are conformity scores of each head (n,), see `main_error` and `kind_error`; `groups` the values of the two
    `features` (n,). Split conformal prediction within groups: Romano, Patterson and Candès (2019), Vovk (2012).
    """
    layout = Intervals.from_json(
        {"level": level, "features": features, "edges": [list(edge) for edge in edges]}
        | {head: [[None] * (len(edges[1]) + 2)] * (len(edges[0]) + 2) for head in errors}
        | {"default": dict.fromkeys(errors, 0.0)}
    )
    first, second = layout.groups(*groups)
    record = layout.to_json()
    for head, error in errors.items():
        record[head] = [
            [
                _offset(error[(first == row) & (second == column)], level, min_posts)
                for column in range(len(edges[1]) + 2)
            ]
            for row in range(len(edges[0]) + 2)
        ]
        record["default"][head] = _offset(error, level, 1)
    return Intervals.from_json(record)


def _offset(error: Floats, level: float, min_posts: int) -> float | None:
    """The ⌈(n + 1) level⌉-th smallest known error and a hair, None with fewer than `min_posts` of them.

    The post whose error it is lies on an end of its interval, and many may tie with it but for dust: what rounding takes
    from an end, and what late trees add to a quantile. A hair, a thousandth of the actions, holds them all inside; a
    lower end at half an action is then none.
    """
    known = np.sort(error[~np.isnan(error)])
    if len(known) < min_posts:
        return None
    rank = int(np.ceil((len(known) + 1) * level))
    return float(known[min(rank, len(known)) - 1]) + A_HAIR


def main_error(low: Floats, high: Floats, log_count: Floats) -> Floats:
    """How far each outcome lies outside [low, high] on the log1p scale; negative inside.

    None at all lies no further below than half an action does, as `lower_end` takes less than that for none.
    """
    return np.maximum(low - np.maximum(log_count, HALF_AN_ACTION), log_count - high)


def kind_error(margin: Floats, low: Floats, high: Floats, log_count: Floats) -> Floats:
    """How far each count lies from its margin, as `main_error` has it, in widths of the main interval."""
    return np.asarray(main_error(margin, margin, log_count) / spread(low, high))
