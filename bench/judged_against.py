"""The table "judged against": each set from raw files to a registered bundle, then its last block beside baselines.

python bench/judged_against.py [SET…] [--home FOLDER] [--json]
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
import typer
from measuring.home import working_home
from measuring.processes import Meter, alone
from measuring.sets import NAMES, SOCIETY, at_hand, lake_of, params_of, planted
from measuring.tables import show, spread
from rich.console import Console

from clout.data.lake import Lake
from clout.display import print_json, step_bar
from clout.errors import CloutError
from clout.features.catalogue import CONTRACT
from clout.features.wording import Wording
from clout.models.score_model import ScoreModel
from clout.training import metrics, pipeline
from clout.training.accounts import account_margins
from clout.training.dataset import Dataset, build
from clout.training.judge import judge_final, read_bundle_params
from clout.training.metrics import Rows
from clout.training.report import table
from clout.training.whole_lake import WholeLake

LEAST_OWN_POSTS = 5
EXPLAINED_POSTS = 2_000
RESAMPLES = 200
Bounds = tuple[float, float | None]


def judge(name: str, home: Path) -> dict[str, Any]:
    """All figures of one set, or why it cannot be trained on."""
    try:
        model, told = train(name, home)
        told |= last_block(name, model, home)
    except CloutError as error:
        return {"refused": str(error)}
    return told


def train(name: str, home: Path) -> tuple[ScoreModel, dict[str, Any]]:
    """The model of a set, and what it took from raw files (the society: from its making) to the registered bundle."""
    meter, params = Meter(), params_of(name, tuned=True)
    lake = lake_of(name, home)
    with step_bar(pipeline.steps(params, lake)) as step:
        trained = pipeline.train(lake, params, home, f"sqlite:///{home / 'mlflow.db'}", step)
    found = [check for check in trained.checks if check["status"] == "finding"]
    model = ScoreModel.load(trained.directory)
    return model, {
        "version": trained.version,
        "cost": meter.read().told(),
        "rolling": model.bundle.json("metrics.json")["model"],
        "findings": [f"{check['code']} {check['title']}: {check['detail']}" for check in found],
    }


def last_block(name: str, model: ScoreModel, home: Path) -> dict[str, Any]:
    """What `judge.open_last_block` reports, and the figures that it leaves out."""
    params, lake = read_bundle_params(model), Lake(home / "lake")
    with step_bar(5) as step:
        dataset = build(WholeLake.read(lake, params), params, step)
        step("judging the last block")
        told: dict[str, Any] = {"report": judge_final(model, dataset, params)}
        step("explaining")
    frame = dataset.frame.filter(dataset.plan.final.judged())
    told["reasons_off_by"] = reasons_off_by(model, frame)
    told["newcomers"] = newcomers(model, dataset, frame, params.seed)
    if name == SOCIETY:
        told["planted"] = against_truth(model, dataset, planted(home))
    return told


def reasons_off_by(model: ScoreModel, frame: pl.DataFrame) -> float:
    """The most by which the points of a post's reasons miss its score."""
    explained = model.explain(frame.head(EXPLAINED_POSTS))
    missed = explained.points.sum(axis=1) - (explained.score - explained.base_score)
    return float(np.abs(missed).max())


def newcomers(model: ScoreModel, dataset: Dataset, frame: pl.DataFrame, seed: int) -> dict[str, Any]:
    """How right expected actions are with and without accounts that had no ripe post when the last block began."""
    known = dataset.frame.filter(pl.col("ripe_at") < dataset.plan.final.start)["account"].unique()
    new = ~frame["account"].is_in(known.to_list()).to_numpy()
    expected = model.predict(CONTRACT.matrix(frame), frame["network"].to_list()).expected["actions"]
    count, accounts = frame["outcome"].to_numpy(), frame["account"].to_numpy().astype(np.str_)

    def figures(rows: Rows) -> dict[str, float]:
        return {
            "total_ratio": metrics.total_ratio(expected[rows], count[rows]),
            "decile_log_error": metrics.decile_log_error(expected[rows], count[rows]),
        }

    drawn = frame.filter(pl.Series(new)).group_by("account").agg(pl.col("outcome").sum())["outcome"]
    total = max(float(count.sum()), 1.0)
    return {
        "accounts": drawn.len(),
        "posts": int(new.sum()),
        "share_of_actions": float(count[new].sum()) / total,
        "share_of_the_largest": float(drawn.max() or 0.0) / total,  # type: ignore[arg-type]
        "with": with_interval(figures, np.arange(len(count)), accounts, seed),
        "without": with_interval(figures, np.flatnonzero(~new), accounts, seed),
    }


