"""What training asks of one shard of a lake; each is a task that any process may run."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import polars as pl

from clout.data.coverage import Coverage
from clout.data.history import History
from clout.features.account_posts import CHUNK, counted, measured_at
from clout.features.compute import Streams, prepare_alone, with_networks
from clout.features.network import Sums
from clout.features.sharded.measuring import remembered
from clout.features.sharded.work import Work
from clout.features.wording import Wording
from clout.training import feature_store
from clout.training.accounts import RECORD, WINDOW
from clout.training.feature_store import posting_of

ASKED, MEASURED = "asked", "measured"
JUDGED, JUDGED_FEATURES = "judged posts", "judged features"
RECORDS = ("n", "log")
ROWS = 400_000


def labels(work: Work, shard: int) -> pl.DataFrame:
    """The shard's posts whose outcome is known, as `FeatureStore.labels` gives them."""
    return feature_store.labels_of(_plain(work, shard, work.kept("outcomes", shard)))


def posting(work: Work, shard: int, at: datetime) -> pl.DataFrame:
    """Who of the shard is judged at a moment, as `FeatureStore.posting` gives it."""
    return posting_of(_plain(work, shard, _counted(work, shard, at)))


def measure(work: Work, shard: int, known: Coverage, sums: Sums) -> None:
    """Nothing; what was known before each post that is asked for then lies with the others, by their row."""
    asked = work.sent(ASKED, shard)
    history, streams = _past(work, shard, known, sums, None)
    places = work.kept("names", shard).with_row_index("place")
    rows = asked.join(places, on="post", how="left", maintain_order="left")["place"]
    told = _plain(work, shard, feature_store.measured(history.posts[rows], streams))
    work.send(MEASURED, shard, told.with_columns(asked["row"]), asked["row"] // ROWS)


def judge(
    work: Work, shard: int, known: Coverage, sums: Sums, at: datetime, wording: Wording, accounts: pl.Series | None
) -> None:
    """Nothing; the posts by which accounts (all without) are judged at a moment, and their features, are then kept."""
    _, streams = _past(work, shard, known, sums, accounts)
    posts = _counted(work, shard, at)
    if accounts is not None:
        posts = posts.filter(pl.col("account").cast(pl.String).is_in(accounts.implode()))
    slices = [posts.clear(), *posts.iter_slices(CHUNK)]
    features = pl.concat(measured_at(part, streams, wording, at) for part in slices)
    work.keep(JUDGED, shard, _plain(work, shard, posts))
    work.keep(JUDGED_FEATURES, shard, _plain(work, shard, features))


def history(work: Work, shard: int, known: Coverage, accounts: pl.Series) -> History:
    """What happened to those of `accounts` that are of the shard; actions with what was told of their engagers."""
    return _remembered(work, shard, known, accounts).each(lambda _, frame: _plain(work, shard, frame))


def _counted(work: Work, shard: int, at: datetime) -> pl.DataFrame:
    return counted(work.kept("posts", shard), work.kept("outcomes", shard), at, WINDOW, RECORD)


def _remembered(work: Work, shard: int, known: Coverage, accounts: pl.Series | None) -> History:
    whole, told = remembered(work, shard, known)
    whole = replace(whole, actions=whole.actions.hstack(told.select(RECORDS)))
    return whole if accounts is None else whole.only(accounts)


def _past(work: Work, shard: int, known: Coverage, sums: Sums, accounts: pl.Series | None) -> tuple[History, Streams]:
    theirs = _remembered(work, shard, known, accounts)
    return theirs, with_networks(prepare_alone(theirs, theirs.actions.select(RECORDS)), sums)


def _plain(work: Work, shard: int, frame: pl.DataFrame) -> pl.DataFrame:
    """The same with posts by their names, and text in place of categories."""
    text = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Categorical | pl.Enum)]
    named = frame.with_columns(pl.col(text).cast(pl.String))
    if "post" not in frame.columns or frame.schema["post"] == pl.String:
        return named
    return named.with_columns(work.kept("names", shard)["post"].gather(frame["post"]))
