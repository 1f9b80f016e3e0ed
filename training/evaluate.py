"""The table "judged against": one report of figures with stable keys, for any posts a model never learned from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from clout.training import metrics
from clout.training.heads import log_counts
from clout.training.metrics import Floats, Rows

RESAMPLES = 200
LEAST_GROUP = 100
HISTORY_EDGES = (1, 10, 50)


@dataclass(frozen=True)
class Judgement:
    """What a model, and the baselines, say of posts they never learned from, one value a row of `frame`.

    `margin`, `low` and `high` are on the log1p scale, `expected` in actions; `width` and `residuals` make the
    predictive distribution (see `metrics.crps`). `others` are the baselines' predictions of log1p(outcome).
    """

    frame: pl.DataFrame
    margin: Floats
    expected: Floats
    low: Floats
    high: Floats
    width: Floats
    residuals: Sequence[float]
    others: Mapping[str, Floats]
    other_residuals: Mapping[str, Sequence[float]]

    @cached_property
    def truth(self) -> Floats:
        """log1p(outcome), (n,)."""
        return log_counts(self.frame)

    @cached_property
    def count(self) -> Floats:
        """The outcome in actions, (n,)."""
        return self.frame["outcome"].to_numpy()

    @cached_property
    def accounts(self) -> Rows:
        """The account of each post as a number, in the order of the alphabet, (n,)."""
        return self.frame["account"].rank("dense").to_numpy().astype(np.intp) - 1


def evaluate(judged: Judgement, seed: int, resamples: int = RESAMPLES) -> dict[str, Any]:
    """The report: posts, accounts, model, baselines, skill over each baseline, groups, calibration.

    Every figure under `model` and `skill` is {"value", "low", "high"} with the 95 % interval of a bootstrap over accounts.
    """
    model = _with_interval(lambda rows: _figures(judged, rows), judged, seed, resamples)
    skill = {name: model.pop(f"skill_{name}") for name in judged.others}
    report: dict[str, Any] = {
        "posts": judged.frame.height,
        "accounts": judged.frame["account"].n_unique(),
        "from": moment(judged.frame["happened_at"].min()),
        "through": moment(judged.frame["happened_at"].max()),
        "model": model | {name: {"value": value} for name, value in _slow_figures(judged).items()},
        "skill": skill,
        "baselines": {
            name: _baseline_figures(judged, values, judged.other_residuals[name])
            for name, values in judged.others.items()
        },
        "groups": groups(judged),
        "deciles": [{"expected": expected, "actual": actual} for expected, actual in _deciles(judged)],
    }
    covered = [group["coverage"] for group in report["groups"].values()]
    report["model"]["coverage_worst_group"] = {"value": min(covered) if covered else float("nan")}
    told: dict[str, Any] = finite(report)
    return told


def moment(at: object) -> str:
    """A moment to the second, as reports tell it; empty where there is none."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if isinstance(at, datetime) else ""


def finite(figures: Any) -> Any:  # noqa: ANN401 - any tree of JSON
    """`figures`, a tree of mappings and lists, with None in place of each NaN: a figure that cannot be told."""
    if isinstance(figures, Mapping):
        return {name: finite(value) for name, value in figures.items()}
    if isinstance(figures, list):
        return [finite(value) for value in figures]
    return None if isinstance(figures, float) and not np.isfinite(figures) else figures


def _with_interval(
    figures: Callable[[Rows], dict[str, float]], judged: Judgement, seed: int, resamples: int
) -> dict[str, dict[str, float]]:
    values = figures(np.arange(judged.frame.height))
    bounds = metrics.bootstrap(figures, judged.accounts, seed, resamples)
    return beside(values, bounds)


def beside(values: Mapping[str, float], bounds: Mapping[str, tuple[float, float]]) -> dict[str, dict[str, float]]:
    """Each value beside its bounds; one that was never told in a draw has itself, NaN, for bounds."""
    return {
        name: {"value": value} | dict(zip(("low", "high"), bounds.get(name, (value, value)), strict=True))
        for name, value in values.items()
    }


def _figures(judged: Judgement, rows: Rows) -> dict[str, float]:
    truth, margin = judged.truth[rows], judged.margin[rows]
    expected, count = judged.expected[rows], judged.count[rows]
    figures = {
        "spearman": metrics.spearman(margin, truth),
        "r2_log": metrics.r_squared(margin, truth),
        "top_decile_lift": metrics.top_decile_lift(expected, count),
        "ndcg": metrics.ndcg(margin, truth),
        "total_ratio": metrics.total_ratio(expected, count),
        "decile_log_error": metrics.decile_log_error(expected, count),
        "coverage": metrics.coverage(judged.low[rows], judged.high[rows], truth),
    }
    skills = {f"skill_{name}": metrics.skill(margin, other[rows], truth) for name, other in judged.others.items()}
    return figures | skills


def _slow_figures(judged: Judgement) -> dict[str, float]:
    return {
        "within_account_spearman": metrics.within_account_spearman(judged.margin, judged.truth, judged.accounts),
        "crps": metrics.crps(judged.margin, judged.width, judged.residuals, judged.truth),
        "interval_width_log": float((judged.high - judged.low).mean()),
    }


