"""A file that is there whole or as it was before."""

from __future__ import annotations

from pathlib import Path

import pytest

from clout.models import whole_file


@pytest.mark.parametrize("content", ["å\n", b"\x00\xff"])
def test_it_holds_what_was_written_and_nothing_stands_beside_it(content: str | bytes, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("before")
    whole_file.write(file, content)
    assert file.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert list(tmp_path.iterdir()) == [file]
    assert file.stat().st_mode & 0o777 == 0o644


def test_after_an_error_it_is_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_text("before")

    def no_room(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_room)
    with pytest.raises(OSError, match="No space left"):
        whole_file.write(file, "after")
    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]
