"""How far posts have moved from those a model was taught on, feature by feature, as effect sizes with a learned floor.

The effect is the Jensen–Shannon distance (the root of the divergence in bits: 0 alike, 1 nothing in common; Lin 1991,
Endres and Schindelin 2003) over bins at the reference's quantiles, with bins for missing and for never seen. It is
bounded and needs no smoothing, unlike PSI. A shift of the mean by a quarter of a standard deviation gives about 0.1.

The floor is what ordinary weeks give: earlier stretches of the reference as long as the current posts, each against
what lay before it at the same distance, with accounts (not posts, which are alike within one) drawn again each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.errors import CloutError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
LEAST_EFFECT = 0.1
FLOOR_LEVEL = 0.98
RESAMPLES = 200
LEAST_POSTS = 50
GROUPS = 100
STEPS = 2
STRETCHES = 4
MOST_STRETCHES = 60
CATEGORIES = 10
TENTHS = np.arange(1, 10) / 10


class Posts(Protocol):
    """A frame, or what gives its columns like one."""

    def __len__(self) -> int:
        """How many posts there are."""
        ...

    def __getitem__(self, name: str, /) -> pl.Series:
        """One column."""
        ...


class TooFewPostsError(CloutError):
    """There are too few posts to tell drift from chance."""

    code = "too_few_posts"


@dataclass(frozen=True)
class Drift:
    """How far one feature moved: `distance` from 0 to 1, the `floor` of ordinary weeks, and `shift`.

    `shift` is that of the mean, in standard deviations of the reference, both cut to its middle 98 % (None for words
    and where it cannot be told). `bins` names the parts of its range, `before` and `now` are the shares of posts in
    each; the last two are never seen and missing.
    """

    feature: str
    distance: float
    floor: float
    shift: float | None
    bins: tuple[str, ...]
    before: tuple[float, ...]
    now: tuple[float, ...]

    @property
    def drifted(self) -> bool:
        """Whether it moved beyond ordinary weeks, and far enough to be worth talking about."""
        return self.distance > max(self.floor, LEAST_EFFECT)

    @property
    def missing(self) -> tuple[float, float]:
        """The shares of posts where it is missing, before and now."""
        return self.before[-1], self.now[-1]


@dataclass(frozen=True)
class _Layout:
    """Where each post of the reference lies, and which stretches of it are set against which.

    `slices` counts steps back from the newest post of the reference, `groups` are accounts dealt at random; `windows`
    and `befores` are (draws, 2) half-open ranges of slices, `drawn` and `redrawn` (draws, groups) how often each group
    was drawn. `stretch` is how many of the newest slices the current posts are set against.
    """

    slices: Ints
    groups: Ints
    windows: Ints
    befores: Ints
    drawn: Floats
    redrawn: Floats
    stretch: int


def drift(reference: Posts, current: Posts, features: Sequence[str], seed: int) -> list[Drift]:
    """The drift of each of `features`, in their order, from `reference` to `current`.

    Both have account, happened_at and the features, numbers or text. `current` is set against the newest stretch of
    `reference`, four times as long as itself where there is so much. Raises `TooFewPostsError` below 50 posts.
    """
    for name, frame in (("reference", reference), ("current", current)):
        if len(frame) < LEAST_POSTS:
            raise TooFewPostsError(
                f"got {len(frame)} posts as {name}; expected at least {LEAST_POSTS}: take a longer time, or wait for more"
            )
    layout = _lay_out(reference, current, np.random.default_rng(seed))
    return [_one(name, reference[name], current[name], layout) for name in features]


def _one(name: str, reference: pl.Series, current: pl.Series, layout: _Layout) -> Drift:
    bins = _Bins.of(reference)
    codes, size = bins.place(reference), len(bins.names)
    now = np.bincount(bins.place(current), minlength=size)
    groups = layout.drawn.shape[1]
    cells = (layout.slices * groups + layout.groups) * size + codes
    counts = np.bincount(cells, minlength=(layout.slices.max() + 1) * groups * size).reshape(-1, groups, size)
    running = np.concatenate([np.zeros((1, groups, size)), counts.cumsum(axis=0)])
    before = running[layout.stretch].sum(axis=0)
    windows = _drawn(running, layout.windows, layout.drawn)
    ordinary = _distance(windows, _drawn(running, layout.befores, layout.redrawn))
    return Drift(
        feature=name,
        distance=float(_distance(now, before)),
        floor=float(np.quantile(ordinary, FLOOR_LEVEL)),
        shift=_shift(reference.filter(pl.Series(layout.slices < layout.stretch)), current),
        bins=bins.names,
        before=tuple((before / before.sum()).tolist()),
        now=tuple((now / now.sum()).tolist()),
    )


def _drawn(running: Floats, ranges: Ints, weights: Floats) -> Floats:
    """The counts by bin (draws, bins) of each range of slices, groups of accounts weighted."""
    inside = running[ranges[:, 1]] - running[ranges[:, 0]]
    return np.asarray(np.einsum("dgb,dg->db", inside, weights))


def _distance(counts: npt.ArrayLike, others: npt.ArrayLike) -> Floats:
    """The Jensen–Shannon distance of counts by bin, along the last axis; 0 where one side has none."""
    p, q = (np.asarray(side, np.float64) for side in (counts, others))
    p, q = (side / np.maximum(side.sum(axis=-1, keepdims=True), 1e-300) for side in (p, q))
    middle = (p + q) / 2
    both = (p.sum(axis=-1) > 0) & (q.sum(axis=-1) > 0)
    divergence = (_entropy(p, middle) + _entropy(q, middle)) / 2
    return np.asarray(np.where(both, np.sqrt(np.clip(divergence, 0, 1)), 0.0))


def _entropy(p: Floats, q: Floats) -> Floats:
    ratio = np.divide(p, q, out=np.ones_like(p), where=p > 0)
    return np.asarray((p * np.log2(ratio)).sum(axis=-1))


def _shift(reference: pl.Series, current: pl.Series) -> float | None:
    if reference.dtype == pl.String:
        return None
    was, now = (series.cast(pl.Float64).drop_nulls().drop_nans().to_numpy() for series in (reference, current))
    if not len(was) or not len(now):
        return None
    low, high = np.quantile(was, (0.01, 0.99))
    was, now = np.clip(was, low, high), np.clip(now, low, high)
    return float((now.mean() - was.mean()) / was.std()) if was.std() > 0 else None


@dataclass(frozen=True)
class _Bins:
    """The parts of a feature's range: `marks` are edges of numbers, or the most frequent words and then the others."""

    marks: tuple[Any, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, values: pl.Series) -> _Bins:
        """Numbers: the lowest, tenths, the highest. Words: the most frequent, then others that occurred."""
        if values.dtype == pl.String:
            counted = values.drop_nulls().value_counts(sort=False, name="n")
            ranked = counted.sort("n", values.name, descending=[True, False])[values.name].to_list()
            names = tuple(ranked[:CATEGORIES])
            return cls((*names, tuple(ranked[CATEGORIES:])), (*names, "other", "never seen", "missing"))
        known = values.cast(pl.Float64).drop_nulls().drop_nans().to_numpy()
        if not len(known):
            return cls((), ("never seen", "missing"))
        inner = np.quantile(known, TENTHS, method="inverted_cdf")
        marks = tuple(np.unique([known.min(), *inner, known.max()]).tolist())
        return cls(marks, (*(f"≤ {mark:.4g}" for mark in marks), "never seen", "missing"))

    def place(self, values: pl.Series) -> Ints:
        """The number of each value's bin."""
        missing, unseen = len(self.names) - 1, len(self.names) - 2
        if values.dtype == pl.String:
            numbers = {word: place for place, word in enumerate(self.marks[:-1])}
            numbers |= dict.fromkeys(self.marks[-1], unseen - 1)
            placed = values.replace_strict(numbers, default=unseen, return_dtype=pl.Int64)
            return placed.set(values.is_null(), missing).to_numpy().astype(np.intp)
        numeric = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
        return np.where(np.isnan(numeric), missing, np.searchsorted(np.array(self.marks, np.float64), numeric))


