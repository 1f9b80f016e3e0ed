"""What commands print: tables for people, JSON for programs, progress while one waits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console, ConsoleRenderable
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

MOST_REASONS = 8
REPORTED = ("contact", "page", "note")


@contextmanager
def progress_bar() -> Iterator[Callable[[str, float], None]]:
    """A function that shows, on a terminal's stderr, the step a command is at and the share of the work done."""
    with _bar(28) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda step, share: bar.update(task, description=step, completed=share)


@contextmanager
def step_bar(steps: int) -> Iterator[Callable[[str], None]]:
    """A function that shows, on a terminal's stderr, the next of `steps` steps."""
    with _bar(44) as bar:
        task = bar.add_task("", total=steps)
        done = iter(range(steps + 1))
        yield lambda step: bar.update(task, description=step, completed=next(done, steps))


def _bar(width: int) -> Progress:
    """A bar that goes when it is done; a stderr that is no terminal gets nothing, not even its line break."""
    console = Console(stderr=True)
    columns = (TextColumn(f"{{task.description:{width}}}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def print_report(told: Mapping[str, Any], table: ConsoleRenderable) -> None:
    """Nothing; the figures of a model go to stdout."""
    what = "the last block" if told["block"] == "final" else "the rolling blocks"
    typer.echo(f"model {told['version']} on {what}: {told['from'][:10]} to {told['through'][:10]}")
    Console().print(table)


def print_trained(told: Mapping[str, Any], table: ConsoleRenderable) -> None:
    """Nothing; what a training gave goes to stdout."""
    print_report({"block": "rolling", "version": told["version"], **told["metrics"]}, table)
    print_checks(told["checks"])
    print_unmet(told["unmet"])
    role = "champion" if told["champion"] else "challenger"
    typer.echo(f"{role} {told['version']} in {told['directory']}")
    if not told["champion"]:
        stopped = ", ".join(told["stopped_by"])
        typer.echo(
            f"it stays challenger because of {stopped}: see above what to do, then train again"
            if stopped
            else "it answers once it is champion: see `clout evaluate challenger`, then `clout promote challenger` if you choose"
        )


def print_explained(told: Mapping[str, Any]) -> None:
    """Nothing; a score, what to expect, and what moved it most go to stdout."""
    interval, printed = told["interval"], told["adds_up"]["printed"]
    likely = f"likely {interval['low']:.0f} to {interval['high']:.0f}"
    typer.echo(f"score {printed['score']}, {told['band']} ({likely}); model {told['model_version']}")
    evidence = told["evidence"]
    posts = "1 post" if evidence["ripe_posts"] == 1 else f"{evidence['ripe_posts']:,} posts"
    typer.echo(f"judged by {posts} with a known outcome, as of {told['as_of'][:16]}\n")
    ranges = [(what, *(f"{of[key]:,.1f}" for key in ("value", "low", "high"))) for what, of in told["expected"].items()]
    _print(("expected", "number", "from", "to"), ranges)
    groups = [(name.replace("_", " "), f"{share['printed']:+d}") for name, share in told["groups"].items()]
    ends = ("a typical post", printed["base_score"]), ("this post", printed["score"])
    _print(("from typical to this", "points"), [ends[0], *groups, ends[1]])
    for reason in told["reasons"][:MOST_REASONS]:
        typer.echo(f"{reason['points']:+6.1f}  {reason['sentence']}")
    if told["words"]:
        typer.echo(f"words that count most: {', '.join(part['words'] for part in told['words'])}")


def print_scored(told: Mapping[str, Any]) -> None:
    """Nothing; what a batch of account scores gave goes to stdout."""
    accounts, scored, new = told["accounts"], told["scored"], told["new"]
    typer.echo(f"{accounts:,} accounts as of {told['as_of'][:16]}, by model {told['model_version']}:")
    typer.echo(f"{scored:,} have a score, {accounts - scored:,} not enough evidence; {new:,} are new")


def print_reproduction(told: Mapping[str, Any]) -> None:
    """Nothing; whether a model came out the same when it was made again, and what did not, goes to stdout."""
    files, batches = told["files"], told["batches"]
    if batches["used"] < batches["now"]:
        typer.echo(f"made from the first {batches['used']} of the {batches['now']} batches that the lake has now")
    if told["reproduced"]:
        typer.echo(f"reproduced {told['version']}: all {len(files)} files are equal, byte for byte")
        return
    other = {name: what for name, what in files.items() if what != "equal"}
    typer.echo(
        f"not reproduced: {told['version']} came out as {told['again']}, {len(other)} of {len(files)} files differ"
    )
    for name, what in other.items():
        typer.echo(f"  {name} {what}")
    typer.echo("what is not as it was:" if told["causes"] else "nothing is known to be other than it was")
    for cause in told["causes"]:
        typer.echo(f"  {cause}")


def print_tuned(told: Mapping[str, Any]) -> None:
    """Nothing; what a search found goes to stdout."""
    trials, error, gain = told["trials"], told["error"], told["gain"]
    _print(
        ("setting", "began with", "best"),
        [(name, f"{of['began']:.4g}", f"{of['best']:.4g}") for name, of in told["settings"].items()],
    )
    typer.echo(
        f"squared error of log(1 + outcome): {error['began']:.4f} at first, {error['best']:.4f} at best: "
        f"{gain['value']:.1%} less ({gain['low']:.1%} to {gain['high']:.1%})"
    )
    typer.echo(
        f"{trials['added']} trials added, {trials['finished']} in all, {trials['pruned']} of them broken off early; "
        f"the best is number {trials['best']}"
    )
    if trials["best"] == 0:
        typer.echo("nothing better than the parameters as they are was found; run it again to try more")
        return
    typer.echo(
        "it was chosen on these very posts, so expect less: train with it, then see `clout compare`\n"
        f"clout train --params {told['file']}"
    )


def print_checks(checks: Iterable[Mapping[str, str]]) -> None:
    """Nothing; one line a check goes to stdout, and on a finding where to read about it, or why it is muted."""
    signs = {"passed": "✓", "finding": "✗", "not applicable": "–"}
    for check in checks:
        found, severity = check["status"] == "finding", check.get("severity", "error")
        sign = "!" if found and severity == "warning" else signs[check["status"]]
        typer.echo(f"{sign} {check['code']} {check['title']}: {check['detail']}")
        if found:
            read = f"{severity}, see {check.get('docs', 'docs/checks.md')}"
            typer.echo(f"  muted: {check['muted']}" if "muted" in check else f"  {read}")


def print_json(told: object) -> None:
    """Nothing; `told` goes to stdout as JSON."""
    typer.echo(json.dumps(told, indent=2, ensure_ascii=False))


def print_tables(table: ConsoleRenderable, page: Path | None) -> None:
    """Nothing; tables go to stdout, and where the page is that says more."""
    Console().print(table)
    if page:
        typer.echo(f"the page is in {page}")


def print_watched(told: Mapping[str, Any], table: ConsoleRenderable, page: Path | None) -> None:
    """Nothing; what a watch saw goes to stdout, the verdict first."""
    if told["findings"]:
        typer.echo(f"act: {len(told['findings'])} found")
        for finding in told["findings"]:
            typer.echo(f"- {finding['words']}{'' if finding['retrain'] else ' (look into the data)'}")
    else:
        typer.echo(told["verdict"])
    typer.echo(f"model {told['version']}, posts of {told['since'][:10]} to {told['through'][:10]}\n")
    Console().print(table)
    if page:
        typer.echo(f"page written to {page}")


def print_retrained(told: Mapping[str, Any]) -> None:
    """Nothing; why a challenger was trained, how it did beside the champion, and what to run next go to stdout."""
    if not told["needed"]:
        typer.echo(f"champion {told['champion']} needs no other for now: nothing trained; see `clout watch`")
        return
    typer.echo(f"challenger {told['challenger']} trained: {'; '.join(told['why'])}")
    beside = told["beside"]
    if beside["reason"]:
        typer.echo(f"no figures beside the champion's: {beside['reason']}")
    else:
        typer.echo(f"challenger less champion, on {beside['posts']:,} posts both were judged on:")
        less = beside["challenger_less_champion"].items()
        rows = [(name, *(f"{of[key]:+.4f}" for key in ("value", "low", "high"))) for name, of in less]
        _print(("", "difference", "from", "to"), rows)
    if told["challenger"] != told["champion"]:
        typer.echo(f"look at it: clout compare {told['champion']} {told['challenger']}")
        typer.echo(f"choose it:  clout promote {told['challenger']}")


def print_receipt(told: Mapping[str, Any]) -> None:
    """Nothing; what became of the rows of a file goes to stdout."""
    typer.echo(f"{told['source']} into {told['lake']}")
    new, there = told["rows"], told["already_there"]
    _print(("table", "accepted", "already there"), [(t, new.get(t, 0), there.get(t, 0)) for t in {**new, **there}])
    _print_rejects(told["rejected"], told["rejects"])
    if not new:
        typer.echo("nothing new: the lake is as it was")


def print_lake(told: Mapping[str, Any]) -> None:
    """Nothing; the batches of a lake, its rows, its rejects and its notes go to stdout."""
    typer.echo(f"lake {told['lake']}")
    if not told["receipts"]:
        typer.echo("empty: fill it with clout ingest table, or clout simulate")
        return
    parts = ("rows", "already_there", "rejected")
    batches = [(batch["source"], *(sum(batch[part].values()) for part in parts)) for batch in told["receipts"]]
    _print(("batch", "accepted", "already there", "rejected"), batches)
    _print(("table", "rows"), told["rows"].items())
    print_unmet(told["unmet"])
    _print_rejects(told["rejected"], told["rejects"])
    for note in dict.fromkeys(f"{batch['source']}: {batch['note']}" for batch in told["receipts"] if batch["note"]):
        typer.echo(note)
    typer.echo(f"fingerprint {told['fingerprint']}")


def print_unmet(unmet: Mapping[str, int]) -> None:
    """Nothing; actions and counts on posts that are not in the lake go to stdout, where there are any."""
    if unmet:
        rows = " and ".join(f"{count:,} {table}" for table, count in unmet.items())
        typer.echo(
            f"! {rows} are on posts that are not in the lake: bring those in, or see whether ids are written alike\n"
        )


def print_erased(told: Mapping[str, Any]) -> None:
    """Nothing; who was forgotten and how many rows of theirs are gone go to stdout."""
    typer.echo(f"forgotten: {', '.join(told['accounts'])}")
    if told["erased"]:
        _print(("table", "rows erased"), told["erased"].items())
    else:
        typer.echo("nothing was held; nothing will be taken in either")


def _print_rejects(rejected: Mapping[str, int], place: str | None) -> None:
    if rejected:
        _print(("rejected because", "rows"), rejected.items())
        typer.echo(f"rejects are kept in {place}\n")


def _print(head: Sequence[str], rows: Iterable[tuple[str | int, ...]]) -> None:
    table = Table(show_edge=False, pad_edge=False, box=None, header_style="bold")
    for place, name in enumerate(head):
        table.add_column(name, justify="left" if place == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(cell if isinstance(cell, str) else f"{cell:,}" for cell in row))
    Console().print(table)
    typer.echo()


def print_keys(told: Sequence[Mapping[str, Any]]) -> None:
    """Nothing; the keys of the service go to stdout."""
    table = Table("id", "name", "opens", "made", "expires", "state")
    for key in told:
        days = [(key[name] or "never")[:10] for name in ("created_at", "expires_at")]
        table.add_row(key["id"], key["name"], ", ".join(key["scopes"]), *days, key["state"])
    Console().print(table if told else "there is no key yet: make one with `clout keys create NAME --scope read`")


def print_feedback(told: Sequence[Mapping[str, Any]]) -> None:
    """Nothing; what people reported goes to stdout, as they wrote it."""
    for report in told:
        about = f", about {report['account']}" if report["account"] else ""
        typer.echo(f"{report['id']}  {report['at'][:16]}  {report['kind'].replace('_', ' ')}{about}, {report['state']}")
        lines = [*report["said"].split("\n"), *(f"{name}: {report[name]}" for name in REPORTED if report[name])]
        typer.echo("\n".join(f"    {line}" for line in lines))
    if not told:
        typer.echo("nobody has reported anything that is still open")
