"""The checks of a promotion: the challenger beside the champion, the data, the frozen scale and the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from clout.data.lake import Lake
from clout.features.catalogue import CONTRACT
from clout.features.contract import Contract
from clout.models.scale import Scale
from clout.models.score_model import ScoreModel
from clout.training import judged, scales
from clout.training.checks.check import Check, Verdict, held, named, run_all
from clout.training.config import validated
from clout.training.heads import log_counts
from clout.training.movement import Past, Voice, account_scores, not_comparable, summary
from clout.training.paired import LEAST_POSTS, common

OLDEST = timedelta(days=30)
MOST_MEDIAN, MOST_P99 = 1.0, 5.0
RESAMPLES = 1000
NO_CHAMPION = Verdict("not applicable", "there is no champion yet")


@dataclass(frozen=True)
class Evidence:
    """What the checks of a promotion look at; `champion` is None before the first."""

    champion: ScoreModel | None
    challenger: ScoreModel
    lake: Lake
    home: Path
    now: datetime

    @cached_property
    def frozen(self) -> Scale:
        """The scale kept at the home for what the challenger's outcomes mean."""
        return scales.read(self.home, validated(self.challenger.params))


class SameFeatures(Check[Evidence]):
    """What the challenger reads must be what this code measures."""

    code, title = "CLOUT101", "the running code measures its features"
    why = """
    Every feature of the challenger is one that the running code measures, in the same unit and direction; else it is an
    error, for the model would be given something it was not taught on. Where the code agrees but the champion reads
    other features, it is a warning: reasons will be told in other words than before. On an error install the version of
    Clout that trained the model, or train again with this one. On a warning tell those who read the reasons.
    """

    def verdict(self, evidence: Evidence) -> Verdict:
        """Passed when code, champion and challenger know the same features."""
        mine = evidence.challenger.contract
        foreign = [change for change in changes(CONTRACT, mine) if not change.startswith("without")]
        if foreign:
            return Verdict("finding", f"beside what the code measures: {named(foreign)}")
        other = changes(evidence.champion.contract, mine) if evidence.champion else []
        if other:
            return Verdict("finding", f"beside the champion: {named(other)}", "warning")
        return Verdict("passed", f"{len(mine.names)} features")


def changes(before: Contract, after: Contract) -> list[str]:
    """What `after` has otherwise than `before`, in words: features without, new, of another unit or direction."""
    was = {spec.name: spec for spec in before.features}
    now = {spec.name: spec for spec in after.features}
    told = [f"new {name}" for name in now if name not in was]
    for name, spec in was.items():
        if name not in now:
            told.append(f"without {name}")
        elif (spec.unit, spec.direction) != (now[name].unit, now[name].direction):
            told.append(f"{name} in another unit or direction")
    return told


class ScaleIsFrozen(Check[Evidence]):
    """The same expected actions must give the same score under every model."""

    code, title = "CLOUT102", "the frozen scale is the same"
    why = """
    The challenger scores with the scale that is frozen in `CLOUT_HOME`, and on every network the champion knows with
    the champion's curve. On a finding somebody has changed or replaced the file of the scale since, or a bundle comes
    from another home. Put back the former file (the champion's `scale.json` holds its curves), train again and promote
    that. A new scale is a new version, and announced: train in another `CLOUT_HOME`; its scores cannot be compared with
    the old ones.
    """

    def verdict(self, evidence: Evidence) -> Verdict:
        """Passed when champion, challenger and home have the same version and curves."""
        mine, found = evidence.challenger.scale, []
        others = {"the home": evidence.frozen} | (
            {"the champion": evidence.champion.scale} if evidence.champion else {}
        )
        for where, scale in others.items():
            if scale.version != mine.version:
                found.append(f"version {mine.version}, {where} has {scale.version}")
            lost = [f"{network} of {where} is missing" for network in scale.curves if network not in mine.curves]
            changed = [
                f"{network} differs from {where}"
                for network, curve in mine.curves.items()
                if network in scale.curves and scale.curves[network] != curve
            ]
            found += changed + (lost if where == "the champion" else [])
        return Verdict(held(not found), named(found) if found else f"version {mine.version}, {len(mine.curves)} curves")


