"""How a simulated society reacts: how much is expected, how much comes, from whom and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from clout.data.society.content import Content
from clout.data.society.people import (
    DAY,
    DRIVEN,
    PASSERS_BY,
    Flags,
    Floats,
    Ints,
    People,
    Society,
    Ties,
    community_peaks,
)

BASE_RATE: Final = (0.032, 0.007, 0.008, 0.002)
RESHARE: Final = 1
SPREAD: Final = 0.2
OUTSIDE: Final = 0.1
SHARED_NOISE: Final = 0.65
KIND_NOISE: Final = 0.25
MINUTE: Final = 60_000_000
MEDIAN_DELAY: Final = 18.6
DELAY_SPREAD: Final = 1.9
LATE_SHARE: Final = 0.02
BLOCK: Final = 50_000
STRIDE: Final = 1 << 24


@dataclass(frozen=True)
class Actions:
    """One row an action: the post's row, the actor's row, the kind's place in `DRIVEN`, and the time."""

    post: Ints
    actor: Ints
    kind: Ints
    at: Ints

    @classmethod
    def none(cls) -> Actions:
        """No rows."""
        empty = np.empty(0, np.int64)
        return cls(empty, empty, empty, empty)

    @classmethod
    def collect(cls, parts: list[Actions]) -> Actions:
        """All rows of `parts`, in order."""
        return cls(
            np.concatenate([part.post for part in parts]),
            np.concatenate([part.actor for part in parts]),
            np.concatenate([part.kind for part in parts]),
            np.concatenate([part.at for part in parts]),
        )

    @property
    def keys(self) -> Ints:
        """One number for each post, kind and actor: no two actions share it."""
        return slot(self.post, self.kind) * STRIDE + self.actor

    def where(self, keep: Flags | Ints) -> Actions:
        """The rows that `keep` picks."""
        return Actions(self.post[keep], self.actor[keep], self.kind[keep], self.at[keep])


@dataclass(frozen=True)
class Response:
    """Without noise: the `rate` a person reached, the `reached` people, the `expected` actions (posts × kinds)."""

    rate: Floats
    reached: Floats
    audience: Ints
    expected: Floats


def slot(post: Ints, kind: Ints) -> Ints:
    """The number of a post's kind."""
    return post * len(DRIVEN) + kind


def reach(audience: Ints) -> Floats:
    """How many people see a post: the audience and a few passers-by."""
    return np.asarray(audience + PASSERS_BY, dtype=np.float64)


def personal_rate(people: People, scale: float) -> Floats:
    """Expected actions of each kind a person reached, for a post of no traits (people × kinds)."""
    return np.asarray(scale * np.array(BASE_RATE) * np.exp(people.quality[:, None] + people.tilt))


def cascade(people: People, ties: Ties, author: Ints, audience: Ints) -> Floats:
    """The mean audience of whoever would reshare a post of `author`."""
    own = ties.followers.sizes.astype(np.float64)
    community = people.community[author]
    near = ties.neighbours.mean(community, ties.neighbours.sizes[community], own)
    among = np.where(audience > 0, ties.followers.mean(author, audience, own), near)
    return np.asarray((1.0 - OUTSIDE) * among + OUTSIDE * near)


def add_cascade(rate: Floats, reached: Floats, onward: Floats) -> Floats:
    """Expected actions of each kind: those reached, and those reached through reshares."""
    reshares = rate[:, RESHARE] * reached
    return np.asarray(rate * (reached + SPREAD * reshares * onward)[:, None])


def expect(config: Society, people: People, ties: Ties, content: Content, scale: float) -> Response:
    """The noise-free response to every post."""
    audience = ties.audience(content.author, content.at / config.span)
    reached = reach(audience)
    rate = personal_rate(people, scale)[content.author] * np.exp(content.effects)
    onward = cascade(people, ties, content.author, audience)
    return Response(rate, reached, audience, add_cascade(rate, reached, onward))


def plant(people: People, ties: Ties, content: Content, scale: float) -> Floats:
    """Expected actions of each kind on a typical original post of each person on the last day (people × kinds)."""
    everyone = np.arange(people.count)
    audience = ties.followers.sizes
    usual = np.exp(content.effects[content.kind == 0]).mean(axis=0)
    rate = personal_rate(people, scale) * usual
    return add_cascade(rate, reach(audience), cascade(people, ties, everyone, audience))


def delay(count: int, rng: np.random.Generator) -> Ints:
    """Microseconds until each of `count` actions: half within minutes, a few after days."""
    minutes = MEDIAN_DELAY * np.exp(rng.normal(0.0, DELAY_SPREAD, count))
    late = rng.random(count) < LATE_SHARE
    minutes[late] = rng.exponential(4.0 * 1440.0, int(late.sum()))
    return np.asarray((minutes * MINUTE).astype(np.int64) + 1_000_000)


