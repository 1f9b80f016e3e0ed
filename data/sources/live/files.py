"""Files that something drops into a folder, tables or archives: each is read once, told by its content."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from clout.data.lake import Lake
from clout.data.sources.archive import Archive
from clout.data.sources.mapping import read_mapping
from clout.data.sources.source import Count, Forget, Piece, take
from clout.data.sources.table import ingest
from clout.errors import CloutError

WILD = frozenset("*?[")
WHOLE = "whole "
MOST_TOLD = 3


class DroppedError(CloutError):
    """Files that are not there, or that could not be read."""

    code = "source_files"


def in_folder(given: str, info: ValidationInfo) -> str:
    """A path as the list of sources gives it, seen from the folder of that list."""
    return str(_folder(info) / given)


def _folder(info: ValidationInfo) -> Path:
    return Path((info.context or {}).get("folder", ""))


def _mapping_in_folder(given: str, info: ValidationInfo) -> str:
    """The mapping beside the list of sources where there is one, else the name of one of Clout's own."""
    beside = _folder(info) / given
    return str(beside) if beside.is_file() else given


class FilesFeed(BaseModel, ABC):
    """Some files; `files` is a path or a pattern such as `drop/*.csv`, seen from the folder of the list of sources."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    files: Annotated[str, AfterValidator(in_folder)]

    @abstractmethod
    def _take(self, lake: Lake, file: _Dropped, now: datetime, count: Count, forget: Forget | None) -> None:
        """Nothing; the rows of `file` are then in `lake`, and the receipt of its last piece bears its mark."""

    def take_in(self, lake: Lake, now: datetime, count: Count, forget: Forget | None) -> None:
        """Nothing; the rows of all files that are new are then in `lake`. A bad file does not stop the others."""
        bad, done = [], {(receipt.source, receipt.cursor) for receipt in lake.receipts()}
        for path in self._found():
            try:
                file = _Dropped.at(path, self.name)
                if (file.name, file.mark) not in done:
                    self._take(lake, file, now, count, forget)
            except CloutError as error:
                bad.append(str(error))
        if bad:
            more = f" (and {len(bad) - MOST_TOLD} more)" if len(bad) > MOST_TOLD else ""
            raise DroppedError("; ".join(bad[:MOST_TOLD]) + more)

    def _found(self) -> list[Path]:
        """The files, by name; those whose name begins with a dot are still being written."""
        path = Path(self.files)
        fixed = next((place for place, part in enumerate(path.parts) if WILD & {*part}), len(path.parts))
        root, pattern = Path(*path.parts[:fixed]), "/".join(path.parts[fixed:])
        if not (root.is_dir() if pattern else root.is_file()):
            raise DroppedError(
                f"there is no {'folder' if pattern else 'file'} {root}; expected what the source {self.name} names as "
                "its files: make it, or mend sources.toml"
            )
        found = sorted(root.glob(pattern)) if pattern else [root]
        return [file for file in found if file.is_file() and not file.name.startswith(".")]


class TableFeed(FilesFeed):
    """Tables as `clout ingest table` takes them; `map` is a mapping beside the list of sources, or one of Clout's own."""

    kind: Literal["table"]
    mapping: Annotated[str, AfterValidator(_mapping_in_folder)] = Field(alias="map")

    def _take(self, lake: Lake, file: _Dropped, now: datetime, count: Count, forget: Forget | None) -> None:
        mapping = read_mapping(self.mapping)
        count(ingest(lake, file.path, mapping, now, forget=forget, source=file.name, cursor=file.mark))


class ArchiveFeed(FilesFeed):
    """Archives as `clout ingest archive` takes them; `account` is whose they are where they do not say."""

    kind: Literal["archive"]
    account: str | None = None

    def _take(self, lake: Lake, file: _Dropped, now: datetime, count: Count, forget: Forget | None) -> None:
        archive = Archive(file.path, now, account=self.account)
        take(lake, _Marked(archive, file), now, forget=forget, count=count)


@dataclass(frozen=True)
class _Dropped:
    """A file, the name of its rows' source, and the mark that tells its content."""

    path: Path
    name: str
    mark: str

    @classmethod
    def at(cls, path: Path, feed: str) -> _Dropped:
        """The file at `path`, read to tell its content."""
        try:
            with path.open("rb") as opened:
                return cls(path, f"{feed}/{path.name}", WHOLE + file_digest(opened, "sha256").hexdigest())
        except OSError as error:
            raise DroppedError(f"cannot read {path} ({error.strerror}); expected a file that may be read") from error


class _Marked:
    """An archive as a source under the name of the dropped file; its last piece leaves the file's mark."""

    def __init__(self, archive: Archive, file: _Dropped) -> None:
        self._archive, self._mark = archive, file.mark
        self.name, self.note = file.name, archive.note

    def pull(self, since: str | None) -> Iterator[Piece]:
        """The archive's pieces after the cursor `since`; all where another file of the name was read to its end."""
        begun = None if since is None or since.startswith(WHOLE) else since
        for piece in self._archive.pull(begun):
            yield piece._replace(cursor=piece.cursor or self._mark)
