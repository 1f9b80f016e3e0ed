"""The command that measures features and writes them down."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from clout.commands.options import AsJson, LakeUrl, open_lake
from clout.commands.training import Overrides, ParamsFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from clout.features.sharded.run import Engine
    from clout.serving.bulk import BulkJudge

    Meaning = tuple[timedelta, Mapping[str, float]]


def features(
    out: Annotated[Path, typer.Argument(help="A folder that is not there yet.")],
    shards: Annotated[
        int | None, typer.Option(min=1, help="Parts that are in memory one at a time.", show_default="by size")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes, each with a part.", show_default="one a processor")
    ] = None,
    scores: Annotated[bool, typer.Option("--scores", help="What the champion says of each post, too.")] = False,
    keep_state: Annotated[bool, typer.Option("--keep-state", help="Leave what a later run can go on from.")] = False,
    after: Annotated[
        Path | None, typer.Option(help="Go on from what this run left: measure what came since.", show_default=False)
    ] = None,
    engine: Annotated[
        Literal["local", "spark"], typer.Option(help="Who measures: processes here, or Spark.")
    ] = "local",
    master: Annotated[
        str | None, typer.Option(help="Spark's master: local[2], spark://host:7077, yarn.", show_default=False)
    ] = None,
    params: ParamsFile = None,
    overrides: Overrides = None,
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Measure all posts and accounts, however many. Parquet files of features come out."""
    from time import perf_counter

    from clout.display import print_json, step_bar
    from clout.features.sharded import run

    meaning, judge = _of_champion(params, overrides) if scores else _of_params(params, overrides)
    source, begun = open_lake(lake), perf_counter()
    with engine_of(engine, master, workers) as opened, step_bar(run.STEPS) as step:
        chain = run.Chain(keep_state or after is not None, after)
        measured = run.measure(source, out.absolute(), opened, *meaning, shards, step, judge, chain)
    told = {"out": str(out), **measured._asdict(), "seconds": round(perf_counter() - begun, 1)}
    if as_json:
        print_json(told)
        return
    folders = ", ".join(sorted(str(folder) for folder in out.iterdir()))
    typer.echo(
        f"{told['posts']:,} posts and {told['accounts']:,} accounts measured from {told['actions']:,} actions "
        f"in {told['seconds']:,} s: {folders}"
    )


def _of_params(params: Path | None, overrides: list[str] | None) -> tuple[Meaning, None]:
    """What outcomes mean by the parameters of a training, and no model."""
    from clout.commands.training import chosen_params

    chosen = chosen_params(params, overrides)
    return (chosen.label.horizon, chosen.action_values), None


def _of_champion(params: Path | None, overrides: list[str] | None) -> tuple[Meaning, BulkJudge]:
    """What outcomes mean to the champion, and the champion."""
    from datetime import timedelta

    from clout.errors import CloutError
    from clout.models import registry
    from clout.models.score_model import ScoreModel
    from clout.serving.bulk import BulkJudge
    from clout.settings import read_settings

    if params or overrides:
        raise CloutError("got --scores with parameters; expected one of both: the champion has its own")
    bundle = registry.champion(read_settings().home).absolute()
    data = ScoreModel.load(bundle).data
    return (timedelta(days=data["horizon_days"]), data["action_values"]), BulkJudge(bundle)


def engine_of(engine: str, master: str | None, workers: int | None) -> AbstractContextManager[Engine]:
    """The engine of that name, open while its block lasts."""
    if engine == "spark":
        from clout.features.sharded.spark import SparkEngine

        if master is None or workers is not None:
            raise typer.BadParameter("--engine spark needs --master (try local[2]), and no --workers")
        return SparkEngine.open(master)
    from clout.features.sharded.processes import Processes, processors

    if master is not None:
        raise typer.BadParameter("--master is of Spark: add --engine spark")
    return Processes.open(workers or processors())
