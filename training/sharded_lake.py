"""A lake of more rows than memory holds: its shards lie on disk, and are asked one after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Self, TypeVar

import polars as pl

from clout.data.coverage import Coverage
from clout.data.history import History, without_text
from clout.data.lake import Lake
from clout.data.receipt import totals
from clout.data.tables import SCHEMAS, without_networks
from clout.features.compute import Streams, prepare_alone, with_networks
from clout.features.sharded import run
from clout.features.sharded.run import Engine, Shards, shards_for
from clout.features.sharded.work import Work
from clout.features.wording import Wording
from clout.models import registry
from clout.training import mapped, shard_tasks
from clout.training.accounts import MeasuredPosts
from clout.training.config import Params

T = TypeVar("T")
Step = Callable[[str], None]
Opened = Callable[[], AbstractContextManager[Engine]]
NAMED = ("account", "post")


@dataclass(frozen=True)
class ShardedLake:
    """The shards of a lake, and what it says of its rows (see `FeatureStore`).

    `engine` opens who runs tasks, for each question anew: between questions nothing is held in memory.
    """

    lake: Lake
    shards: Shards
    engine: Opened

    @classmethod
    @contextmanager
    def open(
        cls, lake: Lake, params: Params, folder: Path, engine: Opened, step: Step, shards: int | None = None
    ) -> Iterator[Self]:
        """A lake in shards, in a folder of their own inside `folder`, which is gone with the block."""
        rows = totals(lake.receipts())["rows"]
        url = lake.url if "://" in lake.url else str(Path(lake.url).absolute())
        with TemporaryDirectory(prefix=registry.TRAINING, dir=folder) as inside:
            work = Work(
                lake=url,
                folder=Path(inside) / "whole",
                shards=shards or shards_for(rows),
                horizon=params.label.horizon,
                action_values=params.action_values,
                undone="removals" in rows,
            )
            yield cls(lake, _cut(lake, work, engine, step), engine)

    @property
    def coverage(self) -> Coverage:
        """What the sources report, and until when."""
        return self.shards.known

    def without(self, networks: Collection[str]) -> Self:
        """The same without some networks, cut anew."""
        work = self.shards.work
        less = replace(work, folder=_beside(work, "less"), without=(*work.without, *networks))
        return replace(self, shards=_cut(self.lake, less, self.engine))

    def rows(self, table: str, *columns: str) -> Iterator[pl.DataFrame]:
        """Some columns of all rows of a table, batch by batch."""
        shelf, without = self.lake.shelf, self.shards.work.without
        removals = self.lake.read("removals") if "text" in columns else None
        yield pl.DataFrame(schema={name: SCHEMAS[table][name] for name in columns})
        for receipt in self.lake.receipts():
            if table in receipt.bytes:
                named = {name for name in NAMED if name in SCHEMAS[table]}
                rows = shelf.frame(table, receipt.stem, sorted({*columns, *named}))
                rows = without_networks(rows, without) if without else rows
                yield (rows if removals is None else without_text(rows, removals)).select(columns)

    def labels(self) -> pl.DataFrame:
        """The posts whose outcome is known."""
        return pl.concat(self._each(shard_tasks.labels)).sort("happened_at", "post")

    def measured(self, posts: pl.DataFrame) -> pl.DataFrame:
        """What was known before each of `posts`; it lies on disk, and what is not looked at takes no memory."""
        work, asked = self.shards.work, posts.select("post", "account").with_row_index("row")
        work.drop(shard_tasks.ASKED, shard_tasks.MEASURED)
        work.send(shard_tasks.ASKED, 0, asked.drop("account"), work.shard_of(asked["account"]))
        self._each(shard_tasks.measure, self.shards.known, self.shards.networks)
        return mapped.together(work, shard_tasks.MEASURED, max(1, ceil(posts.height / shard_tasks.ROWS)))

    def posting(self, at: datetime) -> pl.DataFrame:
        """Who is judged at a moment."""
        return pl.concat(self._each(shard_tasks.posting, at)).sort("account")

    def account_posts(
        self, at: datetime, wording: Wording, accounts: pl.Series | None = None
    ) -> Iterator[MeasuredPosts]:
        """The posts by which accounts are judged at a moment, shard by shard."""
        shards = self.shards
        self._each(shard_tasks.judge, shards.known, shards.networks, at, wording, accounts)
        for shard in range(shards.work.shards):
            posts, features = (
                shards.work.kept(name, shard) for name in (shard_tasks.JUDGED, shard_tasks.JUDGED_FEATURES)
            )
            yield MeasuredPosts(posts, [features])
        shards.work.drop(shard_tasks.JUDGED, shard_tasks.JUDGED_FEATURES)

    def history_of(self, accounts: pl.Series) -> History:
        """What happened to some accounts."""
        first, *others = self._each(shard_tasks.history, self.shards.known, accounts)
        whole = first.each(lambda name, frame: pl.concat([frame, *(getattr(other, name) for other in others)]))
        outcomes, actions = whole.outcomes.sort("at", "post"), whole.actions.sort("at", maintain_order=True)
        return replace(whole, outcomes=outcomes, actions=actions)

    def streams_of(self, accounts: pl.Series, as_of: datetime | None = None) -> Streams:
        """The past of some accounts; where all from `as_of` on is to be erased, all is cut anew without it."""
        if as_of is None:
            history = self.history_of(accounts)
            records = history.actions.select(shard_tasks.RECORDS)
            return with_networks(prepare_alone(history, records), self.shards.networks)
        until = self.coverage.through.with_columns(through=pl.lit(as_of, self.coverage.through.schema["through"]))
        work = self.shards.work
        past = replace(work, folder=_beside(work, "past"), until=as_of)
        cut = _cut(self.lake, past, self.engine, covers=Coverage(self.coverage.reported, until))
        streams = replace(self, shards=cut).streams_of(accounts)
        rmtree(past.folder)
        return streams

    def _each(self, task: Callable[..., T], *given: object) -> list[T]:
        with self.engine() as engine:
            return self.shards.each(engine, task, *given)


def _beside(work: Work, name: str) -> Path:
    return work.folder.with_name(f"{work.folder.name}-{name}")


def _cut(lake: Lake, work: Work, opened: Opened, step: Step = lambda _: None, covers: Coverage | None = None) -> Shards:
    with opened() as engine:
        shards, _ = run.cut(work, lake.receipts(), engine, step, covers=covers)
    work.drop(*run.SPENT)
    return shards
