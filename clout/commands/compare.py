"""The command that puts models side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clout.commands.options import AsJson, LakeUrl, open_lake


def compare(
    versions: Annotated[
        list[str], typer.Argument(help="Two or more: champion, challenger, or versions as `clout train` printed them.")
    ],
    html: Annotated[Path | None, typer.Option(help="Write a page with tables and curves to this file.")] = None,
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Tell models apart: accuracy, and whose scores move.

    The page of the newest comparison is kept as comparison.html in CLOUT_HOME, and the service shows it.
    Each is measured against the first, on the posts that all were judged on without having learned from them. Accounts
    are scored by each from the same lake, so that all of a change is the model's part.
    """
    from clout.display import print_json, print_tables, step_bar
    from clout.models.registry import comparison_file
    from clout.settings import read_settings
    from clout.training import compare_page, compare_report, pages
    from clout.training.compare import STEPS, compare

    if html:
        pages.refuse_missing_folder(html)
    with step_bar(STEPS) as step:
        told = compare(home := read_settings().home, open_lake(lake), versions, step)
    page = compare_page.page(told)
    for file in (comparison_file(home), html):
        if file:
            pages.write(file, page)
    print_json(told) if as_json else print_tables(compare_report.tables(told), html)