def with_interval(
    figures: Callable[[Rows], dict[str, float]], rows: Rows, accounts: np.ndarray[Any, Any], seed: int
) -> dict[str, dict[str, float]]:
    """The figures of some rows, each with the 95 % interval of a bootstrap over their accounts."""
    bounds = metrics.bootstrap(lambda drawn: figures(rows[drawn]), accounts[rows], seed, RESAMPLES)
    return {
        name: {"value": value, "low": bounds[name][0], "high": bounds[name][1]} for name, value in figures(rows).items()
    }


def against_truth(model: ScoreModel, dataset: Dataset, truth: pl.DataFrame) -> list[dict[str, Any]]:
    """Spearman of what is said of accounts at the end of the data with what they were made with."""
    path, end = model.wording_path, dataset.store.coverage.data_through
    assert end is not None  # noqa: S101 - a trained model has data
    wording = Wording.read(path) if path else dataset.wording
    booster = model.bundle.booster("model.txt")
    parts = dataset.store.account_posts(end, wording)
    said = account_margins(parts, lambda matrix: np.asarray(booster.predict(matrix))).join(truth, on="account")
    groups = {f"{LEAST_OWN_POSTS} posts or more": said.filter(pl.col("posts") >= LEAST_OWN_POSTS), "any": said}
    return [
        {"planted": planted_as, "own_posts": words, "accounts": rows.height}
        | {name: _rank(rows, name, planted_as) for name in ("margin", "expected", "own_mean_90d", "own_mean_all")}
        for planted_as in ("influence", "expected_outcome")
        for words, rows in groups.items()
    ]


def _rank(rows: pl.DataFrame, name: str, planted_as: str) -> float:
    values = rows.select(pl.col(name).fill_null(pl.col(name).mean()), truth=pl.col(planted_as).cast(pl.Float64))
    return metrics.spearman(values[name].to_numpy(), values["truth"].to_numpy())


def targets(told: dict[str, Any]) -> list[dict[str, Any]]:
    """The targets beside the figures; each within [low, high] of what it must and what we aim at."""
    model, skill = told["report"]["model"], told["report"]["skill"]["account_mean"]
    ranks = told["report"]["account"]["spearman"]
    past = max(ranks[name]["value"] for name in ("own_mean_90d", "own_mean_all"))
    rows: list[tuple[str, dict[str, Any], Bounds, Bounds]] = [
        ("post Spearman", model["spearman"], (0.68, None), (0.72, None)),
        ("post R² on log1p", model["r2_log"], (0.54, None), (0.58, None)),
        ("skill over the account mean", skill, (0.10, None), (0.20, None)),
        ("account Spearman (own past)", ranks["margin"], (past, None), (0.88, None)),
        ("expected / actual", told["newcomers"]["with"]["total_ratio"], (0.90, 1.10), (0.98, 1.02)),
        ("  without newcomers", told["newcomers"]["without"]["total_ratio"], (0.90, 1.10), (0.98, 1.02)),
        ("log error over tenths", told["newcomers"]["with"]["decile_log_error"], (0, 0.15), (0, 0.05)),
        ("  without newcomers", told["newcomers"]["without"]["decile_log_error"], (0, 0.15), (0, 0.05)),
        ("90 % intervals cover", model["coverage"], (0.87, 0.93), (0.89, 0.91)),
        ("  in the worst group", model["coverage_worst_group"], (0.82, None), (0.87, None)),
        ("reasons miss the score by", {"value": told["reasons_off_by"]}, (0, 1e-9), (0, 1e-9)),
    ]
    return [
        {"quantity": words, "figure": figure, "must": must, "aim": aim}
        | {"met": within(figure["value"], must), "aim_met": within(figure["value"], aim)}
        for words, figure, must, aim in rows
    ]


