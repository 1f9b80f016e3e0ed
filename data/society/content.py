"""What a simulated society says: posts, their words, and what each trait truly does to the response."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from clout.data.society.people import DAY, DRIVEN, Flags, Floats, Ints, People, Society, community_peaks
from clout.data.society.vocabulary import (
    FIRST_HELPING,
    FIRST_HURTING,
    FIRST_PLAIN,
    FIRST_TOPIC,
    HELPING,
    HURTING,
    LINKING,
    PLAIN,
    TOPIC_WORDS,
    VOCABULARY,
    WORDS_A_TOPIC,
    word_effects,
)

LINKS: Final = 500
TYPICAL_WORDS: Final = 16.0
CHUNK: Final = 100_000

EFFECTS: Final[dict[str, tuple[tuple[float, float, float, float], str]]] = {
    "media": ((0.50, 0.45, 0.10, 0.15), "has a picture or film"),
    "link": ((-0.50, -0.20, -0.45, -0.25), "has a link"),
    "question": ((-0.15, -0.20, 0.80, 0.10), "ends with a question mark"),
    "hashtags": ((0.12, 0.18, 0.00, 0.05), "each of the first two hashtags"),
    "hashtags_beyond_two": ((-0.28, -0.30, -0.20, -0.25), "each hashtag beyond the second"),
    "mentions": ((-0.20, -0.25, 0.15, -0.10), "each account mentioned"),
    "length": ((-0.25, -0.20, -0.15, -0.10), "squared log distance from 16 words, in units of 0.7"),
    "hour": ((0.35, 0.30, 0.35, 0.25), "cosine of the distance from the community's peak hour"),
    "weekend": ((-0.20, -0.25, -0.10, -0.15), "published on a Saturday or Sunday (UTC)"),
    "recent_posts": ((-0.25, -0.30, -0.25, -0.20), "log(1 + own posts in the 24 hours before)"),
    "reply": ((-1.30, -2.00, -0.60, -1.50), "is a reply to someone"),
    "quote": ((-0.20, -0.40, -0.10, -0.30), "is a quote of another post"),
}
WORD_SCALE: Final = (1.0, 1.2, 0.7, 1.0)


@dataclass(frozen=True)
class Content:
    """One row a post, oldest first; `effects` (posts × kinds) is the log factor that its traits put on the response."""

    author: Ints
    at: Ints
    kind: Ints
    media: Ints
    links: Ints
    hashtags: Ints
    mentions: Ints
    effects: Floats
    text: pl.Series


@dataclass(frozen=True)
class Habits:
    """How each person tends to write: rates a post, and the usual log length."""

    media: Floats
    link: Floats
    question: Floats
    hashtags: Floats
    mentions: Floats
    reply: Floats
    words: Floats
    charm: Floats


def true_effects() -> pl.DataFrame:
    """Rows (effect, kind, coefficient, meaning): what the society adds to the log of the expected actions."""
    traits = [
        (name, kind, value, meaning)
        for name, (row, meaning) in EFFECTS.items()
        for kind, value in zip(DRIVEN, row, strict=True)
    ]
    words = [
        (f"word:{word}", kind, float(effect * scale), "each use of the word")
        for word, effect in zip(VOCABULARY, word_effects(), strict=True)
        if effect != 0.0
        for kind, scale in zip(DRIVEN, WORD_SCALE, strict=True)
    ]
    return pl.DataFrame([*traits, *words], schema=["effect", "kind", "coefficient", "meaning"], orient="row")


def form_habits(count: int, rng: np.random.Generator) -> Habits:
    """The habits of `count` people."""
    return Habits(
        media=rng.beta(3.0, 6.0, count),
        link=rng.beta(3.0, 7.0, count),
        question=rng.beta(1.5, 8.0, count),
        hashtags=rng.gamma(3.0, 0.3, count),
        mentions=rng.gamma(2.0, 0.1, count),
        reply=rng.beta(3.0, 14.0, count),
        words=rng.normal(np.log(14.0), 0.25, count),
        charm=rng.beta(6.0, 6.0, count),
    )


def schedule(config: Society, people: People, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """(author, time in microseconds since the start) of every post, oldest first."""
    author = np.repeat(np.arange(people.count), rng.poisson(people.rate * config.days))
    weight = np.where(np.arange(config.days) % 7 >= 5, 0.7, 1.0)
    day = rng.choice(config.days, len(author), p=weight / weight.sum())
    usual = people.peak_hour[author] + rng.normal(0.0, 3.0, len(author))
    hour = np.where(rng.random(len(author)) < 0.15, rng.random(len(author)) * 24.0, usual) % 24.0
    at = day * DAY + (hour / 24.0 * (DAY - 60_000_000)).astype(np.int64)
    order = np.lexsort((author, at))
    return author[order], at[order]


def count_recent(author: Ints, at: Ints, span: int) -> Ints:
    """For each post, the author's posts in the 24 hours before it."""
    line = author * (span + 2 * DAY) + at
    order = np.argsort(line, kind="stable")
    ranked = line[order]
    recent = np.empty(len(line), np.int64)
    recent[order] = np.arange(len(line)) - np.searchsorted(ranked, ranked - DAY, side="left")
    return recent


