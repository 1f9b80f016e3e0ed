"""What would raise an account's score: single steps, each judged by the model and held against what posts really drew.

A step changes some of an account's posts. Its gain is what the model says of these posts afterwards, less what it says
of them now. A model learns what goes together and not what causes what, so its word is checked where results are known:
on posts of one account, some of them already as the step would have them, the model is wrong about the difference by

    contrast = mean of (what it drew − what the model says) over posts as they would be − the same over posts as they are.

The mean of that over accounts, and how far it differs between them beyond chance, correct the gain of the account and
give it an interval. A step is worth the lesser of the model's word and the corrected one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from clout.features.contract import Contract
from clout.models.explain import Quantiles

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
Score = Callable[[Floats], Floats]

MOST_STEPS, WORTH_DOING, PROMISING = 3, 1.0, 0.5
LEVEL, REACH = 0.9, 1.645
FEWEST_ACCOUNTS, FEWEST_POSTS = 20, 2
LOWEST_MARK, HIGHEST_MARK = 0, 4
BOUNDS = (5, 95)


@dataclass(frozen=True)
class Contrasts:
    """What posts as a step would have them drew beyond the model's word, against posts as they are; one value an account.

    `thin` is 1/n + 1/m for its n and m posts of either kind; both are NaN for an account without enough of them. `square`
    is the sum of squares about the means of either kind, of so many `free` ones, 0 for such an account.
    """

    value: Floats
    thin: Floats
    square: Floats
    free: Floats

    def of(self, accounts: Flags) -> Contrasts:
        """Those of some of the accounts."""
        return Contrasts(self.value[accounts], self.thin[accounts], self.square[accounts], self.free[accounts])


class Pooled(NamedTuple):
    """What the contrasts of many accounts say: their mean, its standard error, and their spread beyond chance.

    `noise` is the variance of one post. All are NaN where too few accounts have a contrast.
    """

    mean: float
    error: float
    spread: float
    noise: float


UNKNOWN = Pooled(np.nan, np.nan, np.nan, np.nan)


def contrasts(owner: Rows, residual: Floats, before: Flags, after: Flags, accounts: int) -> Contrasts:
    """The contrasts of posts that a step changes (`before`) and posts that are so already (`after`).

    `residual` is what each post drew less what the model says, on the scale of margins, NaN while it is not known.
    """
    known = ~np.isnan(residual)
    kinds = [known & before, known & after]
    count = np.array([np.bincount(owner, kind, accounts) for kind in kinds])
    total = np.array([np.bincount(owner, np.where(kind, residual, 0.0), accounts) for kind in kinds])
    square = np.array([np.bincount(owner, np.where(kind, residual, 0.0) ** 2, accounts) for kind in kinds])
    enough = (count >= FEWEST_POSTS).all(axis=0)
    counted = np.where(enough, count, 1.0)
    mean, missing = total / counted, np.where(enough, 0.0, np.nan)
    return Contrasts(
        value=mean[1] - mean[0] + missing,
        thin=(1 / counted).sum(axis=0) + missing,
        square=np.where(enough, square - counted * mean**2, 0.0).sum(axis=0),
        free=np.where(enough, counted - 1, 0.0).sum(axis=0),
    )


def pooled(own: Contrasts) -> Pooled:
    """What contrasts say together, by the method of DerSimonian and Laird.

    The spread is the largest that they do not speak against, by one standard error: how far accounts differ is seen only
    when there are many, and what is not seen is not taken for nothing.
    """
    known = ~np.isnan(own.value)
    noise = own.square.sum() / max(own.free.sum(), 1.0)
    if known.sum() < FEWEST_ACCOUNTS or noise <= 0:
        return UNKNOWN
    value, variance = own.value[known], noise * own.thin[known]
    weight = 1 / variance
    free, scale = len(value) - 1, weight.sum() - (weight**2).sum() / weight.sum()
    excess = (weight * (value - np.average(value, weights=weight)) ** 2).sum() - free
    square = max(excess / scale, 0.0) + (2 * free) ** 0.5 / scale
    weight = 1 / (variance + square)
    mean, error = np.average(value, weights=weight), weight.sum() ** -0.5
    return Pooled(float(mean), float(error), float(square**0.5), float(noise))


def expected(pooled: Sequence[Pooled], own: Contrasts) -> tuple[Floats, Floats]:
    """The contrast to expect of each account and its standard deviation, by what many say and by what it says itself.

    An account's own counts the more the surer it is, beside how far accounts differ. NaN where nothing is known.
    """
    mean, error, spread, noise = np.array(pooled).reshape(-1, len(Pooled._fields)).T
    known = ~np.isnan(own.value)
    share = np.where(known, spread**2 / (spread**2 + noise * np.where(known, own.thin, 1.0)), 0.0)
    beyond = mean + share * np.where(known, own.value - mean, 0.0)
    return beyond, np.sqrt(error**2 + (1 - share) * spread**2)


@dataclass(frozen=True)
class Tried:
    """A step tried on posts: the posts at `rows` (of all) change, and the model's margin of each rises by `gain`.

    `code` names the step, `to` the number it names, and steps of one `feature` are variants. One value an account: `now` is where it stands, `full`
    where it would stand with all these posts changed, `low` and `high` the ends of what similar accounts do, and `own` and
    `pooled` what posts with a known result say.
    """

    code: str
    feature: str
    to: int | None
    rows: Rows
    gain: Floats
    now: Floats
    full: Floats
    low: Floats
    high: Floats
    own: Contrasts
    pooled: Sequence[Pooled]


@dataclass(frozen=True)
class Worth:
    """What a step is worth to each account, in points with the interval; `then` is where the account would stand.

    `changed` is how many of its posts change, 0 where the step is none for it.
    """

    tried: Tried
    changed: Floats
    then: Floats
    points: Floats
    low: Floats
    high: Floats


def admissible(
    before: Floats, after: Floats, names: Sequence[str], feature: str, contract: Contract, quantiles: Quantiles
) -> Flags:
    """Which posts may change so: (posts, features) before and after, of the features `names`, one of them `feature`.

    What one can do something about stays between the marks that nineteen in twenty of the posts learned from have at most
    and at least, or comes nearer to them; and `feature` is not moved against its direction.
    """
    specs = {spec.name: spec for spec in contract.features}
    fits = np.ones(len(after), dtype=bool)
    for column, name in enumerate(names):
        old, new = before[:, column], after[:, column]
        if name == feature:
            fits &= ~(specs[name].direction * (new - old) < 0)
        marks = quantiles[name]
        if specs[name].actionable and marks is not None:
            beyond_high = (new > marks[HIGHEST_MARK]) & ~(new <= old)
            beyond_low = (new < marks[LOWEST_MARK]) & ~(new >= old)
            fits &= ~(beyond_high | beyond_low)
    return fits


def promising(tried: Tried, owner: Rows, weight: Floats, margin: Floats, score: Score) -> Flags:
    """Which accounts may find a step worth doing, (accounts,), by the model's word on a few of their posts."""
    gain = _reach(tried) * np.bincount(owner[tried.rows], weight[tried.rows] * tried.gain, len(margin))
    return score(margin + gain) - score(margin) > PROMISING


