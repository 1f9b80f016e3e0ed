"""Bluesky's firehose as a source: all that happens, or what concerns some accounts, from wherever the last run ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256

import polars as pl

from clout.data.lake import Lake
from clout.data.sources.items import Broken, Gathered, Row, at, identity, text
from clout.data.sources.live.bluesky.frames import Frame, Lost, Removed, listen, operations, read
from clout.data.sources.live.bluesky.records import NETWORK, removals, rows
from clout.data.sources.source import Piece
from clout.data.tables import DELETED

HOST = "wss://bsky.network"
EVENTS = 50_000
SILENCE = 3.0


class Firehose:
    """The firehose of `host` until a moment, a `data.sources.source.Source`; it ends before that when all is silent.

    With `accounts` only what they do, or is done to them, is taken. `counted` then tells what came by: the kinds of event,
    those that make no rows included.
    """

    note = "what came over Bluesky's firehose is known from when the host had it; what was dated back happened when it says"

    def __init__(
        self,
        lake: Lake,
        until: datetime,
        accounts: frozenset[str] = frozenset(),
        host: str = HOST,
        silence: float = SILENCE,
        size: int = EVENTS,
    ) -> None:
        some = sha256(" ".join(sorted(accounts)).encode()).hexdigest()[:8]
        self.name = f"firehose {host}{f' of {some}' if accounts else ''}"
        self.counted: Counter[str] = Counter()
        self._lake, self._until, self._accounts, self._host = lake, until, accounts, host
        self._silence, self._size = silence, size
        self._gone: set[str] = set()

    def pull(self, since: str | None) -> Iterator[Piece]:
        """The pieces after the cursor `since`; from the first event that the host still has where there is none."""
        cursor, events, gathered = int(since or 0), 0, Gathered()
        for packed in listen(self._host, cursor, self._silence):
            frame = None if packed is None else self._read(packed)
            if frame is not None and frame.time >= self._until:
                break
            if frame is not None:
                events += self._gather(frame, gathered)
                cursor = frame.seq
            if events >= self._size or (packed is None and events):
                yield self._piece(gathered, cursor)
                events, gathered = 0, Gathered()
        if events:
            yield self._piece(gathered, cursor)

    def _read(self, packed: bytes) -> Frame | None:
        frame = read(packed)
        self.counted["unreadable" if frame is None else frame.kind] += 1
        return frame

    def _gather(self, frame: Frame, gathered: Gathered) -> int:
        """How many events the frame held; their rows are then gathered."""
        if frame.kind == "#identity":
            for row in self._named(frame):
                gathered.add(frame.seq, row)
        if frame.kind == "#account" and at(frame.said, "status") == DELETED:
            account = identity(NETWORK, text(at(frame.said, "did")))
            self._gone |= set() if account is None else {account}
        if frame.kind != "#commit":
            return 1
        found = [*operations(frame.said, frame.time)]
        for operation in found:
            if isinstance(operation, Lost):
                gathered.refuse(frame.seq, Broken(operation.address))
                continue
            gone = isinstance(operation, Removed)
            made = removals(*operation, frame.time) if isinstance(operation, Removed) else rows(operation)
            for row in made:
                if gone or self._concerns(row):
                    gathered.add(frame.seq, row)
        self.counted["operations"] += len(found)
        return len(found) or 1

    def _concerns(self, row: Row) -> bool:
        return not self._accounts or not self._accounts.isdisjoint((row.values["account"], row.values.get("actor")))

    def _named(self, frame: Frame) -> Iterator[Row]:
        """The account that a frame names, if it was asked for: who only acts on others is no account of ours."""
        account, handle = identity(NETWORK, text(at(frame.said, "did"))), text(at(frame.said, "handle"))
        if account in self._accounts and handle is not None:
            yield Row("accounts", {"account": account, "network": NETWORK, "handle": handle})

    def _piece(self, gathered: Gathered, cursor: int) -> Piece:
        tables = gathered.tables()
        if self._accounts and "removals" in tables:
            tables["removals"] = self._known(tables["removals"], tables)
        gone, self._gone = frozenset(self._gone), set()
        return Piece(tables, gathered.rejects(), str(cursor), 0.0, gone)

    def _known(self, gone: pl.DataFrame, tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
        """Those of `gone` that were rows of ours: the others are of records that do not concern the accounts."""
        ids = []
        for table, key in (("actions", "action"), ("posts", "post")):
            wanted = pl.col(key).is_in(gone["removed"].implode())
            here = [tables[table].lazy()] if table in tables else []
            ids += [rows.filter(wanted).select(removed=key).collect() for rows in (*here, self._lake.scan(table))]
        return gone.join(pl.concat(ids), on="removed", how="semi", maintain_order="left")
