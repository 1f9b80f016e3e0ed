"""What commands print: tables for people, JSON for programs, progress while one waits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from clout.data.receipt import Receipt


@contextmanager
def progress_bar() -> Iterator[Callable[[str, float], None]]:
    """A function that shows, on stderr, the step a command is at and the share of the work that is done."""
    columns = (TextColumn("{task.description:28}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda step, share: bar.update(task, description=step, completed=share)


def print_json(told: object) -> None:
    """Nothing; `told` goes to stdout as JSON."""
    typer.echo(json.dumps(told, indent=2, ensure_ascii=False))


def print_receipt(receipt: Receipt, lake: str, rejects: str | None) -> None:
    """Nothing; what became of the rows of a file goes to stdout."""
    typer.echo(f"{receipt.source} into {lake}")
    tables = [*receipt.rows, *(table for table in receipt.already_there if table not in receipt.rows)]
    counts = [(table, receipt.rows.get(table, 0), receipt.already_there.get(table, 0)) for table in tables]
    _print(("table", "accepted", "already there"), counts)
    _print_rejects(receipt.rejected)
    if rejects is not None:
        typer.echo(f"rejects are kept in {rejects}")
    if not receipt.rows:
        typer.echo("nothing new: the lake is as it was")


def lake_told(receipts: Sequence[Receipt]) -> dict[str, Any]:
    """`rows` by table, `rejected` by reason and each of `receipts`, as JSON has them."""
    rows: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    for receipt in receipts:
        rows.update(receipt.rows)
        rejected.update(receipt.rejected)
    told = [receipt.model_dump(exclude={"digests", "bytes"}) for receipt in receipts]
    return {"rows": dict(rows), "rejected": dict(rejected), "receipts": told}


def print_lake(receipts: Sequence[Receipt], lake: str, fingerprint: str) -> None:
    """Nothing; the batches of a lake, its rows, its rejects and its notes go to stdout."""
    typer.echo(f"lake {lake}")
    if not receipts:
        typer.echo("empty: fill it with clout ingest table, or clout simulate")
        return
    totals = lake_told(receipts)
    batches = [
        (r.source, sum(r.rows.values()), sum(r.already_there.values()), sum(r.rejected.values())) for r in receipts
    ]
    _print(("batch", "accepted", "already there", "rejected"), batches)
    _print(("table", "rows"), totals["rows"].items())
    _print_rejects(totals["rejected"])
    if totals["rejected"]:
        typer.echo(f"rejects are kept in {lake}/rejects")
    for receipt in receipts:
        if receipt.note:
            typer.echo(f"{receipt.source}: {receipt.note}")
    typer.echo(f"fingerprint {fingerprint}")


def _print_rejects(rejected: Mapping[str, int]) -> None:
    if rejected:
        _print(("rejected because", "rows"), rejected.items())


def _print(head: Sequence[str], rows: Iterable[tuple[str | int, ...]]) -> None:
    table = Table(show_edge=False, pad_edge=False, box=None, header_style="bold")
    for place, name in enumerate(head):
        table.add_column(name, justify="left" if place == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(cell if isinstance(cell, str) else f"{cell:,}" for cell in row))
    Console().print(table)
    typer.echo()
