"""The lake: Parquet files in a folder or behind any fsspec URL, appended to in batches that are whole or absent.

A batch is `<table>/<batch>.parquet` for each table and `rejects/<batch>.parquet`; its receipt
`receipts/<batch>.json` comes last, by rename, and readers read only what receipts name. `<batch>` is the sha256 of
the rows that came in; after an erasure `<batch>-1` takes its place, and so on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple

import polars as pl

from clout.data.digest import combine, digest, total
from clout.data.receipt import Receipt
from clout.data.shelf import REJECTED, TOMBSTONES, LakeError, Shelf, broken
from clout.data.tables import (
    CLAIMED,
    CONFLICT,
    KEYS,
    NULLABLE,
    REJECTS,
    SCHEMAS,
    TWO_PERSONS,
    as_json,
    equal_rows,
    other_person,
)
from clout.data.tombstones import Erasure, Tombstones

Tables = Mapping[str, pl.DataFrame]
FORGOTTEN = "forgotten"
FORGOTTEN_WORDS = "it is of an account that must not be kept"
NOTHING = digest(pl.DataFrame())


class _Parts(NamedTuple):
    """Rows against a lake: those with a new key, how many it has already, and rejects for the others."""

    new: pl.DataFrame
    there: int
    conflicts: pl.DataFrame


class Lake:
    """A store of the tables at `url`, a local path or any URL that fsspec knows.

    Processes may append to a local lake at the same time: a lock file makes one wait for the other. Behind a URL
    there is no lock, so one process at a time appends there.
    """

    def __init__(self, url: str | Path) -> None:
        self.shelf = Shelf(url)
        self.url = self.shelf.url
        self._last: int | None = None

    def append(
        self, batch: Tables, *, source: str, note: str = "", rejects: pl.DataFrame | None = None, cursor: str = ""
    ) -> Receipt:
        """The receipt of `batch`, which is then visible in all its tables; when anything fails, in none.

        The same batch again changes nothing. A row whose key the lake has is not appended: it counts as
        `already_there` when equal, else it is rejected as `conflicting_duplicate`; a row of an account that was
        forgotten is rejected as `forgotten`, and what it said is not kept. Frames have the columns and types of
        their table and each key once; a `row` column may number the rows, for the rejects.
        """
        batch = {table: _checked(table, frame) for table, frame in batch.items()}
        refused = pl.DataFrame(schema=REJECTS) if rejects is None else rejects.select(REJECTS.names())
        self.expect_now()
        digests = {table: _digest(table, frame) for table, frame in batch.items()}
        name = combine({**digests, "rejects": digest(refused)})
        with self.shelf.alone():
            past, tombstones = self.receipts(), self.tombstones()
            kept, refused, posts = _without_forgotten(batch, refused, tombstones)
            for receipt in past:
                if receipt.batch == name:
                    return receipt.again({table: frame.height for table, frame in kept.items()})
            parts = {table: self._divide(table, frame, past) for table, frame in kept.items()}
            new = {table: part.new for table, part in parts.items() if part.new.height}
            refused = pl.concat([refused, *(part.conflicts for part in parts.values())])
            whole = {table for table, rows in new.items() if rows.height == batch[table].height}
            receipt = Receipt(
                batch=name,
                number=_next_number(past, tombstones) + bool(posts),
                source=source,
                note=note,
                rows={table: rows.height for table, rows in new.items()},
                already_there={table: part.there for table, part in parts.items() if part.there},
                rejected=rejected(refused),
                digests={t: digests[t] if t in whole else _digest(t, rows) for t, rows in new.items()},
                cursor=cursor,
            )
            frames = {table: rows.select(SCHEMAS[table].names()) for table, rows in new.items()}
            return self._keep(receipt, frames | ({REJECTED: refused} if refused.height else {}), tombstones, posts)

    def scan(self, table: str) -> pl.LazyFrame:
        """The rows of `table`, read when collected; typed and empty when there are none."""
        return self._scan(table, _schema(table), self.receipts())

    def read(self, table: str) -> pl.DataFrame:
        """The rows of `table` in the order they came; typed and empty when there are none."""
        names = self.batches()
        try:
            return self._collect(table, self.scan(table))
        except LakeError:
            if self.batches() == names:
                raise
            return self.read(table)  # rows were erased meanwhile, and what was being read replaced

    def rejects(self) -> pl.LazyFrame:
        """The rows that were refused, with table, row in the source, reason, sentence and the raw row."""
        return self._scan(REJECTED, REJECTS, self.receipts())

    def unmet(self) -> dict[str, int]:
        """How many actions and counts are on posts that the lake does not hold, by table; no table where all are.

        They teach nothing until their posts come, under the ids that they name.
        """
        posts, unmet = self.scan("posts").select("post"), {}
        for table in ("actions", "counts"):
            waiting = self.scan(table).select("post").drop_nulls().join(posts, on="post", how="anti")
            unmet[table] = self._collect(table, waiting.select(pl.len()), "streaming").item()
        return {table: rows for table, rows in unmet.items() if rows}

    def is_empty(self) -> bool:
        """Whether no table has a row."""
        return not any(receipt.rows for receipt in self.receipts())

    def fingerprint(self) -> str:
        """The sha256 of the rows of all tables and of how many accounts were forgotten.

        Neither the order of rows nor their batches enter.
        """
        *_, (_, newest) = self.states()
        return newest

    def states(self) -> Iterator[tuple[int, str]]:
        """(number, fingerprint) of the lake after each batch and each erasure, first to last; at first it is empty."""
        digests, forgotten = dict.fromkeys(SCHEMAS, NOTHING), set[str]()
        changes: list[Receipt | Erasure] = [*self.receipts(), *self.tombstones().erasures]
        yield 0, combine(digests)
        for change in sorted(changes, key=lambda change: change.number):
            if isinstance(change, Erasure):
                forgotten |= {*change.accounts}
            else:
                digests |= {table: total([digests[table], part]) for table, part in change.digests.items()}
            count = {TOMBSTONES: f"{len(forgotten):x}"} if forgotten else {}
            yield change.number, combine(digests | count)

    def as_of(self, fingerprint: str) -> Lake:
        """This lake as it was when it had that fingerprint, to be read.

        Raises `LakeError` when it never had, or when rows that it had then were erased since.
        """
        numbers = [number for number, state in self.states() if state == fingerprint]
        if numbers:
            past = copy(self)
            past._last = numbers[-1]
            return past
        day = self.tombstones().erased_on(fingerprint)
        if day is not None:
            raise LakeError(
                f"the lake {self.url} had the fingerprint {fingerprint} until an account was erased from it on {day}; "
                "what was erased is gone for good, and with it that state: train again on the lake as it is"
            )
        raise LakeError(
            f"the lake {self.url} never had the fingerprint {fingerprint} in any of its {len(self.receipts())} states; "
            "expected the lake the data came from: name it, or ingest the same sources in the same order"
        )

    def receipts(self) -> list[Receipt]:
        """The receipts of all batches, first to last."""
        return [receipt for receipt in self.shelf.receipts() if self._last is None or receipt.number <= self._last]

    def tombstones(self) -> Tombstones:
        """What is remembered of the accounts that were forgotten."""
        names = [name for name in self.shelf.names(TOMBSTONES) if name.endswith(".json")]
        found = [Erasure.model_validate_json(self.shelf.content(f"{TOMBSTONES}/{name}")) for name in names]
        kept = [erasure for erasure in found if self._last is None or erasure.number <= self._last]
        return Tombstones(tuple(sorted(kept, key=lambda erasure: erasure.number)))

    def remember(self, erasure: Erasure) -> None:
        """Nothing; `erasure` is then among the tombstones."""
        told = erasure.model_dump_json().encode()
        self.shelf.put(f"{TOMBSTONES}/{sha256(told).hexdigest()}.json", told)

    def batches(self) -> frozenset[str]:
        """The names of all batches: the same as long as the lake holds the same, and read at a glance."""
        return frozenset(name.removesuffix(".json") for name in self.shelf.names("receipts") if name.endswith(".json"))

    def path(self, table: str, batch: str) -> str:
        """The path or URL of the file with the rows of `table` (or "rejects") of `batch`, a receipt's `stem`."""
        return self.shelf.path(table, batch)

    def expect_now(self) -> None:
        """Nothing, unless this is a lake as it was, which raises `LakeError`: only the lake of now takes changes."""
        if self._last is not None:
            raise LakeError(f"got rows for the lake {self.url} as it was; expected the lake as it is: open it anew")

    def next_number(self) -> int:
        """The number of the next batch or erasure."""
        return _next_number(self.receipts(), self.tombstones())

    def _divide(self, table: str, frame: pl.DataFrame, past: Sequence[Receipt]) -> _Parts:
        if table == "identities":
            return self._divide_identities(frame, past)
        return self._divide_by_key(table, frame, past)

    def _divide_identities(self, frame: pl.DataFrame, past: Sequence[Receipt]) -> _Parts:
        """As any table is divided, but an account that another person declared before is refused."""
        declared = self._scan("identities", _schema("identities"), past).join(
            frame.lazy().select("account"), on="account", how="semi"
        )
        claimed = other_person(frame, self._collect("identities", declared))
        parts = self._divide_by_key("identities", frame.filter(~claimed), past)
        others = _refused("identities", frame.filter(claimed), TWO_PERSONS, CLAIMED)
        return parts._replace(conflicts=pl.concat([parts.conflicts, others]))

    def _divide_by_key(self, table: str, frame: pl.DataFrame, past: Sequence[Receipt]) -> _Parts:
        key = list(KEYS[table])
        if frame.is_empty():
            return _Parts(frame, 0, pl.DataFrame(schema=REJECTS))
        least, most = str(frame[key[0]].min()), str(frame[key[0]].max())
        there = self._scan(table, _schema(table), past, (least, most))
        near = there.filter(pl.col(key[0]).is_between(pl.lit(least), pl.lit(most)))
        again = self._collect(table, near.select(key).join(frame.lazy(), on=key, how="semi"), "streaming")
        if again.is_empty():
            return _Parts(frame, 0, pl.DataFrame(schema=REJECTS))
        known = self._collect(table, near.join(again.lazy(), on=key, how="semi"), "streaming")
        new = frame.join(known, on=key, how="anti", maintain_order="left")
        seen = frame.join(known, on=key, how="semi", maintain_order="left")
        equal = equal_rows(table, seen, known)
        return _Parts(new, int(equal.sum()), _refused(table, seen.filter(~equal), "conflicting_duplicate", CONFLICT))

    def _keep(self, receipt: Receipt, frames: Tables, tombstones: Tombstones, posts: Sequence[str]) -> Receipt:
        """`receipt` once `frames` and then the receipt itself are written; `posts` of forgotten accounts come first."""
        if not frames:
            return receipt.model_copy(update={"number": 0})
        self.shelf.sweep()
        try:
            if tombstones.salt and posts:
                self.remember(Erasure(number=receipt.number - 1, salt=tombstones.salt, posts=tuple(posts)))
            return self.shelf.put_batch(receipt, frames)
        except (OSError, pl.exceptions.PolarsError) as error:
            self.shelf.sweep()
            raise LakeError(
                f"could not write to the lake {self.url} ({error}); nothing of {receipt.source} was kept: "
                "make room or allow writing there, then run this again"
            ) from error

    def _scan(
        self, table: str, schema: pl.Schema, past: Sequence[Receipt], ends: tuple[str, str] | None = None
    ) -> pl.LazyFrame:
        """The rows of `table` in the batches `past`, at least those whose first key is between `ends`."""
        paths = []
        for receipt in past:
            if table in receipt.bytes:
                path = self.path(table, receipt.stem)
                self._check_size(path, receipt.bytes[table])
                if ends is None or receipt.may_hold(table, *ends):
                    paths.append(path)
        if not paths:
            return pl.LazyFrame(schema=schema)
        if self.shelf.is_local:
            return pl.scan_parquet(paths, glob=False, schema=schema)
        return pl.scan_parquet([self.shelf.content(path) for path in paths], schema=schema)

    def _check_size(self, path: str, size: int) -> None:
        try:
            found = self.shelf.size(path)
        except FileNotFoundError as error:
            raise broken(path, "is missing") from error
        if found != size:
            raise broken(path, f"has {found:,} bytes and not the {size:,} of its receipt")

    def _collect(self, table: str, rows: pl.LazyFrame, engine: Literal["auto", "streaming"] = "auto") -> pl.DataFrame:
        try:
            return rows.collect(engine=engine)
        except (pl.exceptions.PolarsError, OSError) as error:
            for receipt in self.receipts():
                if table in receipt.bytes:
                    self._check_rows(self.path(table, receipt.stem))
            raise LakeError(f"could not read {table} of the lake {self.url} ({error}): run this again") from error

    def _check_rows(self, path: str) -> None:
        try:
            pl.read_parquet(self.shelf.content(path))
        except (pl.exceptions.PolarsError, OSError) as error:
            raise broken(path, f"is damaged ({error})") from error


