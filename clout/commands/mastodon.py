"""The command that reads accounts of Mastodon."""

from __future__ import annotations

from typing import Annotated

import typer

from clout.commands.options import AsJson, LakeUrl, open_lake
from clout.errors import CloutError


def ingest_mastodon(
    server: Annotated[str, typer.Option(help="The server to ask, as in https://social.example.")],
    actor: Annotated[list[str], typer.Option(help="An account, @name or @name@host; give it again for more.")],
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Read accounts of Mastodon into the lake. Run again, it reads what is new and counts what is still drawing.

    A server that wants a token is given that of CLOUT_MASTODON_TOKEN. Accounts that ask not to be read are left out.
    """
    from datetime import UTC, datetime

    from pydantic import ValidationError

    from clout.data.sources.live.mastodon.feed import MastodonFeed
    from clout.data.sources.source import take
    from clout.display import print_json, print_receipt, progress_bar
    from clout.settings import read_settings

    target, now, token = open_lake(lake), datetime.now(UTC), read_settings().mastodon_token
    try:
        feed = MastodonFeed(name=f"mastodon {server}", server=server, actors=tuple(actor), token=token)
    except ValidationError as error:
        raise CloutError(
            "; ".join(problem["msg"].removeprefix("Value error, ") for problem in error.errors())
        ) from error
    source = feed.source(now, target)
    with progress_bar() as progress:
        taken = take(target, source, now, progress)
    rejects = target.path("rejects", "*") if taken.rejected else None
    told = {"lake": target.url, **taken.told(), "left_out": source.left_out, "rejects": rejects}
    if as_json:
        print_json(told)
    else:
        print_receipt(told)
        for name, why in source.left_out.items():
            typer.echo(f"left out @{name}: {why}")
        typer.echo(source.note)
    if len(source.left_out) == len(feed.actors):
        raise CloutError("no account was read: see why above, and name others, or ask the server that they are on")
