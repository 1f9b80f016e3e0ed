"""What is printed of the rounds of `clout up`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

from clout.display_champion import print_rows

if TYPE_CHECKING:
    from clout.serving.store.live_runs import LiveRun


def print_runs(runs: Iterable[LiveRun]) -> None:
    """Nothing; a line for each run goes to stdout."""
    told = [_line(run) for run in runs]
    if told:
        print_rows(("source", "started (UTC)", "took", "outcome", "rows", "rejected", "why"), told)
    else:
        typer.echo("nothing was run here yet: see `clout up`")


def _line(run: LiveRun) -> tuple[str, ...]:
    took = f"{(run.ended_at - run.started_at).total_seconds():,.1f} s" if run.ended_at else "–"
    rows = (f"{run.rows:,}", f"{run.rejected:,}")
    return run.source, f"{run.started_at:%Y-%m-%d %H:%M:%S}", took, run.outcome or "goes on", *rows, run.error or ""