def _next_number(receipts: Sequence[Receipt], tombstones: Tombstones) -> int:
    changes: list[Receipt | Erasure] = [*receipts, *tombstones.erasures]
    return 1 + max((change.number for change in changes), default=0)


def rejected(refused: pl.DataFrame) -> dict[str, int]:
    """How many rejects there are of each reason."""
    return dict(refused["reason"].value_counts().sort("reason").iter_rows())


def _without_forgotten(
    batch: Tables, refused: pl.DataFrame, tombstones: Tombstones
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame, list[str]]:
    """(kept, rejects, marks): rows of accounts not forgotten, rejects for the others, and marks of posts new to us."""
    if not len(tombstones):
        return dict(batch), refused, []
    posts = batch["posts"] if "posts" in batch else pl.DataFrame(schema=SCHEMAS["posts"])
    theirs = posts.filter(tombstones.accounts_in(posts["account"]))["post"]
    kept, out = {}, []
    for table, rows in batch.items():
        named = tombstones.name(rows)
        if "post" in rows.columns:
            named |= rows["post"].is_in(theirs.implode()).fill_null(value=False)
        kept[table] = rows.filter(~named)
        out.append(_refused(table, rows.filter(named), FORGOTTEN, FORGOTTEN_WORDS).with_columns(raw=pl.lit("")))
    told = refused.with_columns(raw=pl.when(~tombstones.told_in(refused["raw"])).then("raw").otherwise(pl.lit("")))
    return kept, pl.concat([told, *out]), sorted({*tombstones.marks(theirs)} - tombstones.posts)


