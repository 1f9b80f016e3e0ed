"""The course of one network: everybody in it, everything said, everything done, bought or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from clout.data.society.content import compose
from clout.data.society.manipulation import (
    Purchases,
    count_throwaways,
    form_pods,
    run_bots,
    run_pods,
    sell_followers,
    sell_likes,
)
from clout.data.society.people import Floats, Ints, Society, connect, populate
from clout.data.society.reactions import Actions, World, expect, is_first, plant, react
from clout.data.society.vocabulary import words

SYLLABLES: Final = words("ba be bo da di do fa fe ka ki ko la le lo ma mi mo na ni no pa pe ra ri ro sa so ta te to vi")
LAG_SECONDS: Final = 3.0
LONGEST_LAG: Final = 60.0


@dataclass(frozen=True)
class Course:
    """Accounts are rows: the people, then the bots, then the throw-away accounts. `lags` say how late a row was known.

    `typical` holds the expected actions of each kind on a typical post of each person (people × kinds).
    """

    network: str
    config: Society
    world: World
    typical: Floats
    pods: Ints
    likes: Purchases
    followers: Purchases
    handles: list[str]
    age_days: Floats
    bots: int
    throwaways: int
    actions: Actions
    action_lags: Ints
    post_lags: Ints


@dataclass(frozen=True)
class Streams:
    """One source of chance for each part, so that switching one on leaves the others as they were."""

    people: np.random.Generator
    ties: np.random.Generator
    content: np.random.Generator
    reactions: np.random.Generator
    bots: np.random.Generator
    pods: np.random.Generator
    likes: np.random.Generator
    followers: np.random.Generator


def run(config: Society, network: str, scale: float, quality: Floats, rng: np.random.Generator) -> Course:
    """The course of `network`; `quality` belongs to the people, `scale` says how lively the network is."""
    chance = Streams(*rng.spawn(8))
    bots, throwaways = round(config.accounts * config.bots), count_throwaways(config)
    world = build(config, scale, quality, chance)
    content, people = world.content, world.people
    pods = form_pods(config, people, content, chance.pods)
    hired = np.arange(throwaways) + people.count + bots
    bought, likes = sell_likes(hired, config, people, content, chance.likes)
    actions, lags = merge(
        config,
        (react(world, chance.reactions), chance.reactions),
        (run_bots(np.arange(bots) + people.count, config, content, chance.bots), chance.bots),
        (run_pods(pods, content, chance.pods), chance.pods),
        (bought, chance.likes),
    )
    ages = (people.age_days, chance.bots.uniform(30.0, 700.0, bots), chance.likes.uniform(0.0, 20.0, throwaways))
    return Course(
        network=network,
        config=config,
        world=world,
        typical=plant(people, world.ties, content, scale),
        pods=pods,
        likes=likes,
        followers=sell_followers(config, people, content, chance.followers),
        handles=[*world.handles, *name(bots, chance.bots), *name(throwaways, chance.likes)],
        age_days=np.concatenate(ages),
        bots=bots,
        throwaways=throwaways,
        actions=actions,
        action_lags=lags,
        post_lags=lag(len(content.author), chance.content),
    )


def build(config: Society, scale: float, quality: Floats, chance: Streams) -> World:
    """The people, their ties and their posts, with the response to be expected."""
    people = populate(config, quality, chance.people)
    ties = connect(people, chance.ties)
    handles = name(people.count, chance.people)
    content = compose(config, people, handles, chance.content)
    return World(people, handles, ties, content, expect(config, people, ties, content, scale))


def merge(config: Society, *groups: tuple[Actions, np.random.Generator]) -> tuple[Actions, Ints]:
    """(all actions known before the end, each once, in order of time; their lags)."""
    actions = Actions.collect([group for group, _ in groups])
    lags = np.concatenate([lag(len(group.post), rng) for group, rng in groups])
    kept = np.flatnonzero(is_first(actions.keys) & (actions.at + lags < config.span))
    kept = kept[np.argsort(actions.at[kept], kind="stable")]
    return actions.where(kept), lags[kept]


def lag(count: int, rng: np.random.Generator) -> Ints:
    """Microseconds between a row's happening and its being known."""
    seconds = np.minimum(0.2 + rng.exponential(LAG_SECONDS, count), LONGEST_LAG)
    return np.asarray((seconds * 1_000_000).astype(np.int64))


def name(count: int, rng: np.random.Generator) -> list[str]:
    """A pronounceable handle for each account."""
    sounds = rng.integers(0, len(SYLLABLES), (count, 3)).tolist()
    return ["".join(SYLLABLES[sound] for sound in row) + f"_{number}" for number, row in enumerate(sounds)]
