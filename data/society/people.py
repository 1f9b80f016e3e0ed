"""The people of a simulated society: who they are, whom they follow and how often they speak."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

START: Final = datetime(2025, 1, 6, tzinfo=UTC)
DRIVEN: Final = ("like", "reshare", "reply", "quote")
TOPICS: Final = 12
PASSERS_BY: Final = 2.0
DAY: Final = 86_400_000_000

Amount = Annotated[int, Field(ge=0)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")]


class Society(BaseModel):
    """What to simulate; the same values give the same society, row for row.

    Whatever is switched on adds rows (actions, accounts, followers shown) and leaves every other row as it was.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(7, ge=0, description="where every random draw begins")
    accounts: int = Field(5000, ge=50, le=10_000_000, description="people of each network, lurkers included")
    days: int = Field(90, ge=8, description="how long the society is watched")
    lurkers: float = Field(0.6, ge=0, le=0.95, description="share of the people who read and act but hardly post")
    bots: float = Field(
        0.005, ge=0, le=1, description="bots added, as a share of the people; they act a lot, on anything"
    )
    pods: Amount = Field(0, description="groups whose members act on whatever the others post")
    pod_size: int = Field(15, ge=2, description="members of each pod")
    bought_likes: Amount = Field(0, description="accounts that buy likes from throw-away accounts")
    likes_per_buyer: int = Field(1000, ge=1, description="likes each of them buys")
    boosted_posts: int = Field(30, ge=1, description="consecutive posts over which the bought likes are spread")
    bought_followers: Amount = Field(0, description="accounts that buy followers who never act")
    followers_per_buyer: int = Field(2000, ge=1, description="followers each of them buys")
    networks: tuple[Name, ...] = Field(
        ("commons",), min_length=1, description="one society each; the same person has the same quality in all"
    )

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        if len(set(self.networks)) < len(self.networks):
            raise ValueError(f"got the networks {', '.join(self.networks)}; expected each name once")
        return self

    @property
    def end(self) -> datetime:
        """The moment the watch ends: nothing known later is in the tables."""
        return START + timedelta(days=self.days)

    @property
    def span(self) -> int:
        """The length of the watch in microseconds."""
        return self.days * DAY


@dataclass(frozen=True)
class Urns:
    """Members in groups (`members[starts[g]:starts[g + 1]]`), each drawn in proportion to its weight."""

    starts: Ints
    members: Ints
    totals: Floats

    @classmethod
    def fill(cls, groups: Ints, members: Ints, weights: Floats, count: int) -> Urns:
        """Urns 0 … count − 1 out of rows that are already sorted by group."""
        starts = np.searchsorted(groups, np.arange(count + 1))
        return cls(starts, members, np.concatenate([[0.0], np.cumsum(weights)]))

    @property
    def sizes(self) -> Ints:
        """How many members each urn holds."""
        return np.diff(self.starts)

    def draw(self, urns: Ints, rng: np.random.Generator, sizes: Ints | None = None) -> Ints:
        """One member for each of `urns`, among its first `sizes` members; an empty urn gives a stranger."""
        first = self.starts[urns]
        last = first + (self.sizes[urns] if sizes is None else sizes)
        marks = self.totals[first] + rng.random(len(urns)) * (self.totals[last] - self.totals[first])
        drawn = np.searchsorted(self.totals, marks, side="right") - 1
        return np.asarray(self.members[np.clip(drawn, 0, np.maximum(last, 1) - 1)])

    def mean(self, urns: Ints, sizes: Ints, values: Floats) -> Floats:
        """The weighted mean of a member's `values` over the first `sizes` members of each urn; 0 where empty."""
        weighted = np.concatenate([[0.0], np.cumsum(np.diff(self.totals) * values[self.members])])
        first = self.starts[urns]
        weight = self.totals[first + sizes] - self.totals[first]
        total = weighted[first + sizes] - weighted[first]
        return np.asarray(np.divide(total, weight, out=np.zeros_like(total), where=weight > 0))


