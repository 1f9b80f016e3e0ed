"""Checks of what is new in the newest posts: features that moved, and categories nobody taught."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from clout.training.checks.check import Check, Verdict, held, named
from clout.training.checks.evidence import Evidence
from clout.training.checks.reasons import explained
from clout.training.drift import TooFewPostsError, drift
from clout.training.matrix import cut

LEAST_SHARE = 0.2
LEAST_POSTS = 20
CATEGORIES = ("network", "kind", "lang")


class FeaturesHaveNotMoved(Check[Evidence]):
    """A model taught on one kind of posts says little of another."""

    code, title = "CLOUT011", "the newest posts are like those that taught"
    severity = "warning"
    why = """
    Each feature of the newest rolling block is set against the posts that taught the model before it: the
    Jensen–Shannon distance of the two, beside what ordinary weeks of the same data give. Features that went beyond that
    and beyond 0.1 have drifted; those that did must hold less than a fifth of the model's reasons. On a finding the
    newest posts are of another kind than those learned from. The detail names the features. Look whether a source
    changed how it counts, lost a column, or whether other accounts came in; train again once enough such posts have
    ripened.
    """

    def verdict(self, evidence: Evidence) -> Verdict:
        """Passed when the features that drifted hold little of the reasons."""
        dataset, block = evidence.dataset, evidence.dataset.plan.rolling[-1]
        before = dataset.part(block.taught())
        newest = cut(evidence.judged, evidence.judged.select(inside=block.judged())["inside"])
        names = evidence.model.contract.names
        try:
            drifts = drift(before, newest, names, evidence.params.seed)
        except TooFewPostsError as error:
            return Verdict("not applicable", str(error))
        phi = np.abs(explained(evidence, evidence.model).phi).mean(axis=0)
        weight = dict(zip(names, phi / phi.sum(), strict=True))
        moved = sorted((one for one in drifts if one.drifted), key=lambda one: -weight[one.feature])
        share = sum(weight[one.feature] for one in moved)
        said = [f"{one.feature} {one.distance:.2f} (ordinary {one.floor:.2f})" for one in moved]
        return Verdict(
            held(share < LEAST_SHARE),
            f"{len(moved)} of {len(names)} features drifted, which hold {share:.0%} of the reasons"
            + (f": {named(said)}" if said else ""),
        )


class NothingUnseen(Check[Evidence]):
    """A network, kind of post or language that nobody taught is judged by guess."""

    code, title = "CLOUT012", "no network, kind or language that nobody taught"
    severity = "warning"
    why = """
    Every network, kind of post and language that 20 posts of the lake or more have also occurs among the posts that
    taught the model. On a finding there are posts the model scores without ever having seen the like: words of another
    language say nothing to it, and another kind of post may draw quite different numbers. Wait until such posts have
    ripened and train again; or leave that source out and say on the card what the model is not for.
    """

    def verdict(self, evidence: Evidence) -> Verdict:
        """Passed when nothing with 20 posts or more is new."""
        own = [rows.filter(pl.col("kind") != "reshare") for rows in evidence.store.rows("posts", *CATEGORIES)]
        counted = pl.concat(rows.group_by(CATEGORIES).len("n") for rows in own)
        seen = evidence.dataset.part(evidence.dataset.plan.final.taught()).select(*CATEGORIES)
        found = list(_unseen(counted, seen))
        return Verdict(held(not found), named(found) if found else f"0 new in {counted['n'].sum():,} posts")


def _unseen(counted: pl.DataFrame, seen: pl.DataFrame) -> Iterator[str]:
    for column in CATEGORIES:
        of_values = counted.drop_nulls(column).group_by(column).agg(pl.col("n").sum())
        known = set(seen[column].drop_nulls().unique())
        for value, number in of_values.sort("n", column, descending=[True, False]).iter_rows():
            if number >= LEAST_POSTS and value not in known:
                yield f"{column} {value} ({number:,} posts)"
