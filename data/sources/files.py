"""Tables in files: CSV, TSV, Parquet and NDJSON, the texts also gzipped."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path

import polars as pl

from clout.errors import CloutError

Reader = Callable[[io.BytesIO], pl.DataFrame]


class FileError(CloutError):
    """A file that cannot be read as a table."""

    code = "file"


def read_file(file: str | Path) -> pl.DataFrame:
    """All rows of `file`; a CSV gives texts only, structs of an NDJSON become columns named `outer.inner`.

    Raises `FileError` where the file is absent, empty, truncated, not UTF-8 or of another format than its name says.
    """
    path = Path(file)
    reader = _reader(path)
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix.lower() == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"cannot read {file} ({reason}): expected a whole, readable file") from error
    if not content.strip():
        raise FileError(f"{file} is empty; expected a table with at least one row")
    content = content.removeprefix(codecs.BOM_UTF8)
    if wrong := _wrong_at_first_sight(reader, content):
        raise FileError(f"cannot read {file}: {wrong}; nothing of it was taken")
    try:
        frame = reader(io.BytesIO(content))
    except (pl.exceptions.PolarsError, ValueError) as error:
        raise FileError(f"cannot read {file}: {_reason(reader, content, error)}; nothing of it was taken") from error
    if frame.is_empty():
        raise FileError(f"{file} has the columns {', '.join(frame.columns)} but no rows; expected at least one")
    return frame


def _wrong_at_first_sight(reader: Reader, content: bytes) -> str:
    """What the first line says is wrong, which would be read as something else; empty when nothing is."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "it is UTF-16, not UTF-8: convert it first, for example with iconv -f utf-16 -t utf-8"
    if reader not in SEPARATORS:
        return ""
    header, separator = io.BytesIO(content).readline().decode("utf-8", "replace"), SEPARATORS[reader]
    others = [name for sign, name in NAMES.items() if sign in header]
    if separator not in header and others:
        return f"its header has no {NAMES[separator]} but a {others[0]}: write it with a {NAMES[separator]} between columns"
    try:
        names = next(csv.reader([header], delimiter=separator))
    except csv.Error:
        return ""  # what is no line of a table either way is told when it is read
    twice = next((name for name in names if name and names.count(name) > 1), None)
    return f"it has more than one column {twice!r}: give each a name of its own" if twice else ""


def _reason(reader: Reader, content: bytes, error: Exception) -> str:
    """What is wrong with `content`, in words that name the place where that can be found."""
    if reader is _parquet:
        return f"it is not a whole Parquet file ({error})"
    try:
        lines = io.StringIO(content.decode("utf-8"), newline="")
    except UnicodeDecodeError as bad:
        return f"it is not UTF-8 (byte {bad.start + 1:,}): convert it first, for example with iconv -t utf-8"
    if reader in SEPARATORS and "more fields" in str(error):
        rows = csv.reader(lines, delimiter=SEPARATORS[reader])
        width = len(next(rows))
        if any(len(row) > width for row in rows):
            found = f"line {rows.line_num:,} has more than the {width} fields of the header"
            return f"{found}: quote texts that hold a separator"
    return f"it is broken or cut off ({str(error).split(chr(10), 1)[0]})"


def _reader(path: Path) -> Reader:
    suffix = path.name.lower().removesuffix(".gz").rsplit(".", 1)[-1]
    if suffix not in _READERS:
        raise FileError(
            f"got a file {path.name}; expected a name that ends in {', '.join(_READERS)}, or these with .gz"
        )
    return _READERS[suffix]


def _csv(content: io.BytesIO) -> pl.DataFrame:
    return pl.read_csv(content, infer_schema=False)


def _tsv(content: io.BytesIO) -> pl.DataFrame:
    return pl.read_csv(content, infer_schema=False, separator="\t")


def _parquet(content: io.BytesIO) -> pl.DataFrame:
    return pl.read_parquet(content)


def _ndjson(content: io.BytesIO) -> pl.DataFrame:
    frame = pl.read_ndjson(content, infer_schema_length=None)
    while structs := [name for name, kind in frame.schema.items() if isinstance(kind, pl.Struct)]:
        frame = frame.unnest(structs, separator=".")
    return frame


_READERS = {"csv": _csv, "tsv": _tsv, "parquet": _parquet, "ndjson": _ndjson, "jsonl": _ndjson}
SEPARATORS: dict[Reader, str] = {_csv: ",", _tsv: "\t"}
NAMES = {",": "comma", "\t": "tab", ";": "semicolon"}
