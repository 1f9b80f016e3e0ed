"""From the lake to one row a post: features known before it, and the outcome after it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl

from clout.data.tables import KINDS
from clout.errors import CloutError
from clout.features.catalogue import CONTRACT, WORDING
from clout.features.contract import Contract
from clout.features.wording import Corpus, Wording
from clout.features.wording import fit as fit_wording
from clout.models.scale import MIN_ACCOUNTS
from clout.training.config import Params, WordingParams
from clout.training.feature_store import FeatureStore
from clout.training.matrix import Floats, Part, cut
from clout.training.splits import Plan, SplitError, mark_cold, plan, sample

Step = Callable[[str], None]
LEARNED_BY = ("happened_at", "ripe_at", "cold", "outcome", "outcome_level_365d")


class NoOutcomesError(CloutError):
    """No post has a known outcome, or all have the same, so there is nothing to learn."""

    code = "no_outcomes"


@dataclass(frozen=True)
class Dataset:
    """One row a labelled post, in the order of time.

    `frame` has what `feature_store.measured` gives, but for the texts, which are in `texts`; then ripe_at, outcome, one
    column a kind of action (null where not reported) and cold. Not all is there to learn from: followers, own means,
    kind and language are to judge by. `words` were learned from all that was known at a moment, the start of each block among them; each row's
    `wording_lift` comes from words learned before it. `retrospective` tells whether counts
    read long after a post were taken as known when it ripened. `contract` has the features that a model may look at;
    `left_out` the networks too small to anchor a scale, of which nothing is here, with their number of accounts.
    """

    frame: pl.DataFrame
    texts: pl.Series
    plan: Plan
    words: Mapping[datetime, Wording]
    store: FeatureStore
    retrospective: bool
    contract: Contract = CONTRACT
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def wording(self) -> Wording:
        """What was learned from all that was known at the last block's start."""
        return self.words[self.plan.final.start]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of action that some post has a count of."""
        return tuple(name for name in self.frame.columns if name in KINDS and self.frame[name].count() > 0)

    def matrix(self, rows: pl.Series | None = None) -> Floats:
        """The features of the rows of a boolean mask (all without one), (n, features), in contract order."""
        return self.contract.matrix(self.frame if rows is None else self.frame.filter(rows))

    def part(self, condition: pl.Expr) -> Part:
        """The rows of the frame that meet `condition`, not copied yet."""
        return Part.of(self.frame, self.where(condition))

    def cut(self, condition: pl.Expr) -> pl.DataFrame:
        """The rows of the frame that meet `condition`; those that stand together are not copied."""
        return cut(self.frame, self.where(condition))

    def where(self, condition: pl.Expr) -> pl.Series:
        """The boolean mask of the rows that meet `condition`."""
        return self.frame.select(condition.alias("mask")).to_series()


def build(store: FeatureStore, params: Params, step: Step = lambda _: None, anchored: Collection[str] = ()) -> Dataset:
    """The dataset of `store`; `step` is told what is being done.

    Networks with too few accounts to anchor a scale are left out, but for those that are `anchored` already. Raises
    `NoOutcomesError` or `SplitError` with what is missing.
    """
    step("reading what each post drove")
    store, labels, blocks, left_out = _large_enough(store, params, anchored)
    step("measuring what was known before each post")
    frame = store.measured(labels.select("post", "account"))
    texts, frame = frame["text"], frame.drop("text")
    frame = frame.hstack(labels.drop("post", "account", "network", "happened_at"))
    step("learning words, forward in time")
    lift, words = cross_fit(frame, texts, blocks, params.wording)
    frame = frame.with_columns(pl.Series(WORDING.name, lift).fill_nan(None))
    retrospective = any(rows["retrospective"].any() for rows in store.rows("counts", "retrospective"))
    return Dataset(frame, texts, blocks, words, store, retrospective, params.contract, left_out)


class _Labelled(NamedTuple):
    """Posts with a known outcome, in the order of time, and their blocks."""

    store: FeatureStore
    labels: pl.DataFrame
    blocks: Plan


def _labelled(store: FeatureStore, params: Params) -> _Labelled:
    labels = store.labels()
    _refuse_unlabelled(store, labels["outcome"], params)
    if params.splits.sample_share < 1:
        labels = labels.filter(pl.col("account").is_in(sample(labels["account"], params.splits.sample_share).implode()))
    labels = mark_cold(labels, params.splits.cold_share)
    return _Labelled(store, labels, plan(labels, params.splits))


def _large_enough(
    store: FeatureStore, params: Params, anchored: Collection[str]
) -> tuple[FeatureStore, pl.DataFrame, Plan, dict[str, int]]:
    """The store without the networks that are too small, the labels and blocks left, and those networks' accounts."""
    labelled = _labelled(store, params)
    accounts = _accounts(labelled)
    small = {name: count for name, count in accounts.items() if count < MIN_ACCOUNTS and name not in anchored}
    if not small:
        return *labelled, {}
    if small == accounts:
        network, count = max(small.items(), key=lambda item: item[1])
        raise SplitError(
            f"got {count} accounts of the network {network!r} with posts in the 90 days before the last block; expected at "
            f"least {MIN_ACCOUNTS} of one network to anchor its scale: add posts of more accounts"
        )
    store, labels, blocks, more = _large_enough(store.without(small), params, anchored)
    return store, labels, blocks, small | more


