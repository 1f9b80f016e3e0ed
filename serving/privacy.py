"""What somebody may ask of us about themselves: to be forgotten, and to be shown what we hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from clout.data import personal
from clout.data.erasure import ASKED, erase, erase_beside
from clout.data.lake import Lake
from clout.features import warm
from clout.models.registry import comparison_file
from clout.serving.ingest.intake import erase_waiting, expect_lake_of, waiting_posts
from clout.serving.store.scores import Store

# What a training leaves beside its bundle: a row for each post that it judged.
JUDGED = ("judged/*.parquet", "artifacts/**/judged.parquet")


@dataclass(frozen=True)
class Erased:
    """The accounts that were forgotten, and how many rows of theirs left each table."""

    accounts: tuple[str, ...]
    rows: Mapping[str, int]

    def told(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return {"accounts": list(self.accounts), "erased": dict(self.rows)}


def forget(lake: Lake, store: Store, home: Path, account: str, now: datetime) -> Erased:
    """What was erased of `account`: all of it, in the lake, in the store of scores, and in `home`.

    `account` is network/id, or network/@handle. From then on the lake takes no row of it. Raises `LakeError` where the
    lake is away: what it holds would come back with it.
    """
    expect_lake_of(home, lake)
    return forget_all(lake, store, home, [personal.find(lake, account)], ASKED, now)


def forget_all(lake: Lake, store: Store, home: Path, accounts: Collection[str], reason: str, now: datetime) -> Erased:
    """What was erased of `accounts`, by their ids; `reason` stays on their tombstones."""
    rows = erase(lake, accounts, reason, now.date(), waiting_posts(home, accounts))
    for account in accounts:
        for table, count in store.forget(account).items():
            rows[table] = rows.get(table, 0) + count
    rows["inbox"] = erase_waiting(home, lake.tombstones())
    warm.forget(home)
    comparison_file(home).unlink(missing_ok=True)
    rows["judged"] = erase_beside([file for place in JUDGED for file in sorted(home.glob(place))], lake.tombstones())
    return Erased(tuple(sorted(accounts)), {table: count for table, count in rows.items() if count})


def export(lake: Lake, store: Store, account: str, now: datetime) -> dict[str, Any]:
    """All that is held about `account`, network/id or network/@handle, as plain values for JSON.

    Raises `NobodyError` where that is nothing.
    """
    found = personal.find(lake, account)
    held, scores = personal.held(lake, found), store.all_of(found)
    if personal.is_empty(held) and not any(scores.values()):
        raise personal.NobodyError(f"nothing is held of {found}: there is nothing to export")
    return {"account": found, "exported_at": now.isoformat(timespec="seconds"), **held, **scores}
