"""What every source is, and how any of them gets into a lake: piece by piece, each piece whole, each row once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, Protocol

import polars as pl

from clout.data.erasure import erase
from clout.data.lake import Lake
from clout.data.receipt import Receipt
from clout.data.tables import DELETED, MINOR, SCHEMAS, minors_in, validate

UNKNOWN_POST = "unknown_post"
UNKNOWN_POST_WORDS = "whose post it acts on is not known: bring in the posts first"
Progress = Callable[[str, float], None]
Forget = Callable[[frozenset[str], str], object]
Count = Callable[[Receipt], object]


class Piece(NamedTuple):
    """Some rows of a source, few enough to fit in memory.

    `tables` are frames as `tables.validate` takes them, `rejects` what could not even become a row. `cursor` is
    where to go on after this piece, and "" when the source is at its end; `share` is the part of the source that is
    read by then. `gone` are accounts that were deleted there, so that nothing of theirs may be kept.
    """

    tables: Mapping[str, pl.DataFrame]
    rejects: pl.DataFrame
    cursor: str
    share: float
    gone: frozenset[str] = frozenset()


class Source(Protocol):
    """Where rows come from. `name` stands in the receipts and finds the cursor again; `note` says what was assumed."""

    @property
    def name(self) -> str: ...  # noqa: D102 (the class says it)

    @property
    def note(self) -> str: ...  # noqa: D102

    def pull(self, since: str | None) -> Iterator[Piece]:
        """The pieces that come after the cursor `since`, or all; the same ones each time."""


@dataclass
class Taken:
    """What became of the rows of a source, over all its pieces; `went_on` when an earlier run had been broken off."""

    source: str
    note: str
    went_on: bool = False
    rows: Counter[str] = field(default_factory=Counter)
    already_there: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)

    def add(self, receipt: Receipt) -> None:
        """Nothing; the rows of `receipt` are then counted too."""
        self.rows.update(receipt.rows)
        self.already_there.update(receipt.already_there)
        self.rejected.update(receipt.rejected)

    def told(self) -> dict[str, Any]:
        """What people and programs are shown of it."""
        counts = {name: dict(getattr(self, name)) for name in ("rows", "already_there", "rejected")}
        return {"source": self.source, "note": self.note, "went_on": self.went_on, **counts}


def take(
    lake: Lake,
    source: Source,
    now: datetime,
    progress: Progress | None = None,
    forget: Forget | None = None,
    count: Count | None = None,
) -> Taken:
    """What became of the rows of `source`, which are then in `lake`.

    Each piece is appended whole or not at all, and its receipt keeps the cursor. So a run that was broken off, however
    it was, goes on where it stood, and the lake ends with the rows of one that was not. `forget` is given the accounts
    that the source says are minors' or were deleted, and which; without it they are forgotten in the lake alone. `count` is given the receipt of
    each piece, so that what came in before trouble can be told.
    """
    report, tell = progress or (lambda _step, _share: None), count or (lambda _receipt: None)
    bury = forget or partial(erase, lake, day=now.date())
    since = cursor(lake, source.name)
    taken = Taken(source.name, source.note, went_on=since is not None)
    report(f"reading {source.name}", 0.0)
    for piece in source.pull(since):
        receipt = _append(lake, source, piece, now, bury)
        taken.add(receipt)
        tell(receipt)
        report(f"reading {source.name}", piece.share)
    return taken


def cursor(lake: Lake, name: str) -> str | None:
    """Where the source called `name` stood when its last piece came in; None before the first and after the last."""
    newest = next((receipt for receipt in reversed(lake.receipts()) if receipt.source == name), None)
    return newest.cursor or None if newest else None


def _append(lake: Lake, source: Source, piece: Piece, now: datetime, bury: Forget) -> Receipt:
    accepted: dict[str, pl.DataFrame] = {}
    rejects, minors = [piece.rejects], frozenset[str]()
    for table in (name for name in SCHEMAS if name in piece.tables):
        frame = piece.tables[table]
        minors |= minors_in(frame)
        told = _with_owners(lake, frame, accepted.get("posts")) if table == "actions" else frame
        accepted[table], refused = validate(table, told, now)
        rejects.append(refused)
    for accounts, reason in ((minors, MINOR), (piece.gone, DELETED)):
        if accounts:
            bury(accounts, reason)
    return lake.append(accepted, source=source.name, note=source.note, rejects=pl.concat(rejects), cursor=piece.cursor)


def _with_owners(lake: Lake, actions: pl.DataFrame, posts: pl.DataFrame | None) -> pl.DataFrame:
    """`actions` where one that does not say whose post it is on gets the author of that post.

    The post is looked for among `posts` and those of the lake; where it is in neither, the action is refused.
    """
    lost = pl.col("account").is_null() & pl.col("post").is_not_null()
    wanted = actions.filter(lost).select("post").unique()
    if wanted.is_empty():
        return actions
    here = [] if posts is None else [posts.select("post", owner="account").join(wanted, on="post", how="semi")]
    owners = pl.concat([*here, _owners(lake, wanted)]).unique("post", keep="first")
    joined = actions.join(owners, on="post", how="left", maintain_order="left")
    unknown = lost & pl.col("owner").is_null() & pl.col("reason").is_null()
    return joined.with_columns(
        account=pl.coalesce("account", "owner"),
        reason=pl.when(unknown).then(pl.lit(UNKNOWN_POST)).otherwise("reason"),
        sentence=pl.when(unknown).then(pl.lit(UNKNOWN_POST_WORDS)).otherwise("sentence"),
    ).drop("owner")


def _owners(lake: Lake, wanted: pl.DataFrame) -> pl.DataFrame:
    """(post, owner) of the posts of the lake that are wanted; the lake may be larger than memory."""
    first, last = wanted["post"].min(), wanted["post"].max()
    near = lake.scan("posts").filter(pl.col("post").is_between(pl.lit(first), pl.lit(last)))
    known = near.select("post", owner="account").join(wanted.lazy(), on="post", how="semi")
    return known.collect(engine="streaming")