def _schema(table: str) -> pl.Schema:
    if table not in SCHEMAS:
        raise LakeError(f"got the table {table!r}; expected one of {', '.join(SCHEMAS)}")
    return SCHEMAS[table]


def _checked(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` with its columns in the order of `table`, and `row` last."""
    schema = _schema(table)
    numbered = frame if "row" in frame.columns else frame.with_columns(row=pl.lit(None, pl.Int64))
    if dict(frame.drop("row", strict=False).schema) != dict(schema):
        raise LakeError(f"got {table} as {frame.schema}; expected {schema}: pass it through clout.data.tables.validate")
    required = [name for name in schema if name not in NULLABLE[table]]
    if sum(frame.select(required).null_count().row(0)) or frame.select(KEYS[table]).is_duplicated().any():
        raise LakeError(
            f"got {table} with missing values or two rows of one {' + '.join(KEYS[table])}; expected neither: "
            "pass it through clout.data.tables.validate"
        )
    return numbered.select(*schema, "row")


def _digest(table: str, frame: pl.DataFrame) -> str:
    return digest(frame.select(SCHEMAS[table].names()))


def _refused(table: str, rows: pl.DataFrame, reason: str, sentence: str) -> pl.DataFrame:
    return rows.select(
        pl.lit(table).alias("table"),
        "row",
        pl.lit(reason).alias("reason"),
        pl.lit(sentence).alias("sentence"),
        as_json(rows.drop("row")).alias("raw"),
    )