def sleep_over(at: Ints, community: Ints, rng: np.random.Generator) -> Ints:
    """`at`, put off by some hours for a third of what would fall into the community's night."""
    hour = at % DAY / DAY * 24.0
    night = np.cos((hour - community_peaks()[community]) * np.pi / 12.0) < -0.75
    put_off = night & (rng.random(len(at)) < 0.35)
    return np.asarray(at + put_off * (rng.uniform(1.0, 8.0, len(at)) * 60.0 * MINUTE).astype(np.int64))


@dataclass(frozen=True)
class World:
    """All that decides who acts on what."""

    people: People
    handles: list[str]
    ties: Ties
    content: Content
    response: Response


@dataclass(frozen=True)
class Calls:
    """Actions that want an actor: of which slot and author, among the first `size` followers of `source`."""

    slot: Ints
    author: Ints
    source: Ints
    size: Ints


def recruit(calls: Calls, world: World, taken: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """(actor of each call, −1 where nobody new was found; the sorted keys now taken).

    Nobody acts twice in a slot, nor on an own post. Followers first, neighbours the more the longer one searches.
    """
    ties, community = world.ties, world.people.community
    actors = np.full(len(calls.slot), -1)
    pending = np.arange(len(actors))
    for stray_share in (OUTSIDE, OUTSIDE, 0.2, 0.3, 0.5, 0.8):
        source, size = calls.source[pending], calls.size[pending]
        stray = (rng.random(len(pending)) < stray_share) | (size == 0)
        drawn = ties.followers.draw(source, rng, size)
        drawn[stray] = ties.neighbours.draw(community[source[stray]], rng)
        keys = calls.slot[pending] * STRIDE + drawn
        new = is_first(keys) & ~is_among(keys, taken) & (drawn != calls.author[pending])
        actors[pending[new]] = drawn[new]
        taken = np.sort(np.concatenate([taken, keys[new]]))
        pending = pending[~new]
    return actors, taken


def is_first(keys: Ints) -> Flags:
    """Which of `keys` have not come before."""
    flags = np.zeros(len(keys), np.bool_)
    flags[np.unique(keys, return_index=True)[1]] = True
    return flags


def is_among(keys: Ints, ranked: Ints) -> Flags:
    """Which of `keys` are in `ranked`, which is sorted."""
    if not len(ranked):
        return np.zeros(len(keys), np.bool_)
    return np.asarray(ranked[np.minimum(np.searchsorted(ranked, keys), len(ranked) - 1)] == keys)


def blur(expected: Floats, rng: np.random.Generator) -> Ints:
    """Counts around `expected`: a shock that all kinds of a post share, one for each kind, and chance."""
    shared = rng.normal(-(SHARED_NOISE**2) / 2.0, SHARED_NOISE, (len(expected), 1))
    single = rng.normal(-(KIND_NOISE**2) / 2.0, KIND_NOISE, expected.shape)
    return rng.poisson(expected * np.exp(shared + single))


def first_wave(rows: Ints, world: World, rng: np.random.Generator) -> tuple[Actions, Ints]:
    """(what the authors' own audiences do with the posts of `rows`, the keys taken)."""
    response, content = world.response, world.content
    audience = response.audience[rows]
    counts = blur(response.rate[rows] * response.reached[rows, None], rng)
    counts = np.minimum(counts, audience[:, None] // 2 + 5).ravel()
    post = np.repeat(np.repeat(rows, len(DRIVEN)), counts)
    kind = np.repeat(np.tile(np.arange(len(DRIVEN)), len(rows)), counts)
    author = content.author[post]
    calls = Calls(slot(post, kind), author, author, response.audience[post])
    actors, taken = recruit(calls, world, np.empty(0, np.int64), rng)
    at = sleep_over(content.at[post] + delay(len(post), rng), world.people.community[author], rng)
    return Actions(post, actors, kind, at).where(actors >= 0), taken


def second_wave(first: Actions, taken: Ints, world: World, rng: np.random.Generator) -> Actions:
    """What the audiences of those who reshared do."""
    reshares = first.where(first.kind == RESHARE)
    audience = world.ties.followers.sizes[reshares.actor]
    counts = rng.poisson(world.response.rate[reshares.post] * SPREAD * audience[:, None])
    counts = np.minimum(counts, audience[:, None] // 2 + 2).ravel()
    cause = np.repeat(np.repeat(np.arange(len(audience)), len(DRIVEN)), counts)
    kind = np.repeat(np.tile(np.arange(len(DRIVEN)), len(audience)), counts)
    post, source = reshares.post[cause], reshares.actor[cause]
    calls = Calls(slot(post, kind), world.content.author[post], source, audience[cause])
    actors, _ = recruit(calls, world, taken, rng)
    at = sleep_over(reshares.at[cause] + delay(len(post), rng), world.people.community[source], rng)
    return Actions(post, actors, kind, at).where(actors >= 0)


def react(world: World, rng: np.random.Generator) -> Actions:
    """Every action the people ever take on the posts, block by block of posts."""
    parts = [Actions.none()]
    for start in range(0, len(world.content.author), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(world.content.author)))
        first, taken = first_wave(rows, world, rng)
        parts += [first, second_wave(first, taken, world, rng)]
    return Actions.collect(parts)