def _lay_out(reference: Posts, current: Posts, chance: np.random.Generator) -> _Layout:
    first, last, end = moment(current, "min"), moment(current, "max"), moment(reference, "max")
    step = max(last - first, timedelta(hours=1)) / STEPS
    age = (end - reference["happened_at"]).dt.total_microseconds().to_numpy()
    ages = age // (step // timedelta(microseconds=1))
    usable = min(int(ages.max()), MOST_STRETCHES * STEPS)
    slices = np.minimum(ages, usable).astype(np.intp)
    stretch, windows, befores = _pairs(slices, usable, round(max(first - end, timedelta()) / step), len(current))
    groups = _deal(reference["account"], chance)
    chosen = chance.integers(len(windows), size=RESAMPLES)
    windows, befores = windows[chosen], befores[chosen]
    count = int(groups.max()) + 1
    redrawn, drawn = (chance.multinomial(count, [1 / count] * count, size=RESAMPLES) for _ in range(2))
    if (windows != befores).any():
        drawn = redrawn
    posts = _running(slices)
    share = np.minimum(1, len(current) / np.maximum(1, posts[windows[:, 1]] - posts[windows[:, 0]]))
    thinned = chance.binomial(drawn, share[:, None])
    return _Layout(slices, groups, windows, befores, thinned.astype(float), redrawn.astype(float), stretch)


def _pairs(slices: Ints, usable: int, gap: int, height: int) -> tuple[int, Ints, Ints]:
    """How many slices the current posts are set against; then ranges of earlier slices, and of those before them.

    Where the reference is too short for earlier stretches, all of it is set against itself: only accounts are drawn.
    """
    stretch, gap = min(STRETCHES * STEPS, usable // 3), min(gap, usable // 3)
    posts = _running(slices)
    newest = np.arange(max(0, usable - STEPS - gap - stretch + 1))
    inside = posts[newest + STEPS] - posts[newest]
    before = newest + STEPS + gap
    newest = newest[(inside >= height / 4) & (posts[before + stretch] - posts[before] >= LEAST_POSTS)]
    if stretch == 0 or posts[stretch] < LEAST_POSTS or not len(newest):
        everything = np.array([[0, len(posts) - 1]])
        return len(posts) - 1, everything, everything
    before = newest + STEPS + gap
    return stretch, np.stack([newest, newest + STEPS], axis=1), np.stack([before, before + stretch], axis=1)


def _running(slices: Ints) -> Ints:
    """How many posts lie in the slices before each, and in all."""
    return np.concatenate([[0], np.bincount(slices).cumsum()]).astype(np.intp)


def _deal(accounts: pl.Series, chance: np.random.Generator) -> Ints:
    """The group of each post: accounts are dealt at random into at most `GROUPS` of about the same number."""
    codes = accounts.rank("dense").to_numpy().astype(np.intp) - 1
    return np.asarray((chance.permutation(codes.max() + 1) % GROUPS)[codes], np.intp)


def moment(frame: Posts, which: Literal["min", "max"]) -> datetime:
    """The first or the last moment of posts, of which there must be some."""
    value = getattr(frame["happened_at"], which)()
    assert isinstance(value, datetime)  # noqa: S101 - narrows the type of a time column
    return value
