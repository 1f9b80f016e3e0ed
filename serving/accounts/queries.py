"""What the address of a question about accounts says: days and moments, other accounts, a network."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.datastructures import QueryParams

from clout.data.tables import EARLIEST
from clout.serving.problems import Fault, ProblemError, escaped, shown

USUAL_SPAN = timedelta(days=90)
MOST_OTHERS = 4
DAY = re.compile(r"\d{4}-\d\d-\d\d")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*(Z|[+-]\d\d:\d\d)")
DAY_LONG = timedelta(days=1, microseconds=-1)
EXAMPLES = "a day or a moment with its zone, like 2026-03-02 or 2026-03-02T14:30:00Z (a + is written %2B)"


@dataclass(frozen=True)
class Name:
    """An account as an address names it: by the id after its network, or by its handle; `place` is where that stood."""

    network: str
    name: str
    place: str


@dataclass(frozen=True)
class Range:
    """The moments from `since` to `until`, both included; without `since`, as far back as is usual, without `until`, all."""

    since: datetime | None
    until: datetime | None


def no_query(query: QueryParams) -> None:
    """Nothing; an address that asks for anything is refused."""
    _only(query, ())


def time_range(query: QueryParams, now: datetime) -> Range:
    """The moments asked for, whose ends are None where they are not said. A day begins `since` and ends `until`."""
    _only(query, ("since", "until"))
    last, first = _single(query, "until"), _single(query, "since")
    until = None if last is None else _moment("until", last, now, ends=True)
    since = None if first is None else _moment("since", first, now, ends=False)
    if since is not None and since > (until or now):
        raise _refused("since", f"got {shown(first)}, which is after until; expected since before until", "order")
    return Range(since, until)


def others(query: QueryParams) -> list[Name]:
    """The accounts to compare with, one to four of them."""
    _only(query, ("with",))
    given = [part.strip() for text in query.getlist("with") for part in text.split(",")]
    if not (0 < len(given) <= MOST_OTHERS and all(given)):
        told = (
            f"got {len([part for part in given if part])} accounts; expected 1 to {MOST_OTHERS}, as with=twitter/klout"
        )
        raise _refused("with", told, "number_of_accounts")
    return [_other(part) for part in given]


def network(query: QueryParams) -> str:
    """The network asked about."""
    _only(query, ("network",))
    name = _single(query, "network")
    if not name:
        raise _refused("network", "got no network; expected one of GET /v1/model, as network=twitter", "missing")
    return name


def _other(text: str) -> Name:
    network, slash, name = text.partition("/")
    if not (network and slash and name):
        raise _refused("with", f"got {shown(text)}; expected network/handle or network/id", "account_format")
    return Name(network, name, "/query/with")


def _moment(name: str, text: str, now: datetime, *, ends: bool) -> datetime:
    """The moment that a text names, in UTC; a day is its beginning, or its last moment where it `ends` a range."""
    is_day = DAY.fullmatch(text)
    if not is_day and not MOMENT.fullmatch(text):
        raise _refused(name, f"got {shown(text)}; expected {EXAMPLES}", "time_format")
    try:
        begins = datetime.fromisoformat(f"{text}T00:00:00Z" if is_day else text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _refused(name, f"got {shown(text)}, which is no time; expected {EXAMPLES}", "time_format") from error
    if not EARLIEST <= begins <= now + timedelta(days=1):
        raise _refused(name, f"got {shown(text)}; expected a time from 1990 until now", "time_range")
    return begins + DAY_LONG if is_day and ends else begins


def _single(query: QueryParams, name: str) -> str | None:
    """What the address gives under a name; None where it gives nothing."""
    given = query.getlist(name)
    if len(given) > 1:
        raise _refused(name, f"got it {len(given)} times; expected it once", "repeated")
    return given[0] if given else None


def _only(query: QueryParams, known: Collection[str]) -> None:
    """Nothing; raises where the address gives something that is not known."""
    for name in query:
        if name not in known:
            told = f"got {shown(name)}; expected {' or '.join(known) or 'nothing after the ?'}"
            raise _refused(name, told, "extra_forbidden")


def _refused(name: str, told: str, code: str) -> ProblemError:
    pointer = f"/query/{escaped(name)}"
    return ProblemError("invalid_query", f"{pointer}: {told}", [Fault(pointer, told, code)])