def within(value: float, bounds: Bounds) -> bool:
    """Whether a value lies in a closed interval, which may have no upper end."""
    low, high = bounds
    return low <= value and (high is None or value <= high)


def bounds_text(bounds: Bounds) -> str:
    """`≥ 0.68`, `≤ 0.15` or `0.9–1.1`."""
    low, high = bounds
    if high is None:
        return f"≥ {low:.3g}"
    return f"≤ {high:.3g}" if low == 0 else f"{low:.3g}–{high:.3g}"


def print_set(name: str, told: dict[str, Any]) -> None:
    """Nothing; the tables of one set go to stdout."""
    if "refused" in told:
        print(f"== {name}: refused: {told['refused']}\n")
        return
    cost, report = told["cost"], told["report"]
    print(
        f"== {name}: last block {report['from'][:10]} to {report['through'][:10]}; to the registered bundle "
        f"{cost['wall_seconds']:.0f} s, {cost['cpu_seconds']:.0f} s of CPU, peak {cost['peak_mib']:.0f} MiB"
    )
    for finding in told["findings"]:
        print(f"✗ {finding}")
    Console().print(table(report))
    _print_accounts(report.get("account", {}).get("spearman", {}))
    _print_newcomers(told["newcomers"])
    if "targets" in told:
        _print_targets(told["targets"])
    if "planted" in told:
        heads = ("planted", "own posts", "accounts", "margin", "expected", "own mean 90 d", "own mean")
        show("Spearman with planted truth (target ≥ 0.90)", heads, [tuple(row.values()) for row in told["planted"]])


def _print_accounts(ranks: dict[str, Any]) -> None:
    if ranks:
        rows = [(name.replace("_", " "), spread(figure)) for name, figure in ranks.items()]
        show("Accounts, with what their later posts drove", ("", "Spearman"), rows)


def _print_newcomers(told: dict[str, Any]) -> None:
    title = (
        f"Newcomers (no ripe post when the block began): {told['accounts']} accounts, {told['posts']} posts, "
        f"{told['share_of_actions']:.0%} of all actions, the largest alone {told['share_of_the_largest']:.0%}"
    )
    rows = [(f"{which} them", *(spread(figure) for figure in told[which].values())) for which in ("with", "without")]
    show(title, ("", "expected / actual", "log error over deciles"), rows)


def _print_targets(rows: list[dict[str, Any]]) -> None:
    words = {True: "met", False: "missed"}
    cells = []
    for row in rows:
        small = 0 < row["figure"]["value"] < 1e-6
        figure = f"{row['figure']['value']:.1e}" if small else spread(row["figure"])
        must, aim = (f"{bounds_text(row[key])} {words[row[met]]}" for key, met in (("must", "met"), ("aim", "aim_met")))
        cells.append((row["quantity"], figure, must, aim))
    show("Targets", ("", "figure", "must", "aim"), cells)


def main(
    sets: Annotated[list[str] | None, typer.Argument(help=f"Some of {', '.join(NAMES)}.", show_default="all")] = None,
    home: Annotated[Path | None, typer.Option(help="Folder to keep lakes and models in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Train on each set from raw files, open its last block and print what is judged against what."""
    unknown = sorted({*(sets or ())} - {*NAMES})
    if unknown:
        raise typer.BadParameter(f"got {', '.join(unknown)}; expected some of {', '.join(NAMES)}")
    figures = {}
    with working_home(home) as folder:
        for name in [name for name in sets or NAMES if at_hand(name)]:
            figures[name] = alone(judge, name, folder / name)
            if name == "politicians" and "report" in figures[name]:
                figures[name]["targets"] = targets(figures[name])
            if not as_json:
                print_set(name, figures[name])
    if as_json:
        print_json(figures)


if __name__ == "__main__":
    typer.run(main)