def within(counts: Ints) -> Ints:
    """0 … count − 1 for each of `counts`, one after the other.

    >>> within(np.array([2, 0, 3])).tolist()
    [0, 1, 0, 1, 2]
    """
    return np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)


def choose_words(community: Ints, lengths: Ints, charm: Floats, rng: np.random.Generator) -> Ints:
    """Word numbers of all posts, one after the other: linking words take turns with plain, charged and topic words."""
    total = int(lengths.sum())
    post = np.repeat(np.arange(len(lengths)), lengths)
    topic = FIRST_TOPIC + community[post] * WORDS_A_TOPIC + rng.integers(0, WORDS_A_TOPIC, total)
    helps = rng.random(total) < charm[post]
    charged = np.where(
        helps,
        FIRST_HELPING + rng.integers(0, len(HELPING), total),
        FIRST_HURTING + rng.integers(0, len(HURTING), total),
    )
    plain = FIRST_PLAIN + rng.integers(0, len(PLAIN), total)
    which = rng.random(total)
    words = np.where(which < 0.45, topic, np.where(which < 0.57, charged, plain))
    return np.where(within(lengths) % 2 == 0, rng.integers(0, len(LINKING), total), words)


@dataclass(frozen=True)
class Draft:
    """A block of posts before it is written out: traits a post, and the flat word numbers."""

    author: Ints
    community: Ints
    kind: Ints
    media: Ints
    links: Ints
    question: Flags
    hashtags: Ints
    mentions: Ints
    lengths: Ints
    words: Ints


def draft(author: Ints, people: People, habits: Habits, rng: np.random.Generator) -> Draft:
    """Traits and words of the posts of `author`; one post in ten strays from the author's topic."""
    n = len(author)
    stray = rng.random(n) < 0.1
    community = np.where(stray, rng.integers(0, len(TOPIC_WORDS), n), people.community[author])
    reply = rng.random(n) < habits.reply[author]
    kind = np.where(reply, 1, np.where(rng.random(n) < 0.04, 2, 0))
    lengths = np.clip(np.exp(rng.normal(habits.words[author], 0.45)), 3, 50).astype(np.int64)
    return Draft(
        author=author,
        community=community,
        kind=kind,
        media=(rng.random(n) < habits.media[author]) * rng.integers(1, 4, n),
        links=(rng.random(n) < habits.link[author]).astype(np.int64),
        question=rng.random(n) < habits.question[author],
        hashtags=np.minimum(rng.poisson(habits.hashtags[author]), 8),
        mentions=np.minimum(rng.poisson(habits.mentions[author]) + reply, 5),
        lengths=lengths,
        words=choose_words(community, lengths, habits.charm[author], rng),
    )


