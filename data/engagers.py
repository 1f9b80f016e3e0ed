"""What an action counts: little from those who act on everybody, nothing from those never seen anywhere else.

A weight is fixed at the action's own moment from what was known of its engager strictly before, so it never changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.data.tables import NO_REACTIONS
from clout.data.tally import MICROSECOND, Ints, Tally, encode, microseconds
from clout.data.windows import UNIT

Floats = npt.NDArray[np.float64]
MONTH = timedelta(days=30)
QUARTER = timedelta(days=90)
BUSY = 300.0
KNOWN_PART = 5.0
USUAL, FEW = 0.5, 100
HIGHEST = 3.0


def witness(actions: pl.DataFrame) -> pl.DataFrame:
    """`actions` in the order of `at`, with their network and what was known of each engager strictly before.

    - acted: its actions on anyone in 30 days
    - others: the different accounts it had acted on in 90 days, not counting this one
    - strangers: of the network's actions of 30 days, the share whose engagers had acted on no other account; a hundred
      such actions are added, so that a log begins with 1

    Looking (a view), following, and what one does to oneself, are no actions.
    """
    place = pl.col("account").str.find("/", literal=True)
    ordered = actions.with_columns(network=pl.col("account").str.head(place)).sort("at")
    actor, account, network = encode(ordered["actor"], ordered["account"], ordered["network"])
    at, counts = microseconds(ordered["at"]), is_action(ordered)
    pair, _ = pairs(actor, account)
    this = Tally.of(pair[counts], at[counts]).within(pair, at, QUARTER) > 0
    others = _accounts(actor[counts], pair[counts], at[counts]).within(actor, at) - this
    here, strange = (
        Tally.of(network[rows], at[rows]).within(network, at, MONTH) + FEW for rows in (counts, counts & (others == 0))
    )
    return ordered.with_columns(
        acted=Tally.of(actor[counts], at[counts]).within(actor, at, MONTH),
        others=others,
        strangers=strange / here,
    )


def pairs(actor: Ints, account: Ints) -> tuple[Ints, Ints]:
    """One number for each pair of engager and account, and that of the same two the other way round."""
    both = np.concatenate([actor * np.int64(2**32) + account, account * np.int64(2**32) + actor])
    ranks = pl.Series(both).rank("dense").to_numpy().astype(np.int64)
    return ranks[: len(actor)], ranks[len(actor) :]


def is_action(actions: pl.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether each row is a reaction: no looking, no following, and not on oneself."""
    return ((actions["actor"] != actions["account"]) & ~actions["kind"].is_in(NO_REACTIONS)).to_numpy()


def _accounts(actor: Ints, pair: Ints, at: Ints) -> Tally:
    """Of each actor, the different accounts it acted on in the 90 days before a moment.

    An account counts from an action on it until 90 days after the last of those that follow within 90 days.
    """
    width = QUARTER // MICROSECOND
    order = np.lexsort((at, pair))
    apart = (np.diff(pair[order]) != 0) | (np.diff(at[order]) >= width)
    first = order[np.concatenate([[True], apart])[: len(order)]]
    last = order[np.concatenate([apart, [True]])[: len(order)]]
    steps = np.repeat(np.array([1, -1]), [len(first), len(last)])
    moments = np.concatenate([at[first], at[last] + (width - 1)])
    return Tally.of(actor[np.concatenate([first, last])], moments, steps)


def weigh(witnessed: pl.DataFrame, outcomes: pl.DataFrame | None = None) -> pl.Series:
    """What each action of `witnessed` counts, a multiple of 1/2²⁰; 1 is usual on its network.

    w = s · e · (1 + g) / 2, where

    - s = 1 / (1 + acted / 300), which is 1/2 at ten actions a day: who acts a lot says little by each action
    - e = others / (others + k): who was never seen anywhere else says nothing, who was seen with few accounts little. k is
      a fifth of the usual `others`, but at least 1. e is at least 2 · strangers − 1, for where most engagers are strangers
      (a log that begins, or of a few accounts) being one means little
    - g = x / (1 + x), x being the mean log1p(outcome) of the engager's own ripe posts of 90 days; 0 without any, or
      without `outcomes`

    divided by the usual w, and at most 3. Usual is the mean over the network's actions of the 30 days before, of `others`
    where there are any, each counting s and a hundred more of 0; of w each counting s · e and a hundred more of 1/2. So
    neither throw-away accounts, with an e of 0, nor the few who act without end move what all others count.
    """
    place = _Place.of(witnessed)
    others = witnessed["others"].to_numpy().astype(np.float64)
    calm = 1.0 / (1.0 + witnessed["acted"].to_numpy() / BUSY)
    few = np.maximum(place.usual(others, np.where(others > 0, calm, 0.0), 0.0) / KNOWN_PART, 1.0)
    seen = np.maximum(others / (others + few), 2.0 * witnessed["strangers"].to_numpy() - 1.0)
    influence = np.zeros(len(others)) if outcomes is None else _influence(witnessed, outcomes)
    raw = calm * seen * (0.5 + 0.5 * influence)
    weight = np.minimum(raw / place.usual(raw, calm * seen, USUAL), HIGHEST)
    return pl.Series("weight", _parts(weight) * (1 / UNIT), pl.Float64)


@dataclass(frozen=True)
class _Place:
    """Where and when each action was, and which of them are actions."""

    network: Ints
    at: Ints
    counts: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, actions: pl.DataFrame) -> _Place:
        """The place of each of `actions`."""
        (network,) = encode(actions["network"])
        return cls(network, microseconds(actions["at"]), is_action(actions))

    def usual(self, values: Floats, weights: Floats, prior: float) -> Floats:
        """The weighted mean of `values` over the network's actions of the 30 days before each, and `FEW` more of `prior`."""
        total, weight = (
            Tally.of(self.network[self.counts], self.at[self.counts], _parts(part[self.counts])).within(
                self.network, self.at, MONTH
            )
            * (1 / UNIT)
            for part in (values * weights, weights)
        )
        return np.asarray((total + prior * FEW) / (weight + FEW))


def _influence(witnessed: pl.DataFrame, outcomes: pl.DataFrame) -> Floats:
    """G of each action's engager; see `weigh`."""
    actor, author = encode(witnessed["actor"], outcomes["account"])
    at, known_at = microseconds(witnessed["at"]), microseconds(outcomes["at"])
    log = _parts(outcomes["outcome"].log1p().to_numpy())
    posts = Tally.of(author, known_at).within(actor, at, QUARTER)
    total = Tally.of(author, known_at, log).within(actor, at, QUARTER) * (1 / UNIT)
    return np.asarray(total / (np.maximum(posts, 1) + total))


def _parts(values: Floats) -> Ints:
    """Real numbers in whole parts of 1/2²⁰, whose sums do not depend on their order."""
    return np.rint(values * UNIT).astype(np.int64)
