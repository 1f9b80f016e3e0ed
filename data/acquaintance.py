"""What was known of each engager just before it acted: how much it acts, on whom, and who acts back."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.data.moments import MICROSECOND, Ints, microseconds
from clout.data.ordered import Line, after, order, taken

Bits = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]
MONTH = timedelta(days=30)
QUARTER = timedelta(days=90)
COUNTS, DOWN, THIS, RETURNING, MUTUAL, BEGINS, ENDS = (np.uint8(1 << place) for place in range(7))
SEEN = pl.Schema(
    {"acted": pl.UInt32, "others": pl.UInt32, "returning": pl.Boolean, "mutual": pl.Boolean, "answered": pl.UInt32}
)


def encode(*names: pl.Series) -> tuple[Ints, ...]:
    """Each series as whole numbers, the same number for the same name."""
    numbers = pl.concat([series.rename("name") for series in names]).cast(pl.Categorical).to_physical()
    ends = np.cumsum([len(series) for series in names])[:-1]
    return tuple(np.split(numbers.to_numpy().astype(np.int64), ends))


def seen_before(rows: pl.DataFrame) -> pl.DataFrame:
    """What was known of the engager of each of `rows` (actor, account, at, counts), in their order.

    Only rows that `counts` are told of; windows are open at both ends.

    - acted: the engager's actions on anyone in 30 days
    - others: the different accounts it had acted on in 90 days, not counting this one
    - returning: it had acted on this account in 30 days
    - mutual: this account had acted on it in 30 days
    - answered: its actions of 30 days that were mutual

    `actor` and `account` are whole numbers, one for each name. All actions of an engager must be there, and those on it by
    accounts on which it acted.
    """
    if rows.is_empty():
        return pl.DataFrame(schema=SEEN)
    at = microseconds(rows["at"])
    actor, account = (rows[name].to_numpy().astype(np.int64) for name in ("actor", "account"))
    bits = rows["counts"].to_numpy() * COUNTS + (actor > account) * DOWN
    width = 1 + max(int(actor.max()), int(account.max()))
    pair = np.minimum(actor, account) * width + np.maximum(actor, account)
    stand = _stand_by_actor(actor, at)
    by_actor = np.arange(len(at)) if stand else after(after(np.arange(len(at)), at), actor)
    by_pair = _by_pair(by_actor, pair, at)
    bits[by_pair] = _met(pair[by_pair], at[by_pair], bits[by_pair])
    if stand:
        return _known(actor, at, bits)
    back = np.empty(len(at), np.int64)
    back[by_actor] = np.arange(len(at))
    return taken(_known(actor[by_actor], at[by_actor], bits[by_actor]), back)


def _stand_by_actor(actor: Ints, at: Ints) -> bool:
    """Whether all actions of an engager follow one another, in the order of time."""
    opens = _changes(actor)
    heads = actor[opens]
    return len(np.unique(heads)) == len(heads) and not ((at[1:] < at[:-1]) & ~opens[1:]).any()


def _by_pair(by_actor: Ints, pair: Ints, at: Ints) -> Ints:
    """The places of actions in the order of pairs and time, from those in the order of engagers and time.

    So only pairs of which both acted are sorted by time.
    """
    places = after(by_actor, pair).copy()
    pair, at = pair[places], at[places]
    run = np.cumsum(_changes(pair)) - 1
    falls = np.flatnonzero((at[1:] < at[:-1]) & (run[1:] == run[:-1]))
    mixed = np.zeros(run[-1] + 1, np.bool_)
    mixed[run[falls]] = True
    both = np.flatnonzero(mixed[run])
    if (by_time := order(run[both], at[both])) is not None:
        places[both] = places[both][by_time]
    return places


def _met(pair: Ints, at: Ints, bits: Bits) -> Bits:
    """`bits` of actions in the order of pairs and time, whichever of the two acted, with what is known by the pair.

    - THIS: the engager had acted on this account in 90 days; RETURNING: in 30 days; MUTUAL: the account on it in 30 days
    - BEGINS: the account is one of the `others` from then on; ENDS: 90 days on it is none any more
    """
    counts, down = (bits & COUNTS) > 0, (bits & DOWN) > 0
    opens = _changes(pair)
    first, now = _newest(opens), _newest(opens | _changes(at))
    downs, ups = (np.append(-1, _newest(counts & way)) for way in (down, ~down))
    same = np.where(down, downs[:-1], ups[:-1])
    this, that = np.where(down, downs[now], ups[now]), np.where(down, ups[now], downs[now])
    quarter, month = QUARTER // MICROSECOND, MONTH // MICROSECOND
    begins = counts & ((same < first) | (at[same] <= at - quarter))
    ends = counts.copy()
    ends[same[counts & ~begins]] = False
    mine, theirs = np.where(this < first, -quarter, at[this] - at), np.where(that < first, -quarter, at[that] - at)
    return (
        bits + (mine > -quarter) * THIS + (mine > -month) * RETURNING + (theirs > -month) * MUTUAL
        + begins * BEGINS + ends * ENDS
    )  # fmt: skip


def _known(actor: Ints, at: Ints, bits: Bits) -> pl.DataFrame:
    """What `seen_before` says, of actions in the order of engagers and time."""
    opens = _changes(actor)
    first, now = _newest(opens), _newest(opens | _changes(at))
    month, quarter = (_since(opens, at, first, width // MICROSECOND) for width in (MONTH, QUARTER))
    acted, began, ended = (_before((bits & one) > 0) for one in (COUNTS, BEGINS, ENDS))
    answered = _before((bits & (COUNTS | MUTUAL)) == COUNTS | MUTUAL)
    columns = {
        "acted": acted[now] - acted[month],
        "others": began[now] - began[first] - (ended[quarter] - ended[first]) - ((bits & THIS) > 0),
        "returning": (bits & RETURNING) > 0,
        "mutual": (bits & MUTUAL) > 0,
        "answered": answered[now] - answered[month],
    }
    return pl.DataFrame(columns).cast(SEEN)


def _since(opens: Bools, at: Ints, first: Ints, width: int) -> Ints:
    """The place of the engager's first action that is less than `width` before each; `first` has that of its first one."""
    if at.max() - at.min() < width:
        return first
    run = np.cumsum(opens) - 1
    return Line.of(run, at).before(run, at - (width - 1))


def _changes(values: Ints) -> Bools:
    """Whether each value differs from the one before it; the first does."""
    return np.append(True, values[1:] != values[:-1])


def _newest(which: Bools) -> Ints:
    """The place of the last row down to each, with it, that is one of `which`; -1 where there is none."""
    newest: Ints = np.append(-1, np.flatnonzero(which))[np.cumsum(which)]
    return newest


def _before(which: Bools) -> Ints:
    """How many rows above each place are one of `which`, the place after the last included."""
    return np.append(0, np.cumsum(which))
