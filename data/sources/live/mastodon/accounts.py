"""Accounts of Mastodon as a live source: their own public posts, and the counts of these until they are ripe."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from functools import cached_property, partial
from hashlib import sha256
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import polars as pl

from clout.data.lake import FORGOTTEN, FORGOTTEN_WORDS, Lake
from clout.data.sources.items import Broken, Gathered, Row
from clout.data.sources.live.mastodon.readings import Known, expect_no_log, known, last_read, removal_rows, status_rows
from clout.data.sources.live.mastodon.rows import Status, account_id, account_rows, objection, status
from clout.data.sources.live.mastodon.server import MastodonError, NotReadableError, Server
from clout.data.sources.live.passing import PassingError, Wait
from clout.data.sources.source import Piece
from clout.data.tables import EARLIEST, REJECTS
from clout.data.tombstones import Tombstones
from clout.errors import CloutError

if TYPE_CHECKING:
    from clout.data.sources.live.mastodon.feed import MastodonFeed

BACK = timedelta(days=365)
MOST_STATUSES = 4_000
ACCOUNTS = 50
IN_A_ROW = 3
SECONDS = 30.0
OPTED_OUT, UNREACHABLE = "opted_out", "unreachable"
REASONS = {
    OPTED_OUT: "it asks not to be read by programs",
    UNREACHABLE: "its server did not give it",
    FORGOTTEN: FORGOTTEN_WORDS,
}


class _Read(NamedTuple):
    """What a server gave of an account: the account and its statuses since `floor`, or why it was left out."""

    actor: str
    account: Any = None
    floor: datetime = EARLIEST
    statuses: tuple[Status | Broken, ...] = ()
    reason: str = ""
    why: str = ""


class AccountsOfMastodon:
    """The accounts of a feed, a `data.sources.source.Source`. `left_out` says of which nothing was taken, and why.

    The server is given `seconds` for an answer, `wait` waits between tries, and a piece has at most `size` accounts.
    """

    def __init__(
        self,
        feed: MastodonFeed,
        now: datetime,
        lake: Lake,
        wait: Wait = time.sleep,
        seconds: float = SECONDS,
        size: int = ACCOUNTS,
    ) -> None:
        self.name, self.left_out = feed.name, dict[str, str]()
        self._feed, self._now, self._lake = feed, now, lake
        self._actors = tuple(dict.fromkeys(feed.actors))
        self._horizon, self._size = timedelta(days=feed.horizon_days), size
        seed = f"{feed.name} {now.isoformat()}"
        self._open = partial(Server, feed.server, feed.secret, seed, wait, seconds)

    @property
    def note(self) -> str:
        """What was assumed, told wherever the data are used."""
        return (
            f"counts are those that {urlsplit(self._feed.server).netloc} showed when it was read; nobody is asked who "
            f"acted; posts that were {self._feed.horizon_days:g} days old when first seen are taken as in an export: "
            "known when published, their counts when ripe"
        )

    def pull(self, since: str | None) -> Iterator[Piece]:
        """The pieces after the cursor `since`, each with whole accounts. One that cannot be read stops no other.

        Raises the trouble of the server once it failed for some accounts in a row, or for all.
        """
        expect_no_log(self._lake)
        last, begun, failed = last_read(self._lake), self._done(since), list[CloutError]()
        with closing(self._open()) as server:
            done = begun
            while done < len(self._actors) and len(failed) < IN_A_ROW:
                reads = list[_Read]()
                while done < len(self._actors) and len(failed) < IN_A_ROW and self._has_room(reads):
                    reads.append(self._read(server, self._actors[done], last, failed))
                    done += 1
                yield self._piece(reads, last, done)
        if failed and len(failed) in {IN_A_ROW, done - begun}:
            raise failed[-1]

    def _has_room(self, reads: list[_Read]) -> bool:
        return len(reads) < self._size and sum(len(read.statuses) for read in reads) < MOST_STATUSES

    def _read(self, server: Server, actor: str, last: Mapping[str, datetime], failed: list[CloutError]) -> _Read:
        """What the server gives of `actor`; `failed` holds the trouble of those before it that failed in a row."""
        try:
            read = self._asked(server, actor, last)
            failed.clear()
        except (PassingError, MastodonError, NotReadableError) as error:
            read = _Read(actor, reason=UNREACHABLE, why=str(error))
            failed[:] = [] if isinstance(error, NotReadableError) else [*failed, error]
        if read.reason:
            self.left_out[actor] = read.why
        return read

    def _asked(self, server: Server, actor: str, last: Mapping[str, datetime]) -> _Read:
        account = server.account(actor)
        name = account_id(account)
        if name is None or not isinstance(account.get("id"), str):
            raise NotReadableError("the server answered with something that is no account")
        if self._forgotten.accounts_in(pl.Series([name])).item():
            return _Read(actor, reason=FORGOTTEN, why=FORGOTTEN_WORDS)
        if account.get("suspended"):
            raise NotReadableError("the server has suspended it")
        against = objection(account)
        if against is not None:
            there = f"; what the lake has of it goes with `clout forget {name}`" if name in last else ""
            return _Read(actor, reason=OPTED_OUT, why=f"{against}{there}")
        floor = last[name] - self._horizon if name in last else self._now - BACK
        return _Read(actor, account, floor, tuple(_statuses(server, account, floor)))

    def _piece(self, reads: list[_Read], last: Mapping[str, datetime], done: int) -> Piece:
        """The rows of some accounts, and what was refused of them."""
        gathered, number = Gathered(), 0
        floors = {str(account_id(read.account)): read.floor for read in reads if not read.reason}
        there = known(self._lake, floors)
        for read in (read for read in reads if not read.reason):
            name = str(account_id(read.account))
            new = account_rows(read.account, self._now, is_new=name not in last)
            for row in chain(new, self._taken_back(name, read, there)):
                gathered.add(number, row)
            for one in read.statuses:
                number += 1
                self._gather(gathered, number, one, there, last.get(name))
        rejects = pl.concat([gathered.rejects(), self._refused(reads)])
        cursor = "" if done == len(self._actors) else json.dumps({"accounts": self._fingerprint, "done": done})
        return Piece(gathered.tables(), rejects, cursor, done / len(self._actors))

    def _taken_back(self, name: str, read: _Read, there: Known) -> Iterable[Row]:
        """The removals that `read` tells of; none where it may not be all there is."""
        seen = {one.post for one in read.statuses if isinstance(one, Status)}
        is_whole = len(seen) == len(read.statuses) < MOST_STATUSES
        return removal_rows(name, read.floor, seen, there, self._now) if is_whole else ()

    def _gather(
        self, gathered: Gathered, number: int, one: Status | Broken, there: Known, before: datetime | None
    ) -> None:
        if isinstance(one, Broken):
            gathered.refuse(number, one)
            return
        for row in status_rows(one, there, before, self._now, self._horizon):
            gathered.add(number, row)

    def _refused(self, reads: list[_Read]) -> pl.DataFrame:
        """The accounts that were left out. Each row bears the moment, so that every piece leaves a receipt and a cursor."""
        rows = []
        for read in (read for read in reads if read.reason):
            named = {} if read.reason == FORGOTTEN else {"actor": read.actor, "why": read.why}
            raw = json.dumps({"read_at": self._now.isoformat(), **named})
            rows.append(("accounts", None, read.reason, REASONS[read.reason], raw))
        return pl.DataFrame(rows, schema=REJECTS, orient="row")

    def _done(self, since: str | None) -> int:
        """How many accounts were read up to the cursor `since`; none where it is of other accounts."""
        told = json.loads(since) if since else {}
        return int(told["done"]) if told.get("accounts") == self._fingerprint else 0

    @cached_property
    def _forgotten(self) -> Tombstones:
        return self._lake.tombstones()

    @cached_property
    def _fingerprint(self) -> str:
        """What tells these accounts from others that are read under the same name."""
        return sha256(json.dumps([self._feed.server, *self._actors]).encode()).hexdigest()[:16]


def _statuses(server: Server, account: Mapping[str, Any], floor: datetime) -> Iterator[Status | Broken]:
    """The account's statuses since `floor`, newest first, at most so many."""
    before, seen = None, set[str]()
    while len(seen) < MOST_STATUSES:
        page = server.statuses(account["id"], before)
        if not isinstance(page, list) or (page and not any(isinstance(item, dict) for item in page)):
            raise NotReadableError("the server answered with something that is no list of statuses")
        found = [status(item, account) for item in page]
        known = [one for one in found if isinstance(one, Status)]
        yield from (one for one in found if isinstance(one, Broken))
        yield from (one for one in known if one.post not in seen and one.happened_at >= floor)
        seen |= {one.post for one in known}
        if not known or known[-1].name == before or known[-1].happened_at < floor:
            return
        before = known[-1].name
