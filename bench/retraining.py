"""What a retrain a week later does to people's scores: accounts judged by both models, at one moment, from the same data.

Usage: python bench/retraining.py [SET…] [--home FOLDER] [--json]    (politicians and society without a SET)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from measuring.home import working_home
from measuring.sets import NAMES, SOCIETY, at_hand, lake_of
from measuring.tables import show

from clout.data.coverage import Tables, coverage
from clout.data.history import known_before, read_tables
from clout.data.lake import Lake
from clout.display import print_json
from clout.models.score_model import ScoreModel
from clout.training import pipeline
from clout.training.config import Params
from clout.training.movement import Past, moves

WEEK = timedelta(days=7)
MEDIAN, P99 = 1.0, 5.0


def week_ago(tables: Tables, params: Params) -> dict[str, pl.DataFrame]:
    """The tables as they stood a week before their newest post; counts read later stay where a post had ripened by then."""
    newest = tables["posts"]["happened_at"].max()
    through = coverage(tables).data_through
    cut = min(newest, through) - WEEK  # type: ignore[type-var]
    past = known_before(tables, cut)
    unripe = past["posts"].filter(pl.col("happened_at") + params.label.horizon >= cut).select("post")
    late = past["counts"]["retrospective"]
    kept = pl.concat([past["counts"].filter(~late), past["counts"].filter(late).join(unripe, on="post", how="anti")])
    return {**past, "counts": kept}


def retrain(name: str, folder: Path) -> dict[str, Any]:
    """How the accounts of a set move when the model is trained again, a week later, with the same parameters."""
    params = Params()
    now = lake_of(name, folder)
    then = Lake(folder / "week ago")
    then.append(week_ago(read_tables(now), params), source=name)
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    trained = [pipeline.train(lake, params, folder, uri) for lake in (then, now)]
    models = {one.version: ScoreModel.load(one.directory) for one in trained}
    past = Past.read(now, models[trained[0].version])
    if past is None:
        raise SystemExit(f"{name} has no posts; expected some: see shared/data")
    told = moves(past, models)
    return {"accounts": told["accounts"], "trees": [model.data["trees"] for model in models.values()]} | {
        key: value for key, value in told["to"][trained[1].version].items() if key != "movers"
    }


def print_moves(figures: Mapping[str, Mapping[str, Any]]) -> None:
    """Nothing; the table goes to stdout."""
    heads = ("", "accounts", "median", "95 %", "99 %", "most", "median change", "within limits")
    rows = [
        (
            name,
            told["accounts"],
            *(told[key] for key in ("median", "p95", "p99", "most", "median_change")),
            "yes" if told["median"] <= MEDIAN and told["p99"] <= P99 else "no",
        )
        for name, told in figures.items()
    ]
    title = f"Points an account moves by a retrain one week later (median at most {MEDIAN:g}, 99 % at most {P99:g})"
    show(title, heads, rows, 2)


def main(
    sets: Annotated[list[str] | None, typer.Argument(help=f"Some of {', '.join(NAMES)}.")] = None,
    home: Annotated[Path | None, typer.Option(help="Folder to keep lakes and models in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Train as of a week ago and as of now, and tell how far accounts move."""
    with working_home(home) as folder:
        names = [name for name in sets or ("politicians", SOCIETY) if at_hand(name)]
        figures = {name: retrain(name, folder / name) for name in names}
    print_json(figures) if as_json else print_moves(figures)


if __name__ == "__main__":
    typer.run(main)
