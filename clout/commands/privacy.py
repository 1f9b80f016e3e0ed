"""Commands for what somebody may ask about themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clout.commands.options import AsJson, LakeUrl, open_lake
from clout.errors import CloutError

Account = Annotated[str, typer.Argument(help="The account as network/id, or network/@handle.")]


def forget(
    account: Account,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False,
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Erase an account for good and keep it out.

    It leaves the lake, the store of scores and what trainings left of it; a keyed hash stays, so that it cannot come in
    again. See docs/privacy.md.
    """
    import sys
    from datetime import UTC, datetime

    from clout.data import personal
    from clout.display import print_erased, print_json
    from clout.serving import privacy
    from clout.serving.edge.request_log import audit_log
    from clout.serving.store.scores import Store
    from clout.settings import read_settings

    target, settings = open_lake(lake), read_settings()
    found = personal.find(target, account)
    if not yes:
        if not sys.stdin.isatty():
            raise CloutError(f"nobody is there to confirm that {found} is erased for good: add --yes if it is meant")
        typer.confirm(f"Erase {found} from {target.url} and {settings.home} for good?", abort=True)
    with Store.open(settings.store) as store:
        erased = privacy.forget(target, store, settings.home, found, datetime.now(UTC)).told()
    audit_log(settings.home.absolute()).info("", extra={"told": {"who": settings.who, "did": "forget"}})
    print_json(erased) if as_json else print_erased(erased)


def export(
    account: Account,
    out: Annotated[Path | None, typer.Option(help="Write it to this file, not to the terminal.")] = None,
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Give all that is held about an account, as JSON.

    Its rows, its scores with their reasons, and where they came from. Of others there is only what they did, not who.
    """
    import json
    from datetime import UTC, datetime

    from clout.display import print_json
    from clout.models import whole_file
    from clout.serving import privacy
    from clout.serving.store.scores import Store
    from clout.settings import read_settings

    with Store.open(read_settings().store) as store:
        told = privacy.export(open_lake(lake), store, account, datetime.now(UTC))
    if out is None:
        print_json(told)
        return
    try:
        whole_file.write(out, json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise CloutError(f"could not write {out} ({error}); expected a folder to write in: name another") from error
    print_json({"account": told["account"], "file": str(out)}) if as_json else typer.echo(f"written to {out}")
