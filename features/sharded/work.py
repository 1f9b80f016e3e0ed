"""The working folder of a sharded run: frames that one task leaves for others, by shard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from shutil import rmtree
from uuid import uuid4

import polars as pl

from clout.data.ordered import coded
from clout.errors import CloutError

SHARD, OUT, STATE = "|shard", "out", "state"
RECALLED = -1


class WorkError(CloutError):
    """A frame cannot be left for other tasks."""

    code = "work"


def write(file: Path, put: Callable[[Path], object]) -> None:
    """Nothing; what `put` writes is then in `file`, whole, or `WorkError` says why it is not."""
    part = file.with_name(f"{file.name}.{uuid4().hex}.partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        put(part)
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise WorkError(
            f"could not write {file} ({error}); expected room on the way for about 200 bytes an action and 600 a post, 2,000 a "
            "post for a training; 500 an action where a run goes on from another: make room, or take a folder on a larger disk"
        ) from error


@dataclass(frozen=True)
class Before:
    """What the run before this one left: a folder of its own, and what it had read of each network (see `Coverage`)."""

    folder: Path
    reported: pl.DataFrame
    through: pl.DataFrame

    def left(self, name: str, shard: int, columns: list[str] | None = None) -> pl.DataFrame:
        """What it left of a shard under a name, all columns or some."""
        return pl.read_parquet(self.folder / name / f"{shard:05}.parquet", columns=columns)


@dataclass(frozen=True)
class Work:
    """What every task knows: the lake, where frames are left, how many shards there are, and what outcomes are made of.

    `undone` tells whether the lake has removals, `leaves` whether another run goes on from this one, as this one does from
    `before`. Networks in `without` are not read, nor is
    what happened or was known `until` a moment or later. `folder` must be one that all tasks see. Every account belongs to one shard, with its posts, the actions on it
    and the actions that it took. A task may be run again: files come whole, by rename, under the names they had.
    """

    lake: str
    folder: Path
    shards: int
    horizon: timedelta
    action_values: Mapping[str, float]
    undone: bool
    leaves: bool = False
    before: Before | None = None
    without: tuple[str, ...] = ()
    until: datetime | None = None

    def keep(self, name: str, shard: int, frame: pl.DataFrame) -> None:
        """Nothing; `frame` is then what is `kept` of a shard under a name.

        Names, none of them missing, lie beside, each once and in the order of rows: they take a third of the time of polars'
        own dictionaries, and files of a task that is run again fit those that it left before.
        """
        for column in frame.select(pl.col(pl.Categorical)).columns:
            numbers, names = coded(frame[column])
            _stream(self._names(name, shard, column), names.cast(pl.String).to_frame())
            frame = frame.with_columns(pl.Series(column, numbers, pl.UInt32))
        _stream(self.folder / name / f"{shard}.arrow", frame)

    def kept(self, name: str, shard: int, columns: list[str] | None = None) -> pl.DataFrame:
        """What a task kept of a shard under a name, all columns or some."""
        frame = pl.read_ipc_stream(self.folder / name / f"{shard}.arrow", columns=columns)
        for column in frame.columns:
            if (file := self._names(name, shard, column)).exists():
                names = pl.read_ipc_stream(file).to_series().cast(pl.Categorical)
                frame = frame.with_columns(names.gather(frame[column]))
        return frame

    def send(self, name: str, part: int, frame: pl.DataFrame, shards: pl.Series) -> None:
        """Nothing; each row of `frame` then lies with its shard, as part number `part` of what is sent under a name."""
        _stream(self.folder / name / "none.arrow", frame.clear())
        marked = frame.with_columns(shards.alias(SHARD)).sort(SHARD, maintain_order=True)
        rows, first = marked.drop(SHARD), 0
        for run in marked[SHARD].rle():
            _stream(self.folder / name / str(run["value"]) / f"{part}.arrow", rows.slice(first, run["len"]))
            first += run["len"]

    def sent(self, name: str, shard: int, columns: list[str] | None = None) -> pl.DataFrame:
        """What was sent to a shard under a name, part by part, all columns or some."""
        folder = self.folder / name
        parts = sorted((folder / str(shard)).glob("*.arrow"), key=lambda file: int(file.stem))
        return pl.concat(
            pl.read_ipc_stream(file, columns=columns) for file in (folder / "none.arrow", *parts)
        ).rechunk()

    def recall(self, name: str, shard: int, frame: pl.DataFrame) -> None:
        """Nothing; `frame` then comes before all that is sent to a shard under a name."""
        _stream(self.folder / name / str(shard) / f"{RECALLED}.arrow", frame)

    def publish(self, name: str, shard: int, frame: pl.DataFrame) -> None:
        """Nothing; `frame` is then a Parquet file of what comes out under a name."""
        write(self.folder / OUT / name / f"{shard:05}.parquet", partial(frame.write_parquet, compression="lz4"))

    def drop(self, *names: str) -> None:
        """Nothing; what was kept and sent under these names, and is needed no more, is gone."""
        for name in names:
            rmtree(self.folder / name, ignore_errors=True)

    def forget(self, shard: int) -> None:
        """Nothing; what was kept of a shard and sent to it is gone."""
        for folder in self.folder.iterdir():
            rmtree(folder / str(shard), ignore_errors=True)
            for file in (folder / f"{shard}.arrow", *folder.glob(f"{shard} *.arrow")):
                file.unlink(missing_ok=True)

    def shard_of(self, names: pl.Series) -> pl.Series:
        """The shard that each name belongs to."""
        return (names.hash(seed=0) % self.shards).cast(pl.UInt16)

    def _names(self, name: str, shard: int, column: str) -> Path:
        return self.folder / name / f"{shard} {column}.arrow"


def _stream(file: Path, frame: pl.DataFrame) -> None:
    """Nothing; `frame` is then in `file`, as a stream: half of the time of a file that can be read from anywhere."""
    write(file, frame.write_ipc_stream)
