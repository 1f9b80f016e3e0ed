"""Frames that lie on disk: their columns are files that are mapped, so that only what is looked at is in memory."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import mkdtemp

import polars as pl
import pyarrow as pa
from pyarrow import ipc

from clout.features.sharded.work import Work, write

ROW = "row"


def together(work: Work, name: str, parts: int) -> pl.DataFrame:
    """The rows that were sent to `parts` shards under a name, in the order of their column `row`, which goes.

    Each column is one mapped piece. The files are gone with the working folder.
    """
    ordered = f"{name} in order"
    for part in range(parts):
        rows = work.sent(name, part).sort(ROW).drop(ROW)
        for column in rows.columns:
            work.keep(f"{ordered}/{column}", part, rows.select(column))
        work.drop(f"{name}/{part}")
    work.drop(name)
    folder = Path(mkdtemp(prefix=f"{name} by column ", dir=work.folder))
    columns = []
    for column in rows.columns:
        whole = pl.concat((work.kept(f"{ordered}/{column}", part) for part in range(parts)), rechunk=True)
        columns.append(_mapped(whole, folder / f"{column}.arrow"))
        work.drop(f"{ordered}/{column}")
    work.drop(ordered)
    return pl.concat(columns, how="horizontal")


def _mapped(frame: pl.DataFrame, file: Path) -> pl.DataFrame:
    """The same, as it then lies in a file."""
    write(file, partial(frame.write_ipc, compression="uncompressed", record_batch_size=max(frame.height, 1)))
    told = pl.from_arrow(ipc.open_file(pa.memory_map(str(file))).read_all(), rechunk=False)
    assert isinstance(told, pl.DataFrame)  # noqa: S101 - a table gives a frame
    return told
