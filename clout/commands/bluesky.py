"""The command that reads Bluesky."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from clout.commands.options import AsJson, LakeUrl, open_lake
from clout.errors import CloutError

if TYPE_CHECKING:
    from datetime import timedelta

    from clout.data.sources.live.bluesky.feed import BlueskyFeed


def ingest_bluesky(
    actor: Annotated[list[str] | None, typer.Option(help="A handle or an id; give it again for more.")] = None,
    of_list: Annotated[list[str] | None, typer.Option("--list", help="A list of accounts, by its address.")] = None,
    firehose: Annotated[bool, typer.Option("--firehose", help="Read all that happens, or what concerns them.")] = False,
    lasting: Annotated[str | None, typer.Option("--for", help="With --firehose: go on for so long, as in 10m.")] = None,
    appview: Annotated[str | None, typer.Option(help="Another AppView.", show_default="the public one")] = None,
    host: Annotated[str | None, typer.Option(help="Another firehose.", show_default="the public one")] = None,
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Read accounts of Bluesky, or its firehose. Run again, it goes on.

    Accounts are read by the AppView: profile, posts, and who reacted. The firehose is read from where the last run ended up
    to now. No key is needed.
    """
    from datetime import UTC, datetime

    from clout.commands.data import forget_told
    from clout.data.sources.live.bluesky.firehose import Firehose
    from clout.data.sources.source import take
    from clout.display import print_json, print_receipt, progress_bar

    target, now = open_lake(lake), datetime.now(UTC)
    asked: dict[str, Any] = {"actors": tuple(actor or ()), "lists": tuple(of_list or ()), "firehose": firehose}
    asked |= {name: given for name, given in {"appview": appview, "host": host}.items() if given is not None}
    feed, more = _feed(asked), _lasting(lasting, firehose=firehose)
    source = feed.source(now, target, more)
    with progress_bar() as progress:
        taken = take(target, source, now + more, progress, lambda gone, why: forget_told(target, now, gone, why))
    rejects = target.path("rejects", "*") if taken.rejected else None
    frames = dict(source.counted) if isinstance(source, Firehose) else {}
    left_out = {} if isinstance(source, Firehose) else source.left_out
    told = {"lake": target.url, **taken.told(), "frames": frames, "left_out": left_out, "rejects": rejects}
    if as_json:
        print_json(told)
    else:
        print_receipt(told)
        for kind, count in sorted(frames.items()):
            typer.echo(f"  {kind}: {count:,}")
        for name, why in left_out.items():
            typer.echo(f"left out {name}: {why}")
        typer.echo(taken.note)
    if left_out and not (taken.rows or taken.already_there):
        raise CloutError("no account was read: see why above, and name others")


def _lasting(lasting: str | None, *, firehose: bool) -> timedelta:
    from datetime import timedelta

    from clout.commands.live import seconds_of

    if lasting is None:
        return timedelta(0)
    if not firehose:
        raise CloutError("got --for without --firehose; expected both: accounts are read as they are now")
    return timedelta(seconds=seconds_of(lasting, "--for"))


def _feed(asked: dict[str, Any]) -> BlueskyFeed:
    from pydantic import ValidationError

    from clout.data.sources.live.bluesky.feed import BlueskyFeed

    try:
        return BlueskyFeed(name=_name(asked), **asked)
    except ValidationError as error:
        problems = [problem["msg"].removeprefix("Value error, ") for problem in error.errors()]
        raise CloutError("; ".join(problems)) from error


def _name(asked: dict[str, Any]) -> str:
    return " ".join(["bluesky", *asked["actors"], *asked["lists"]])