def worth(tried: Tried, owner: Rows, weight: Floats, margin: Floats, score: Score) -> Worth:
    """What a step is worth to each account of posts, whose `weight` adds up to 1 over an account's; NaN where it is none.

    As many of the posts change as bring the account to the end of what similar accounts do, at most; which of them is
    left to chance. `score` gives the scores of the accounts for margins (accounts,).
    """
    accounts, of = len(margin), owner[tried.rows]
    count = np.bincount(of, minlength=accounts).astype(np.float64)
    changed = np.floor(_reach(tried) * count + 1e-9)
    share = changed / np.maximum(count, 1)
    moved, gain = (np.bincount(of, weight[tried.rows] * each, accounts) for each in (1.0, tried.gain))
    beyond, deviation = expected(tried.pooled, tried.own)
    corrected, reach = gain + moved * beyond, moved * REACH * np.hypot(deviation, _own_error(tried, of, accounts))
    told = np.array(
        [np.minimum(gain, corrected), np.minimum(gain, corrected - reach), np.maximum(gain, corrected + reach)]
    )
    none = np.where(changed > 0, 0.0, np.nan)
    points, low, high = (score(margin + share * each) - score(margin) + none for each in told)
    return Worth(tried, changed, tried.now + share * (tried.full - tried.now), points, low, high)


