"""Checks of how good a model is on posts it had not learned from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from clout.models.calibration import Calibration
from clout.training.checks.check import Check, Verdict, held, named
from clout.training.checks.evidence import Evidence, Floats

RESAMPLES = 200


def _reaches(figure: Mapping[str, float | None], least: float, most: float) -> bool:
    """Whether a figure's interval reaches into [least, most]; a figure that cannot be told does not."""
    low, high = figure["low"], figure["high"]
    return low is not None and high is not None and low <= most and high >= least


def _said(figure: Mapping[str, float | None]) -> str:
    """A figure with its interval in words."""
    if any(figure[name] is None for name in ("value", "low", "high")):
        return "cannot be told"
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


class BeatsAccountMean(Check[Evidence]):
    """The model must tell more than the account's own past."""

    code, title = "CLOUT001", "better than the account's own past mean"
    why = """
    The model must beat the account's own past mean: its skill over it is above 0 with its whole interval. On a finding
    the model adds nothing to "what this account usually gets". Look whether texts are there and profiles are dated
    before the posts; bring in more posts of each account; or accept that in these data the past mean is all there is,
    and do not use a model.
    """

    def verdict(self, evidence: Evidence) -> Verdict:
        """Passed when the skill over the shrunken mean is above 0 with its whole interval."""
        skill = evidence.report["skill"]["account_mean"]
        return Verdict(held((skill["low"] or 0.0) > 0), f"skill {_said(skill)}")


class TotalIsRight(Check[Evidence]):
    """Expected actions must add up to actual ones."""

    code, title = "CLOUT002", "expected actions add up to actual ones"
    why = """
    Total expected over total actual actions lies between 0.90 and 1.10, or its interval reaches in there. On a finding
    the level of the network has moved between what was learned and what was judged, or one huge post decides the total.
    Look at the deciles with `clout evaluate --json`; train again with newer data; if a source changed how it counts,
    leave out what was counted the old way.
    """

    def verdict(self, evidence: Evidence) -> Verdict:
        """Passed when the ratio lies in 0.90 to 1.10, or its interval reaches in there."""
        ratio = evidence.report["model"]["total_ratio"]
        return Verdict(held(_reaches(ratio, 0.90, 1.10)), f"expected / actual {_said(ratio)}")


class DecilesAreRight(Check[Evidence]):
    """Expected actions must be right at every level, not on the whole only."""

    code, title = "CLOUT003", "calibrated in every tenth of the posts"
    why = """
    Expected and actual means agree in every tenth of the posts: the mean absolute log error is at most 0.15, or its
    interval reaches there. On a finding the total may be right while quiet posts are promised too much and loud ones too
    little. The calibration picture in MLflow shows where. More posts in the rolling blocks help (`splits.block_share`).
    """

    def verdict(self, evidence: Evidence) -> Verdict:
        """Passed when the mean absolute log error over deciles is at most 0.15, or its interval reaches there."""
        error = evidence.report["model"]["decile_log_error"]
        return Verdict(held(_reaches(error, 0.0, 0.15)), f"mean absolute log error {_said(error)}")


class IntervalsCover(Check[Evidence]):
    """Nine outcomes in ten must lie inside their interval."""

    code, title = "CLOUT004", "intervals hold the share they promise"
    why = """
    The share of outcomes inside their interval is within three points of what is promised, or its interval reaches in
    there. On a finding the newest posts are more or less scattered than those the intervals were set on. Look at the
    groups on the card for the one that falls short. With few posts a group uses the overall width
    (`intervals.min_posts`).
    """

    def verdict(self, evidence: Evidence) -> Verdict:
        """Passed within three points of the level, or when the interval of the coverage reaches in there."""
        level, covered = evidence.params.intervals.level, evidence.report["model"]["coverage"]
        near = _reaches(covered, level - 0.03, level + 0.03)
        return Verdict(held(near), f"share inside {_said(covered)}, {level:.2f} promised")


class ScoresSpread(Check[Evidence]):
    """Scores that are all alike, or all at an end of the scale, say nothing."""

    code, title = "CLOUT008", "scores tell posts apart"
    why = """
    The middle nine tenths of the scores span at least 5 points, no single score goes to half the posts, and no more
    than a tenth of the posts stand within a point of 1 or of 100. On a finding the model tells nobody apart, or the
    frozen scale was made for a very different population. With few posts, bring in more. If the scale is at fault, a
    new one needs other action values or another `CLOUT_HOME`, and its scores are then not comparable with the old.
    """

    def verdict(self, evidence: Evidence) -> Verdict:
        """Passed when scores are spread out, shared by few and seldom at an end of the scale."""
        scores = evidence.scores
        low, high = np.quantile(scores, [0.05, 0.95])
        _, sizes = np.unique(scores.round(1), return_counts=True)
        at_end = float(((scores < 2) | (scores > 99)).mean())
        holds = bool(high - low >= 5 and sizes.max() <= len(scores) / 2 and at_end <= 0.1)
        said = f"nine tenths of the scores lie in {low:.1f} to {high:.1f}"
        return Verdict(held(holds), said if at_end <= 0.1 else f"{said}, {at_end:.0%} at an end of the scale")


class HeadsAreCalibrated(Check[Evidence]):
    """The curves that are shipped must be right for every head, those of single kinds too."""

    code, title = "CLOUT013", "the curve of every head adds up"
    why = """
    The curves from margin to expected actions that the bundle holds, one for the whole outcome and one for each kind of
    action, give the rolling blocks' posts the total they had: expected over actual lies between 0.80 and 1.25, or its
    interval reaches in there. The other checks judge curves made the same way on fewer posts; this one takes those that
    are shipped. On a finding a curve is not that of its head, or was changed after it was fitted. Train again; if it
    stays, take the kind out of `action_values`, for what is expected of it would be wrong.
    """

    def verdict(self, evidence: Evidence) -> Verdict:
        """Passed when every head's total on the held-back posts is right within its interval."""
        found, curves = [], evidence.model.bundle.json("calibration.json")
        accounts = evidence.held.frame["account"]
        for head, curve in curves.items():
            count = np.expm1(evidence.held.log_count(None if head == "main" else head))
            margin = evidence.held.margins[head]
            expected = np.maximum(np.expm1(Calibration.from_json(curve).apply(margin)), 0)
            ratio = _total(expected, count, accounts, evidence.params.seed)
            if not _reaches(ratio, 0.80, 1.25):
                found.append(f"{head} {_said(ratio)}")
        return Verdict(held(not found), f"expected / actual of {named(found)}" if found else f"{len(curves)} heads")


def _total(expected: Floats, count: Floats, accounts: pl.Series, seed: int) -> dict[str, float | None]:
    """Expected over actual total where the count is known, with the 95 % interval of drawing accounts again."""
    frame = pl.DataFrame({"account": accounts, "expected": expected, "count": count}).filter(
        pl.col("count").is_not_nan()
    )
    totals = frame.group_by("account").sum().sort("account").select("expected", "count").to_numpy()
    every = np.ones((1, len(totals)))
    drawn = np.random.default_rng(seed).multinomial(len(totals), every[0] / len(totals), size=RESAMPLES)
    sums = np.concatenate([every, drawn]) @ totals
    ratios = sums[:, 0] / np.where(sums[:, 1] > 0, sums[:, 1], np.nan)
    if np.isnan(ratios).any():
        return {"value": None, "low": None, "high": None}
    return {"value": float(ratios[0])} | dict(
        zip(("low", "high"), np.quantile(ratios[1:], [0.025, 0.975]).tolist(), strict=True)
    )
