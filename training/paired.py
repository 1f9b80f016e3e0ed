"""Versions judged on the same posts: each figure, and how far it is from the first version's, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.training import metrics
from clout.training.evaluate import LEAST_GROUP, RESAMPLES, beside, finite, group_masks, moment
from clout.training.heads import log_counts
from clout.training.metrics import Floats, Rows

LEAST_POSTS = 200
LEAST_IN_ACCOUNT = 5
SHARES = np.geomspace(0.005, 1, 24)
GROUP_FIGURES = ("spearman", "msle", "total_ratio", "coverage")
DIFFERENCE = "difference"


@dataclass(frozen=True)
class Said:
    """What one version said of posts and what happened, one value a post, all (n,).

    `within` over `counted`, both summed over all posts of some accounts, is the mean over these accounts of the rank
    correlation inside each.
    """

    margin: Floats
    expected: Floats
    low: Floats
    high: Floats
    truth: Floats
    count: Floats
    accounts: npt.NDArray[np.str_]
    within: Floats
    counted: Floats

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Said:
        """The same from rows as `judged.rows` makes them."""
        margin, truth = frame["margin"].to_numpy(), log_counts(frame)
        accounts = frame["account"].to_numpy().astype(np.str_)
        expected, low, high, count = (frame[name].to_numpy() for name in ("expected", "low", "high", "outcome"))
        within, counted = _within(margin, truth, accounts)
        return cls(margin, expected, low, high, truth, count, accounts, within, counted)

    def figures(self, rows: Rows, names: Sequence[str]) -> dict[str, float]:
        """The figures `names` of FIGURES on some rows: all posts of some accounts."""
        return {name: FIGURES[name](self, rows) for name in names}


def _within(margin: Floats, truth: Floats, accounts: npt.NDArray[np.str_]) -> tuple[Floats, Floats]:
    within, counted = np.zeros(len(truth)), np.zeros(len(truth))
    for rows in metrics.rows_by_account(accounts):
        value = metrics.spearman(margin[rows], truth[rows]) if len(rows) >= LEAST_IN_ACCOUNT else np.nan
        if not np.isnan(value):
            within[rows], counted[rows] = value / len(rows), 1 / len(rows)
    return within, counted


def _within_account(said: Said, rows: Rows) -> float:
    accounts = float(said.counted[rows].sum())
    return float(said.within[rows].sum()) / accounts if accounts else float("nan")


FIGURES: dict[str, Callable[[Said, Rows], float]] = {
    "spearman": lambda said, rows: metrics.spearman(said.margin[rows], said.truth[rows]),
    "r2_log": lambda said, rows: metrics.r_squared(said.margin[rows], said.truth[rows]),
    "msle": lambda said, rows: float(((said.margin[rows] - said.truth[rows]) ** 2).mean()),
    "within_account_spearman": _within_account,
    "top_decile_lift": lambda said, rows: metrics.top_decile_lift(said.expected[rows], said.count[rows]),
    "ndcg": lambda said, rows: metrics.ndcg(said.margin[rows], said.truth[rows]),
    "total_ratio": lambda said, rows: metrics.total_ratio(said.expected[rows], said.count[rows]),
    "decile_log_error": lambda said, rows: metrics.decile_log_error(said.expected[rows], said.count[rows]),
    "coverage": lambda said, rows: metrics.coverage(said.low[rows], said.high[rows], said.truth[rows]),
    "interval_width_log": lambda said, rows: float((said.high[rows] - said.low[rows]).mean()),
}


def common(kept: Sequence[pl.DataFrame]) -> tuple[list[pl.DataFrame], int]:
    """The rows of each of `kept` for the posts that all hold, in one order; and how many more had other outcomes.

    An outcome changes when a source is read again. Such a post tells nothing of the models, so it is left out.
    """
    posts = kept[0].select("post")
    for frame in kept[1:]:
        posts = posts.join(frame, on="post", how="semi", maintain_order="left")
    aligned = [posts.join(frame, on="post", how="left", maintain_order="left") for frame in kept]
    outcomes = [frame["outcome"].to_numpy() for frame in aligned]
    same = pl.Series(np.logical_and.reduce([values == outcomes[0] for values in outcomes]))
    return [frame.filter(same) for frame in aligned], posts.height - int(same.sum())


def accuracy(kept: Mapping[str, pl.DataFrame], seed: int, resamples: int = RESAMPLES) -> dict[str, Any]:
    """Figures of each version in `kept` (rows of `judged.read`) on the posts all were judged on, groups and curves.

    Under a figure stands, by version, {"value", "low", "high"}, and for all but the first `difference`, the same of
    its value less the first version's: 95 % intervals from drawing accounts, the same draws for all versions. Below
    200 posts there is only `reason`, which says what to do.
    """
    aligned, other = common(list(kept.values()))
    frame = aligned[0]
    told: dict[str, Any] = {"posts": frame.height, "other_outcome": other, "reason": None}
    if frame.height < LEAST_POSTS:
        return told | {"reason": _too_few(frame.height)}
    said = dict(zip(kept, map(Said.of, aligned), strict=True))
    told |= {"accounts": frame["account"].n_unique()}
    told |= {"from": moment(frame["happened_at"].min()), "through": moment(frame["happened_at"].max())}
    told["figures"] = _paired(said, np.arange(frame.height), tuple(FIGURES), seed, resamples)
    told["groups"] = {
        name: {"posts": len(rows), "figures": _paired(said, rows, GROUP_FIGURES, seed, resamples)}
        for name, rows in _groups(frame)
    }
    return dict(finite(told | _curves(said)))


def _too_few(posts: int) -> str:
    return (
        f"{posts:,} posts were judged by all of these versions; expected {LEAST_POSTS} or more: train them on the same "
        "data with the same splits, then compare again"
    )


def _groups(frame: pl.DataFrame) -> list[tuple[str, Rows]]:
    rows = {name: np.flatnonzero(mask.fill_null(value=False).to_numpy()) for name, mask in group_masks(frame).items()}
    return [(name, inside) for name, inside in rows.items() if len(inside) >= LEAST_GROUP]


def _paired(
    said: Mapping[str, Said], rows: Rows, names: Sequence[str], seed: int, resamples: int
) -> dict[str, dict[str, Any]]:
    first, *others = said

    def figures(drawn: Rows) -> dict[str, float]:
        values = {version: one.figures(rows[drawn], names) for version, one in said.items()}
        flat = {f"{name} {version}": values[version][name] for name in names for version in said}
        less = {
            f"{name} {version} {DIFFERENCE}": values[version][name] - values[first][name]
            for name in names
            for version in others
        }
        return flat | less

    told = beside(
        figures(np.arange(len(rows))), metrics.bootstrap(figures, said[first].accounts[rows], seed, resamples)
    )
    return {
        name: {first: told[f"{name} {first}"]}
        | {
            version: told[f"{name} {version}"] | {DIFFERENCE: told[f"{name} {version} {DIFFERENCE}"]}
            for version in others
        }
        for name in names
    }


def _curves(said: Mapping[str, Said]) -> dict[str, Any]:
    return {
        "deciles": {
            version: [
                {"expected": expected, "actual": actual}
                for expected, actual in metrics.deciles(one.expected, one.count)
            ]
            for version, one in said.items()
        },
        "lift": {
            "share": SHARES.tolist(),
            "perfect": _lift(next(iter(said.values())), perfect=True),
            "versions": {version: _lift(one, perfect=False) for version, one in said.items()},
        },
    }


def _lift(said: Said, *, perfect: bool) -> list[float]:
    best_first = said.count if perfect else said.expected
    return [float(lift) for lift in metrics.lifts(best_first, said.count, SHARES)]
