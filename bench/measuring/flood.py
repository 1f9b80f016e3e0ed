"""Made-up accounts, posts and actions, as many as asked for, made slice by slice in memory that does not grow with them.

Nothing is to be learned from them: they are for measuring what so many rows cost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.data.lake import Lake
from clout.data.tables import SCHEMAS
from clout.data.values import TIME

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

NETWORK = "flood"
START = datetime(2025, 1, 1, tzinfo=UTC)
DAY = 86_400_000_000
MOST_AT_ONCE = 1_000_000
POSTS_AN_ACCOUNT = 40
# Ids of one length rise as text as they rise as numbers.
FIRST_POST, FIRST_ACTION = 10**9, 10**11
USUAL_DELAY, LONGEST_DELAY = DAY / 2, 3 * DAY
AUDIENCE, EAGERNESS, LOYALTY, RING = 0.8, 2, 3, 2**31 - 1
STAR, STAR_POSTS = 0, 1_000
KINDS, SHARES = ("like", "reshare", "reply", "quote"), (0.8, 0.12, 0.06, 0.02)
POST_KINDS = ("original", "original", "original", "reply")
TEXTS = pl.Series([f"word{number % 97} word{number}" for number in range(1_000)])


@dataclass(frozen=True)
class Posts:
    """The posts of a slice of time: the number of the first, their authors, moments and drawing power, which sums to 1."""

    first: int
    author: Ints
    moment: Ints
    power: Floats


@dataclass(frozen=True)
class Flood:
    """So many actions, `each` for a post; audiences and activity fall off by power laws.

    An account's actors stand in a ring around it, the nearest act most. With `star` the first account takes this share
    of all actions, with one post in a thousand. The same settings give the same rows.
    """

    actions: int
    days: int = 90
    star: float = 0.0
    each: int = 10
    seed: int = 7

    @property
    def posts(self) -> int:
        """How many posts there are."""
        return max(self.actions // self.each, self.days)

    @property
    def accounts(self) -> int:
        """How many accounts there are."""
        return max(self.posts // POSTS_AN_ACCOUNT, 10)

    @property
    def slices(self) -> int:
        """In how many batches they come."""
        return max(self.days, ceil(self.actions / MOST_AT_ONCE))

    def batches(self, begin: int = 0) -> Iterator[dict[str, pl.DataFrame]]:
        """Batches for a lake, from number `begin` on: all accounts, then posts and actions, slice by slice of time."""
        names = NETWORK + pl.Series([f"/{number}" for number in range(self.accounts)])
        if not begin:
            yield {"accounts": self._accounts(names)}
        at_once = ceil(LONGEST_DELAY / self._length)
        first = max(begin, 1) - 1
        recent = deque((self._posts(number) for number in range(max(first - at_once, 0), first)), maxlen=at_once)
        recent.reverse()
        for number in range(first, self.slices):
            recent.appendleft(self._posts(number))
            yield {
                "posts": _post_rows(recent[0], names),
                "actions": self._actions(number, recent, names),
            }

    @property
    def _length(self) -> int:
        return self.days * DAY // self.slices

    def _part(self, number: int, of: int) -> tuple[int, int]:
        """The first of the things of a slice, and how many of `of` it has."""
        first, end = number * of // self.slices, (number + 1) * of // self.slices
        return first, end - first

    def _accounts(self, names: pl.Series) -> pl.DataFrame:
        rng = np.random.default_rng((self.seed, self.slices))
        joined = _moments(-rng.integers(DAY, 2_000 * DAY, self.accounts))
        columns = {"account": names, "created_at": joined}
        return pl.DataFrame(columns).select(
            "account", network=pl.lit(NETWORK), handle=pl.lit(None, pl.String), created_at="created_at"
        )

    def _posts(self, number: int) -> Posts:
        rng, (first, count) = np.random.default_rng((self.seed, number, 0)), self._part(number, self.posts)
        rank = (self.accounts * rng.random(count) ** EAGERNESS).astype(np.int64)
        author = self._shuffled(rank)
        power = (1.0 + author) ** -AUDIENCE
        if self.star:
            author[::STAR_POSTS] = STAR
            power[author == STAR] = 0
            power[author == STAR] = self.star / (1 - self.star) * power.sum() / (author == STAR).sum()
        moment = number * self._length + np.sort(rng.integers(0, self._length, count))
        return Posts(first, author, moment, power / power.sum())

    def _actions(self, number: int, recent: deque[Posts], names: pl.Series) -> pl.DataFrame:
        rng, (first, count) = np.random.default_rng((self.seed, number, 1)), self._part(number, self.actions)
        ages = np.exp(-self._length / USUAL_DELAY * np.arange(len(recent)))
        reach = np.cumsum(np.concatenate([posts.power * age for posts, age in zip(recent, ages, strict=True)]))
        drawn = np.cumsum(rng.standard_exponential(count + 1))
        target = np.searchsorted(reach, drawn[:-1] / drawn[-1] * reach[-1], side="right")
        begun, ended = number * self._length, (number + 1) * self._length
        earliest = np.concatenate([np.maximum(posts.moment, begun) for posts in recent])[target]
        moment = earliest + (rng.random(count) * (ended - earliest)).astype(np.int64)
        order = np.argsort(moment)
        target, moment = target[order], moment[order]
        author = np.concatenate([posts.author for posts in recent])[target]
        post = np.concatenate([posts.first + np.arange(len(posts.author)) for posts in recent])[target]
        kind = np.searchsorted(np.cumsum(SHARES)[:-1], rng.random(count), side="right")
        columns = {
            "action": _ids(FIRST_ACTION + first + np.arange(count)),
            "post": _ids(FIRST_POST + post),
            "account": names[author],
            "actor": names[self._actors(author, rng)],
            "kind": pl.Series(KINDS)[kind],
            "happened_at": _moments(moment),
        }
        return pl.DataFrame(columns).with_columns(known_at="happened_at")

    def _actors(self, author: Ints, rng: np.random.Generator) -> Ints:
        distance = (self.accounts * rng.random(len(author)) ** LOYALTY).astype(np.int64)
        place = (self._shuffled(author) + distance) % self.accounts / self.accounts
        return (self.accounts * place**EAGERNESS).astype(np.int64)

    def _shuffled(self, accounts: Ints) -> Ints:
        """Another account for each, so that who has a large audience need not post or act much."""
        return (accounts * RING + self.accounts // 2) % self.accounts


def pour(flood: Flood, lake: Lake) -> None:
    """Nothing; the lake then holds the flood."""
    for number, batch in enumerate(flood.batches()):
        lake.append(batch, source=f"{NETWORK} {number}")


def _post_rows(posts: Posts, names: pl.Series) -> pl.DataFrame:
    number = posts.first + np.arange(len(posts.author))
    columns = {
        "post": _ids(FIRST_POST + number),
        "account": names[posts.author],
        "happened_at": _moments(posts.moment),
        "known_at": _moments(posts.moment),
        "text": TEXTS[number % len(TEXTS)],
        "kind": pl.Series(POST_KINDS)[number % len(POST_KINDS)],
        "n_media": number % 3 == 0,
        "n_urls": number % 5 == 0,
        "n_hashtags": number % 7 % 3,
        "n_mentions": number % 11 == 0,
    }
    told = pl.DataFrame(columns).with_columns(network=pl.lit(NETWORK), lang=pl.lit("en"))
    return told.select(pl.col(name).cast(kind) for name, kind in SCHEMAS["posts"].items())


def _ids(numbers: Ints) -> pl.Series:
    return f"{NETWORK}/" + pl.Series(numbers).cast(pl.String)


def _moments(microseconds: Ints) -> pl.Series:
    return (pl.Series(microseconds) + int(START.timestamp() * 1_000_000)).cast(TIME)