@dataclass(frozen=True)
class People:
    """One row a person: `popularity` is the audience aimed at, `quality` and `tilt` the log response a reader gives."""

    community: Ints
    lurker: Flags
    popularity: Floats
    rate: Floats
    activity: Floats
    quality: Floats
    tilt: Floats
    age_days: Floats
    peak_hour: Floats
    growth: Floats

    @property
    def count(self) -> int:
        """How many people there are."""
        return len(self.community)


@dataclass(frozen=True)
class Ties:
    """Who can be reached: `followers` (an urn an author, oldest first) and `neighbours` (an urn a community)."""

    followers: Urns
    neighbours: Urns
    growth: Floats

    def audience(self, account: Ints, elapsed: Floats) -> Ints:
        """Followers of each account when a share `elapsed` of the watch has passed."""
        shrunk = self.followers.sizes[account] * np.exp(-self.growth[account] * (1.0 - elapsed))
        return np.asarray(np.ceil(shrunk).astype(np.int64))


def community_peaks() -> Floats:
    """The UTC hour at which each community is most awake."""
    return np.asarray((14.0 + 5.0 * np.arange(TOPICS)) % 24.0, dtype=np.float64)


def populate(config: Society, quality: Floats, rng: np.random.Generator) -> People:
    """The people of one network; `quality` is given, since a person takes it along to every network."""
    n = config.accounts
    sizes = 1.0 / (np.arange(TOPICS) + 4.0)
    community = rng.choice(TOPICS, n, p=sizes / sizes.sum())
    lurker = rng.random(n) < config.lurkers
    fame, zeal = rng.normal(size=n), rng.normal(size=n)
    return People(
        community=community,
        lurker=lurker,
        popularity=np.where(lurker, 8.0 * np.exp(0.9 * fame), 55.0 * np.exp(1.4 * fame)),
        rate=np.minimum(np.where(lurker, 0.02, 0.7) * np.exp(0.25 * fame + 0.9 * zeal), 20.0),
        activity=np.exp(rng.normal(0.0, 1.0, n)),
        quality=quality,
        tilt=rng.normal(0.0, 0.2, (n, len(DRIVEN))),
        age_days=np.clip(np.exp(rng.normal(6.5, 1.0, n)), 3.0, 5000.0),
        peak_hour=(community_peaks()[community] + rng.normal(0.0, 4.0, n)) % 24.0,
        growth=rng.exponential(0.1, n),
    )


def gather(people: People, weights: Floats) -> Urns:
    """An urn for each community."""
    order = np.argsort(people.community, kind="stable")
    return Urns.fill(people.community[order], order, weights[order], TOPICS)


def connect(people: People, rng: np.random.Generator) -> Ties:
    """Who follows whom: mostly one's own community, the more of everybody the larger the audience."""
    n = people.count
    attention = np.exp(rng.normal(0.0, 0.6, n))
    wanted = rng.poisson(np.minimum(people.popularity, 3.0 * n))
    size = np.bincount(people.community, minlength=TOPICS)[people.community]
    author = np.repeat(np.arange(n), wanted)
    follower = np.searchsorted(np.cumsum(attention), rng.random(len(author)) * attention.sum()).clip(0, n - 1)
    near = rng.random(len(author)) < (1.0 / (1.0 + wanted / (2.0 * size)))[author]
    follower[near] = gather(people, attention).draw(people.community[author[near]], rng)
    pairs = np.unique((author * n + follower)[author != follower])
    pairs = pairs[np.lexsort((rng.random(len(pairs)), pairs // n))]
    author, follower = pairs // n, pairs % n
    affinity = people.activity[follower] * np.exp(rng.normal(0.0, 0.8, len(pairs)))
    return Ties(Urns.fill(author, follower, affinity, n), gather(people, people.activity), people.growth)
