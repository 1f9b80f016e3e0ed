"""What pages in files share: how they are filled in, and how they are written."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from clout.errors import CloutError
from clout.models import whole_file


class PageError(CloutError):
    """A page that could not be written."""

    code = "page"


def templates() -> Environment:
    """The HTML templates of this folder: what is filled in is escaped, and a name that is not given is an error."""
    return Environment(
        loader=PackageLoader("clout.training", "."),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def refuse_missing_folder(file: Path) -> None:
    """Nothing; raises `PageError` where `file` would have no folder, before anybody works for it."""
    if not file.parent.is_dir():
        raise PageError(
            f"cannot write {file}: there is no folder {file.parent}; expected one: make it, or name another"
        )


def write(file: Path, content: str) -> None:
    """Nothing; `file` now holds the page, whole."""
    try:
        whole_file.write(file, content)
    except OSError as error:
        raise PageError(
            f"cannot write {file} ({error.strerror}); expected the name of a file in a folder that is there: name another"
        ) from error
