"""What commands share: options, and the lake they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from clout.data.lake import Lake

LakeUrl = Annotated[
    str | None,
    typer.Option("--lake", "--data", help="Path or URL of the lake.", show_default="CLOUT_LAKE, else .clout/lake"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Version = Annotated[str, typer.Argument(help="champion, challenger or a version as `clout train` printed it.")]


def open_lake(url: str | None) -> Lake:
    """The lake at `url`; without one that of the settings."""
    from clout.data.lake import Lake
    from clout.settings import read_settings

    lake = Lake(url or read_settings().lake)
    lake.shelf.expect_no_file()
    return lake
