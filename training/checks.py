"""Numbered checks: what must hold before a challenger may become champion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.features.catalogue import CONTRACT
from clout.features.compute import compute, prepare
from clout.training import metrics
from clout.training.config import Params
from clout.training.dataset import Dataset
from clout.training.fit import fit
from clout.training.heads import log_counts
from clout.training.splits import is_cold

Floats = npt.NDArray[np.float64]
SHUFFLED_POSTS = 40_000
Status = Literal["passed", "finding", "not applicable"]


@dataclass(frozen=True)
class Result:
    """The outcome of one check, with the figure it looked at in words."""

    code: str
    title: str
    status: Status
    detail: str


@dataclass(frozen=True)
class Evidence:
    """What checks look at: the report on the rolling blocks, the posts judged, their scores, and the data."""

    report: Mapping[str, Any]
    judged: pl.DataFrame
    scores: Floats
    dataset: Dataset
    params: Params


class Check:
    """One check: a stable code, a title, and a verdict."""

    code: ClassVar[str]
    title: ClassVar[str]

    def run(self, evidence: Evidence) -> Result:
        """The verdict on the evidence."""
        status, detail = self.verdict(evidence)
        return Result(self.code, self.title, status, detail)

    def verdict(self, evidence: Evidence) -> tuple[Status, str]:
        """Whether it holds, and the figure in words."""
        raise NotImplementedError


def _reaches(figure: Mapping[str, float | None], least: float, most: float) -> bool:
    """Whether a figure's interval reaches into [least, most]; a figure that cannot be told does not."""
    low, high = figure["low"], figure["high"]
    return low is not None and high is not None and low <= most and high >= least


def _said(figure: Mapping[str, float | None]) -> str:
    """A figure with its interval in words."""
    if any(figure[name] is None for name in ("value", "low", "high")):
        return "cannot be told"
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


def _held(holds: bool) -> Status:  # noqa: FBT001 - a verdict is a bool
    return "passed" if holds else "finding"


class BeatsAccountMean(Check):
    """The model must tell more than the account's own past."""

    code, title = "CLOUT001", "better than the account's own past mean"

    def verdict(self, evidence: Evidence) -> tuple[Status, str]:
        """Passed when the skill over the shrunken mean is above 0 with its whole interval."""
        skill = evidence.report["skill"]["account_mean"]
        return _held((skill["low"] or 0.0) > 0), f"skill {_said(skill)}"


class TotalIsRight(Check):
    """Expected actions must add up to actual ones."""

    code, title = "CLOUT002", "expected actions add up to actual ones"

    def verdict(self, evidence: Evidence) -> tuple[Status, str]:
        """Passed when the ratio lies in 0.90 to 1.10, or its interval reaches in there."""
        ratio = evidence.report["model"]["total_ratio"]
        return _held(_reaches(ratio, 0.90, 1.10)), f"expected / actual {_said(ratio)}"


class DecilesAreRight(Check):
    """Expected actions must be right at every level, not on the whole only."""

    code, title = "CLOUT003", "calibrated in every tenth of the posts"

    def verdict(self, evidence: Evidence) -> tuple[Status, str]:
        """Passed when the mean absolute log error over deciles is at most 0.15, or its interval reaches there."""
        error = evidence.report["model"]["decile_log_error"]
        return _held(_reaches(error, 0.0, 0.15)), f"mean absolute log error {_said(error)}"


class IntervalsCover(Check):
    """Nine outcomes in ten must lie inside their interval."""

    code, title = "CLOUT004", "intervals hold the share they promise"

    def verdict(self, evidence: Evidence) -> tuple[Status, str]:
        """Passed within three points of the level, or when the interval of the coverage reaches in there."""
        level, covered = evidence.params.intervals.level, evidence.report["model"]["coverage"]
        return _held(
            _reaches(covered, level - 0.03, level + 0.03)
        ), f"share inside {_said(covered)}, {level:.2f} promised"


class ShuffledIsChance(Check):
    """Learning shuffled outcomes must give nothing: else something leaks around the features."""

    code, title = "CLOUT005", "shuffled outcomes teach nothing"

    def verdict(self, evidence: Evidence) -> tuple[Status, str]:
        """Passed when a head taught on shuffled outcomes ranks the newest rolling block no better than chance."""
        dataset, block = evidence.dataset, evidence.dataset.plan.rolling[-1]
        shuffled = shuffle_outcomes(dataset, evidence.params.seed)
        taught = shuffled.select(block.taught()).to_series()
        judged = shuffled.select(block.judged()).to_series()
        booster = fit(
            CONTRACT.matrix(shuffled.filter(taught)),
            log_counts(shuffled.filter(taught)),
            evidence.params,
            CONTRACT.names,
            [0] * len(CONTRACT.names),
        )
        truth = log_counts(shuffled.filter(judged))
        rank = metrics.spearman(np.asarray(booster.predict(CONTRACT.matrix(shuffled.filter(judged)))), truth)
        limit = max(0.05, 4 / np.sqrt(len(truth)))
        return _held(np.isnan(rank) or abs(rank) <= limit), f"Spearman {rank:.3f}, chance is within ±{limit:.3f}"


