"""What pages in files share."""

from __future__ import annotations

from pathlib import Path

import pytest

from clout.training import pages


def test_a_page_is_written_whole(tmp_path: Path) -> None:
    pages.write(tmp_path / "page.html", "<p>å</p>")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == "<p>å</p>"
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        pages.PageError, match=r"cannot write .*gone/page.html \(No such file or directory\); expected the name"
    ):
        pages.write(tmp_path / "gone" / "page.html", "")


def test_a_folder_that_is_not_there_is_told_before_the_work(tmp_path: Path) -> None:
    pages.refuse_missing_folder(tmp_path / "page.html")
    with pytest.raises(pages.PageError, match=r"there is no folder .*gone; expected one"):
        pages.refuse_missing_folder(tmp_path / "gone" / "page.html")


def test_what_is_filled_in_is_escaped() -> None:
    assert pages.templates().from_string("{{ x }}").render(x="<b>") == "&lt;b&gt;"