class ScoresContinue(Check[Evidence]):
    """People's scores must not jump because the model is new."""

    code, title = "CLOUT103", "scores go on from the champion's"
    why = """
    Every account that posted in the newest 90 days of the lake is scored by champion and challenger, from the same data
    at the same moment, so that all change is the model's part. The median account moves by at most 1 point and 99 in
    100 by at most 5. On a finding people would see their score jump though they did nothing. `clout compare champion
    challenger` tells who moves most and why. If the change is meant (other features, other parameters), mute this check
    with the reason and announce it; if not, find what differs between the two trainings.
    """

    def verdict(self, evidence: Evidence) -> Verdict:
        """Passed when the median |change| is at most 1 and the 99th percentile at most 5 points."""
        if evidence.champion is None:
            return NO_CHAMPION
        both = (evidence.champion, evidence.challenger)
        apart = not_comparable(both)
        if apart:
            return Verdict("not applicable", apart)
        past = Past.read(evidence.lake, evidence.challenger)
        scored = account_scores(past, [Voice(model) for model in both]) if past else []
        if not scored or scored[0].is_empty():
            return Verdict("not applicable", "no account posted in the newest 90 days of the lake")
        moved = summary((scored[1]["score"] - scored[0]["score"]).to_numpy())
        said = (
            f"of {scored[0].height:,} accounts the median moves by {moved['median']:.2f} points, 1 in 100 by more than"
        )
        holds = moved["median"] <= MOST_MEDIAN and moved["p99"] <= MOST_P99
        return Verdict(held(holds), f"{said} {moved['p99']:.2f}")


class DataAreFresh(Check[Evidence]):
    """A model of old data says what used to be."""

    code, title = "CLOUT104", "it was trained on fresh data"
    why = """
    The challenger's data reach at least as far as the champion's; else it is an error, for the older model would
    replace the newer. Where they end more than 30 days ago it is a warning. On an error train again on the present lake;
    to go back on purpose use `clout rollback`. On a warning bring in newer posts: levels and words drift.
    """

    def verdict(self, evidence: Evidence) -> Verdict:
        """Passed when the data are as new as the champion's and at most 30 days old."""
        through = _through(evidence.challenger)
        if through is None:
            return Verdict("not applicable", "the bundle does not say how far its data reach")
        before = _through(evidence.champion) if evidence.champion else None
        said = f"data through {through:%Y-%m-%d}"
        if before is not None and through < before:
            return Verdict("finding", f"{said}, the champion's through {before:%Y-%m-%d}")
        age = evidence.now - through
        return Verdict(held(age <= OLDEST), f"{said}, {age.days} days ago", "warning" if age > OLDEST else None)


def _through(model: ScoreModel) -> datetime | None:
    told = model.data.get("data_through")
    return datetime.fromisoformat(told) if told else None


class NotWorse(Check[Evidence]):
    """A challenger that judges worse than the champion has nothing to offer."""

    code, title = "CLOUT105", "not worse than the champion"
    why = """
    On the posts of the rolling blocks that both were judged on, each by models that had not learned from them, the
    challenger's squared error on the log scale is not higher than the champion's beyond the 95 % interval of drawing
    accounts again. On a finding keep the champion. `clout compare champion challenger` tells in which groups it is
    worse and what differs.
    """

    def verdict(self, evidence: Evidence) -> Verdict:
        """Passed when the interval of the difference in squared error reaches down to 0."""
        if evidence.champion is None:
            return NO_CHAMPION
        before, after = (model.data for model in (evidence.champion, evidence.challenger))
        if any(before[name] != after[name] for name in ("action_values", "horizon_days")):
            return Verdict(
                "not applicable", "the champion's outcomes are made of other action values or another horizon"
            )
        try:
            kept = [judged.read(evidence.home, model.version) for model in (evidence.champion, evidence.challenger)]
        except judged.NotKeptError as error:
            return Verdict("not applicable", str(error))
        (first, second), _ = common(kept)
        if first.height < LEAST_POSTS:
            return Verdict("not applicable", f"{first.height} posts judged by both, {LEAST_POSTS} are needed")
        value, low, high = worse(first, second)
        said = f"squared error {value:+.4f} ({low:+.4f} to {high:+.4f}) on {first.height:,} posts judged by both"
        return Verdict(held(low <= 0), said)


def worse(before: pl.DataFrame, after: pl.DataFrame) -> tuple[float, float, float]:
    """By how much the mean squared error of `after` is higher, with its 95 % interval: the same posts in one order."""
    truth = log_counts(before)
    errors = [(truth - frame["margin"].to_numpy()) ** 2 for frame in (before, after)]
    by_account = (
        before.select("account", n=pl.lit(1.0), more=pl.Series(errors[1] - errors[0])).group_by("account").sum()
    )
    totals = by_account.sort("account").select("more", "n").to_numpy()
    drawn = np.random.default_rng(0).multinomial(len(totals), [1 / len(totals)] * len(totals), size=RESAMPLES) @ totals
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    return float((errors[1] - errors[0]).mean()), float(low), float(high)


CHECKS: tuple[Check[Evidence], ...] = (SameFeatures(), ScaleIsFrozen(), ScoresContinue(), DataAreFresh(), NotWorse())


def run(evidence: Evidence, mute: Mapping[str, str]) -> list[dict[str, str]]:
    """The results of all checks of a promotion, in order; mutes are those of the challenger's parameters and `mute`."""
    params = validated(evidence.challenger.params)
    return run_all(CHECKS, evidence, {**params.checks.mute, **mute})
