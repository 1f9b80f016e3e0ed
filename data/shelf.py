"""The files of a lake: found, written whole, locked and swept, in a folder or behind any fsspec URL."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO

import filelock
import fsspec
import polars as pl
from fsspec.implementations.local import LocalFileSystem
from pydantic import ValidationError

from clout.data.receipt import Receipt
from clout.data.tables import SCHEMAS
from clout.errors import CloutError

PATIENCE = 600.0
RECEIPTS, REJECTED, TOMBSTONES = "receipts", "rejects", "tombstones"
_OURS = re.compile(r"([0-9a-f]{64})(?:-(\d+))?\.(parquet|json|json\.partial)")


class LakeError(CloutError):
    """The lake cannot be read or written."""

    code = "lake"


class Shelf:
    """Where a lake's files stand: `url` is a local path or any URL that fsspec knows."""

    def __init__(self, url: str | Path) -> None:
        self.url = str(url)
        try:
            self._files, root = fsspec.core.url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            raise LakeError(
                f"cannot open the lake {self.url} ({error}): expected a path or a URL whose fsspec package is there"
            ) from error
        self._root = str(root).rstrip("/")
        self.is_local = isinstance(self._files, LocalFileSystem)

    def path(self, folder: str, stem: str) -> str:
        """The path or URL of the Parquet file `stem` in `folder`."""
        path = f"{self._root}/{folder}/{stem}.parquet"
        return path if self.is_local else str(self._files.unstrip_protocol(path))

    def names(self, folder: str) -> list[str]:
        """The names of the files in `folder`, in order; none where there is no such folder."""
        self._files.invalidate_cache()
        try:
            return sorted(
                str(path).rsplit("/", 1)[1] for path in self._files.ls(f"{self._root}/{folder}", detail=False)
            )
        except FileNotFoundError:
            return []

    def content(self, path: str) -> bytes:
        """All bytes of the file at `path`, which is as `path()` gives it or below the root."""
        return bytes(self._files.cat_file(path if "://" in path or path.startswith("/") else f"{self._root}/{path}"))

    def frame(self, folder: str, stem: str, columns: list[str] | None = None) -> pl.DataFrame:
        """The rows of the Parquet file `stem` in `folder`, all columns or some."""
        return pl.read_parquet(BytesIO(self.content(self.path(folder, stem))), columns=columns)

    def size(self, path: str) -> int:
        """How many bytes the file at `path` has."""
        return int(self._files.size(path))

    def receipts(self) -> list[Receipt]:
        """The newest receipt of each batch, first batch to last."""
        newest: dict[str, Receipt] = {}
        for name in self.names(RECEIPTS):
            if name.endswith(".json"):
                receipt = self._receipt(name)
                if receipt.batch not in newest or receipt.edition > newest[receipt.batch].edition:
                    newest[receipt.batch] = receipt
        return sorted(newest.values(), key=lambda receipt: (receipt.number, receipt.batch))

    def put(self, name: str, content: bytes) -> None:
        """Nothing; the file `name` below the root then holds `content`: it comes whole, by rename."""
        target = f"{self._root}/{name}"
        with self.writing(f"{target}.partial") as file:
            file.write(content)
        self._files.mv(f"{target}.partial", target)

    def put_batch(self, receipt: Receipt, frames: Mapping[str, pl.DataFrame]) -> Receipt:
        """`receipt` with the sizes of its files, once these and then the receipt itself are written."""
        paths = {table: self.path(table, receipt.stem) for table in frames}
        for table, frame in frames.items():
            with self.writing(paths[table]) as file:
                frame.write_parquet(file)
        sizes = {table: self.size(path) for table, path in paths.items()}
        receipt = receipt.model_copy(update={"bytes": sizes})
        self.put(f"{RECEIPTS}/{receipt.stem}.json", receipt.model_dump_json(indent=2).encode())
        return receipt

    @contextmanager
    def writing(self, path: str) -> Iterator[IO[bytes]]:
        """An open file that, on a local disk, has reached it when the block ends."""
        self._files.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        with self._files.open(path, "wb") as file:
            yield file
            if self.is_local:
                file.flush()
                os.fsync(file.fileno())

    @contextmanager
    def alone(self) -> Iterator[None]:
        """A block that no other process of this machine runs on the same local lake."""
        if not self.is_local:
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

    def sweep(self) -> None:
        """Nothing; files that a newer edition of their batch replaced are gone.

        So is, from a local lake, where the lock says that nobody is writing, what broken-off batches left.
        """
        newest = {receipt.batch: receipt.edition for receipt in self.receipts()}
        for folder in (RECEIPTS, *SCHEMAS, REJECTED, TOMBSTONES):
            for name in self.names(folder):
                if self._is_litter(folder, name, newest):
                    self._files.rm_file(f"{self._root}/{folder}/{name}")

    def _is_litter(self, folder: str, name: str, newest: Mapping[str, int]) -> bool:
        found = _OURS.fullmatch(name)
        if not found or name.endswith(".partial") or folder == TOMBSTONES:
            return self.is_local and found is not None and name.endswith(".partial")
        edition, last = int(found[2] or 0), newest.get(found[1])
        return edition < last or (self.is_local and edition > last) if last is not None else self.is_local

    def _receipt(self, name: str) -> Receipt:
        try:
            return Receipt.model_validate_json(self.content(f"{RECEIPTS}/{name}"))
        except ValidationError as error:
            path = f"{self._root}/{RECEIPTS}/{name}"
            raise broken(path, "is not a receipt") from error


def broken(path: str, what: str) -> LakeError:
    """An error that says of the lake's file at `path` what it is, and what to do about it."""
    batch = path.rsplit("/", 1)[1].split(".", 1)[0]
    return LakeError(
        f"the lake's file {path} {what}; expected it as it was written: put back a copy of it, or delete "
        f"receipts/{batch}.json beside it and ingest that source again"
    )
