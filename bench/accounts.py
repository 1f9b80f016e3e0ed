"""What account scores cost and how calm they are: one batch over many accounts, and two weeks of days on one society.

Usage: python bench/accounts.py [--people N] [--home FOLDER] [--json]
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
import typer
from measuring.home import working_home
from measuring.processes import Meter, alone
from measuring.sets import SOCIETY, lake_of, params_of, planted
from measuring.tables import show

from clout.data.coverage import Tables, coverage
from clout.data.history import load, read_tables
from clout.data.lake import Lake
from clout.data.simulate import Society, fill
from clout.display import print_json, progress_bar, step_bar
from clout.features.account_posts import AccountsAt, counted_posts
from clout.features.compute import prepare
from clout.models import registry
from clout.models.score_model import ScoreModel
from clout.serving.accounts.batch import Judgement, score_all
from clout.serving.store.scores import Store
from clout.training import metrics, pipeline

DAYS_WATCHED = 35
DAYS_MOVED = 14
CALM = 0.5


def train(home: Path) -> str:
    """The version of a champion trained on a society of 2,000."""
    lake, params = lake_of(SOCIETY, home), params_of(SOCIETY)
    with step_bar(pipeline.steps(params, lake)) as step:
        return pipeline.train(lake, params, home, f"sqlite:///{home / 'mlflow.db'}", step).version


def fill_large(folder: Path, people: int) -> dict[str, int]:
    """The posts and actions of a society of `people`, which is then in the lake of `folder`."""
    lake = Lake(folder / "lake")
    fill(lake, Society(accounts=people, days=DAYS_WATCHED, seed=8), folder)
    return {table: lake.receipts()[0].rows[table] for table in ("posts", "actions")}


def end_of(tables: Tables) -> datetime:
    """The moment just after all that is known."""
    through = coverage(tables).data_through
    assert through is not None  # noqa: S101 - a filled lake has data
    return through + timedelta(microseconds=1)


def batch(home: Path, folder: Path) -> dict[str, Any]:
    """What it took to score all accounts of a lake, from Parquet on disk to the store."""
    meter, model, lake = Meter(), ScoreModel.load(registry.champion(home)), Lake(folder / "lake")
    tables = read_tables(lake)
    history = load(tables, timedelta(days=model.data["horizon_days"]), model.data["action_values"])
    past = AccountsAt.of(history, end_of(tables), model.networks, *model.account.windows)
    prepared = meter.read().told()
    with Store.open(f"sqlite:///{folder / 'scores.db'}") as store, progress_bar() as progress:
        told = score_all(past, [Judgement.of(model)], store, lake, lambda: datetime.now(UTC), progress)
    judged = past.posts.filter(pl.col("age_days") < model.account.window_days).height
    return {
        "accounts": told.accounts,
        "scored": told.scored,
        "posts_explained": judged,
        "prepared": prepared,
        "cost": meter.read().told(),
        "store_mib": (folder / "scores.db").stat().st_size / 2**20,
    }


def days(home: Path) -> dict[str, Any]:
    """How far accounts moved from day to day at the end of the society, and how they stand to what was planted."""
    model, tables = ScoreModel.load(registry.champion(home)), read_tables(Lake(home / "lake"))
    history = load(tables, timedelta(days=model.data["horizon_days"]), model.data["action_values"])
    judge, streams, end = Judgement.of(model), prepare(history), end_of(tables)
    told = []
    for day in range(DAYS_MOVED, -1, -1):
        at = end - timedelta(days=day)
        posts = counted_posts(history, at, *model.account.windows)
        scores = judge.scores(posts, judge.matrix(posts, streams, at))
        names = posts["account"].unique(maintain_order=True)
        told.append(pl.DataFrame({"account": names, "score": scores.score}))
    moved = np.concatenate([_moves(before, after) for before, after in pairwise(told)])
    last = told[-1].filter(pl.col("score").is_not_nan()).join(planted(home), on="account")
    return {
        "accounts": last.height,
        "mean": float(np.mean(moved)),
        **{f"p{mark}": float(np.quantile(moved, mark / 100)) for mark in (50, 90, 95, 99)},
        "calm": float((moved <= CALM).mean()),
        "influence": metrics.spearman(last["score"].to_numpy(), last["influence"].cast(pl.Float64).to_numpy()),
        "expected_outcome": metrics.spearman(last["score"].to_numpy(), last["expected_outcome"].to_numpy()),
        "score_mean": float(last["score"].mean() or 0.0),  # type: ignore[arg-type]
        "score_p95": float(last["score"].quantile(0.95) or 0.0),
    }


def _moves(before: pl.DataFrame, after: pl.DataFrame) -> np.ndarray[Any, Any]:
    both = before.join(after, on="account").select(pl.col("score_right") - pl.col("score")).to_series().to_numpy()
    return np.abs(both[~np.isnan(both)])


def print_figures(told: dict[str, Any]) -> None:
    """Nothing; the tables go to stdout."""
    of, cost = told["batch"], told["batch"]["cost"]
    rows = [
        ("until the first account", *of["prepared"].values(), ""),
        ("until the last", *cost.values(), f"{of['accounts'] / cost['wall_seconds']:,.0f}"),
    ]
    size = f"{of['accounts']:,} accounts, {of['scored']:,} with a score, {of['posts_explained']:,} posts explained"
    show(f"{size}, store {of['store_mib']:.0f} MiB", ("", "wall s", "CPU s", "peak MiB", "accounts/s"), rows, 0)
    names = ("accounts", "mean", "p50", "p90", "p95", "p99", "calm")
    moved = [tuple(told["days"][name] for name in names)]
    show("Points an account moves from one day to the next", (*names[:-1], f"share within {CALM}"), moved, 3)
    names = ("accounts", "influence", "expected_outcome", "score_mean", "score_p95")
    heads = ("accounts", "Spearman with influence", "with expected outcome", "mean score", "95th percentile")
    show("The same accounts on the last day", heads, [tuple(told["days"][name] for name in names)], 3)


def main(
    people: Annotated[int, typer.Option(help="People of the large society.")] = 100_000,
    home: Annotated[Path | None, typer.Option(help="Folder to keep lakes and models in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Score many accounts in one batch, and one society on the days of two weeks."""
    with working_home(home) as folder:
        version = alone(train, folder / "small")
        size = alone(fill_large, folder / "large", people)
        batched = alone(batch, folder / "small", folder / "large")
        told = {"version": version, "batch": {**size, **batched}, "days": alone(days, folder / "small")}
    print_json(told) if as_json else print_figures(told)


if __name__ == "__main__":
    typer.run(main)
