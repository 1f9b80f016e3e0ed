"""Commands that answer, and `run`, which does the main job."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from clout.commands.accounts import score_accounts
from clout.commands.data import simulate
from clout.commands.options import AsJson, LakeUrl, open_lake
from clout.commands.training import train
from clout.errors import CloutError


def run() -> None:
    """Simulate, train and serve, what is needed of it. Nothing is made that is there already."""
    from clout.models import registry
    from clout.settings import read_settings

    home = read_settings().home
    if open_lake(None).is_empty():
        typer.echo("the lake is empty: simulating a society (bring your own posts with `clout ingest table`)")
        simulate(accounts=2_000)
    if not registry.pointer_file(home, registry.CHAMPION).exists():
        typer.echo("there is no champion yet: training one")
        train()
    if not registry.pointer_file(home, registry.CHAMPION).exists():
        raise CloutError(
            "the model has a finding, marked ✗ above, so it was not made champion and nothing is served; expected none: "
            "add data, or mute it with a reason, `clout promote challenger --mute CODE='…'`, and then `clout serve`"
        )
    score_accounts(None, None, as_json=False)
    serve()


def score(
    post: Annotated[
        str | None, typer.Option(help="The post as JSON, as POST /v1/posts:score takes it; - reads it from stdin.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="What the post says, instead of --post.")] = None,
    account: Annotated[str | None, typer.Option(help="Its account as network/id, beside --text.")] = None,
    all_accounts: Annotated[bool, typer.Option("--all", help="Score every account and keep the scores.")] = False,
    as_of: Annotated[
        str | None,
        typer.Option(help="With --all: as known before this day or moment.", show_default="all that is known"),
    ] = None,
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Score a post before it is published, or all accounts."""
    import sys
    from datetime import UTC, datetime
    from json import dumps

    from clout.display import print_explained, print_json
    from clout.serving.active_model import read_active
    from clout.serving.scoring import explain, read_request
    from clout.settings import read_settings

    if (post is not None) + (text is not None or account is not None) + all_accounts != 1:
        raise CloutError("expected --post with JSON, or --text and --account, or --all: see `clout score --help`")
    if as_of is not None and not all_accounts:
        raise CloutError("got --as-of without --all; expected both: a draft is judged with all that is known")
    if all_accounts:
        score_accounts(as_of, lake, as_json=as_json)
        return
    now = datetime.now(UTC)
    asked = read_request(sys.stdin.read() if post == "-" else post or dumps({"text": text, "account": account}), now)
    answer = explain(read_active(read_settings().home, open_lake(lake)), asked, now).model_dump(mode="json")
    print_json(answer) if as_json else print_explained(answer)


def serve() -> None:
    """Answer with the champion, until told to stop. Where: CLOUT_HOST:CLOUT_PORT, 127.0.0.1:3000."""
    from clout.serving.start import become_server
    from clout.settings import read_settings

    become_server(read_settings(), os.environ)


def build(lake: LakeUrl = None, as_json: AsJson = False) -> None:
    """Build a Bento of the champion and the lake."""
    from clout.display import print_json
    from clout.serving.bento import build
    from clout.settings import read_settings

    bento = build(read_settings().home, open_lake(lake))
    told = {"bento": str(bento.tag), "path": bento.path}
    print_json(told) if as_json else typer.echo(
        f"built {bento.tag} in {bento.path}\nserve it: bentoml serve {bento.tag}"
    )
