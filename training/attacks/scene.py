"""What an attack works with: the tables as they are, the accounts that buy, and their posts that are bought for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.data.society.people import DRIVEN
from clout.data.society.reactions import Actions
from clout.data.tables import KEYS, SCHEMAS
from clout.data.values import TIME

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Rows = dict[str, pl.DataFrame]
LAG = timedelta(seconds=2)


@dataclass(frozen=True)
class Scene:
    """One network at a moment.

    `targets` are the accounts that buy, `posts` their newest posts with a known outcome (post, account, happened_at; those
    of an account together, oldest first), `logged` the kinds of action that the network logs with who acted.
    """

    tables: Mapping[str, pl.DataFrame]
    network: str
    targets: tuple[str, ...]
    posts: pl.DataFrame
    logged: tuple[str, ...]
    at: datetime
    horizon: timedelta
    window: timedelta

    @cached_property
    def published(self) -> Ints:
        """When each of `posts` was published, in microseconds."""
        return microseconds(self.posts["happened_at"])

    @property
    def now(self) -> int:
        """The moment in microseconds."""
        return int(microseconds(pl.Series([self.at], dtype=TIME))[0])

    @property
    def begins(self) -> int:
        """When the first post that is bought for was published, in microseconds."""
        return int(self.published.min())

    def each_target(self) -> Iterator[Ints]:
        """The places in `posts` of the posts of each target, in the order of `posts`."""
        runs = self.posts["account"].rle_id().to_numpy()
        yield from np.split(np.arange(len(runs)), np.flatnonzero(np.diff(runs)) + 1)

    @cached_property
    def others(self) -> pl.DataFrame:
        """The posts of everybody else on the network that are older than the horizon, oldest first."""
        posts = self.tables["posts"].filter(
            (pl.col("network") == self.network)
            & (pl.col("kind") != "reshare")
            & (pl.col("happened_at") < self.at - self.horizon)
            & ~pl.col("account").is_in(self.targets)
        )
        return posts.select("post", "account", "happened_at").sort("happened_at", "post")

    @cached_property
    def members(self) -> list[str]:
        """Everybody else on the network who posts, by name."""
        return self.others["account"].unique().sort().to_list()

    def names(self, what: str, count: int) -> list[str]:
        """The ids of `count` accounts, or other things, that an attack makes up."""
        return [f"{self.network}/attack-{what}-{number}" for number in range(count)]

    def log(self, what: str, acts: Actions, actors: list[str], posts: pl.DataFrame) -> pl.DataFrame:
        """The actions table of `acts`, whose posts and actors are places in `posts` and `actors`; the future is left out."""
        columns = {
            "post": posts["post"].gather(acts.post),
            "account": posts["account"].gather(acts.post),
            "action": pl.Series(self.names(what, len(acts.post)), dtype=pl.String),
            "actor": pl.Series(actors, dtype=pl.String).gather(acts.actor),
            "kind": pl.Series(DRIVEN).gather(acts.kind),
            "happened_at": moments(acts.at),
        }
        logged = pl.DataFrame(columns).with_columns(known_at=pl.col("happened_at") + LAG)
        past = (pl.col("known_at") < self.at) & (pl.col("actor") != pl.col("account"))
        return logged.filter(past).select(SCHEMAS["actions"].names())

    def join(self, names: list[str], created: Floats) -> pl.DataFrame:
        """The accounts table of `names`, who joined the network at `created` (microseconds)."""
        facts = {"account": names, "network": self.network, "handle": None, "created_at": moments(created)}
        return pl.DataFrame(facts, schema=SCHEMAS["accounts"])


def put(tables: Mapping[str, pl.DataFrame], rows: Rows) -> dict[str, pl.DataFrame]:
    """`tables` with `rows` in them; a row takes the place of the one with its key."""
    return {
        name: pl.concat([frame.join(rows[name], on=KEYS[name], how="anti"), rows[name]]) if name in rows else frame
        for name, frame in tables.items()
    }


def microseconds(times: pl.Series) -> Ints:
    """Times as microseconds of the Unix clock."""
    return np.asarray(times.cast(pl.Int64).to_numpy(), dtype=np.int64)


def moments(at: Ints | Floats) -> pl.Series:
    """Times out of microseconds of the Unix clock."""
    return pl.Series(np.asarray(at, dtype=np.int64)).cast(TIME)


def shares(budget: int, parts: int) -> Ints:
    """`budget` in `parts` that are as equal as they can be.

    >>> shares(7, 3).tolist()
    [3, 2, 2]
    """
    return np.full(parts, budget // parts) + (np.arange(parts) < budget % parts)
