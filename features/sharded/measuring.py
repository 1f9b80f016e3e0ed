"""The last task of a sharded run: the features of one shard's posts and accounts, from all that is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.data.coverage import Coverage
from clout.data.history import History
from clout.data.values import TIME
from clout.data.windows import TICK
from clout.features import network
from clout.features.compute import IDS, Streams, compute, compute_accounts, prepare_alone, with_networks
from clout.features.sharded import left
from clout.features.sharded.left import CLOCK, KNOWN
from clout.features.sharded.stages import NAME
from clout.features.sharded.work import Work

JUDGED_AT_ONCE = 100_000


class Judge(Protocol):
    """What says something of posts: a model."""

    @property
    def networks(self) -> Sequence[str]:
        """The networks whose posts it can judge."""

    def lifts(self, texts: pl.Series) -> npt.NDArray[np.float64] | None:
        """What the words of each text promise, which becomes `wording_lift`; None when words were not learned."""

    def judge(self, features: pl.DataFrame) -> Mapping[str, npt.NDArray[np.float64]]:
        """What it says of posts, by name, a value a post."""


class Measured(NamedTuple):
    """How many rows came out, and how many actions went in."""

    posts: int
    accounts: int
    actions: int


def measure(work: Work, shard: int, known: Coverage, sums: network.Sums, judge: Judge | None = None) -> Measured:
    """How much was measured: the features of the shard's new posts, and of its accounts when the data end, are then out.

    So is what the `judge`, if there is one, says of the posts.
    """
    history, told = remembered(work, shard, known)
    alone = prepare_alone(history, told.select("n", "log"))
    if work.leaves:
        left.leave(work, shard, history, alone.by_name["outcomes"].frame, told)
    streams = with_networks(alone, sums)
    posts = _measured(work, shard, history.posts.filter("new"), streams, judge)
    accounts = _accounts(history, streams)
    work.publish("accounts", shard, accounts)
    return Measured(posts, accounts.height, history.actions.height - left.actions_before(work, shard, ["acted"]).height)


def remembered(work: Work, shard: int, known: Coverage) -> tuple[History, pl.DataFrame]:
    """The history of the shard, its posts by their places, and what its actions were told of their engagers."""
    told = work.sent("told", shard)
    told = told.drop("place")[_inverse(told["place"])]
    if work.before:
        told = pl.concat([left.actions_before(work, shard, told.columns), told])
    clocked = {
        name: work.sent(name, shard).with_columns(CLOCK).cast({"account": NAME}) for name in ("profiles", "standings")
    }
    posts = work.kept("posts", shard)
    history = History(
        accounts=work.sent("accounts", shard),
        posts=posts,
        outcomes=work.kept("outcomes", shard),
        actions=_received(work, shard, posts).hstack(told.select(*KNOWN, "weight")),
        coverage=known,
        horizon=work.horizon,
        earlier=left.earlier(work, shard),
        **clocked,
    )
    return history, told


def _received(work: Work, shard: int, posts: pl.DataFrame) -> pl.DataFrame:
    """The actions on the shard's accounts, with what is known of their posts (see `labels.with_posts`)."""
    received = work.kept("received", shard).drop("to")
    on = received.select(pl.when("its_own").then("post")).to_series()
    known = posts.select(posted_at="happened_at", posted_known_at="at")
    return received.drop("its_own").hstack(known.select(pl.all().gather(on)))


def _inverse(places: pl.Series) -> npt.NDArray[np.int64]:
    """Which row is the first, the second …, of rows whose `places` from 0 are each there once."""
    inverse = np.empty(len(places), np.int64)
    inverse[places.to_numpy()] = np.arange(len(places))
    return inverse


def _measured(work: Work, shard: int, posts: pl.DataFrame, streams: Streams, judge: Judge | None) -> int:
    """How many posts there are; their features, and what the judge says of them, are then out."""
    lifts = judge.lifts(posts["text"]) if judge else None
    measured = compute(posts, streams, None if lifts is None else pl.Series(lifts))
    names = work.kept("names", shard)["post"]
    told = measured.with_columns(names.gather(measured["post"]), pl.col("account").cast(pl.String))
    work.publish("posts", shard, told)
    if judge:
        work.publish("scores", shard, _judged(told, judge))
    return told.height


def _judged(posts: pl.DataFrame, judge: Judge) -> pl.DataFrame:
    """What the judge says of the posts of its networks, some after others."""
    of_them = posts.filter(pl.col("network").is_in(list(judge.networks)))
    slices = [of_them.clear(), *of_them.iter_slices(JUDGED_AT_ONCE)]
    told = [
        {name: pl.Series(values, dtype=pl.Float64) for name, values in judge.judge(some).items()} for some in slices
    ]
    return pl.concat(some.select(IDS).with_columns(**columns) for some, columns in zip(slices, told, strict=True))


def _accounts(history: History, streams: Streams) -> pl.DataFrame:
    """What is known of each account just after all data."""
    posted = history.posts.select(pl.col("account").cast(pl.String), "network").unique()
    everybody = pl.concat([posted, history.accounts.select("account", "network")]).unique().sort("account")
    end = pl.lit(history.coverage.data_through, TIME) + TICK
    measured = compute_accounts(everybody.cast({"account": NAME}).with_columns(at=end), streams)
    return measured.with_columns(pl.col("account").cast(pl.String))