def weigh_traits(posts: Draft, at: Ints, recent: Ints, people: People) -> Floats:
    """The log factor of each post's traits on each kind of action (posts × kinds)."""
    hour = at % DAY / DAY * 24.0
    peak = community_peaks()[people.community[posts.author]]
    traits = {
        "media": posts.media > 0,
        "link": posts.links > 0,
        "question": posts.question,
        "hashtags": np.minimum(posts.hashtags, 2),
        "hashtags_beyond_two": np.maximum(posts.hashtags - 2, 0),
        "mentions": posts.mentions,
        "length": (np.log(posts.lengths / TYPICAL_WORDS) / 0.7) ** 2,
        "hour": np.cos((hour - peak) * np.pi / 12.0),
        "weekend": at // DAY % 7 >= 5,
        "recent_posts": np.log1p(recent),
        "reply": posts.kind == 1,
        "quote": posts.kind == 2,
    }
    values = np.column_stack([np.asarray(traits[name], dtype=np.float64) for name in EFFECTS])
    post = np.repeat(np.arange(len(posts.lengths)), posts.lengths)
    said = np.bincount(post, word_effects()[posts.words], minlength=len(posts.lengths))
    coefficients = np.array([row for row, _ in EFFECTS.values()])
    return np.asarray(values @ coefficients + said[:, None] * np.array(WORD_SCALE))


def list_tokens(handles: list[str]) -> pl.Series:
    """Every token a text can hold: words plain, capitalised, ending and asking; hashtags; mentions; links."""
    forms = [
        *VOCABULARY,
        *(word.capitalize() for word in VOCABULARY),
        *(f"{word}." for word in VOCABULARY),
        *(f"{word}?" for word in VOCABULARY),
        *(f"#{word}" for word in VOCABULARY),
        *(f"@{handle}" for handle in handles),
        *(f"https://example.org/{number:x}" for number in range(4096, 4096 + LINKS)),
    ]
    return pl.Series(forms, dtype=pl.String)


def write(posts: Draft, tokens: pl.Series, people: int, rng: np.random.Generator) -> pl.Series:
    """The text of each post: mentions, a sentence, hashtags, link."""
    size = len(VOCABULARY)
    spoken = posts.words.copy()
    ends = np.cumsum(posts.lengths)
    spoken[ends - posts.lengths] += size
    spoken[ends - 1] += np.where(posts.question, 3, 2) * size
    tag = FIRST_TOPIC + np.repeat(posts.community, posts.hashtags) * WORDS_A_TOPIC
    tagged = 4 * size + tag + rng.integers(0, WORDS_A_TOPIC, len(tag))
    named = 5 * size + rng.integers(0, people, int(posts.mentions.sum()))
    linked = 5 * size + people + rng.integers(0, LINKS, int(posts.links.sum()))
    parts = ((posts.mentions, named), (posts.lengths, spoken), (posts.hashtags, tagged), (posts.links, linked))
    return join(parts, tokens)


def join(parts: tuple[tuple[Ints, Ints], ...], tokens: pl.Series) -> pl.Series:
    """One text a post out of parts (tokens a post, token numbers), each part in its place."""
    counts = np.column_stack([count for count, _ in parts])
    lengths = counts.sum(axis=1)
    first = np.cumsum(lengths) - lengths
    flat = np.empty(int(lengths.sum()), np.int64)
    for place, (count, numbers) in enumerate(parts):
        flat[np.repeat(first + counts[:, :place].sum(axis=1), count) + within(count)] = numbers
    rows = pl.DataFrame({"post": np.repeat(np.arange(len(lengths)), lengths), "token": tokens.gather(flat)})
    return rows.group_by("post", maintain_order=True).agg(pl.col("token").str.join(" "))["token"]


def compose(config: Society, people: People, handles: list[str], rng: np.random.Generator) -> Content:
    """Everything the people post during the watch."""
    author, at = schedule(config, people, rng)
    recent = count_recent(author, at, config.span)
    habits = form_habits(people.count, rng)
    tokens = list_tokens(handles)
    drafts, effects, texts = [], [], []
    for start in range(0, len(author), CHUNK):
        block = slice(start, start + CHUNK)
        posts = draft(author[block], people, habits, rng)
        drafts.append(posts)
        effects.append(weigh_traits(posts, at[block], recent[block], people))
        texts.append(write(posts, tokens, people.count, rng))

    def collect(trait: str) -> Ints:
        return np.concatenate([getattr(posts, trait) for posts in drafts])

    return Content(
        author=author,
        at=at,
        kind=collect("kind"),
        media=collect("media"),
        links=collect("links"),
        hashtags=collect("hashtags"),
        mentions=collect("mentions"),
        effects=np.concatenate(effects),
        text=pl.concat(texts),
    )
