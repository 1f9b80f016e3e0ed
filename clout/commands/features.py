"""The command that measures features and writes them down."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clout.commands.options import AsJson, LakeUrl, open_lake
from clout.commands.training import Overrides, ParamsFile, chosen_params


def features(
    out: Annotated[Path, typer.Argument(help="A folder that is not there yet.")],
    shards: Annotated[
        int | None, typer.Option(min=1, help="Parts that are in memory one at a time.", show_default="by size")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes, each with a part.", show_default="one a processor")
    ] = None,
    params: ParamsFile = None,
    overrides: Overrides = None,
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Measure all posts and accounts, however many. Parquet files of features come out."""
    import os
    from time import perf_counter

    from clout.display import print_json, step_bar
    from clout.features.sharded import run
    from clout.features.sharded.processes import Processes

    chosen, source, begun = chosen_params(params, overrides), open_lake(lake), perf_counter()
    os.environ["POLARS_MAX_THREADS"] = "1"  # each process has a processor of its own
    several = workers or len(os.sched_getaffinity(0))
    with Processes.open(several) as engine, step_bar(run.STEPS) as step:
        measured = run.measure(source, out, engine, chosen.label.horizon, chosen.action_values, shards, step)
    told = {"out": str(out), **measured._asdict(), "seconds": round(perf_counter() - begun, 1)}
    if as_json:
        print_json(told)
        return
    typer.echo(
        f"{told['posts']:,} posts and {told['accounts']:,} accounts measured from {told['actions']:,} actions "
        f"in {told['seconds']:,} s: {out}/posts and {out}/accounts"
    )
