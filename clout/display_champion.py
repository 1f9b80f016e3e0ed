"""What is printed of champions: changes, the audit log, the versions there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from clout.display import print_checks, print_json

# A file or a pipe has no width of its own; what is printed there must not be cut.
WIDE = 250


def print_change(told: Mapping[str, Any], as_json: bool) -> None:  # noqa: FBT001 - as the options give it
    """Nothing; what a promotion or rollback did goes to stdout, its notes to stderr."""
    if as_json:
        print_json(told)
        return
    print_checks(told["checks"])
    _notes(told["notes"])
    after = f", after {told['former']}" if told["former"] not in {None, told["version"]} else ""
    typer.echo(f"champion {told['version']}{after}")


def print_champion(told: Mapping[str, Any], as_json: bool) -> None:  # noqa: FBT001
    """Nothing; which model answers goes to stdout, what was mended to stderr."""
    if as_json:
        print_json(told)
        return
    _notes(told["notes"])
    typer.echo(f"champion {told['version']} in {told['directory']}")


def print_audit(told: Mapping[str, Any], as_json: bool) -> None:  # noqa: FBT001
    """Nothing; the audit log goes to stdout."""
    if as_json:
        print_json(told)
        return
    if not told["entries"]:
        typer.echo("nothing was done here yet: train with `clout train`, promote with `clout promote`")
        return
    heads = ("when", "who", "what", "step", "outcome", "version", "before it", "why, and what was met")
    print_rows(heads, (_line(entry) for entry in told["entries"]))
    for number in told["broken_off"]:
        typer.echo(f"line {number} was broken off as it was written, and tells nothing")
    for sentence in told["breaks"]:
        typer.secho(f"the log was changed: {sentence}", fg="red", err=True)
    if not told["breaks"]:
        typer.echo("every line carries the sha256 of the line before it")
    if told["champion"]:
        typer.secho(told["champion"], fg="red", err=True)


def print_versions(told: Mapping[str, Any], as_json: bool) -> None:  # noqa: FBT001
    """Nothing; the models of a home go to stdout."""
    if as_json:
        print_json(told)
        return
    if not told["versions"]:
        typer.echo(f"no model in {told['home']} yet: train one with `clout train`")
        return
    heads = ("version", "trained through", "posts judged", "Spearman", "R²", "skill", "findings", "role")
    print_rows(heads, (_version(row) for row in told["versions"]))


def _line(entry: Mapping[str, Any]) -> Sequence[str]:
    findings = [_finding(check) for check in entry["checks"] if check["status"] == "finding"]
    said = "; ".join(part for part in (entry["why"], entry["detail"], *findings) if part)
    names = ("when", "who", "what", "step", "outcome", "version")
    return (*(entry[name] for name in names), entry["former"] or "", said)


def _finding(check: Mapping[str, Any]) -> str:
    return f"{check['code']} muted: {check['muted']}" if check.get("muted") else f"{check['code']} has a finding"


def _version(row: Mapping[str, Any]) -> Sequence[str]:
    if row["damaged"]:
        return (row["version"], "", "", "", "", "", f"damaged: {row['damaged']}", ", ".join(row["roles"]))
    figures = (f"{row[name]:.3f}" if row[name] is not None else "–" for name in ("spearman", "r2_log", "skill"))
    posts = f"{row['posts']:,}" if row["posts"] is not None else "–"
    return (
        row["version"],
        (row["trained_through"] or "")[:10],
        posts,
        *figures,
        ", ".join(row["findings"]) or "none",
        ", ".join(row["roles"]),
    )


def _notes(notes: Iterable[str]) -> None:
    for note in notes:
        typer.echo(f"note: {note}", err=True)


def print_rows(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Nothing; the rows go to stdout, each on one line unless a terminal is too narrow."""
    table = Table(show_edge=False, pad_edge=False, box=None, header_style="bold")
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(WIDE, console.measure(table).maximum))
    console.print(table)
