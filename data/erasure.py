"""Forgetting: every row of an account leaves the lake for good, and a tombstone keeps it from coming back.

The tombstone comes first. Then each batch that holds a row is written anew without it, and its receipt takes the old
one's place by rename. Broken off at any step, the same call again finishes it.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import date
from io import BytesIO
from pathlib import Path

import polars as pl

from clout.data import digest
from clout.data.lake import Lake, rejected
from clout.data.receipt import Receipt
from clout.data.shelf import REJECTED, LakeError, Shelf
from clout.data.tables import SCHEMAS
from clout.data.tombstones import (
    ACCOUNTS,
    STATE_CHARACTERS,
    Erasure,
    Tombstones,
    hashed,
)

ASKED = "asked"
SALT_BYTES = 32


def erase(lake: Lake, accounts: Collection[str], reason: str, day: date, posts: Collection[str] = ()) -> dict[str, int]:
    """How many rows of `accounts` left each table of the lake, "rejects" among them; none of them comes in again.

    These are the rows about an account, of its posts, of actions and counts on these, and of what it did on others.
    `posts` are posts of theirs that the lake need not hold.
    """
    lake.expect_now()
    gone: Counter[str] = Counter()
    with lake.shelf.alone():
        tombstones = _buried(lake, sorted(set(accounts)), posts, reason, day)
        lake.shelf.sweep()
        for receipt in lake.receipts():
            gone.update(_rewrite(lake, receipt, tombstones))
        lake.shelf.sweep()
    return {table: gone[table] for table in (*SCHEMAS, REJECTED) if gone[table]}


def _buried(lake: Lake, accounts: list[str], more: Collection[str], reason: str, day: date) -> Tombstones:
    """The lake's tombstones, those of `accounts` among them, with their posts and `more` posts."""
    known = lake.tombstones()
    salt = known.salt or secrets.token_hex(SALT_BYTES)
    marks = dict(zip(accounts, hashed(salt, accounts), strict=True))
    theirs = [*_ids(lake, "posts", "post", accounts), *more]
    posts = {post: mark for post, mark in _marked(salt, theirs) if mark not in known.posts}
    new = [account for account in accounts if marks[account] not in known.accounts]
    if not new and not posts:
        return known
    remembered = {state for erasure in known.erasures for state in erasure.states}
    states = {state[:STATE_CHARACTERS] for number, state in lake.states() if number} - remembered
    facts = {"reason": reason, "day": day.isoformat(), "states": tuple(sorted(states))}
    erasure = Erasure(number=lake.next_number(), salt=salt, **facts)
    try:
        lake.remember(erasure.naming(new, posts, _ids(lake, "accounts", "handle", new)))
    except OSError as error:
        raise _unwritten(lake, error) from error
    return lake.tombstones()


def _marked(salt: str, words: list[str]) -> Iterator[tuple[str, str]]:
    return zip(words, hashed(salt, words), strict=True)


def _ids(lake: Lake, table: str, column: str, accounts: list[str]) -> list[str]:
    rows = lake.scan(table).filter(pl.col("account").is_in(accounts)).select(pl.col(column).drop_nulls()).collect()
    return rows[column].to_list()


def _rewrite(lake: Lake, receipt: Receipt, tombstones: Tombstones) -> dict[str, int]:
    """How many rows left each table of the batch, which is then written anew; nothing where none had to."""
    named = {table: mask for table, mask in _named(lake, receipt, tombstones) if mask.any()}
    if not named:
        return {}
    frames, digests = {}, dict(receipt.digests)
    for table in receipt.bytes:
        frame = lake.shelf.frame(table, receipt.stem)
        if table in named and table != REJECTED:
            digests[table] = digest.without(digests[table], digest.digest(frame.filter(named[table])))
        frames[table] = frame.filter(~named[table]) if table in named else frame
    gone = {table: int(mask.sum()) for table, mask in named.items()}
    left = {table: frame for table, frame in frames.items() if frame.height}
    rows = {table: frame.height for table, frame in left.items() if table != REJECTED}
    changed = {
        "rows": rows,
        "digests": {table: digests[table] for table in rows},
        "rejected": rejected(left[REJECTED]) if REJECTED in left else {},
        "erased": dict(Counter(receipt.erased) + Counter(gone)),
        "edition": receipt.edition + 1,
    }
    try:
        lake.shelf.put_batch(receipt.model_copy(update=changed), left)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _unwritten(lake, error) from error
    return gone


def _named(lake: Lake, receipt: Receipt, tombstones: Tombstones) -> Iterator[tuple[str, pl.Series]]:
    """For each table of the batch, which of its rows a tombstone names."""
    for table in receipt.bytes:
        columns = ["raw"] if table == REJECTED else [name for name in (*ACCOUNTS, "post") if name in SCHEMAS[table]]
        rows = lake.shelf.frame(table, receipt.stem, columns)
        yield table, tombstones.told_in(rows["raw"]) if table == REJECTED else tombstones.name(rows)


def erase_beside(files: Collection[Path], tombstones: Tombstones) -> int:
    """How many rows of forgotten accounts left these Parquet files, each written whole or not at all."""
    gone = 0
    for file in files:
        try:
            rows = pl.read_parquet(file)
        except pl.exceptions.PolarsError as error:
            raise LakeError(
                f"cannot read {file} ({error}), so not everything was erased; expected the posts that a training judged: "
                "delete that file, then forget the account again, which finishes it"
            ) from error
        named = tombstones.name(rows)
        if named.any():
            content = BytesIO()
            rows.filter(~named).write_parquet(content)
            Shelf(file.parent).put(file.name, content.getvalue())
            gone += int(named.sum())
    return gone


def _unwritten(lake: Lake, error: Exception) -> LakeError:
    return LakeError(
        f"could not write to the lake {lake.url} ({error}), so not everything was erased; expected room and leave to "
        "write there: see to it, then forget the account again, which finishes it"
    )
