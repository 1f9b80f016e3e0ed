"""Checks that nothing about a post's own outcome, or of a later time, was learned from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from clout.features.catalogue import CONTRACT
from clout.features.compute import compute, prepare
from clout.training import metrics
from clout.training.checks.check import Check, Verdict, held
from clout.training.checks.evidence import Evidence
from clout.training.dataset import Dataset
from clout.training.fit import fit
from clout.training.heads import log_counts
from clout.training.splits import is_cold

SHUFFLED_POSTS = 40_000


class ShuffledIsChance(Check[Evidence]):
    """Learning shuffled outcomes must give nothing: else something leaks around the features."""

    code, title = "CLOUT005", "shuffled outcomes teach nothing"
    why = """
    Outcomes are shuffled among posts, every feature is measured anew, and a model is taught on that. It must rank no
    better than chance. On a finding something about a post's own outcome reaches its features by a way around the
    clock. Do not use the model. Look for a column in the source that was written after the fact: a "popular" flag, a
    count in the text, a profile read later but dated earlier.
    """

    def verdict(self, evidence: Evidence) -> Verdict:
        """Passed when a head taught on shuffled outcomes ranks the newest rolling block no better than chance."""
        dataset, block = evidence.dataset, evidence.dataset.plan.rolling[-1]
        shuffled = shuffle_outcomes(dataset, evidence.params.seed)
        taught = shuffled.select(block.taught()).to_series()
        judged = shuffled.select(block.judged()).to_series()
        contract, target = dataset.contract, log_counts(shuffled.filter(taught))
        free = [0] * len(contract.names)
        booster = fit(contract.matrix(shuffled.filter(taught)), target, evidence.params, contract.names, free)
        truth = log_counts(shuffled.filter(judged))
        rank = metrics.spearman(np.asarray(booster.predict(contract.matrix(shuffled.filter(judged)))), truth)
        limit = max(0.05, 4 / np.sqrt(len(truth)))
        holds = bool(np.isnan(rank) or abs(rank) <= limit)
        return Verdict(held(holds), f"Spearman {rank:.3f}, chance is within ±{limit:.3f}")


def shuffle_outcomes(dataset: Dataset, seed: int) -> pl.DataFrame:
    """Rows of the dataset with outcomes shuffled among posts before anything was measured: every feature made anew.

    A feature that knew a post's own outcome would still know it here, where nothing else can. Large data are cut to
    the posts of some accounts.
    """
    chosen = _some_accounts(dataset.frame)
    history = dataset.store.history_of(chosen["account"].unique())
    posts, outcomes = chosen.select("post").join(history.posts, on="post", maintain_order="left"), history.outcomes
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
    """The posts (post, account) of some accounts, chosen by another draw than the cold, of whom nothing may be learned."""
    share = SHUFFLED_POSTS / frame.height
    accounts = frame["account"].unique().sort()
    chosen = [name for name in accounts if share >= 1 or is_cold(f"shuffled {name}", share)]
    return frame.select("post", "account").filter(pl.col("account").is_in(chosen))


class NoTimeOverlap(Check[Evidence]):
    """No outcome may be learned from that was not known before the first post it is judged on."""

    code, title = "CLOUT006", "nothing learned from the judged time"
    why = """
    Every judged post came after all outcomes its model had learned from. On a finding time is mixed up: most likely
    posts or counts carry wrong dates. Look at the times in the lake; `zone` and `unit` in the mapping are the usual
    cause.
    """

    def verdict(self, evidence: Evidence) -> Verdict:
        """Passed when every judged post came after all outcomes its model had learned from."""
        early = evidence.judged.filter(pl.col("happened_at") <= pl.col("taught_through")).height
        said = f"{early} of {evidence.judged.height} judged posts older than what was learned from"
        return Verdict(held(early == 0), said)


class NoGoldenFeature(Check[Evidence]):
    """A single feature that knows the outcome is a leak."""

    code, title = "CLOUT007", "no single feature knows the outcome"
    why = """
    No single feature has a Spearman of 0.95 or more with the outcome. On a finding that feature is a golden one: it
    holds the answer. The detail names it. Find out where its value comes from, and when that was known.
    """

    def verdict(self, evidence: Evidence) -> Verdict:
        """Passed when no feature alone has an absolute Spearman of 0.95 or more with the outcome."""
        dataset = evidence.dataset
        judged = dataset.cut(dataset.plan.rolling[-1].judged())
        truth, ranks = log_counts(judged), {}
        for name in dataset.contract.names:
            values = judged[name].fill_null(np.nan).to_numpy()
            known = ~np.isnan(values)
            if known.sum() >= 50:
                ranks[name] = abs(np.nan_to_num(metrics.spearman(values[known], truth[known])))
        if not ranks:
            return Verdict("not applicable", "no feature is known for 50 posts of the newest rolling block")
        best = max(ranks, key=lambda name: ranks[name])
        return Verdict(held(bool(ranks[best] < 0.95)), f"the strongest, {best}, has {ranks[best]:.3f}")
