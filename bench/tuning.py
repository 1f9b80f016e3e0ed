"""What tuning is worth: parameters searched on the rolling blocks, judged against the defaults on the last block.

Usage: python bench/tuning.py [SET…] [--trials N] [--home FOLDER] [--json]    (politicians and society without a SET)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from measuring.home import working_home
from measuring.sets import NAMES, SOCIETY, at_hand, lake_of, params_of
from measuring.tables import show

from clout.data.lake import Lake
from clout.display import print_json, step_bar
from clout.features.catalogue import WORDING
from clout.models.score_model import ScoreModel
from clout.training import judged, paired, pipeline, tune
from clout.training.config import Params
from clout.training.dataset import build
from clout.training.judge import judge_bundle, read_bundle_params
from clout.training.movement import Voice
from clout.training.whole_lake import WholeLake

TRIALS = 40
SHOWN = ("spearman", "r2_log", "msle", "total_ratio", "decile_log_error", "coverage")


def trained(lake: Lake, params: Params, home: Path) -> ScoreModel:
    """The model that these parameters make of `lake`."""
    with step_bar(pipeline.steps(params, lake)) as step:
        done = pipeline.train(lake, params, home, f"sqlite:///{home / 'mlflow.db'}", step)
    return ScoreModel.load(done.directory)


def last_block(lake: Lake, models: Mapping[str, ScoreModel]) -> dict[str, Any]:
    """Figures of each model on the posts of the last block, and the differences to the first."""
    first = next(iter(models.values()))
    params = read_bundle_params(first)
    dataset = build(WholeLake.read(lake, params), params)
    frame = dataset.frame.filter(dataset.plan.final.judged())
    texts = dict(zip(dataset.frame["post"], dataset.texts, strict=True))
    said = {}
    for name, model in models.items():
        wording = Voice(model).wording.values([texts[post] for post in frame["post"]])
        rows = judge_bundle(model, dataset, frame.with_columns(pl.Series(WORDING.name, wording)), params)
        said[name] = judged.rows(rows)
    return paired.accuracy(said, params.seed)


def measure(name: str, home: Path, trials: int) -> dict[str, Any]:
    """What `trials` trials found on the rolling blocks of a set, and what that is worth on its last block."""
    lake, params = lake_of(name, home), params_of(name)
    with step_bar(trials + tune.OTHER_STEPS) as step:
        found = tune.tune(lake, params, home, trials, step)
    models = {"default": trained(lake, params, home)}
    if found.params != params:
        models["tuned"] = trained(lake, found.params, home)
    return {"rolling": found.told(), "last_block": last_block(lake, models)}


def print_set(name: str, told: Mapping[str, Any]) -> None:
    """Nothing; the tables of one set go to stdout."""
    rolling, figures = told["rolling"], told["last_block"]["figures"]
    changed = [(key, *row.values()) for key, row in rolling["settings"].items()]
    show(
        f"{name}: found by {rolling['trials']['finished']} trials on the rolling blocks",
        ("", "default", "best"),
        changed,
        3,
    )
    rows = [
        (
            figure,
            figures[figure]["default"]["value"],
            figures[figure].get("tuned", {}).get("value"),
            *(figures[figure].get("tuned", {}).get("difference", {}).get(key) for key in ("value", "low", "high")),
        )
        for figure in SHOWN
    ]
    gain = rolling["gain"]
    title = (
        f"{name}, the last block, {told['last_block']['posts']:,} posts; on the rolling blocks the squared error fell by "
        f"{100 * gain['value']:.1f} % ({100 * gain['low']:.1f} to {100 * gain['high']:.1f})"
    )
    show(title, ("", "default", "tuned", "difference", "from", "to"), rows, 4)


def main(
    sets: Annotated[list[str] | None, typer.Argument(help=f"Some of {', '.join(NAMES)}.")] = None,
    trials: Annotated[int, typer.Option(min=1, help="Trials a set.")] = TRIALS,
    home: Annotated[Path | None, typer.Option(help="Folder to keep lakes and models in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Tune, train with the defaults and with what was found, and judge both on the last block."""
    with working_home(home) as folder:
        names = [name for name in sets or ("politicians", SOCIETY) if at_hand(name)]
        figures = {name: measure(name, folder / name, trials) for name in names}
    if as_json:
        print_json(figures)
        return
    for name, told in figures.items():
        print_set(name, told)


if __name__ == "__main__":
    typer.run(main)
