"""Commands that make models and judge them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clout.commands.options import AsJson, LakeUrl, Version, open_lake

if TYPE_CHECKING:
    from clout.training.config import Params

ParamsFile = Annotated[
    Path | None, typer.Option("--params", help="TOML file of parameters.", show_default="params.toml if there")
]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="section.name=value, as often as needed.")]
WithoutFeatures = Annotated[
    str | None, typer.Option("--features", help="without=NAME[,NAME…]: features or groups of them that are left out.")
]


def chosen_params(
    file: Path | None, overrides: list[str] | None, features: str | None = None, share: float | None = None
) -> Params:
    """The parameters a command is given."""
    from clout.training.config import read_params, without

    default = Path("params.toml")
    told = [*(overrides or ()), *([without(features)] if features else ())]
    told += [] if share is None else [f"splits.sample_share={share}"]
    return read_params(file or (default if default.exists() else None), tuple(told))


def train(
    params: ParamsFile = None,
    overrides: Overrides = None,
    features: WithoutFeatures = None,
    sample: Annotated[
        float | None, typer.Option(help="Share of accounts to learn from and be judged on.", show_default="1")
    ] = None,
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Train a model on the lake and register it. The first that passes its checks becomes champion."""
    from clout.display import print_json, print_trained, step_bar
    from clout.settings import read_settings
    from clout.training import pipeline
    from clout.training.report import table

    chosen, settings = chosen_params(params, overrides, features, sample), read_settings()
    data = open_lake(lake)
    with step_bar(pipeline.steps(chosen, data)) as step:
        trained = pipeline.train(data, chosen, settings.home, settings.tracking_uri, step)
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

    home = read_settings().home
    model = ScoreModel.load(registry.resolve(home, version))
    lake = open_lake(data) if final or data else None
    if lake is None:
        figures = model.bundle.json("metrics.json")
    else:
        from clout.training import stores
        from clout.training.judge import judge_anew, open_last_block, read_bundle_params

        steps = stores.steps(lake) + (4 if final else 4 + read_bundle_params(model).splits.origins)
        with step_bar(steps) as step:
            figures = (open_last_block if final else judge_anew)(model, lake, home, step)
    block, taught_on = "final" if final else "rolling", model.data["fingerprint"]
    fingerprint = lake.fingerprint() if lake else taught_on
    told = {"version": model.version, "block": block, "data": fingerprint, "trained_on": taught_on, **figures}
    print_json(told) if as_json else print_report(told, table(told))


def reproduce(
    run: Annotated[str, typer.Argument(help="champion, challenger, a version, or the id of a run in MLflow.")],
    data: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Train a model again and prove that it is the same.

    It is made from the lake as it was then, with the bundle's own parameters and scale; nothing is registered. Ends
    with 0 when every file is equal byte for byte, else with 1 and says what is not.
    """
    from clout.display import print_json, print_reproduction, step_bar
    from clout.models import registry
    from clout.models.score_model import ScoreModel
    from clout.settings import read_settings
    from clout.training import pipeline
    from clout.training.config import validated
    from clout.training.reproduce import RUN_ID, reproduce
    from clout.training.tracking import bundle_of_run

    settings = read_settings()
    version = bundle_of_run(settings.tracking_uri, run) if RUN_ID.fullmatch(run) else run
    model = ScoreModel.load(registry.resolve(settings.home, version))
    lake = open_lake(data)
    with step_bar(pipeline.steps(validated(model.params), lake)) as step:
        told = reproduce(model, lake, settings.home, step).told()
    print_json(told) if as_json else print_reproduction(told)
    raise typer.Exit(0 if told["reproduced"] else 1)


def tune(
    trials: Annotated[int, typer.Option(min=1, help="How many sets of parameters to try.")] = 30,
    minutes: Annotated[float | None, typer.Option(min=0, help="Begin no trial after so many minutes.")] = None,
    params: ParamsFile = None,
    overrides: Overrides = None,
    features: WithoutFeatures = None,
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Search for better parameters on the rolling blocks.

    The first trial is the parameters as they are. Run again, or after Ctrl-C, the search goes on where it was. The best
    are written to tuned.toml in CLOUT_HOME, for `clout train --params`.
    """
    from time import monotonic

    from clout.display import print_json, print_tuned, step_bar
    from clout.settings import read_settings
    from clout.training import stores
    from clout.training.tune import OTHER_STEPS, tune

    began = monotonic()
    chosen, home = chosen_params(params, overrides, features), read_settings().home
    data = open_lake(lake)
    with step_bar(trials + OTHER_STEPS + stores.steps(data)) as step:
        tuned = tune(
            data,
            chosen,
            home,
            trials,
            step,
            lambda: minutes is not None and monotonic() - began > 60 * minutes,
        )
    print_json(tuned.told()) if as_json else print_tuned(tuned.told())
