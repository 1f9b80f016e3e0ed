"""Commands that make models and judge them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clout.commands.options import AsJson, LakeUrl, Version, open_lake


def train(
    params: Annotated[
        Path | None, typer.Option(help="TOML file of parameters.", show_default="params.toml if there")
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="section.name=value, as often as needed.")
    ] = None,
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Train a model on the lake and register it. The first that passes its checks becomes champion."""
    from clout.display import print_json, print_trained, step_bar
    from clout.settings import read_settings
    from clout.training import pipeline
    from clout.training.config import read_params
    from clout.training.report import table

    default = Path("params.toml")
    chosen = read_params(params or (default if default.exists() else None), tuple(overrides or ()))
    settings = read_settings()
    with step_bar(pipeline.steps(chosen)) as step:
        trained = pipeline.train(open_lake(lake), chosen, settings.home, settings.tracking_uri, step)
    print_json(trained.told()) if as_json else print_trained(trained.told(), table(trained.report))


def evaluate(
    version: Version = "champion",
    final: Annotated[bool, typer.Option("--final", help="Open the last block, which no training has seen.")] = False,
    data: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Print every figure of a model.

    They are those of the rolling blocks, as measured while it was trained; with --data they are measured anew on that
    lake, by models with the same parameters. With --final the model itself is judged on the last block.
    """
    from clout.display import print_json, print_report, step_bar
    from clout.models import registry
    from clout.models.score_model import ScoreModel
    from clout.settings import read_settings
    from clout.training.report import table

    model = ScoreModel.load(registry.resolve(read_settings().home, version))
    lake = open_lake(data) if final or data else None
    if lake is None:
        figures = model.bundle.json("metrics.json")
    else:
        from clout.training.judge import judge_anew, open_last_block, read_bundle_params

        with step_bar(4 if final else 4 + read_bundle_params(model).splits.origins) as step:
            figures = open_last_block(model, lake, step) if final else judge_anew(model, lake, step)
    block, taught_on = "final" if final else "rolling", model.data["fingerprint"]
    fingerprint = lake.fingerprint() if lake else taught_on
    told = {"version": model.version, "block": block, "data": fingerprint, "trained_on": taught_on, **figures}
    print_json(told) if as_json else print_report(told, table(told))