def _baseline_figures(judged: Judgement, values: Floats, residuals: Sequence[float]) -> dict[str, float]:
    truth = judged.truth
    return {
        "spearman": metrics.spearman(values, truth),
        "r2_log": metrics.r_squared(values, truth),
        "within_account_spearman": metrics.within_account_spearman(values, truth, judged.accounts),
        "top_decile_lift": metrics.top_decile_lift(values, judged.count),
        "ndcg": metrics.ndcg(values, truth),
        "total_ratio": metrics.total_ratio(np.expm1(values), judged.count),
        "crps": metrics.crps(values, np.ones(len(values)), residuals, truth),
    }


def _deciles(judged: Judgement) -> list[tuple[float, float]]:
    return metrics.deciles(judged.expected, judged.count)


def groups(judged: Judgement) -> dict[str, dict[str, float]]:
    """Spearman, total ratio and coverage by network, history length, followers, level, language and cold start.

    Groups with fewer than 100 posts are left out: their figures are noise.
    """
    report = {}
    for name, mask in group_masks(judged.frame).items():
        rows = np.flatnonzero(mask.fill_null(value=False).to_numpy())
        if len(rows) >= LEAST_GROUP:
            truth, count = judged.truth[rows], judged.count[rows]
            report[name] = {
                "posts": len(rows),
                "spearman": metrics.spearman(judged.margin[rows], truth),
                "total_ratio": metrics.total_ratio(judged.expected[rows], count),
                "coverage": metrics.coverage(judged.low[rows], judged.high[rows], truth),
            }
    return report


def group_masks(frame: pl.DataFrame) -> dict[str, pl.Series]:
    """The rows of each group by its name; levels and languages only where `frame` has them."""
    masks = {f"network={name}": frame["network"] == name for name in frame["network"].unique().sort()}
    masks |= _between(frame["outcome_count_all"], "history", HISTORY_EDGES)
    masks |= _between(frame["followers"], "followers", (1_000, 10_000, 100_000))
    if "outcome_level_365d" in frame.columns:
        masks |= _thirds(frame["outcome_level_365d"])
    if "lang" in frame.columns:
        masks |= {f"lang={name}": frame["lang"] == name for name in frame["lang"].drop_nulls().unique().sort()}
    masks["cold start"] = frame["cold"]
    return masks


def _between(values: pl.Series, name: str, edges: Sequence[float]) -> dict[str, pl.Series]:
    bounds = [float("-inf"), *edges, float("inf")]
    names = [f"{name}<{edges[0]:.4g}", *(f"{name}>={edge:.4g}" for edge in edges)]
    return {
        label: (values >= low) & (values < high) for label, (low, high) in zip(names, pairwise(bounds), strict=True)
    }


def _thirds(level: pl.Series) -> dict[str, pl.Series]:
    """The thirds of the level, by names that are the same whatever the data; none where no level is known."""
    low, high = level.quantile(1 / 3), level.quantile(2 / 3)
    if low is None or high is None:
        return {}
    return {
        "level=low": level < low,
        "level=middle": (level >= low) & (level < high),
        "level=high": level >= high,
    }


def join(parts: Sequence[Judgement]) -> Judgement:
    """One judgement of several, in order; the residuals are the last part's, which learned from most."""
    newest = parts[-1]
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("margin", "expected", "low", "high", "width")
    }
    others = {name: np.concatenate([part.others[name] for part in parts]) for name in newest.others}
    frame = pl.concat([part.frame for part in parts])
    return replace(newest, frame=frame, others=others, **arrays)


def evaluate_accounts(scores: pl.DataFrame, later: pl.DataFrame, seed: int, least: int = 10) -> dict[str, Any]:
    """How well accounts' margins at a moment rank what their later posts drove, against their own past means.

    And how often their intervals hold it.

    `scores` as `accounts.account_margins` gives them, `later` the judged posts after that moment. Only accounts with
    `least` ripe posts before and `least` after count; {"accounts": n} alone when fewer than 10 do.
    """
    future = later.group_by("account").agg(
        future=pl.col("outcome").log1p().mean(),
        after=pl.len(),
        followers=pl.col("followers").first(),
    )
    seen = (
        scores.join(future, on="account").filter((pl.col("ripe") >= least) & (pl.col("after") >= least)).sort("account")
    )
    if seen.height < 10:
        return {"accounts": seen.height}
    names = ("margin", "expected", "own_mean_90d", "own_mean_all")
    columns = {name: seen[name].fill_null(0.0).to_numpy() for name in names}
    low, high = seen["low"].to_numpy(), seen["high"].to_numpy()
    truth, accounts = seen["future"].to_numpy(), seen["account"].to_numpy().astype(np.str_)

    def figures(rows: Rows) -> dict[str, float]:
        ranks = {name: metrics.spearman(values[rows], truth[rows]) for name, values in columns.items()}
        paired = {f"margin_less_{name}": ranks["margin"] - ranks[name] for name in names[2:]}
        return ranks | paired | {"coverage": metrics.coverage(low[rows], high[rows], truth[rows])}

    values, bounds = figures(np.arange(seen.height)), metrics.bootstrap(figures, accounts, seed, 500)
    report: dict[str, Any] = beside(values, bounds)
    if seen["followers"].count() > seen.height // 2:
        followers = seen["followers"].fill_null(0).to_numpy()
        report["followers"] = {"value": metrics.spearman(followers, truth)}
        report["partial_given_followers"] = {"value": metrics.partial_spearman(columns["margin"], truth, followers)}
    covered = report.pop("coverage")
    return {"accounts": seen.height, "spearman": finite(report), "coverage": finite(covered)}
