"""An archive is read in place and within bounds; one made to harm is refused, and says why."""

from __future__ import annotations

import gzip
import io
import json
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import archive_samples as samples
import pytest
import zstandard

from clout.data.sources import container
from clout.data.sources.container import open_box
from clout.data.sources.files import FileError


def read_all(path: Path) -> dict[str, bytes]:
    """All files of an archive."""
    box = open_box(path)
    return {name: box.content(name) for name in box.names}


FILES = {"b/two.json": b"[2]", "a.json": b"[1]"}


def test_a_zip_and_a_tar_hold_the_same(tmp_path: Path) -> None:
    packed = samples.written_zip(tmp_path / "a.zip", FILES), samples.written_tar(tmp_path / "a.tar.gz", FILES)
    assert [list(read_all(path).items()) for path in packed] == [sorted(FILES.items())] * 2


def test_a_lone_file_may_be_packed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"[1]")
    (tmp_path / "b").write_bytes(gzip.compress(b"[1]"))
    (tmp_path / "c").write_bytes(zstandard.compress(b"[") + zstandard.compress(b"1]"))
    assert [read_all(tmp_path / name) for name in "abc"] == [{name: b"[1]"} for name in "abc"]


def test_nothing_is_written_to_disk(tmp_path: Path) -> None:
    path = samples.written_zip(tmp_path / "a.zip", FILES)
    before = sorted(tmp_path.iterdir())
    read_all(path)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["../up.json", "/etc/passwd", "a/../../b", "..\\up.json", "C:\\a.json"])
@pytest.mark.parametrize("write", [samples.written_zip, samples.written_tar])
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str, write: object) -> None:
    path = write(tmp_path / "a", {name: b"[]"})  # type: ignore[operator]
    with pytest.raises(FileError, match="leads out of the archive"):
        open_box(path)


def test_links_are_not_followed(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("tweets.js")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    tarred = tarfile.TarInfo("outbox.json")
    tarred.type, tarred.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.addfile(tarred)
    assert [open_box(tmp_path / name).names for name in ("a.zip", "a.tar")] == [[], []]


@pytest.mark.parametrize("form", ["zip", "gz", "zst"])
def test_a_bomb_is_refused_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.setattr(container, "FREE", 2**20)
    zeros, path = bytes(2**24), tmp_path / f"a.{form}"
    if form == "zip":
        samples.written_zip(path, {"tweets.js": zeros})
    else:
        path.write_bytes(gzip.compress(zeros) if form == "gz" else zstandard.compress(zeros))
    with pytest.raises(FileError, match="unpacks to more than 200 times its size"):
        read_all(path)


def test_a_document_too_large_for_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "LARGEST_DOCUMENT", 1_000)
    path = samples.written_zip(tmp_path / "a.zip", {"a.json": b"[" + b"1," * 9_000 + b"1]"})
    with pytest.raises(FileError, match="is larger than"):
        read_all(path)


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = samples.written_zip(tmp_path / "a.zip", {"a.json": b"[]"})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(FileError, match="encrypted"):
        read_all(path)


@pytest.mark.parametrize("form", ["zip", "tar.gz", "gz", "zst"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.97])
def test_half_a_file_is_refused(tmp_path: Path, form: str, share: float) -> None:
    path, lines = tmp_path / f"a.{form}", os.urandom(20_000).hex().encode()
    if form in {"zip", "tar.gz"}:
        (samples.written_zip if form == "zip" else samples.written_tar)(path, {"a.json": lines, "b.json": lines[::-1]})
    else:
        path.write_bytes(gzip.compress(lines) if form == "gz" else zstandard.compress(lines))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(FileError, match="cut off"):
        read_all(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"a": "\xff\xfe"}', "not UTF-8"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"a": ', "not whole JSON"),
        (b"[" + b"9" * 5_000 + b"]", "not whole JSON"),
    ],
)
def test_a_broken_document_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(FileError, match=words):
        open_box(tmp_path / "a.json").json("a.json")


def test_a_document_may_begin_with_a_mark_or_a_name(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_bytes(b"\xef\xbb\xbf\nwindow.YTD.tweets.part0 = [1]")
    (tmp_path / "b.json").write_bytes("[1]".encode("utf-16"))
    assert [open_box(tmp_path / name).json(name) for name in ("a.js", "b.json")] == [[1], [1]]


def test_lines_are_told_apart_and_a_long_one_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "LONGEST_LINE", 100_000)
    (tmp_path / "a.zst").write_bytes(zstandard.compress(b"one\n\n" + b"x" * 300_000 + b"\ntwo\nthree"))
    assert list(open_box(tmp_path / "a.zst").lines("a.zst")) == [b"one", b"", None, b"two", b"three"]


def test_a_dump_with_a_window_of_gibibytes_is_read(tmp_path: Path) -> None:
    wide = zstandard.ZstdCompressionParameters(window_log=28, enable_ldm=True)
    packed = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    (tmp_path / "a.zst").write_bytes(packed.compress(b"one\n") + packed.flush())
    assert list(open_box(tmp_path / "a.zst").lines("a.zst")) == [b"one"]


@pytest.mark.parametrize("make", ["absent", "folder", "empty"])
def test_what_is_no_archive_says_so(tmp_path: Path, make: str) -> None:
    path = tmp_path / "a.zip"
    if make == "folder":
        path.mkdir()
    elif make == "empty":
        path.touch()
    with pytest.raises(FileError, match="expected an archive as it was downloaded"):
        open_box(path)


def test_any_broken_bytes_are_refused_or_read(tmp_path: Path) -> None:
    whole = [
        samples.written_zip(tmp_path / "z", FILES).read_bytes(),
        samples.written_tar(tmp_path / "t", FILES).read_bytes(),
    ]
    whole += [zstandard.compress(b'{"a": 1}\n' * 9), gzip.compress(json.dumps([1]).encode()), plain_tar()]
    for content in whole:
        for place in range(0, len(content), 3):
            (tmp_path / "x").write_bytes(content[:place] + b"\xff\x00" + content[place + 2 :])
            try:
                read_all(tmp_path / "x")
            except FileError as error:
                assert "expected" in str(error)  # noqa: PT017


def plain_tar() -> bytes:
    """The start of a tar of one file: the end is zeros."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.json"))
    return packed.getvalue()[:600]
