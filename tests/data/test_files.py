"""Files of every format are read whole, or refused with the reason."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest

from clout.data.sources.files import FileError, read_file

TABLE = pl.DataFrame({"id": ["007", "8"], "text": ["a, “b”\n", ""], "n": ["1", None]})


def written(folder: Path, name: str, table: pl.DataFrame = TABLE) -> Path:
    """A file of this name with `table` inside."""
    file = folder / name
    plain = file.with_name(name.removesuffix(".gz"))
    suffix = plain.suffix.lower()
    if suffix == ".parquet":
        table.write_parquet(plain)
    elif suffix in {".csv", ".tsv"}:
        table.write_csv(plain, separator="," if suffix == ".csv" else "\t")
    else:
        table.write_ndjson(plain)
    if name.endswith(".gz"):
        file.write_bytes(gzip.compress(plain.read_bytes()))
    return file


@pytest.mark.parametrize(
    "name", ["a.csv", "a.CSV", "a.tsv", "a.parquet", "a.ndjson", "a.jsonl", "a.csv.gz", "a.tsv.gz", "a.jsonl.gz"]
)
def test_every_format_gives_the_same_rows(name: str, tmp_path: Path):
    assert read_file(written(tmp_path, name)).equals(TABLE)


def test_a_csv_gives_texts_so_that_ids_keep_their_zeros(tmp_path: Path):
    (tmp_path / "a.csv").write_text("id,n\n007,1.50\n")
    assert read_file(tmp_path / "a.csv").row(0) == ("007", "1.50")


def test_a_byte_order_mark_is_not_part_of_a_name(tmp_path: Path):
    (tmp_path / "a.csv").write_text("id\n1\n", "utf-8-sig")
    (tmp_path / "a.ndjson").write_text('{"id": "1"}\n', "utf-8-sig")
    assert read_file(tmp_path / "a.csv").columns == read_file(tmp_path / "a.ndjson").columns == ["id"]


def test_objects_inside_objects_become_columns(tmp_path: Path):
    (tmp_path / "a.jsonl").write_text('{"id": 1, "user": {"id": 2, "counts": {"likes": 3}}}\n{"id": "x"}\n')
    table = read_file(tmp_path / "a.jsonl")
    assert table.columns == ["id", "user.id", "user.counts.likes"]
    assert table.rows() == [("1", 2, 3), ("x", None, None)]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", r"a\.csv is empty; expected a table with at least one row"),
        ("a.csv.gz", gzip.compress(b" \n", mtime=0), r"is empty"),
        ("a.csv", b"id,n\n", r"has the columns id, n but no rows"),
        ("a.csv", "id\nMüller\n".encode("latin1"), r"it is not UTF-8 \(byte 5\): convert it first"),
        ("a.csv", "id\nMüller\n".encode("utf-16"), "it is UTF-16, not UTF-8: convert it first"),
        ("a.csv", "id,name\n1,Amy\n".encode("utf-16"), "with iconv -f utf-16 -t utf-8; nothing of it was taken"),
        ("a.jsonl", '{"id": 1}'.encode("utf-16"), "it is UTF-16, not UTF-8"),
        ("a.csv", b"id;text\n1;one, two\n", "its header has no comma but a semicolon: write it with a comma between"),
        ("a.csv", b"id\ttext\n1\tone\n", "its header has no comma but a tab"),
        ("a.tsv", b"id,text\n1,one\n", "its header has no tab but a comma"),
        ("a.csv", b'id,likes,"likes"\n1,2,3\n', "it has more than one column 'likes': give each a name of its own"),
        ("a.tsv", b"id\tid\r\n1\t2\r\n", "it has more than one column 'id'"),
        ("a.jsonl", b'{"id": "\xff"}', r"it is not UTF-8 \(byte 9\)"),
        ("a.csv", b"id,n\n1,2\n3,4,5\n6,7\n", r"line 3 has more than the 2 fields of the header: quote texts"),
        ("a.tsv", b'id\tn\n1\t"x\ny"\n3\t4\t5\n', r"line 4 has more than the 2 fields"),
        ("a.csv", b'id,n\n1,"2\n3,4\n', r"it is broken or cut off"),
        ("a.jsonl", b'{"id": 1}\n{"id": ', r"it is broken or cut off"),
        ("a.csv", b"x" * 200_000 + b"\r1\r", "but no rows"),
        ("a.jsonl", b"[1, 2]\n", r"it is broken or cut off"),
        ("a.parquet", b"id,n\n1,2\n", r"it is not a whole Parquet file"),
        ("a.csv.gz", b"id,n\n1,2\n", r"cannot read .*gzip"),
        ("a.xlsx", b"PK", r"got a file a\.xlsx; expected a name that ends in csv, tsv, parquet"),
        ("a", b"id\n1\n", r"got a file a; expected a name that ends in"),
    ],
)
def test_a_file_that_is_no_table_is_refused(name: str, content: bytes, words: str, tmp_path: Path):
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(FileError, match=words):
        read_file(file)


@pytest.mark.parametrize("name", ["a.parquet", "a.csv.gz", "a.jsonl.gz"])
@pytest.mark.parametrize("kept", [0.99, 0.5])
def test_a_truncated_file_is_refused(name: str, kept: float, tmp_path: Path):
    many = pl.DataFrame({"id": [str(number**5) for number in range(5000)]})
    file = written(tmp_path, name, many)
    content = file.read_bytes()
    file.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(FileError, match="cannot read"):
        read_file(file)


def test_a_file_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(FileError, match=r"cannot read .*a\.csv .*No such file"):
        read_file(tmp_path / "a.csv")
    (tmp_path / "b.csv").mkdir()
    with pytest.raises(FileError, match="directory"):
        read_file(tmp_path / "b.csv")
