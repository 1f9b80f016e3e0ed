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

from clout.data.receipt import Receipt, stem
from clout.data.tables import KEYS, SCHEMAS
from clout.errors import CloutError

Mark = tuple[int, int, int]
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
        self._known: dict[str, tuple[Mark, Receipt]] = {}

    @property
    def place(self) -> str:
        """Where it stands, the same from whatever folder a local path is told."""
        return self._root if self.is_local else self.url

    def expect_no_file(self) -> None:
        """Nothing; raises `LakeError` where a file stands in the place of its folder, or of one above."""
        places = [Path(self._root), *Path(self._root).parents] if self.is_local else []
        if file := next((place for place in places if place.is_file()), None):
            raise LakeError(f"cannot open the lake {self.url}: {file} is a file; expected a folder, or a free name")

    def path(self, folder: str, stem: str) -> str:
        """The path or URL of the Parquet file `stem` in `folder`."""
        path = f"{self._root}/{folder}/{stem}.parquet"
        return path if self.is_local else str(self._files.unstrip_protocol(path))

    def names(self, folder: str) -> list[str]:
        """The names of the files in `folder`, in order; none where there is no such folder."""
        path = f"{self._root}/{folder}"
        try:
            if self.is_local:
                with os.scandir(path) as found:
                    return sorted(entry.name for entry in found)
            self._files.invalidate_cache()
            return sorted(str(file).rsplit("/", 1)[1] for file in self._files.ls(path, detail=False))
        except FileNotFoundError:
            return []
        except NotADirectoryError:
            if not Path(self._root).is_dir():
                raise
            return []

    def content(self, path: str) -> bytes:
        """All bytes of the file at `path`, which is as `path()` gives it or below the root."""
        path = path if "://" in path or path.startswith("/") else f"{self._root}/{path}"
        return Path(path).read_bytes() if self.is_local else bytes(self._files.cat_file(path))

    def frame(self, folder: str, stem: str, columns: list[str] | None = None) -> pl.DataFrame:
        """The rows of the Parquet file `stem` in `folder`, all columns or some."""
        return pl.read_parquet(BytesIO(self.content(self.path(folder, stem))), columns=columns)

    def size(self, path: str) -> int:
        """How many bytes the file at `path` has."""
        return _stat(path).st_size if self.is_local else int(self._files.size(path))

    def receipts(self) -> list[Receipt]:
        """The newest receipt of each batch, first batch to last."""
        newest: dict[str, Receipt] = {}
        for receipt in self._all_receipts():
            if receipt.batch not in newest or receipt.edition > newest[receipt.batch].edition:
                newest[receipt.batch] = receipt
        return sorted(newest.values(), key=lambda receipt: (receipt.number, receipt.batch))

    def _all_receipts(self) -> list[Receipt]:
        names = self.names(RECEIPTS)
        try:
            return [self._receipt(name) for name in names if name.endswith(".json")]
        except FileNotFoundError:
            if self.names(RECEIPTS) == names:
                raise
            return self._all_receipts()  # an erasure replaced one meanwhile

    def put(self, name: str, content: bytes) -> None:
        """Nothing; the file `name` below the root then holds `content`: it comes whole, by rename."""
        target = f"{self._root}/{name}"
        with self.writing(f"{target}.partial") as file:
            file.write(content)
        self._files.mv(f"{target}.partial", target)

    def put_batch(self, receipt: Receipt, frames: Mapping[str, pl.DataFrame]) -> Receipt:
        """`receipt` with what its files hold and how long they are, once these and then itself are written."""
        paths = {table: self.path(table, receipt.stem) for table in frames}
        for table, frame in frames.items():
            with self.writing(paths[table]) as file:
                frame.write_parquet(file)
        sizes = {table: self.size(path) for table, path in paths.items()}
        keys = {table: frame[KEYS[table][0]] for table, frame in frames.items() if table in KEYS}
        ends = {table: (key.min(), key.max()) for table, key in keys.items()}
        receipt = receipt.model_copy(update={"bytes": sizes, "ends": ends})
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
        newest: dict[str, int] = {}
        for found in map(_OURS.fullmatch, self.names(RECEIPTS)):
            if found and found[3] == "json":
                newest[found[1]] = max(int(found[2] or 0), newest.get(found[1], 0))
        kept = {f"{stem(*one)}.{kind}" for one in newest.items() for kind in ("json", "parquet")}
        for folder in (RECEIPTS, *SCHEMAS, REJECTED, TOMBSTONES):
            for name in self.names(folder):
                if name not in kept and self._is_litter(folder, name, newest):
                    self._files.rm_file(f"{self._root}/{folder}/{name}")

    def _is_litter(self, folder: str, name: str, newest: Mapping[str, int]) -> bool:
        found = _OURS.fullmatch(name)
        if not found or name.endswith(".partial") or folder == TOMBSTONES:
            return self.is_local and found is not None and name.endswith(".partial")
        edition, last = int(found[2] or 0), newest.get(found[1])
        return edition < last or (self.is_local and edition > last) if last is not None else self.is_local

    def _receipt(self, name: str) -> Receipt:
        """A receipt is read once, and again when the file is another."""
        path = f"{self._root}/{RECEIPTS}/{name}"
        mark = self._mark(path)
        before, receipt = self._known.get(name, (None, None))
        if receipt is None or mark is None or mark != before:
            try:
                receipt = Receipt.model_validate_json(self.content(path))
            except ValidationError as error:
                raise broken(path, "is not a receipt") from error
            if mark is not None:
                self._known[name] = mark, receipt
        return receipt

    def _mark(self, path: str) -> Mark | None:
        """What is another when the file at `path` is; behind a URL nothing tells."""
        if not self.is_local:
            return None
        found = _stat(path)
        return found.st_ino, found.st_size, found.st_mtime_ns


def _stat(path: str) -> os.stat_result:
    return os.stat(path)  # noqa: PTH116 - for each file of a lake, and a Path takes three times as long


def broken(path: str, what: str) -> LakeError:
    """An error that says of the lake's file at `path` what it is, and what to do about it."""
    batch = path.rsplit("/", 1)[1].split(".", 1)[0]
    return LakeError(
        f"the lake's file {path} {what}; expected it as it was written: put back a copy of it, or delete "
        f"receipts/{batch}.json beside it and ingest that source again"
    )
