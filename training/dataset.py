"""From the lake to one row a post: features known before it, and the outcome after it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl

from clout.data.coverage import Tables
from clout.data.history import History, load
from clout.data.tables import network_of
from clout.data.windows import newest
from clout.errors import CloutError
from clout.features.catalogue import CONTRACT, WORDING
from clout.features.compute import Streams, compute, prepare
from clout.features.contract import Contract
from clout.features.wording import Corpus, Wording
from clout.features.wording import fit as fit_wording
from clout.models.scale import MIN_ACCOUNTS
from clout.training.accounts import WINDOW, counted_posts
from clout.training.config import Params, WordingParams
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

    `frame` has post, account, network, happened_at, ripe_at, cold, followers (known before the post, to judge by and not
    to learn from), outcome, one column a kind of action (null where not reported), then every feature; `texts` the
    posts' texts. `words` were learned from all that was known at a moment, the start of each block among them; each row's
    `wording_lift` comes from words learned before it. `retrospective` tells whether counts
    read long after a post were taken as known when it ripened. `contract` has the features that a model may look at;
    `left_out` the networks too small to anchor a scale, of which nothing is here, with their number of accounts.
    """

    frame: pl.DataFrame
    texts: pl.Series
    plan: Plan
    words: Mapping[datetime, Wording]
    streams: Streams
    history: History
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
        ids = {"post", "account", "network", "happened_at", "ripe_at", "cold", "followers", "outcome", *CONTRACT.names}
        return tuple(name for name in self.frame.columns if name not in ids and self.frame[name].count() > 0)

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


def build(tables: Tables, params: Params, step: Step = lambda _: None, anchored: Collection[str] = ()) -> Dataset:
    """The dataset of `tables`; `step` is told what is being done.

    Networks with too few accounts to anchor a scale are left out, but for those that are `anchored` already. Raises
    `NoOutcomesError` or `SplitError` with what is missing.
    """
    step("reading what each post drove")
    tables, labelled, left_out = _large_enough(tables, params, anchored)
    history, labels, posts, blocks = labelled
    step("measuring what was known before each post")
    streams = prepare(history)
    beside = posts.select("post").join(labels, on="post", how="left", maintain_order="left").drop("post")
    frame = compute(posts, streams).hstack(beside)
    frame = mark_cold(frame, params.splits.cold_share).with_columns(_followers(posts, streams))
    step("learning words, forward in time")
    texts = posts["text"]
    lift, words = cross_fit(frame, texts, blocks, params.wording)
    frame = frame.with_columns(pl.Series(WORDING.name, lift).fill_nan(None))
    retrospective = bool(tables["counts"]["retrospective"].any())
    return Dataset(frame, texts, blocks, words, streams, history, retrospective, params.contract, left_out)


def _followers(posts: pl.DataFrame, streams: Streams) -> pl.Series:
    """The followers known before each post."""
    asked = posts.select("account", at="happened_at")
    return newest(asked, streams.by_name["profiles"], ["followers"])["followers"].cast(pl.Float64)


class _Labelled(NamedTuple):
    """Posts with a known outcome, in the order of time, their labels and their blocks."""

    history: History
    labels: pl.DataFrame
    posts: pl.DataFrame
    blocks: Plan


def _labelled(tables: Tables, params: Params) -> _Labelled:
    history = load(tables, params.label.horizon, params.action_values)
    _refuse_unlabelled(tables, history, params)
    labels = history.outcomes.rename({"at": "ripe_at"}).drop("account", "network", "published_at")
    posts = history.posts.join(labels.select("post"), on="post", how="semi").sort("happened_at", "post")
    if params.splits.sample_share < 1:
        posts = posts.filter(pl.col("account").is_in(sample(posts["account"], params.splits.sample_share).implode()))
    timed = posts.select("post", "account", "happened_at").join(labels.select("post", "ripe_at"), on="post")
    timed = mark_cold(timed, params.splits.cold_share)
    return _Labelled(history, labels, posts, plan(timed, params.splits))


def _large_enough(
    tables: Tables, params: Params, anchored: Collection[str]
) -> tuple[Tables, _Labelled, dict[str, int]]:
    """The tables without the networks that are too small, what is labelled in them, and those networks' accounts."""
    labelled = _labelled(tables, params)
    accounts = _accounts(labelled)
    small = {name: count for name, count in accounts.items() if count < MIN_ACCOUNTS and name not in anchored}
    if not small:
        return tables, labelled, {}
    if small == accounts:
        network, count = max(small.items(), key=lambda item: item[1])
        raise SplitError(
            f"got {count} accounts of the network {network!r} with posts in the 90 days before the last block; expected at "
            f"least {MIN_ACCOUNTS} of one network to anchor its scale: add posts of more accounts"
        )
    rest = {name: _of_others(frame, small) for name, frame in tables.items()}
    tables, labelled, more = _large_enough(rest, params, anchored)
    return tables, labelled, small | more


def _accounts(labelled: _Labelled) -> dict[str, int]:
    """The accounts that could anchor the scale of each network: those with posts in the 90 days before the last block."""
    start = labelled.blocks.final.start
    recent = counted_posts(labelled.history, start).filter(pl.col("happened_at") > start - WINDOW)
    counts = dict(recent.group_by("network").agg(pl.col("account").n_unique()).iter_rows())
    return {network: counts.get(network, 0) for network in labelled.posts["network"].unique().sort()}


def _of_others(frame: pl.DataFrame, networks: Collection[str]) -> pl.DataFrame:
    named = next(name for name in ("account", "post") if name in frame.columns)
    return frame.filter(~network_of(named).is_in(list(networks)))


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


def _refuse_unlabelled(tables: Tables, history: History, params: Params) -> None:
    outcomes, days = history.outcomes["outcome"], params.label.horizon_days
    if outcomes.n_unique() > 1:
        return
    if outcomes.len():
        raise NoOutcomesError(
            f"each of the {outcomes.len():,} posts with a known outcome drove {outcomes[0]:g} actions; expected outcomes that "
            "differ: see whether the mapping reads the right counts, and which kinds action_values counts"
        )
    if tables["posts"].is_empty():
        rows = tables["actions"].height
        raise NoOutcomesError(
            f"the lake has no posts{f' ({rows:,} actions name only accounts)' if rows else ''}; expected posts with the "
            "actions they drove: run `clout ingest table FILE --map …` with a mapping that has [posts], or `clout simulate`"
        )
    raise NoOutcomesError(
        f"none of the {tables['posts'].height:,} posts has a known outcome {days:g} days after it ({tables['counts'].height:,} "
        f"counts, {tables['actions'].height:,} actions); expected counts read when posts were {days:g} days old or older, or "
        "an event log that reaches that far: ingest them, or lower label.horizon_days"
    )
