"""An archive opened without unpacking it: named files that are read in blocks, within bounds, and never written to disk."""

from __future__ import annotations

import gzip
import io
import json
import stat
import tarfile
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO, Any

import zstandard

from clout.data.sources.files import FileError

BLOCK = 2**16
COMPRESSED_BLOCK = 2**12
LARGEST_DOCUMENT = 2**28
LONGEST_LINE = 2**24
FREE = 2**26
LARGEST_RATIO = 200
MOST_NAMES = 1_000_000
PEEK = 2**16
_BROKEN = (
    OSError,
    EOFError,
    ValueError,
    OverflowError,
    RecursionError,
    NotImplementedError,
    RuntimeError,
    zlib.error,
    zipfile.BadZipFile,
    tarfile.TarError,
    zstandard.ZstdError,
)


class Box(ABC):
    """The files of an archive at `path`: `names` in order, each read as blocks, lines or JSON."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names: list[str] = []

    @abstractmethod
    def blocks(self, name: str) -> Iterator[bytes]:
        """The bytes of the file `name`, a block at a time."""

    def peek(self, name: str) -> bytes:
        """How the file `name` begins."""
        found = bytearray()
        for block in self.blocks(name):
            found += block
            if len(found) >= PEEK:
                break
        return bytes(found[:PEEK])

    def content(self, name: str) -> bytes:
        """All bytes of the file `name`."""
        found = bytearray()
        for block in self.blocks(name):
            found += block
            if len(found) > LARGEST_DOCUMENT:
                raise FileError(
                    f"{name} in {self.path.name} is larger than {LARGEST_DOCUMENT // 2**20} MiB; "
                    "expected a document that fits in memory: split it"
                )
        return bytes(found)

    def json(self, name: str) -> Any:  # noqa: ANN401 (anything that JSON holds)
        """The document `name`; what stands before it, as in `window.YTD.tweets.part0 = […]`, is left out."""
        content = self.content(name)
        if content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"window."):
            content = content.partition(b"=")[2]
        try:
            return json.loads(content)
        except UnicodeDecodeError as error:
            raise self._broken(name, f"it is not UTF-8 (byte {error.start + 1:,})") from error
        except RecursionError as error:
            raise self._broken(name, "it is nested too deep to be read") from error
        except ValueError as error:
            raise self._broken(name, f"it is not whole JSON ({error})") from error

    def lines(self, name: str) -> Iterator[bytes | None]:
        """The lines of the file `name`; None in place of one that is longer than anything an archive holds."""
        return _lines(self.blocks(name))

    def texts(self, name: str) -> Iterator[str]:
        """The lines of the file `name` as text, with their line ends, for `csv`; what is not UTF-8 is marked."""
        for line in self.lines(name):
            yield "\n" if line is None else line.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace") + "\n"

    def _broken(self, name: str, why: str) -> FileError:
        inside = name if name == self.path.name else f"{name} in {self.path.name}"
        return FileError(f"cannot read {inside}: {why}; expected the file as it was downloaded: get it again")

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """A block in which whatever is wrong with the archive becomes a `FileError`."""
        try:
            yield
        except FileError:
            raise
        except _BROKEN as error:
            raise self._broken(name, f"it is damaged, cut off or of an unknown form ({error})") from error

    def _bounded(self, name: str, blocks: Iterable[bytes], packed: int) -> Iterator[bytes]:
        """`blocks`, unless they are far more than the `packed` bytes they come from can honestly hold."""
        unpacked = 0
        for block in blocks:
            unpacked += len(block)
            if unpacked > FREE and unpacked > LARGEST_RATIO * max(packed, 1):
                raise FileError(
                    f"{name} in {self.path.name} unpacks to more than {LARGEST_RATIO} times its size; expected an archive "
                    "as a network makes them: this one would fill memory or disk, and nothing more of it is read"
                )
            yield block


class Zip(Box):
    """A zip; links in it are not followed, and archives in it not opened."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with self._told(path.name), zipfile.ZipFile(path) as archive:
            files = [info for info in archive.infolist() if not info.is_dir() and not _is_link(info)]
        self._files = {info.filename: info for info in files}
        self.names = _safe(self._files, path)

    def blocks(self, name: str) -> Iterator[bytes]:
        """The bytes of the file `name`, a block at a time."""
        info = self._files[name]
        if info.flag_bits & 1:
            raise FileError(
                f"{name} in {self.path.name} is encrypted; expected an archive without a password: unlock it"
            )
        with self._told(name), zipfile.ZipFile(self.path) as archive, archive.open(info) as file:
            yield from self._bounded(name, _read(file), info.compress_size)