def shuffle_outcomes(dataset: Dataset, seed: int) -> pl.DataFrame:
    """Rows of the dataset with outcomes shuffled among posts before anything was measured: every feature made anew.

    A feature that knew a post's own outcome would still know it here, where nothing else can. Large data are cut to
    the posts of some accounts.
    """
    history = dataset.history
    posts = _some_accounts(dataset.frame).select("post").join(history.posts, on="post", maintain_order="left")
    outcomes = history.outcomes.join(posts.select("account").unique(), on="account", how="semi", maintain_order="left")
    measured = [name for name in outcomes.columns if name not in {"post", "account", "network", "published_at", "at"}]
    order = np.random.default_rng(seed).permutation(outcomes.height)
    outcomes = outcomes.with_columns(outcomes[order.tolist()].select(measured))
    actions = history.actions.join(posts.select("post"), on="post", how="semi", maintain_order="left")
    features = compute(posts, prepare(replace(history, outcomes=outcomes, actions=actions)))
    kept = posts.select("post").join(
        dataset.frame.select("post", "happened_at", "ripe_at", "cold"), on="post", maintain_order="left"
    )
    kept = kept.join(outcomes.select("post", "outcome"), on="post", maintain_order="left")
    return kept.hstack(features.select(CONTRACT.names))


def _some_accounts(frame: pl.DataFrame) -> pl.DataFrame:
    """The posts of some accounts, chosen by another draw than the cold ones, of whom nothing may be learned."""
    share = SHUFFLED_POSTS / frame.height
    accounts = frame["account"].unique().sort()
    chosen = [name for name in accounts if share >= 1 or is_cold(f"shuffled {name}", share)]
    return frame.filter(pl.col("account").is_in(chosen))


class NoTimeOverlap(Check):
    """No outcome may be learned from that was not known before the first post it is judged on."""

    code, title = "CLOUT006", "nothing learned from the judged time"

    def verdict(self, evidence: Evidence) -> tuple[Status, str]:
        """Passed when every judged post came after all outcomes its model had learned from."""
        early = evidence.judged.filter(pl.col("happened_at") <= pl.col("taught_through")).height
        return _held(early == 0), f"{early} of {evidence.judged.height} judged posts older than what was learned from"


class NoGoldenFeature(Check):
    """A single feature that knows the outcome is a leak."""

    code, title = "CLOUT007", "no single feature knows the outcome"

    def verdict(self, evidence: Evidence) -> tuple[Status, str]:
        """Passed when no feature alone has an absolute Spearman of 0.95 or more with the outcome."""
        dataset = evidence.dataset
        judged = dataset.where(dataset.plan.rolling[-1].judged())
        truth, matrix = log_counts(dataset.frame.filter(judged)), dataset.matrix(judged)
        ranks = {}
        for name, values in zip(CONTRACT.names, matrix.T, strict=True):
            known = ~np.isnan(values)
            if known.sum() >= 50:
                ranks[name] = abs(np.nan_to_num(metrics.spearman(values[known], truth[known])))
        if not ranks:
            return "not applicable", "no feature is known for 50 posts of the newest rolling block"
        best = max(ranks, key=lambda name: ranks[name])
        return _held(ranks[best] < 0.95), f"the strongest, {best}, has {ranks[best]:.3f}"


class ScoresSpread(Check):
    """Scores that are all alike say nothing."""

    code, title = "CLOUT008", "scores tell posts apart"

    def verdict(self, evidence: Evidence) -> tuple[Status, str]:
        """Passed when the middle nine tenths of the scores span 5 points and no single score is given to half the posts."""
        low, high = np.quantile(evidence.scores, [0.05, 0.95])
        _, sizes = np.unique(evidence.scores.round(1), return_counts=True)
        holds = high - low >= 5 and sizes.max() <= len(evidence.scores) / 2
        return _held(holds), f"nine tenths of the scores lie in {low:.1f} to {high:.1f}"


CHECKS: tuple[Check, ...] = (
    BeatsAccountMean(),
    TotalIsRight(),
    DecilesAreRight(),
    IntervalsCover(),
    ShuffledIsChance(),
    NoTimeOverlap(),
    NoGoldenFeature(),
    ScoresSpread(),
)


def run(evidence: Evidence) -> list[dict[str, str]]:
    """The results of all checks, in order, ready for JSON."""
    return [asdict(check.run(evidence)) for check in CHECKS]


def passed(results: list[dict[str, str]]) -> bool:
    """Whether no check has a finding."""
    return all(result["status"] != "finding" for result in results)
