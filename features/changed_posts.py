"""Posts of accounts measured again as if they had been published otherwise, by the catalogue's own expressions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.data.windows import window
from clout.features.catalogue import FEATURES
from clout.features.compute import Streams, look_up
from clout.features.feature import Feature
from clout.features.message import FORM, with_form
from clout.features.steps import LATELY, Step
from clout.features.wording import Wording

DAY = timedelta(days=1)
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Measured:
    """Posts measured again: those at `rows` as they are in `posts`, and their features `names`, (rows, names)."""

    rows: Rows
    posts: pl.DataFrame
    names: tuple[str, ...]
    features: Floats


def sample(posts: pl.DataFrame, streams: Streams, window_days: float, most: int, least: int = 1) -> pl.DataFrame:
    """At most so many posts of each account, evenly from those of the window, as `counted_posts` gives them.

    Nothing of accounts with fewer than `least` in it. Beside their columns: `row`, where each stands in `posts`, and
    `lately`, the account's posts in the day before it.
    """
    recent = posts.with_row_index("row").filter(pl.col("age_days") < window_days)
    place, count = pl.int_range(pl.len()), pl.len()
    turns = ((place * most) // count) != (((place - 1) * most) // count)
    chosen = recent.filter(((count >= least) & ((count <= most) | (place == 0) | turns)).over("account"))
    lately = window(chosen.select("account", at="happened_at"), streams.by_name["posts"], ["n"], DAY)
    return chosen.with_columns(lately["n"].alias(LATELY))


def levels(posts: pl.DataFrame, steps: Sequence[Step]) -> tuple[list[str], Floats]:
    """The accounts of `posts`, and where each stands in each step, (accounts, steps), by the mean over its posts.

    Missing, as NaN, where no post says anything about it.
    """
    named = [step.level.cast(pl.Float64).mean().alias(str(number)) for number, step in enumerate(steps)]
    told = posts.group_by("account", maintain_order=True).agg(named)
    return told["account"].to_list(), told.drop("account").to_numpy().astype(np.float64)


def level(posts: pl.DataFrame, step: Step) -> Floats:
    """How far each post does what the step is about; missing is NaN."""
    return posts.select(step.level.cast(pl.Float64)).to_series().to_numpy()


def sides(posts: pl.DataFrame, step: Step) -> tuple[Flags, Flags]:
    """Which posts a step would change, and which are already as those would be."""
    fits, alike = posts.select(fits=step.fits.fill_null(value=False), alike=step.alike.fill_null(value=False))
    return fits.to_numpy(), alike.to_numpy()


def as_published(posts: pl.DataFrame, step: Step, streams: Streams) -> Measured:
    """All `posts`, as `sample` gives them, unchanged, by the features that a step moves: with what was known before each."""
    numbered, moved = _numbered(posts), moved_features(step, _form_read(step), streams)
    context = _context(numbered.with_columns(as_of=pl.col("happened_at")), moved, streams)
    return _measured(numbered, context, moved)


def change(posts: pl.DataFrame, step: Step, streams: Streams, wording: Wording | None, at: datetime) -> Measured:
    """Those of `posts`, as `sample` gives them, that a step changes, as it makes them, by the features that it moves.

    Measured with what is known at a moment, or before each post where the step changes what is looked up. A post that it
    does not fit, or whose text it cannot change, is left out. What `compute` would say of a changed post is this, and of
    all other features what it said before.
    """
    numbered = _numbered(posts)
    made = _made(numbered.filter(step.fits), step)
    moved = moved_features(step, _form_moved(numbered[made["row"]], made, step), streams)
    as_of = pl.col("happened_at") if step.looked_up else pl.lit(at)
    context = _context(made.with_columns(as_of=as_of), moved, streams)
    if "text" in step.columns:
        context = context.with_columns(wording=_lift(made, wording))
    return _measured(made, context.with_columns(**step.looked_up), moved)


def moved_features(step: Step, form: Collection[str], streams: Streams) -> list[Feature]:
    """The features that read anything that a step changes, what they look up by the names `form` of `FORM` among it."""
    read = {*step.columns, *form, *step.looked_up, *(("wording",) if "text" in step.columns else ())}
    return [feature for feature in FEATURES if _moves(feature, read, form, streams)]


def _form_read(step: Step) -> set[str]:
    return {name for name, expression in FORM.items() if not _apart(expression.meta.root_names(), step.columns)}


def _form_moved(before: pl.DataFrame, after: pl.DataFrame, step: Step) -> set[str]:
    """What posts are looked up by that is another for one of them at least."""
    old, new = with_form(before), with_form(after)
    return {name for name in _form_read(step) if not old[name].equals(new[name])}


def _moves(feature: Feature, read: Collection[str], form: Collection[str], streams: Streams) -> bool:
    roots = feature.expression.meta.root_names()
    keys = {key for name in roots if "|" in name for key in streams.by_name[name.split("|")[0]].key}
    return not (_apart(roots, read) and _apart(keys, form))


def _apart(some: Collection[str], others: Collection[str]) -> bool:
    return set(some).isdisjoint(others)


def _made(posts: pl.DataFrame, step: Step) -> pl.DataFrame:
    """The posts as the step makes them, without those that it leaves as they are or cannot say."""
    made = posts.with_columns(**step.columns)
    same = pl.all_horizontal(made[name].eq_missing(posts[name]) for name in step.columns)
    unsaid = made["text"].is_null() & posts["text"].is_not_null()
    return made.filter(~same & ~unsaid)


def _context(posts: pl.DataFrame, moved: Sequence[Feature], streams: Streams) -> pl.DataFrame:
    roots = {name for feature in moved for name in feature.expression.meta.root_names()}
    return look_up(posts, streams, sorted(name for name in roots if "|" in name))


def _lift(posts: pl.DataFrame, wording: Wording | None) -> pl.Series | pl.Expr:
    if wording is None:
        return pl.lit(None, pl.Float64)
    return pl.Series(np.asarray(wording.values(posts["text"].to_list())))


def _numbered(posts: pl.DataFrame) -> pl.DataFrame:
    return posts.drop("row").with_row_index("row")


def _measured(posts: pl.DataFrame, context: pl.DataFrame, moved: Sequence[Feature]) -> Measured:
    told = context.select(feature.expression.cast(pl.Float64).alias(feature.name) for feature in moved)
    features = np.column_stack([told[name].to_numpy() for name in told.columns])
    return Measured(posts["row"].to_numpy().astype(np.intp), posts, tuple(told.columns), features)
