"""The lake: Parquet files in a folder or behind any fsspec URL, appended to in batches that are whole or absent.

A batch is `<table>/<batch>.parquet` for each table and `rejects/<batch>.parquet`; its receipt
`receipts/<batch>.json` comes last, by rename, and readers read only what receipts name. `<batch>` is the sha256 of
the rows.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import IO, NamedTuple

import filelock
import fsspec
import polars as pl
from fsspec.implementations.local import LocalFileSystem
from pydantic import ValidationError

from clout.data.digest import combine, digest, total
from clout.data.receipt import Receipt
from clout.data.tables import CONFLICT, KEYS, NULLABLE, REJECTS, SCHEMAS, as_json, equal_rows
from clout.errors import CloutError

Tables = Mapping[str, pl.DataFrame]
PATIENCE = 600.0
_OURS = re.compile(r"[0-9a-f]{64}\.(parquet|json\.partial)")


class LakeError(CloutError):
    """The lake cannot be read or written."""

    code = "lake"


class _Parts(NamedTuple):
    """Rows against a lake: those with a new key, how many it has already, and rejects for the others."""

    new: pl.DataFrame
    there: int
    conflicts: pl.DataFrame


class Lake:
    """A store of the five tables at `url`, a local path or any URL that fsspec knows.

    Processes may append to a local lake at the same time: a lock file makes one wait for the other. Behind a URL
    there is no lock, so one process at a time appends there.
    """

    def __init__(self, url: str | Path) -> None:
        self.url = str(url)
        try:
            self._files, root = fsspec.core.url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            raise LakeError(
                f"cannot open the lake {self.url} ({error}): expected a path or a URL whose fsspec package is there"
            ) from error
        self._root = str(root).rstrip("/")
        self._last: int | None = None
        self._local = isinstance(self._files, LocalFileSystem)

    def append(self, batch: Tables, *, source: str, note: str = "", rejects: pl.DataFrame | None = None) -> Receipt:
        """The receipt of `batch`, which is then visible in all its tables; when anything fails, in none.

        The same batch again changes nothing. A row whose key the lake has is not appended: it counts as
        `already_there` when equal, else it is rejected as `conflicting_duplicate`. Frames have the columns and
        types of their table and each key once; a `row` column may number the rows, for the rejects.
        """
        batch = {table: _checked(table, frame) for table, frame in batch.items()}
        refused = pl.DataFrame(schema=REJECTS) if rejects is None else rejects.select(REJECTS.names())
        if self._last is not None:
            raise LakeError(f"got rows for the lake {self.url} as it was; expected the lake as it is: open it anew")
        digests = {table: _digest(table, frame) for table, frame in batch.items()}
        name = combine({**digests, "rejects": digest(refused)})
        with self._alone():
            past = self.receipts()
            for receipt in past:
                if receipt.batch == name:
                    return receipt.again({table: frame.height for table, frame in batch.items()})
            parts = {table: self._divide(table, frame) for table, frame in batch.items()}
            new = {table: part.new for table, part in parts.items() if part.new.height}
            refused = pl.concat([refused, *(part.conflicts for part in parts.values())])
            whole = {table for table, rows in new.items() if rows.height == batch[table].height}
            receipt = Receipt(
                batch=name,
                number=1 + max((receipt.number for receipt in past), default=0),
                source=source,
                note=note,
                rows={table: rows.height for table, rows in new.items()},
                already_there={table: part.there for table, part in parts.items() if part.there},
                rejected=dict(refused["reason"].value_counts().sort("reason").iter_rows()),
                digests={t: digests[t] if t in whole else _digest(t, rows) for t, rows in new.items()},
            )
            frames = {table: rows.select(SCHEMAS[table].names()) for table, rows in new.items()}
            return self._keep(receipt, frames | ({"rejects": refused} if refused.height else {}))

    def scan(self, table: str) -> pl.LazyFrame:
        """The rows of `table`, read when collected; typed and empty when there are none."""
        return self._scan(table, _schema(table))

    def read(self, table: str) -> pl.DataFrame:
        """The rows of `table` in the order they came; typed and empty when there are none."""
        return self._collect(table, self.scan(table))

    def rejects(self) -> pl.LazyFrame:
        """The rows that were refused, with table, row in the source, reason, sentence and the raw row."""
        return self._scan("rejects", REJECTS)

    def is_empty(self) -> bool:
        """Whether no table has a row."""
        return not any(receipt.rows for receipt in self.receipts())

    def fingerprint(self) -> str:
        """The sha256 of the rows of all tables; neither their order nor their batches enter."""
        return _fingerprint(self.receipts())

    def as_of(self, fingerprint: str) -> Lake:
        """This lake as it was when it had that fingerprint, to be read; raises `LakeError` when it never had."""
        receipts = self.receipts()
        for count in range(len(receipts), -1, -1):
            if _fingerprint(receipts[:count]) == fingerprint:
                past = copy(self)
                past._last = receipts[count - 1].number if count else 0
                return past
        raise LakeError(
            f"the lake {self.url} never had the fingerprint {fingerprint} in any of its {len(receipts)} states; expected "
            "the lake the data came from: name it, or ingest the same sources in the same order"
        )

    def receipts(self) -> list[Receipt]:
        """The receipts of all batches, first to last."""
        found = [self._receipt(path) for path in self._list("receipts") if path.endswith(".json")]
        kept = [receipt for receipt in found if self._last is None or receipt.number <= self._last]
        return sorted(kept, key=lambda receipt: (receipt.number, receipt.batch))

    def batches(self) -> frozenset[str]:
        """The names of all batches: the same as long as the lake holds the same, and read at a glance."""
        names = (path.rsplit("/", 1)[1] for path in self._list("receipts"))
        return frozenset(name.removesuffix(".json") for name in names if name.endswith(".json"))

    def path(self, table: str, batch: str) -> str:
        """The path or URL of the file with the rows of `table` (or "rejects") of `batch`."""
        path = f"{self._root}/{table}/{batch}.parquet"
        return path if self._local else str(self._files.unstrip_protocol(path))

    def _divide(self, table: str, frame: pl.DataFrame) -> _Parts:
        key = list(KEYS[table])
        known = self._collect(table, self.scan(table).join(frame.lazy().select(key), on=key, how="semi"))
        if known.is_empty():
            return _Parts(frame, 0, pl.DataFrame(schema=REJECTS))
        new = frame.join(known, on=key, how="anti", maintain_order="left")
        seen = frame.join(known, on=key, how="semi", maintain_order="left")
        equal = equal_rows(table, seen, known)
        return _Parts(new, int(equal.sum()), _conflicts(table, seen.filter(~equal)))

    def _keep(self, receipt: Receipt, frames: Tables) -> Receipt:
        """`receipt` once `frames` and then the receipt itself are written."""
        if not frames:
            return receipt.model_copy(update={"number": 0})
        self._sweep()
        paths = {table: self.path(table, receipt.batch) for table in frames}
        target = f"{self._root}/receipts/{receipt.batch}.json"
        try:
            for table, frame in frames.items():
                with self._writing(paths[table]) as file:
                    frame.write_parquet(file)
            sizes = {table: int(self._files.size(path)) for table, path in paths.items()}
            receipt = receipt.model_copy(update={"bytes": sizes})
            with self._writing(f"{target}.partial") as file:
                file.write(receipt.model_dump_json(indent=2).encode())
            self._files.mv(f"{target}.partial", target)
        except (OSError, pl.exceptions.PolarsError) as error:
            self._sweep()
            raise LakeError(
                f"could not write to the lake {self.url} ({error}); nothing of {receipt.source} was kept: "
                "make room or allow writing there, then run this again"
            ) from error
        return receipt

    @contextmanager
    def _writing(self, path: str) -> Iterator[IO[bytes]]:
        """An open file that, on a local disk, has reached it when the block ends."""
        self._files.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        with self._files.open(path, "wb") as file:
            yield file
            if self._local:
                file.flush()
                os.fsync(file.fileno())

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """A block that no other process of this machine runs on the same local lake."""
        if not self._local:
            yield
            return
        try:
            self._files.makedirs(self._root, exist_ok=True)
            lock = filelock.FileLock(f"{self._root}/.lock", timeout=PATIENCE)
            lock.acquire()
        except filelock.Timeout as error:
            raise LakeError(
                f"waited {PATIENCE:.0f} s for another process that writes to the lake {self.url}; "
                "expected it to end: run this again when it has"
            ) from error
        except OSError as error:
            raise LakeError(
                f"cannot write to the lake {self.url} ({error}); expected a folder to write in: name another"
            ) from error
        try:
            yield
        finally:
            lock.release()

    def _sweep(self) -> None:
        """Remove what broken-off batches left in a local lake, where the lock says that nobody is writing."""
        if not self._local:
            return
        kept = {receipt.batch for receipt in self.receipts()}
        for folder in (*SCHEMAS, "rejects", "receipts"):
            for path in self._list(folder):
                name = path.rsplit("/", 1)[1]
                if _OURS.fullmatch(name) and (name.endswith(".partial") or name.split(".", 1)[0] not in kept):
                    self._files.rm_file(path)

    def _scan(self, table: str, schema: pl.Schema) -> pl.LazyFrame:
        sizes = {self.path(table, r.batch): r.bytes[table] for r in self.receipts() if table in r.bytes}
        for path, size in sizes.items():
            self._check_size(path, size)
        if not sizes:
            return pl.LazyFrame(schema=schema)
        if self._local:
            return pl.scan_parquet(list(sizes), glob=False, schema=schema)
        return pl.scan_parquet([self._files.cat_file(path) for path in sizes], schema=schema)

    def _check_size(self, path: str, size: int) -> None:
        try:
            found = int(self._files.size(path))
        except FileNotFoundError as error:
            raise _broken(path, "is missing") from error
        if found != size:
            raise _broken(path, f"has {found:,} bytes and not the {size:,} of its receipt")

    def _collect(self, table: str, rows: pl.LazyFrame) -> pl.DataFrame:
        try:
            return rows.collect()
        except (pl.exceptions.PolarsError, OSError) as error:
            for receipt in self.receipts():
                if table in receipt.bytes:
                    self._check_rows(self.path(table, receipt.batch))
            raise LakeError(f"could not read {table} of the lake {self.url} ({error}): run this again") from error

    def _check_rows(self, path: str) -> None:
        try:
            pl.read_parquet(self._files.cat_file(path))
        except (pl.exceptions.PolarsError, OSError) as error:
            raise _broken(path, f"is damaged ({error})") from error

    def _receipt(self, path: str) -> Receipt:
        try:
            return Receipt.model_validate_json(self._files.cat_file(path))
        except ValidationError as error:
            raise _broken(path, "is not a receipt") from error

    def _list(self, folder: str) -> list[str]:
        self._files.invalidate_cache()
        try:
            return sorted(self._files.ls(f"{self._root}/{folder}", detail=False))
        except FileNotFoundError:
            return []


def _fingerprint(receipts: Sequence[Receipt]) -> str:
    parts = {table: [r.digests[table] for r in receipts if table in r.digests] for table in SCHEMAS}
    return combine({table: total(digests) for table, digests in parts.items()})


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


def _conflicts(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        pl.lit(table).alias("table"),
        "row",
        pl.lit("conflicting_duplicate").alias("reason"),
        pl.lit(CONFLICT).alias("sentence"),
        as_json(rows.drop("row")).alias("raw"),
    )


def _broken(path: str, what: str) -> LakeError:
    batch = path.rsplit("/", 1)[1].split(".", 1)[0]
    return LakeError(
        f"the lake's file {path} {what}; expected it as it was written: put back a copy of it, or delete "
        f"receipts/{batch}.json beside it and ingest that source again"
    )
