"""Commands that fill the lake and show it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clout.commands.options import AsJson, LakeUrl, open_lake
from clout.errors import CloutError

if TYPE_CHECKING:
    from datetime import datetime

    from clout.data.lake import Lake


def ingest_table(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, Parquet or NDJSON; texts also as .gz.")],
    mapping: Annotated[str, typer.Option("--map", help="A mapping: a TOML file, or the name of one of Clout's own.")],
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Bring a table in a file into the lake. Bad rows are rejected, kept and counted."""
    from datetime import UTC, datetime
    from functools import partial

    from clout.data.sources.mapping import read_mapping
    from clout.data.sources.table import ingest
    from clout.display import print_json, print_receipt, progress_bar

    target, chosen, now = open_lake(lake), read_mapping(mapping), datetime.now(UTC)
    with progress_bar() as progress:
        receipt = ingest(target, file, chosen, now, progress, partial(forget_told, target, now))
    told = {
        "lake": target.url,
        **receipt.told(),
        "rejects": target.path("rejects", receipt.stem) if receipt.rejected else None,
    }
    print_json(told) if as_json else print_receipt(told)
    kept = {**receipt.rows, **receipt.already_there}
    empty = [name for name in ("posts", "actions", "counts") if name in chosen.sections and not kept.get(name)]
    if receipt.rejected and (empty or not kept):
        raise CloutError(
            f"no row of {file} was accepted for {' and '.join(empty) or 'any table'}: mend the rows or the mapping; "
            f"rejects, with what was read and why: {told['rejects']}"
        )


def ingest_archive(
    file: Annotated[Path, typer.Argument(help="The archive as a network gave it; see docs/sources.")],
    kind: Annotated[str | None, typer.Option(help="What it is.", show_default="what is found inside")] = None,
    account: Annotated[str | None, typer.Option(help="Whose it is, as network/id, if it does not say.")] = None,
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Bring an archive of a network into the lake. It is read in place; nothing is unpacked to disk."""
    from datetime import UTC, datetime
    from functools import partial

    from clout.data.sources.archive import Archive
    from clout.data.sources.source import take
    from clout.display import print_json, print_receipt, progress_bar

    target, now = open_lake(lake), datetime.now(UTC)
    archive = Archive(file, now, kind, account)
    with progress_bar() as progress:
        taken = take(target, archive, now, progress, partial(forget_told, target, now))
    found = {"kind": archive.form.KIND, "files": len(archive.files)}
    rejects = target.path("rejects", "*") if taken.rejected else None
    told = {"lake": target.url, **found, **taken.told(), "rejects": rejects}
    if as_json:
        print_json(told)
    else:
        went_on = "; a run that was broken off goes on" if taken.went_on else ""
        typer.echo(
            f"{file.name} is {archive.form.TITLE} ({archive.form.KIND}), {len(archive.files)} files read{went_on}"
        )
        print_receipt(told)
        typer.echo(archive.note)
    if taken.rejected and not (taken.went_on or taken.rows["posts"] or taken.already_there["posts"]):
        raise CloutError(f"no post of {file} was accepted; rejects, with what was read and why: {rejects}")


def forget_told(lake: Lake, now: datetime, accounts: frozenset[str], reason: str) -> None:
    """Nothing; the accounts, which a source says must not be kept, are forgotten everywhere."""
    from clout.serving.privacy import forget_all
    from clout.serving.store.scores import Store
    from clout.settings import read_settings

    settings = read_settings()
    with Store.open(settings.store) as store:
        forget_all(lake, store, settings.home, accounts, reason, now)


def show_lake(lake: LakeUrl = None, as_json: AsJson = False) -> None:
    """Show what the lake holds and what was rejected."""
    from clout.data.receipt import totals
    from clout.display import print_json, print_lake

    target = open_lake(lake)
    receipts = target.receipts()
    told = {
        "lake": target.url,
        "fingerprint": target.fingerprint(),
        **totals(receipts),
        "unmet": target.unmet(),
        "forgotten": len(target.tombstones()),
        "rejects": target.path("rejects", "*"),
        "receipts": [receipt.told() for receipt in receipts],
    }
    print_json(told) if as_json else print_lake(told)


def simulate(
    accounts: Annotated[int | None, typer.Option(help="People of the society.", show_default="5000")] = None,
    days: Annotated[int | None, typer.Option(help="Days it is watched.", show_default="90")] = None,
    seed: Annotated[int | None, typer.Option(help="Where chance begins.", show_default="7")] = None,
    bots: Annotated[float | None, typer.Option(help="Bots, as a share of the people.", show_default="0.005")] = None,
    pods: Annotated[int | None, typer.Option(help="Groups that act on one another's posts.", show_default="0")] = None,
    bought_likes: Annotated[int | None, typer.Option(help="Accounts that buy likes.", show_default="0")] = None,
    bought_followers: Annotated[int | None, typer.Option(help="Accounts that buy followers.", show_default="0")] = None,
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Fill the lake with a made-up society. Its true influence is kept beside the lake."""
    from clout.data.simulate import configure, fill, truth_of
    from clout.display import print_json, print_receipt
    from clout.settings import read_settings

    asked = {"accounts": accounts, "days": days, "seed": seed, "bots": bots, "pods": pods}
    asked |= {"bought_likes": bought_likes, "bought_followers": bought_followers}
    target, home = open_lake(lake), read_settings().home
    receipt = fill(target, configure({name: value for name, value in asked.items() if value is not None}), home)
    told = {"lake": target.url, **receipt.told(), "rejects": None, "truth": str(truth_of(target, home))}
    if as_json:
        print_json(told)
        return
    print_receipt(told)
    typer.echo(f"the truth is in {told['truth']}")