class Tar(Box):
    """A tar, plain or gzipped, read from its beginning each time; links in it are not followed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with self._told(path.name), self._open() as archive:
            names = [member.name for member in islice(archive, MOST_NAMES + 1) if member.isfile()]
        self.names = _safe(names, path)

    def blocks(self, name: str) -> Iterator[bytes]:
        """The bytes of the file `name`, a block at a time."""
        with self._told(name), self._open() as archive:
            for member in archive:
                file = archive.extractfile(member) if member.name == name and member.isfile() else None
                if file is not None:
                    yield from _read(file)
                    return

    def _open(self) -> tarfile.TarFile:
        lone = Lone(self.path)
        return tarfile.open(fileobj=_Stream(lone.blocks(lone.names[0])), mode="r|")


class Lone(Box):
    """One file, plain or packed with gzip or zstandard."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.names = [path.name]
        with self._told(path.name), path.open("rb") as file:
            self._magic = file.read(4)

    def blocks(self, name: str) -> Iterator[bytes]:
        """The bytes of the file, a block at a time."""
        with self._told(name), self.path.open("rb") as file:
            yield from self._bounded(name, self._unpacked(file), self.path.stat().st_size)

    def _unpacked(self, file: IO[bytes]) -> Iterator[bytes]:
        if self._magic[:2] == b"\x1f\x8b":
            with gzip.open(file) as unpacked:
                yield from _read(unpacked)
        elif self._magic == b"\x28\xb5\x2f\xfd":
            yield from _zstandard(file)
        else:
            yield from _read(file)


class _Stream(io.RawIOBase):
    """Blocks as a file that can be read once."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._rest = blocks, b""

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes."""
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return b""
            self._rest = block
        found, self._rest = (self._rest, b"") if size < 0 else (self._rest[:size], self._rest[size:])
        return found


def open_box(path: Path) -> Box:
    """The archive at `path`, of the form that its first bytes tell."""
    if not path.exists():
        raise FileError(f"there is no file {path}; expected an archive as it was downloaded: name it")
    if path.is_dir():
        raise FileError(
            f"{path} is a folder; expected an archive as it was downloaded: give the file, or pack it again"
        )
    lone = Lone(path)
    start = lone.peek(path.name)
    if not start:
        raise FileError(f"{path} is empty; expected an archive as it was downloaded: get it again")
    if start.startswith(b"PK\x03\x04"):
        return Zip(path)
    return Tar(path) if start[257:262] == b"ustar" else lone


def _safe(names: Iterable[str], path: Path) -> list[str]:
    """`names` in order, none of which leads out of the archive."""
    found = sorted(names)
    for name in found:
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or name[1:2] == ":":
            raise FileError(
                f"{path.name} holds a file named {name!r}, which leads out of the archive; "
                "expected plain names: no network makes such an archive, and nothing of it is read"
            )
    if len(found) > MOST_NAMES:
        raise FileError(f"{path.name} holds more than {MOST_NAMES:,} files; expected an archive of one account")
    return found


def _is_link(info: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(info.external_attr >> 16)


def _read(file: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block


def _zstandard(file: IO[bytes]) -> Iterator[bytes]:
    """What `file` unpacks to; the dumps of Reddit need windows of 2 GiB, and small blocks keep a bomb small."""
    unpacker = zstandard.ZstdDecompressor(max_window_size=2**31)
    frame = unpacker.decompressobj()
    begun = False
    while block := file.read(COMPRESSED_BLOCK):
        while block:
            begun = True
            yield frame.decompress(block)
            block = frame.unused_data if frame.eof else b""
            if frame.eof:
                frame, begun = unpacker.decompressobj(), False
    if begun:
        raise EOFError("it ends in the middle")


def _lines(blocks: Iterable[bytes]) -> Iterator[bytes | None]:
    rest, is_long = b"", False
    for block in blocks:
        first, *others = block.split(b"\n")
        rest += first
        is_long = is_long or len(rest) > LONGEST_LINE
        rest = b"" if is_long else rest
        if others:
            yield None if is_long else rest
            is_long = False
            *whole, rest = others
            yield from (line if len(line) <= LONGEST_LINE else None for line in whole)
    if is_long or rest:
        yield None if is_long else rest
