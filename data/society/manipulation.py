"""What distorts a simulated society: bots, pods, bought likes and bought followers. Each only adds rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from clout.data.society.content import Content
from clout.data.society.people import DAY, Flags, Ints, People, Society
from clout.data.society.reactions import MINUTE, RESHARE, Actions, delay
from clout.errors import CloutError

ACTS_A_DAY: Final = 30.0
BOT_RESHARES: Final = 0.25
MATE_ACTS: Final = (0.8, 0.3, 0.4, 0.05)
MIN_POSTS: Final = 10
LIKES_A_THROWAWAY: Final = 5
RIPE_DAYS: Final = 8
SCHEMES: Final = ("pods", "bought_likes", "bought_followers")


class SimulationError(CloutError):
    """The society asked for cannot be made."""

    code = "simulation"


@dataclass(frozen=True)
class Purchases:
    """One row a purchase: the buyer, how much, and from when until when (microseconds since the start)."""

    buyer: Ints
    amount: Ints
    since: Ints
    until: Ints


def ripe(config: Society, content: Content) -> Flags:
    """Which posts are old enough at the end of the watch for their outcome to be known."""
    return np.asarray(content.at < config.span - RIPE_DAYS * DAY)


def candidates(config: Society, people: People, content: Content, scheme: str, rng: np.random.Generator) -> Ints:
    """People who post enough to take part in `scheme`, in random order; nobody is in two schemes."""
    posts = np.bincount(content.author[ripe(config, content)], minlength=people.count)
    eligible = np.flatnonzero(~people.lurker & (posts >= MIN_POSTS))
    share = SCHEMES.index(scheme)
    return rng.permutation(eligible[eligible % len(SCHEMES) == share])


def require(wanted: int, found: int, scheme: str) -> None:
    """Nothing; raises `SimulationError` when fewer were found than wanted."""
    if wanted > found:
        raise SimulationError(
            f"got {scheme} for {wanted} accounts; expected at most {found}, the accounts that post enough: "
            "ask for fewer, or simulate more accounts or days"
        )


def run_bots(bots: Ints, config: Society, content: Content, rng: np.random.Generator) -> Actions:
    """What the bots do: many likes and reshares, on any post."""
    acts = rng.poisson(rng.gamma(4.0, ACTS_A_DAY / 4.0, len(bots)) * config.days)
    actor = np.repeat(bots, acts)
    post = rng.integers(0, len(content.author), len(actor))
    kind = np.where(rng.random(len(actor)) < BOT_RESHARES, RESHARE, 0)
    return Actions(post, actor, kind, content.at[post] + delay(len(post), rng))


def form_pods(config: Society, people: People, content: Content, rng: np.random.Generator) -> Ints:
    """The pod of each person, −1 for none; the members of a pod share a community as far as possible."""
    pool = candidates(config, people, content, "pods", rng)
    require(config.pods * config.pod_size, len(pool), "pods")
    pool = pool[np.argsort(people.community[pool], kind="stable")]
    groups = pool[: len(pool) // config.pod_size * config.pod_size].reshape(-1, config.pod_size)
    chosen = rng.permutation(len(groups))[: config.pods]
    pods = np.full(people.count, -1)
    pods[groups[chosen]] = np.arange(config.pods)[:, None]
    return pods


def run_pods(pods: Ints, content: Content, rng: np.random.Generator) -> Actions:
    """What pod members do with one another's posts, most of it within the hour."""
    parts = [Actions.none()]
    for pod in range(int(pods.max(initial=-1)) + 1):
        members = np.flatnonzero(pods == pod)
        posts = np.flatnonzero(pods[content.author] == pod)
        acts = rng.random((len(posts), len(members), len(MATE_ACTS))) < np.array(MATE_ACTS)
        row, mate, kind = np.nonzero(acts)
        post, actor = posts[row], members[mate]
        at = content.at[post] + (rng.exponential(20.0, len(post)) * MINUTE).astype(np.int64) + 1_000_000
        parts.append(Actions(post, actor, kind, at).where(actor != content.author[post]))
    return Actions.collect(parts)


def count_throwaways(config: Society) -> int:
    """How many throw-away accounts there are to like for money."""
    return crew_size(config.likes_per_buyer, config.boosted_posts) if config.bought_likes else 0


def crew_size(likes: int, posts: int) -> int:
    """How many throw-away accounts it takes to spread `likes` over `posts`, few to each of them."""
    return max(2 * -(-likes // posts), likes // LIKES_A_THROWAWAY)


def sell_likes(
    throwaways: Ints, config: Society, people: People, content: Content, rng: np.random.Generator
) -> tuple[Actions, Purchases]:
    """(bought likes, who bought them): bursts on a run of consecutive posts that are ripe when the watch ends."""
    pool = candidates(config, people, content, "bought_likes", rng)
    require(config.bought_likes, len(pool), "bought likes")
    buyers = pool[: config.bought_likes]
    parts: list[Actions] = [Actions.none()]
    spans = []
    for buyer in buyers:
        posts = np.flatnonzero((content.author == buyer) & ripe(config, content))
        posts = posts[-config.boosted_posts :]
        shares = np.array([len(share) for share in np.array_split(np.arange(config.likes_per_buyer), len(posts))])
        parts.append(burst(posts, np.minimum(shares, len(throwaways)), throwaways, content.at, rng))
        spans.append((len(parts[-1].post), content.at[posts[0]], content.at[posts[-1]]))
    amount, since, until = np.array(spans, dtype=np.int64).reshape(-1, 3).T
    return Actions.collect(parts), Purchases(buyers, amount, since, until)


def burst(posts: Ints, likes: Ints, throwaways: Ints, published: Ints, rng: np.random.Generator) -> Actions:
    """`likes` likes on each of `posts` by different throw-away accounts, within some twenty minutes.

    `published` is when each post there is was, in microseconds; `posts` are places in it.
    """
    crew = np.concatenate([rng.permutation(throwaways)[:count] for count in likes])
    post = np.repeat(posts, likes)
    begin = np.repeat(rng.uniform(5.0, 180.0, len(posts)), likes)
    at = published[post] + ((begin + rng.uniform(0.0, 20.0, len(post))) * MINUTE).astype(np.int64)
    return Actions(post, crew, np.zeros(len(post), np.int64), at)


def sell_followers(config: Society, people: People, content: Content, rng: np.random.Generator) -> Purchases:
    """Who bought followers, and the day over which they came."""
    pool = candidates(config, people, content, "bought_followers", rng)
    require(config.bought_followers, len(pool), "bought followers")
    buyers = pool[: config.bought_followers]
    since = (rng.uniform(0.2, 0.6, len(buyers)) * config.span).astype(np.int64)
    return Purchases(buyers, np.full(len(buyers), config.followers_per_buyer), since, since + DAY)
