"""All that a lake holds of one account, and whom a name means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from clout.data.lake import Lake
from clout.data.tables import SCHEMAS
from clout.data.tombstones import ACCOUNTS, Erasure, Tombstones
from clout.errors import CloutError

# What an account did to another tells what it did and when; on whom is the other's affair, as is by whom.
RECEIVED = ("post", "kind", "happened_at", "known_at")
DONE = ("kind", "happened_at", "known_at")
OWN = ("accounts", "profiles", "posts", "counts", "identities", "standings", "removals")
REJECTED = ("table", "row", "reason", "sentence")


class NobodyError(CloutError):
    """A name that means no account of the lake, or more than one."""

    code = "unknown_account"


def find(lake: Lake, name: str) -> str:
    """The account that `name` means, "network/id" or "network/@handle"; an id may be unknown, a handle not."""
    network, _, own = name.partition("/")
    if not network or not own.removeprefix("@"):
        raise NobodyError(f"got the account {name!r}; expected network/id or network/@handle, as in twitter/137407124")
    if not own.startswith("@"):
        return name
    handle = own.removeprefix("@").casefold()
    known = lake.scan("accounts").filter(pl.col("network") == network, pl.col("handle").is_not_null()).collect()
    told: Iterable[tuple[str, str]] = known.select("account", "handle").iter_rows()
    bearers = [account for account, called in told if called.removeprefix("@").casefold() == handle]
    if len(bearers) != 1:
        found = f"is the handle of {len(bearers)} accounts: {', '.join(bearers)}" if bearers else "is nobody's handle"
        raise NobodyError(f"{own} {found} on {network} in the lake {lake.url}; expected one: give network/id")
    return bearers[0]


def held(lake: Lake, account: str) -> dict[str, Any]:
    """What the lake holds of `account`, as plain values for JSON: its rows by table, and where they came from.

    Of other people there is only what they did to it: kind, post and time, not who they are.
    """
    mine = {table: _of(lake, table, account) for table in OWN}
    actions = lake.scan("actions")
    theirs = pl.col("post").is_in(mine["posts"]["post"].implode()) | (pl.col("account") == account)
    rows = {table: _plain(frame) for table, frame in mine.items()}
    rows["actions_received"] = _plain(actions.filter(theirs, pl.col("actor") != account).select(RECEIVED).collect())
    rows["actions_done"] = _plain(actions.filter(pl.col("actor") == account).select(DONE).collect())
    rows["rejects"] = _plain(_rejects(lake, account).select(REJECTED))
    return {"tables": rows, "batches": _batches(lake, account, mine["posts"]["post"])}


def is_empty(told: dict[str, Any]) -> bool:
    """Whether what `held` told is nothing."""
    return not any(told["tables"].values())


def _of(lake: Lake, table: str, account: str) -> pl.DataFrame:
    if table == "counts":
        posts = lake.scan("posts").filter(pl.col("account") == account).select("post")
        return lake.scan("counts").join(posts, on="post", how="semi").collect()
    return lake.scan(table).filter(pl.col("account") == account).collect()


def _rejects(lake: Lake, account: str) -> pl.DataFrame:
    """The rejected rows that name the account by its id, what ends it, or a handle."""
    posts, handles = _of(lake, "posts", account)["post"], _of(lake, "accounts", account)["handle"].drop_nulls()
    name = Tombstones((Erasure(number=0, salt="").naming([account], posts, handles),))
    rejects = lake.rejects().collect()
    return rejects.filter(name.told_in(rejects["raw"]))


def _batches(lake: Lake, account: str, posts: pl.Series) -> list[dict[str, Any]]:
    """The batches with a row of the account, and how many in each table."""
    told = []
    for receipt in lake.receipts():
        rows = {}
        for table in receipt.rows:
            ids = [name for name in (*ACCOUNTS, "post") if name in SCHEMAS[table]]
            mine = [pl.col(name).is_in(posts.implode()) if name == "post" else pl.col(name) == account for name in ids]
            rows[table] = lake.shelf.frame(table, receipt.stem, ids).filter(pl.any_horizontal(mine)).height
        if any(rows.values()):
            there = {table: count for table, count in rows.items() if count}
            told.append({"batch": receipt.batch, "source": receipt.source, "note": receipt.note, "rows": there})
    return told


def _plain(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """The rows as plain values, times in ISO 8601."""
    times = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime)]
    return frame.with_columns(pl.col(times).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")).to_dicts()
