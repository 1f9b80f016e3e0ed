"""The check that reasons do not hang on who happened to be in the data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from clout.features.contract import GROUPS
from clout.models.bundle import Bundle
from clout.models.explain import Explanation
from clout.models.score_model import ScoreModel
from clout.training.checks.check import Check, Verdict, held
from clout.training.checks.evidence import Evidence, Floats
from clout.training.fit import Binned
from clout.training.heads import log_counts
from clout.training.matrix import cut

POSTS = 500
RESAMPLES = 2
MOST_SHARE = 0.15
MOST_POINTS = 0.5


def explained(evidence: Evidence, model: ScoreModel) -> Explanation:
    """The reasons `model` gives for some hundred posts of the newest rolling block, evenly spaced in time."""
    last = evidence.dataset.plan.rolling[-1].judged()
    newest = cut(evidence.judged, evidence.judged.select(inside=last)["inside"])
    return model.explain(newest.gather_every(max(1, newest.height // POSTS)))


class ReasonsAreStable(Check[Evidence]):
    """Reasons that change with who happened to be in the data explain nothing."""

    code, title = "CLOUT010", "reasons stay when accounts are drawn again"
    severity = "warning"
    why = """
    The main head is taught again twice, on accounts drawn with replacement, and both explain the same newest posts. The
    points of the six groups of reasons may differ, post by post, by at most half of what they are in all; the groups'
    shares of all reasons by at most 0.15. These limits come from sound data and planted faults: points differed by 0.22
    (80,000 posts) to 0.44 (8,000 posts) where all was well, by 0.58 with far too large trees, and by 1.1 to 1.3 where
    there was nothing to learn; shares by at most 0.08. On a finding the score may still rank well, but do not tell
    people why: with other accounts in the data they would be told something else. Use smaller trees or fewer
    (`fit.num_leaves`, `fit.trees`), larger leaves (`fit.min_data_in_leaf`), or bring in more accounts.
    """

    def verdict(self, evidence: Evidence) -> Verdict:
        """Passed when neither the groups' shares nor the points of a typical post move far."""
        shipped = explained(evidence, evidence.model)
        moved = [moves(shipped, explained(evidence, model)) for model in resampled(evidence)]
        share, points = (float(np.mean(values)) for values in zip(*moved, strict=True))
        holds = share <= MOST_SHARE and points <= MOST_POINTS
        return Verdict(held(holds), f"points of groups differ by {points:.0%} of all, shares by {share:.2f}")


def resampled(evidence: Evidence) -> Iterator[ScoreModel]:
    """The model with its main head taught again, each time on accounts drawn with replacement, with all their posts."""
    dataset, model = evidence.dataset, evidence.model
    taught = dataset.part(dataset.plan.final.taught())
    codes = taught["account"].rank("dense").to_numpy() - 1
    params = evidence.params.with_trees(evidence.held.trees)
    chance = np.random.default_rng(evidence.params.seed)
    target, accounts = log_counts(taught.select("outcome")), int(codes.max()) + 1
    directions = [spec.direction for spec in model.contract.features]
    for _ in range(RESAMPLES):
        times = chance.multinomial(accounts, [1 / accounts] * accounts)
        rows = np.repeat(np.arange(len(codes)), times[codes])
        binned = Binned(taught.features(model.contract), rows, params, model.contract.names)
        booster = binned.fit(target[rows], directions)
        yield ScoreModel(Bundle.of({**model.bundle.files, "model.txt": booster.model_to_string()}))


def moves(told: Explanation, again: Explanation) -> tuple[float, float]:
    """How far two tellings of the same posts are apart: in the groups' shares (0 to 1), and in points relative to all."""
    moved = [_by_group(one, np.abs(one.phi)).sum(axis=0) for one in (told, again)]
    before, after = (groups / groups.sum() for groups in moved)
    points, others = (_by_group(one, one.points) for one in (told, again))
    return float(np.abs(after - before).sum() / 2), float(np.abs(others - points).sum() / np.abs(points).sum())


def _by_group(told: Explanation, values: Floats) -> Floats:
    """Sums of `values` (rows, features) over the features of each group, (rows, groups)."""
    groups = np.array([[spec.group == group for spec in told.contract.features] for group in GROUPS])
    return np.asarray(values @ groups.T)
