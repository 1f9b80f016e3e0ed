"""What a simulated society would truly do with posts that were published otherwise: its own mechanism, without noise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.data.simulate import LIVELINESS, QUALITY_SPREAD, Society
from clout.data.society.content import EFFECTS, TYPICAL_WORDS, WORD_SCALE
from clout.data.society.course import Streams, build
from clout.data.society.logbook import outcome
from clout.data.society.people import START, community_peaks
from clout.data.society.reactions import World, add_cascade, cascade
from clout.data.society.vocabulary import VOCABULARY, word_effects

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
TEXT = pl.col("text")
OTHERS = r"(?:^|\s)(?:[@#]\S+|https?://\S+)"
HOUR = timedelta(hours=1) / timedelta(microseconds=1)
COEFFICIENTS = np.vstack([[row for row, _ in EFFECTS.values()], [WORD_SCALE]])


@dataclass(frozen=True)
class Truth:
    """The worlds of a society's networks, made again from what it was made of."""

    worlds: dict[str, World]

    @classmethod
    def of(cls, config: Society) -> Truth:
        """The worlds of `config`, as `simulate` makes them."""
        shared, *streams = np.random.default_rng(config.seed).spawn(1 + len(config.networks))
        quality = shared.normal(0.0, QUALITY_SPREAD, config.accounts)
        return cls(
            {
                network: build(config, LIVELINESS**place, quality, Streams(*rng.spawn(8)))
                for place, (network, rng) in enumerate(zip(config.networks, streams, strict=True))
            }
        )

    def expected(self, posts: pl.DataFrame, changed: pl.DataFrame) -> tuple[Floats, Floats]:
        """The expected outcome of posts of one network as they were, and as `changed` has them, row by row."""
        world = self.worlds[posts["network"][0]]
        rows = posts["post"].str.extract(r"p(\d+)$").cast(pl.Int64).to_numpy()
        lift = (traits(changed, world, rows) - traits(posts, world, rows)) @ COEFFICIENTS
        return outcome(world.response.expected[rows]), outcome(_expected(world, rows, lift))


def _expected(world: World, rows: Rows, lift: Floats) -> Floats:
    response, author = world.response, world.content.author[rows]
    rate, audience = response.rate[rows] * np.exp(lift), response.audience[rows]
    return add_cascade(rate, response.reached[rows], cascade(world.people, world.ties, author, audience))


def traits(posts: pl.DataFrame, world: World, rows: Rows) -> Floats:
    """The traits of posts as `EFFECTS` names them, and what their words do, (posts, traits + 1), as the rows show.

    `posts` has the columns of the posts table, and `lately`, how many its author had posted in the day before.
    """
    peaks = community_peaks()[world.people.community[world.content.author[rows]]]
    spoken = TEXT.str.replace_all(OTHERS, "").str.to_lowercase().str.extract_all(r"[a-z]+")
    tags = pl.col("n_hashtags")
    told = posts.select(
        media=pl.col("n_media") > 0,
        link=pl.col("n_urls") > 0,
        question=TEXT.str.contains(r"\?"),
        hashtags=pl.min_horizontal(tags, 2),
        hashtags_beyond_two=(tags - 2).clip(0),
        mentions=pl.col("n_mentions"),
        length=(spoken.list.len() / TYPICAL_WORDS).log().truediv(0.7) ** 2,
        hour=(pl.col("happened_at") - START).dt.total_microseconds() / HOUR % 24,
        weekend=pl.col("happened_at").dt.weekday() >= 6,
        recent_posts=pl.col("lately").log1p(),
        reply=pl.col("kind") == "reply",
        quote=pl.col("kind") == "quote",
        words=spoken.list.eval(
            pl.element().replace_strict(list(VOCABULARY), word_effects().tolist(), default=0.0)
        ).list.sum(),
    ).with_columns(hour=((pl.col("hour") - peaks) * np.pi / 12).cos())
    return told.cast(pl.Float64).to_numpy()