@dataclass(frozen=True)
class Suggestion:
    """A step for one account: `changed` of its posts would be otherwise, and it would stand at `then` where it is at `now`.

    Worth `points`, between `low` and `high` for `LEVEL` of such steps; `to` is the number the step names.
    """

    code: str
    feature: str
    to: int | None
    posts: int
    changed: int
    now: float
    then: float
    points: float
    low: float
    high: float


def suggestions(told: Worth, owner: Rows) -> dict[int, Suggestion]:
    """The step for each account that it changes anything for, by the account's place; `owner` is the account of each post."""
    tried, posts = told.tried, np.bincount(owner)
    columns = (posts, told.changed, tried.now, told.then, told.points, told.low, told.high)
    rows = np.column_stack(columns).tolist()
    return {
        place: Suggestion(tried.code, tried.feature, tried.to, int(row[0]), int(row[1]), *row[2:])
        for place, row in enumerate(rows)
        if row[1] > 0
    }


def choose(found: Sequence[Suggestion]) -> list[Suggestion]:
    """At most three steps: worth more than a point, surely more than nothing, best first, no variants of a better one."""
    helping = [one for one in found if one.points > WORTH_DOING and one.low > 0]
    chosen: dict[str, Suggestion] = {}
    for one in sorted(helping, key=lambda one: -one.points):
        chosen.setdefault(one.feature, one)
    return list(chosen.values())[:MOST_STEPS]


def _reach(tried: Tried) -> Floats:
    """The share of the way from `now` to `full` that similar accounts have gone, between 0 and 1."""
    way = tried.full - tried.now
    ends = np.minimum(tried.now, tried.full), np.maximum(tried.now, tried.full)
    end = np.clip(np.where(way > 0, tried.high, tried.low), *ends)
    return np.nan_to_num(np.divide(end - tried.now, way, out=np.zeros_like(way), where=way != 0))


def _own_error(tried: Tried, of: Rows, accounts: int) -> Floats:
    """The standard error of the mean gain of each account's posts."""
    count = np.maximum(np.bincount(of, minlength=accounts), 1)
    mean = np.bincount(of, tried.gain, accounts) / count
    square = np.bincount(of, (tried.gain - mean[of]) ** 2, accounts)
    return np.asarray(np.sqrt(square / np.maximum(count - 1, 1) / count))


@dataclass(frozen=True)
class Bounds:
    """What similar accounts do: the 5th and 95th percentiles of where accounts stand, (steps,) each, by group."""

    by_group: Mapping[tuple[str, str | None], tuple[Floats, Floats]]

    @classmethod
    def of(cls, networks: Sequence[str], sizes: Sequence[str | None], levels: Floats) -> Bounds:
        """The bounds of accounts whose levels are (accounts, steps), missing as NaN, by network and size group."""
        places: dict[tuple[str, str | None], list[int]] = defaultdict(list)
        for place, (network, size) in enumerate(zip(networks, sizes, strict=True)):
            places[network, None].append(place)
            if size is not None:
                places[network, size].append(place)
        return cls({group: _ends(levels[own]) for group, own in places.items() if len(own) >= FEWEST_ACCOUNTS})

    def among(self, network: str, size: str | None) -> tuple[Floats, Floats] | None:
        """The bounds of the accounts of a network of about one's size, else of all of it; None where these are few."""
        return self.by_group.get((network, size)) or self.by_group.get((network, None))


def _ends(levels: Floats) -> tuple[Floats, Floats]:
    known = ~np.isnan(levels).all(axis=0)
    ends = np.full((2, levels.shape[1]), np.nan)
    ends[:, known] = np.nanpercentile(levels[:, known], BOUNDS, axis=0)
    return ends[0], ends[1]
