"""The command that reads Wikipedia pages that were declared as accounts'."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clout.commands.options import AsJson, LakeUrl, open_lake
from clout.errors import CloutError


def ingest_wikipedia(
    pages: Annotated[Path, typer.Option(help="A table of who has which page: columns account, page.")],
    contact: Annotated[str, typer.Option(help="E-mail or URL of whoever runs this; told to Wikimedia.")],
    metrics: Annotated[
        str | None, typer.Option(help="Where views are told.", show_default="https://wikimedia.org/api/rest_v1")
    ] = None,
    wiki: Annotated[
        str | None,
        typer.Option(
            help="Where links are told, for a {language}.",
            show_default="https://{language}.wikipedia.org/w/api.php",
        ),
    ] = None,
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Read views of, and links to, declared Wikipedia pages."""
    from datetime import UTC, datetime

    from clout.data.sources.live.wikimedia import METRICS, WIKI
    from clout.data.sources.live.wikipedia import Wikipedia
    from clout.data.sources.source import take
    from clout.display import print_json, print_receipt, progress_bar

    target, now = open_lake(lake), datetime.now(UTC)
    source = Wikipedia(pages, contact, now, target, metrics=metrics or METRICS, wiki=wiki or WIKI)
    with progress_bar() as progress:
        taken = take(target, source, now, progress)
    rejects = target.path("rejects", "*") if taken.rejected else None
    told = {"lake": target.url, "pages": len(source.declared), **taken.told(), "rejects": rejects}
    if as_json:
        print_json(told)
    else:
        print_receipt(told)
        typer.echo(source.note)
    if sum(taken.rejected.values()) >= len(source.declared):
        raise CloutError(f"no page of {pages} could be read in full; rejects, with why: {rejects}")
