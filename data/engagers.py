"""What an action counts: little from those who act on everybody, nothing from those never seen anywhere else.

A weight is fixed at the action's own moment from what was known of its engager strictly before, so it never changes.
What is usual on its network is heard of by the hour: as of the end of the hour before.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.data import hourly
from clout.data.acquaintance import QUARTER, encode, seen_before
from clout.data.hourly import Hours
from clout.data.moments import Ints
from clout.data.tables import NO_REACTIONS, network_of
from clout.data.windows import ONE, UNIT, Stream, fixed, stream, window

Floats = npt.NDArray[np.float64]
BUSY = 300.0
KNOWN_PART = 5.0
USUAL, FEW = 0.5, 100
HIGHEST = 3.0
COUNTS = ((pl.col("actor") != pl.col("account")) & ~pl.col("kind").is_in(NO_REACTIONS)).alias("counts")


def witness(actions: pl.DataFrame) -> pl.DataFrame:
    """`actions` in the order of `at`: their `network`, whether each `counts`, what was known of its engager.

    Looking (a view), following, and what one does to oneself, do not count. See `data.acquaintance` for what is known.
    """
    named = actions.with_columns(COUNTS, network=network_of("account"))
    return acquaint(named.sort("at", maintain_order=True))


def acquaint(actions: pl.DataFrame, received: pl.DataFrame | None = None) -> pl.DataFrame:
    """`actions` with what was known of their engagers, all of whose actions must be there.

    `received` has the other actions on these engagers (actor, account, at, counts), if they are not there too; those by
    accounts on which they did not act may be missing.
    """
    named = ["actor", "account", "at", "counts"]
    rows = actions.select(named) if received is None else pl.concat([actions.select(named), received.select(named)])
    actor, account = encode(rows["actor"], rows["account"])
    known = seen_before(rows.with_columns(actor=pl.Series(actor), account=pl.Series(account)))
    return actions.hstack(known.head(actions.height))


def weigh(witnessed: pl.DataFrame, hours: Hours, known: Floats, influence: Floats | None = None) -> pl.Series:
    """What each action of `witnessed` counts, a multiple of 1/2²⁰; 1 is usual on its network.

    w = s · e · (1 + g) / 2, where

    - s = 1 / (1 + acted / 300), which is 1/2 at ten actions a day: who acts a lot says little by each action
    - e = others / (others + k): who was never seen anywhere else says nothing, who was seen with few accounts little. k is
      a fifth of the usual `others`, but at least 1. e is at least 2 · strangers − 1, strangers being the share of actions
      whose engagers had acted on no other account, a hundred more of them included: where most engagers are strangers (a
      log that begins, or of a few accounts) being one means little
    - g = x / (1 + x), x being the mean log1p(outcome) of the engager's own ripe posts of 90 days; 0 without any, or
      without `influence`

    divided by the usual w, and at most 3. Usual is the mean over the network's actions of the 30 days before the hour, of
    `others` where there are any, each counting s and a hundred more of 0; of w each counting s · e and a hundred more of
    1/2. So neither throw-away accounts, with an e of 0, nor the few who act without end move what all others count.

    `hours` are those of the actions, `known` is the s · e of each, `influence` its g; the network's other actions must be
    there.
    """
    raw = worth(known, influence)
    return weights(hours, raw, worth_sums(witnessed, hours, known, raw))


def engager_sums(witnessed: pl.DataFrame, hours: Hours) -> pl.DataFrame:
    """What is summed by the hour to tell who is a stranger on a network, and who has been seen with few."""
    counts, others = witnessed["counts"].to_numpy(), witnessed["others"].to_numpy()
    calm = np.where(counts & (others > 0), _calm(witnessed), 0.0)
    strange = counts & (others == 0)
    amounts = {"actions": counts.astype(np.int64), "strange": strange.astype(np.int64)}
    return hourly.sums(hours, amounts | {"others": parts(others * calm), "calm": parts(calm)})


def acquainted(witnessed: pl.DataFrame, hours: Hours, sums: pl.DataFrame) -> Floats:
    """The s · e of each action (see `weigh`), from the `engager_sums` of its whole network."""
    here, others = hourly.Usual.of(sums).before(hours), witnessed["others"].to_numpy().astype(np.float64)
    few = np.maximum(_mean(here["others"], here["calm"], 0.0) / KNOWN_PART, 1.0)[hours.places]
    least = (2.0 * ((here["strange"] + FEW) / (here["actions"] + FEW)) - 1.0)[hours.places]
    return _calm(witnessed) * np.maximum(others / (others + few), least)


def worth(known: Floats, influence: Floats | None) -> Floats:
    """The w of each action before it is divided by the usual one, from its s · e and its g."""
    return known * (0.5 if influence is None else 0.5 + 0.5 * influence)


def worth_sums(witnessed: pl.DataFrame, hours: Hours, known: Floats, raw: Floats) -> pl.DataFrame:
    """What is summed by the hour to tell the usual w of a network."""
    heard = np.where(witnessed["counts"].to_numpy(), known, 0.0)
    return hourly.sums(hours, {"worth": parts(raw * heard), "heard": parts(heard)})


def weights(hours: Hours, raw: Floats, sums: pl.DataFrame) -> pl.Series:
    """The weight of each action, from its w and the `worth_sums` of its whole network."""
    here = hourly.Usual.of(sums).before(hours)
    weight = np.minimum(raw / _mean(here["worth"], here["heard"], USUAL)[hours.places], HIGHEST)
    return pl.Series("weight", parts(weight) * (1 / UNIT), pl.Float64)


def influence(witnessed: pl.DataFrame, outcomes: pl.DataFrame) -> Floats:
    """The g of each action's engager (see `weigh`), from the outcomes of its own posts."""
    heard = record(witnessed, own_record(outcomes))
    log = heard["log"].to_numpy() * (1 / UNIT)
    return np.asarray(log / (np.maximum(heard["n"].to_numpy(), 1) + log))


def own_record(outcomes: pl.DataFrame) -> Stream:
    """The log1p of outcomes (account, at, outcome) by account."""
    totals = {"n": ONE, "log": fixed(pl.col("outcome").log1p())}
    return stream(outcomes, ["account"], tie="at", totals=totals)


def record(actions: pl.DataFrame, outcomes: Stream) -> pl.DataFrame:
    """What the ripe posts of each action's engager had drawn in the 90 days before it: n, and log in parts of 1/2²⁰."""
    return window(actions.select("at", account="actor"), outcomes, ["n", "log"], QUARTER)


def parts(values: Floats) -> Ints:
    """Real numbers in whole parts of 1/2²⁰, whose sums do not depend on their order."""
    return np.rint(values * UNIT).astype(np.int64)


def _calm(witnessed: pl.DataFrame) -> Floats:
    return np.asarray(1.0 / (1.0 + witnessed["acted"].to_numpy() / BUSY))


def _mean(total: Ints, weight: Ints, prior: float) -> Floats:
    """The mean that sums of parts give, and `FEW` more of `prior`."""
    return np.asarray((total * (1 / UNIT) + prior * FEW) / (weight * (1 / UNIT) + FEW))