def _accounts(labelled: _Labelled) -> dict[str, int]:
    """The accounts that could anchor the scale of each network: those with posts in the 90 days before the last block."""
    recent = labelled.store.posting(labelled.blocks.final.start).filter("recent")
    counts = dict(recent.group_by("network").len().iter_rows())
    return {network: counts.get(network, 0) for network in labelled.labels["network"].unique().sort()}


def cross_fit(
    frame: pl.DataFrame, texts: pl.Series, blocks: Plan, params: WordingParams
) -> tuple[Floats, dict[datetime, Wording]]:
    """The wording lift of each row (NaN before the first slice), and the words learned at the start of each slice.

    Time is cut into slices that end where the rolling blocks begin; each slice is judged by words learned from
    outcomes known before it.
    """
    starts, corpus = _slices(frame, blocks, params.slices), Corpus.of(texts)
    ends = [frame["happened_at"].search_sorted(start, "left") for start in starts]
    values, words = np.full(frame.height, np.nan), {}
    for start, (first, after) in zip(starts, pairwise([*ends, frame.height]), strict=True):
        words[start] = learn_words(frame, corpus, start, params)
        values[first:after] = words[start].lifts(corpus.slice(first, after))
    return values, words


def learn_words(frame: pl.DataFrame, corpus: Corpus, start: datetime, params: WordingParams) -> Wording:
    """The words of the rows whose outcome was known before `start`, newer posts weighing more.

    `frame` has `LEARNED_BY` and is in the order of time; `corpus` has the text of each of its rows.
    """
    past = frame.select(LEARNED_BY).head(frame["happened_at"].search_sorted(start, "left"))
    known = (pl.col("ripe_at") < start) & ~pl.col("cold") & pl.col("outcome_level_365d").is_not_null()
    age = (start - pl.col("happened_at")).dt.total_seconds() / 86_400
    taught = past.select(
        lift=pl.col("outcome").log1p() - pl.col("outcome_level_365d"),
        weight=pl.when(known).then(0.5 ** (age / params.half_life_days)).otherwise(0.0),
    )
    return fit_wording(
        corpus.slice(0, past.height),
        taught["lift"].fill_null(0.0).to_numpy(),
        taught["weight"].to_numpy(),
        min_words=params.min_words,
        alpha=params.alpha,
        max_pieces=params.max_pieces,
    )


def _slices(frame: pl.DataFrame, blocks: Plan, count: int) -> list[datetime]:
    """When each slice begins: `count` − 1 quantiles of the posts before the first rolling block, then every block."""
    first = blocks.rolling[0].start
    times = frame["happened_at"]
    early = times.filter(times < first)
    cuts = [early[early.len() * slice_ // count] for slice_ in range(1, count)] if early.len() else []
    return sorted({*cuts, *(block.start for block in blocks.rolling), blocks.final.start})


def _refuse_unlabelled(store: FeatureStore, outcomes: pl.Series, params: Params) -> None:
    if outcomes.n_unique() > 1:
        return
    if outcomes.len():
        raise NoOutcomesError(
            f"each of the {outcomes.len():,} posts with a known outcome drove {outcomes[0]:g} actions; expected outcomes that "
            "differ: see whether the mapping reads the right counts, and which kinds action_values counts"
        )
    days = params.label.horizon_days
    posts, counts, actions = (
        sum(rows.height for rows in store.rows(name, "known_at")) for name in ("posts", "counts", "actions")
    )
    if not posts:
        raise NoOutcomesError(
            f"the lake has no posts{f' ({actions:,} actions name only accounts)' if actions else ''}; expected posts with the "
            "actions they drove: run `clout ingest table FILE --map …` with a mapping that has [posts], or `clout simulate`"
        )
    _refuse_kinds(store, params)
    raise NoOutcomesError(
        f"none of the {posts:,} posts has a known outcome {days:g} days after it ({counts:,} "
        f"counts, {actions:,} actions); expected counts read when posts were {days:g} days old or older, or "
        "an event log that reaches that far, on posts with the ids that the lake has (`clout lake` counts others): ingest them, "
        "or lower label.horizon_days"
    )


def _refuse_kinds(store: FeatureStore, params: Params) -> None:
    """Nothing; raises where no kind of action that has a value is in the lake."""
    counted = {kind for kind, value in params.action_values.items() if value}
    there = {
        kind for name in ("counts", "actions") for rows in store.rows(name, "kind") for kind in rows["kind"].unique()
    }
    if there and not counted & there:
        raise NoOutcomesError(
            f"action_values counts {', '.join(sorted(counted))}, of which the lake has nothing; expected some of the kinds it "
            f"has: {', '.join(sorted(there))}; see docs/settings.md"
        )
