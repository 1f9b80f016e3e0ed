"""Leaks: shuffled outcomes, an erased future, and what it costs to leave later profiles out.

Usage: python bench/leaks.py [SET…] [--posts N] [--home FOLDER] [--json]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import polars as pl
import typer
from measuring.home import working_home
from measuring.sets import SOCIETY, at_hand, lake_of, params_of
from measuring.tables import show, spread, watched

from clout.data.coverage import Coverage, Tables, coverage
from clout.data.history import known_before, load, read_tables
from clout.display import print_json
from clout.features.catalogue import CONTRACT, WORDING
from clout.features.compute import compute, prepare
from clout.training import metrics
from clout.training.baselines import account_mean
from clout.training.checks.leaks import shuffle_outcomes
from clout.training.config import Params
from clout.training.dataset import Dataset, build, cross_fit
from clout.training.fit import fit
from clout.training.heads import fit_heads, held_out, log_counts
from clout.training.matrix import Part
from clout.training.metrics import Floats, Rows
from clout.training.whole_lake import WholeLake

SETS = ("politicians", SOCIETY)
SOCIETY_PEOPLE = 1_000
SHUFFLES = 3
CONTROL_POSTS = 20
LONG_BEFORE = datetime(1990, 1, 2, tzinfo=UTC)
RESAMPLES = 200


def shuffled(dataset: Dataset, params: Params) -> list[dict[str, Any]]:
    """Spearman in the newest rolling block of a head taught on true outcomes, then on shuffled ones.

    Chance alone stays inside the band 19 times in 20. Words are left out: they are learned from outcomes.
    """
    without_words = dataset.frame.with_columns(pl.lit(None, pl.Float64).alias(WORDING.name))
    rows = [{"outcomes": "true", **_newest_block(without_words, dataset, params)}]
    for seed in range(SHUFFLES):
        frame = shuffle_outcomes(dataset, seed)
        rows.append({"outcomes": f"shuffled, seed {seed}", **_newest_block(frame, dataset, params)})
    return rows


def _newest_block(frame: pl.DataFrame, dataset: Dataset, params: Params) -> dict[str, float]:
    block = dataset.plan.rolling[-1]
    taught, judged = (frame.filter(condition) for condition in (block.taught(), block.judged()))
    free = [0] * len(CONTRACT.names)
    booster = fit(CONTRACT.matrix(taught), log_counts(taught), params, CONTRACT.names, free)
    rank = metrics.spearman(np.asarray(booster.predict(CONTRACT.matrix(judged))), log_counts(judged))
    return {"spearman": rank, "chance_band": 1.96 / float(np.sqrt(judged.height - 1))}


def erased(tables: Tables, dataset: Dataset, params: Params, count: int) -> dict[str, Any]:
    """How many of `count` random posts have another feature when nothing known at or after them is there.

    Compared to the last bit with the row that a training learns from. The control erases one horizon more, which must show.
    """
    chosen, known = np.random.default_rng(params.seed).permutation(dataset.frame.height)[:count], coverage(tables)
    changed = {
        name: sum(_changes(tables, known, dataset, params, int(row), more) for row in watched(rows, f"erasing, {name}"))
        for name, rows, more in (
            ("future", chosen, timedelta(0)),
            ("control", chosen[:CONTROL_POSTS], params.label.horizon),
        )
    }
    return {"posts": len(chosen), "changed": changed["future"]} | {
        "control_posts": len(chosen[:CONTROL_POSTS]),
        "control_changed": changed["control"],
    }


def _changes(tables: Tables, whole: Coverage, dataset: Dataset, params: Params, row: int, more: timedelta) -> bool:
    taught_on = dataset.frame[row]
    post = tables["posts"].filter(pl.col("post") == taught_on["post"][0])
    as_of = post["happened_at"][0] - more
    until = pl.lit(as_of, whole.through.schema["through"])
    known = Coverage(whole.reported, whole.through.with_columns(through=until))
    past = load(known_before(tables, as_of), params.label.horizon, params.action_values, known)
    names = [name for name in CONTRACT.names if name != WORDING.name]
    again = compute(post, prepare(past)).select(names)
    return bool((_bits(again) != _bits(taught_on.select(names))).any())


def _bits(frame: pl.DataFrame) -> npt.NDArray[np.int64]:
    """The 64 bits of each value; every missing one has the same."""
    return frame.fill_null(np.nan).to_numpy().copy().view(np.int64)


def erased_words(dataset: Dataset, params: Params) -> dict[str, Any]:
    """How many posts have another wording lift when all that was not known when their block began is nonsense."""
    blocks = [*dataset.plan.rolling, dataset.plan.final]
    true = dataset.frame[WORDING.name].fill_null(np.nan).to_numpy()
    posts = changed = 0
    for start, end in pairwise([*(block.start for block in blocks), None]):
        assert start is not None  # noqa: S101 - only the last end is None
        inside = pl.col("happened_at") >= start
        judged = dataset.where(inside if end is None else inside & (pl.col("happened_at") < end)).to_numpy()
        lift = _lift_of_nonsense(dataset, params, start, judged)
        posts += int(judged.sum())
        changed += int((lift.view(np.int64) != true.view(np.int64))[judged].sum())
    return {"posts": posts, "changed": changed}


def _lift_of_nonsense(dataset: Dataset, params: Params, start: datetime, judged: npt.NDArray[np.bool_]) -> Floats:
    unknown = pl.col("ripe_at") >= start
    noise = pl.Series("outcome", np.random.default_rng(params.seed).lognormal(3, 2, dataset.frame.height))
    frame = dataset.frame.with_columns(outcome=pl.when(unknown).then(noise).otherwise(pl.col("outcome")))
    hidden = dataset.where(unknown).to_numpy() & ~judged
    texts = dataset.texts.zip_with(~pl.Series(hidden), pl.Series(["nonsense"]))
    lift, _ = cross_fit(frame, texts, dataset.plan, params.wording)
    return lift


def later_profiles(tables: Tables, dataset: Dataset, params: Params) -> dict[str, Any]:
    """Figures of the last block, strict and with every profile known from the start, and what strictness costs."""
    early = {name: pl.lit(LONG_BEFORE, pl.Datetime("us", "UTC")) for name in ("happened_at", "known_at")}
    moved = {**tables, "profiles": tables["profiles"].with_columns(**early)}
    seen = build(WholeLake.of(moved, params), params)
    margins = {"strict": _last_block_margin(dataset, params), "with later": _last_block_margin(seen, params)}
    taught, judged = (
        dataset.frame.filter(condition) for condition in (dataset.plan.final.taught(), dataset.plan.final.judged())
    )
    own = account_mean(Part.of(taught))(judged)
    truth, accounts = log_counts(judged), judged["account"].to_numpy().astype(np.str_)

    def figures(rows: Rows) -> dict[str, float]:
        told = {
            f"{which}|{name}": value
            for which, margin in margins.items()
            for name, value in _figures(margin[rows], own[rows], truth[rows]).items()
        }
        names = ("spearman", "r2_log", "skill")
        return told | {f"cost|{name}": told[f"with later|{name}"] - told[f"strict|{name}"] for name in names}

    bounds = metrics.bootstrap(figures, accounts, params.seed, RESAMPLES)
    told: dict[str, Any] = {}
    for name, value in figures(np.arange(len(truth))).items():
        which, figure = name.split("|")
        told.setdefault(which, {})[figure] = {"value": value, "low": bounds[name][0], "high": bounds[name][1]}
    return told


def _last_block_margin(dataset: Dataset, params: Params) -> Floats:
    held = held_out(dataset, params, (), lambda _: None)
    heads = fit_heads(dataset, dataset.plan.final, params.with_trees(held.trees), ())
    return heads.main(dataset.matrix(dataset.where(dataset.plan.final.judged())))


def _figures(margin: Floats, own: Floats, truth: Floats) -> dict[str, float]:
    return {
        "spearman": metrics.spearman(margin, truth),
        "r2_log": metrics.r_squared(margin, truth),
        "skill": metrics.skill(margin, own, truth),
    }


def leaks(name: str, home: Path, count: int) -> dict[str, Any]:
    """All figures of one set."""
    params = params_of(name)
    tables = read_tables(lake_of(name, home, SOCIETY_PEOPLE))
    dataset = build(WholeLake.of(tables, params), params)
    told = {
        "shuffled": shuffled(dataset, params),
        "erased": erased(tables, dataset, params, count),
        "erased_words": erased_words(dataset, params),
    }
    if name == "politicians":
        told["later_profiles"] = later_profiles(tables, dataset, params)
    return told


def found(told: Mapping[str, Any]) -> Iterator[str]:
    """Each leak, in words."""
    for row in told["shuffled"][1:]:
        if abs(row["spearman"]) > 2 * row["chance_band"]:
            yield f"{row['outcomes']}: Spearman {row['spearman']:.3f}"
    for part in ("erased", "erased_words"):
        if told[part]["changed"]:
            yield f"{part}: {told[part]['changed']} posts changed"
    if not told["erased"]["control_changed"]:
        yield "erased: the control changed nothing, so nothing was compared"


def print_set(name: str, told: dict[str, Any]) -> None:
    """Nothing; the tables of one set go to stdout."""
    print(f"== {name}")
    rows = [(row["outcomes"], row["spearman"], f"±{row['chance_band']:.3f}") for row in told["shuffled"]]
    show("Outcomes shuffled, all features made anew", ("taught on outcomes", "Spearman", "95 % of chance"), rows)
    future, words = told["erased"], told["erased_words"]
    control = ("control: one horizon more erased", future["control_posts"], future["control_changed"])
    rows = [
        ("features", future["posts"], future["changed"]),
        ("wording lift", words["posts"], words["changed"]),
        control,
    ]
    show("Everything known at or after the post erased", ("", "posts", "changed in any bit"), rows)
    if "later_profiles" in told:
        rows = [
            (which, *(spread(figure) for figure in figures.values()))
            for which, figures in told["later_profiles"].items()
        ]
        show("Last block without and with profiles read later", ("", "Spearman", "R² on log1p", "skill"), rows)
    for leak in found(told):
        print(f"LEAK {leak}")


def main(
    sets: Annotated[list[str] | None, typer.Argument(help=f"Some of {', '.join(SETS)}.", show_default="both")] = None,
    posts: Annotated[int, typer.Option(help="Random posts whose future is erased.")] = 200,
    home: Annotated[Path | None, typer.Option(help="Folder to keep lakes in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Look for leaks; ends with 1 when there is one."""
    figures = {}
    with working_home(home) as folder:
        for name in [name for name in SETS if name in (sets or SETS) and at_hand(name)]:
            figures[name] = leaks(name, folder / name, posts)
            if not as_json:
                print_set(name, figures[name])
    if as_json:
        print_json(figures)
    raise typer.Exit(any(any(found(told)) for told in figures.values()))


if __name__ == "__main__":
    typer.run(main)
