"""Figures that say how good predictions are; every one takes arrays of one value a post, of one post at least.

Products are summed, not handed to BLAS, whose last bit hangs on where in memory an array begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Accounts = npt.NDArray[np.str_] | npt.NDArray[np.intp]


def spearman(prediction: Floats, truth: Floats) -> float:
    """Spearman's rank correlation; NaN where one side does not vary."""
    a, b = rankdata(prediction), rankdata(truth)
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 0 else float("nan")


def partial_spearman(prediction: Floats, truth: Floats, given: Floats) -> float:
    """Spearman's correlation of what the ranks of `given` leave unexplained; NaN where they explain all of either."""
    r_pt, r_pg, r_tg = spearman(prediction, truth), spearman(prediction, given), spearman(truth, given)
    left = (1 - r_pg**2, 1 - r_tg**2)
    return (r_pt - r_pg * r_tg) / float(np.sqrt(left[0] * left[1])) if min(left) > 1e-12 else float("nan")


def r_squared(prediction: Floats, truth: Floats) -> float:
    """Share of the variance explained; NaN where the truth does not vary."""
    spread = float(((truth - truth.mean()) ** 2).sum()) if np.ptp(truth) > 0 else 0.0
    return 1 - float(((truth - prediction) ** 2).sum()) / spread if spread > 0 else float("nan")


def skill(prediction: Floats, baseline: Floats, truth: Floats) -> float:
    """By how much the squared error is below the baseline's: 0 none, 1 perfect; NaN where the baseline has no error."""
    worse = float(((truth - baseline) ** 2).sum())
    return 1 - float(((truth - prediction) ** 2).sum()) / worse if worse > 0 else float("nan")


def within_account_spearman(prediction: Floats, truth: Floats, accounts: Accounts, least: int = 5) -> float:
    """The mean of Spearman's correlation inside each account with `least` posts or more; NaN where there is none."""
    values = [spearman(prediction[rows], truth[rows]) for rows in rows_by_account(accounts) if len(rows) >= least]
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def top_decile_lift(prediction: Floats, count: Floats) -> float:
    """Mean outcome of the tenth of posts predicted highest, over the mean of all; NaN where nothing happened."""
    mean = float(count.mean())
    top = ranked(prediction, count)[: max(1, len(prediction) // 10)]
    return float(top.mean()) / mean if mean > 0 else float("nan")


def ndcg(prediction: Floats, gain: Floats) -> float:
    """Normalised discounted cumulative gain over all posts, gain on the log1p scale (Järvelin and Kekäläinen, 2002)."""
    discount = 1 / np.log2(np.arange(2, len(gain) + 2))
    best = float((np.sort(gain)[::-1] * discount).sum())
    return float((ranked(prediction, gain) * discount).sum()) / best if best > 0 else float("nan")


def ranked(prediction: Floats, value: Floats) -> Floats:
    """The values, highest prediction first; posts of equal prediction have no order, so each has their mean."""
    _, tie, size = np.unique(-prediction, return_inverse=True, return_counts=True)
    return np.repeat(np.bincount(tie, weights=value) / size, size)


def lifts(prediction: Floats, count: Floats, shares: Floats) -> Floats:
    """Mean outcome of each share of the posts, those predicted highest first, over the mean of all."""
    taken = np.maximum(1, np.round(shares * len(count))).astype(int)
    means = np.cumsum(ranked(prediction, count))[taken - 1] / taken
    return np.asarray(means / max(float(count.mean()), 1e-12))


def total_ratio(expected: Floats, count: Floats) -> float:
    """Total expected over total actual actions; NaN where nothing happened."""
    total = float(count.sum())
    return float(expected.sum()) / total if total > 0 else float("nan")


def deciles(expected: Floats, count: Floats) -> list[tuple[float, float]]:
    """Mean expected and mean actual actions in ten equal groups by expectation, lowest first."""
    groups = np.array_split(np.argsort(expected, kind="stable"), min(10, len(expected)))
    return [(float(expected[rows].mean()), float(count[rows].mean())) for rows in groups]


def decile_log_error(expected: Floats, count: Floats) -> float:
    """Mean absolute difference of log1p(mean expected) and log1p(mean actual) over the deciles."""
    pairs = np.log1p(np.array(deciles(expected, count)))
    return float(np.abs(pairs[:, 0] - pairs[:, 1]).mean())


def coverage(low: Floats, high: Floats, truth: Floats) -> float:
    """Share of truths inside [low, high]."""
    return float(((low <= truth) & (truth <= high)).mean())


def crps(center: Floats, width: Floats, quantiles: Sequence[float], truth: Floats) -> float:
    """Mean continuous ranked probability score of center + width × quantiles, as twice the mean pinball loss.

    `quantiles` are evenly spaced quantiles of (truth − center) / width on held-back posts (Gneiting and Ranjan, 2011).
    """
    levels = (np.arange(len(quantiles)) + 0.5) / len(quantiles)
    total = 0.0
    for level, quantile in zip(levels, quantiles, strict=True):
        error = truth - (center + width * quantile)
        total += float(np.maximum(level * error, (level - 1) * error).mean())
    return 2 * total / len(quantiles)


def residual_quantiles(center: Floats, width: Floats, truth: Floats, count: int = 50) -> list[float]:
    """Evenly spaced quantiles of (truth − center) / width, as `crps` takes them."""
    levels = (np.arange(count) + 0.5) / count
    return [float(value) for value in np.quantile((truth - center) / width, levels)]


def rows_by_account(accounts: Accounts) -> list[Rows]:
    """The row numbers of each account, accounts in sorted order."""
    _, codes = np.unique(accounts, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1) if len(order) else []


def bootstrap(
    figures: Callable[[Rows], dict[str, float]], accounts: Accounts, seed: int, resamples: int
) -> dict[str, tuple[float, float]]:
    """The 95 % interval of every figure when accounts, with all their posts, are drawn again with replacement.

    Draws in which a figure cannot be told are left out; a figure that never can is absent.
    """
    groups = rows_by_account(accounts)
    generator = np.random.default_rng(seed)
    drawn = [
        figures(np.concatenate([groups[index] for index in generator.integers(len(groups), size=len(groups))]))
        for _ in range(resamples)
    ]
    columns = {name: np.array([figure[name] for figure in drawn]) for name in drawn[0]}
    known = {name: column[~np.isnan(column)] for name, column in columns.items()}
    return {
        name: (float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975)))
        for name, values in known.items()
        if len(values)
    }
