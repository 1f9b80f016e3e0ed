"""Accounts of Bluesky by an AppView: profiles, their own posts, and who reacted to these, each reading against the last."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from functools import cache, cached_property, partial
from hashlib import sha256

import polars as pl

from clout.data.lake import FORGOTTEN, FORGOTTEN_WORDS, Lake
from clout.data.sources.items import Gathered, at, identity, text
from clout.data.sources.live.bluesky.known import known
from clout.data.sources.live.bluesky.reading import Reading, reposts_of
from clout.data.sources.live.bluesky.records import NETWORK
from clout.data.sources.live.bluesky.server import NotThereError, Server
from clout.data.sources.live.passing import PassingError, Wait
from clout.data.sources.source import Piece
from clout.data.tables import REJECTS
from clout.data.tombstones import Tombstones
from clout.errors import CloutError

BACK, AGAIN = timedelta(days=365), timedelta(days=30)
SECONDS = 30.0
IN_A_ROW = 3
OBJECTION = "!no-unauthenticated"
OPTED_OUT, UNREACHABLE = "opted_out", "unreachable"
REASONS = {
    OPTED_OUT: "it asks not to be shown to those who are not signed in",
    UNREACHABLE: "the AppView did not give it",
    FORGOTTEN: FORGOTTEN_WORDS,
}


class AppView:
    """Accounts as the AppView at `url` shows them, a `data.sources.source.Source`. `left_out` says of which nothing was taken.

    `actors` are handles or ids, `lists` addresses of lists of them. A piece is one account.
    """

    note = (
        "what Bluesky's AppView showed is taken as known when it happened, as in an export; what is told to be older than "
        "the reading before it, which did not have it, is known from its own reading on"
    )

    def __init__(
        self,
        name: str,
        actors: Sequence[str],
        lists: Sequence[str],
        now: datetime,
        lake: Lake,
        url: str,
        wait: Wait = time.sleep,
        seconds: float = SECONDS,
    ) -> None:
        self.name, self.left_out = name, dict[str, str]()
        self._actors, self._lists, self._now, self._lake = actors, lists, now, lake
        self._url = url
        self._server = Server(url, f"{name} {now.isoformat()}", wait, seconds)
        self._reposts = cache(partial(reposts_of, self._server))

    def pull(self, since: str | None) -> Iterator[Piece]:
        """The pieces after the cursor `since`. An account that cannot be read stops no other.

        Raises the trouble of the AppView once it failed for some accounts in a row, or for all.
        """
        with closing(self._server):
            actors = self.members()
            mark = sha256(json.dumps([self._url, *actors]).encode()).hexdigest()[:16]
            told = json.loads(since) if since else {}
            begun = int(told["done"]) if told.get("accounts") == mark else 0
            failed: list[CloutError] = []
            for done, actor in enumerate(actors[begun:], begun + 1):
                cursor = "" if done == len(actors) else json.dumps({"accounts": mark, "done": done})
                yield self._piece(actor, failed, cursor, done / len(actors))
                if len(failed) == IN_A_ROW:
                    raise failed[-1]
            if failed and len(failed) == len(actors) - begun:
                raise failed[-1]

    def members(self) -> list[str]:
        """The accounts to read: those named, then those of the lists, each once."""
        listed = (
            text(at(member, "subject", "did"))
            for one in self._lists
            for member in self._server.pages("graph.getList", "items", list=one)
        )
        return list(dict.fromkeys([*self._actors, *(did for did in listed if did is not None)]))

    def ids(self) -> frozenset[str]:
        """The ids of the accounts to read."""
        with closing(self._server):
            found = [self._server.one("actor.getProfile", actor=actor) for actor in self.members()]
        return frozenset(name for profile in found if (name := identity(NETWORK, text(at(profile, "did")))) is not None)

    def _piece(self, actor: str, failed: list[CloutError], cursor: str, share: float) -> Piece:
        """What there is of `actor`; `failed` holds the trouble of those before it that failed in a row."""
        gathered = Gathered()
        try:
            reason, why = self._read(actor, gathered), ""
            failed.clear()
        except (PassingError, NotThereError) as error:
            gathered, reason, why = Gathered(), UNREACHABLE, str(error)
            failed[:] = [*failed, error] if isinstance(error, PassingError) else []
        refused = gathered.rejects()
        if reason:
            self.left_out[actor] = why or REASONS[reason]
            # It bears the moment, so that every piece leaves a receipt and with it the cursor.
            named = {} if reason == FORGOTTEN else {"actor": actor, "why": why}
            row = ("accounts", None, reason, REASONS[reason], json.dumps({"read_at": self._now.isoformat(), **named}))
            refused = pl.concat([refused, pl.DataFrame([row], schema=REJECTS, orient="row")])
        return Piece(gathered.tables(), refused, cursor, share)

    def _read(self, actor: str, gathered: Gathered) -> str:
        """Why `actor` is left out, "" when its rows were gathered."""
        profile = self._server.one("actor.getProfile", actor=actor)
        account = identity(NETWORK, text(at(profile, "did")))
        if account is None:
            raise NotThereError("the AppView answered with something that is no account")
        if self._forgotten.accounts_in(pl.Series([account])).item():
            return FORGOTTEN
        if any(at(label, "val") == OBJECTION for label in at(profile, "labels") or ()):
            return OPTED_OUT
        before = known(self._lake, account)
        floor = self._now - BACK if before.read_at is None else before.read_at - AGAIN
        reading = Reading(self._server, profile, before, self._now, floor, self._reposts)
        for number, row in enumerate(reading.rows(), 1):
            gathered.add(number, row)
        return ""

    @cached_property
    def _forgotten(self) -> Tombstones:
        return self._lake.tombstones()
