"""How many rows a second are scored and explained in bulk, by one process and by two at once, one thread each.

Usage: python bench/bulk.py [BUNDLE] [--seconds N] [--home FOLDER] [--json]

A row is judged by all heads: its score, what to expect of each kind, both ends of each interval, and what each feature did
to the score in points; nothing is put into words. Beside it the same with LightGBM's pred_contrib for the reasons. Without
a bundle a model is trained on the simulated society. Klout scored 8,700 profiles a second on its whole cluster.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
import typer
from measuring.home import working_home
from measuring.sets import SOCIETY
from measuring.tables import show

from clout.display import print_json
from clout.models.explain import MARKS
from clout.models.score_model import ScoreModel

KLOUT = 8_700
PEOPLE = 1_000
ROWS, ROWS_OF_THE_SLOW = 20_000, 1_000
MISSING = 0.05
READY = 0.5


def rows_of(model: ScoreModel, count: int) -> pl.DataFrame:
    """Made-up rows with values as often as the model has seen them, some missing."""
    rng, network = np.random.default_rng(3), model.networks[0]
    columns = {}
    for name, marks in model.bundle.json("quantiles.json").items():
        values = np.full(count, np.nan) if marks is None else np.interp(rng.random(count), MARKS, marks)
        values[rng.random(count) < MISSING] = np.nan
        columns[name] = values
    return pl.DataFrame(columns).with_columns(network=pl.lit(network))


def by_tables(model: ScoreModel) -> Callable[[pl.DataFrame], object]:
    """A function that scores and explains rows, as Clout does."""
    return lambda rows: (model.score(rows), model.explain(rows).points)


def by_pred_contrib(model: ScoreModel) -> Callable[[pl.DataFrame], object]:
    """A function that scores rows as Clout does, and has LightGBM explain them."""
    booster = model.bundle.booster("model.txt")
    return lambda rows: (model.score(rows), booster.predict(model.contract.matrix(rows), pred_contrib=True))


WAYS = {"tables": (by_tables, ROWS), "pred_contrib": (by_pred_contrib, ROWS_OF_THE_SLOW)}


@dataclass(frozen=True)
class Done:
    """How many rows a process did, from when to when on the machine's clock, and the CPU it took."""

    rows: int
    began: float
    ended: float
    cpu_seconds: float


def judge(bundle: Path, way: str, begin: float, seconds: float) -> Done:
    """What was done in some seconds; it waits until `begin`."""
    model = ScoreModel.load(bundle)
    make, count = WAYS[way]
    answer, rows = make(model), rows_of(model, count)
    answer(rows)
    time.sleep(max(begin - time.monotonic(), 0))
    began, cpu, done = time.monotonic(), time.process_time(), 0
    while time.monotonic() - began < seconds:
        answer(rows)
        done += count
    return Done(done, began, time.monotonic(), time.process_time() - cpu)


def warm(bundle: Path) -> float:
    """How long a process takes until it could begin."""
    began = time.monotonic()
    for way in WAYS:
        judge(bundle, way, 0.0, 0.0)
    return time.monotonic() - began


def measure(bundle: Path, way: str, processes: int, seconds: float) -> dict[str, Any]:
    """Rows a second of so many processes together; each first gets ready, and all begin at once."""
    with ProcessPoolExecutor(max_workers=processes, mp_context=get_context("spawn")) as pool:
        ready = max(pool.map(warm, [bundle] * processes))
        begin = time.monotonic() + ready + READY
        asked = [pool.submit(judge, bundle, way, begin, seconds) for _ in range(processes)]
        done = [future.result() for future in asked]
    rows, took = sum(of.rows for of in done), max(of.ended for of in done) - min(of.began for of in done)
    speed = {"rows_per_second": rows / took, "rows_per_cpu_second": rows / sum(of.cpu_seconds for of in done)}
    return {"way": way, "processes": processes, **speed}


def trained(home: Path) -> Path:
    """The folder of a bundle trained on the simulated society."""
    from measuring.trained import champion  # noqa: PLC0415 - the processes that are measured need no training

    directory = champion(SOCIETY, home, PEOPLE).bundle.directory
    assert directory is not None  # noqa: S101 - it was read from there
    return directory


def measure_all(bundle: Path, seconds: float) -> dict[str, Any]:
    """Each way, by one process and by two."""
    model = ScoreModel.load(bundle)
    found = [measure(bundle, way, processes, seconds) for way in WAYS for processes in (1, 2)]
    both = {told["way"]: told["rows_per_second"] for told in found if told["processes"] == 2}
    return {
        "features": len(model.contract.names),
        "heads": len(model.bundle.json("calibration.json")) + 2,
        "klout_profiles_per_second": KLOUT,
        "times_klout": both["tables"] / KLOUT,
        "times_pred_contrib": both["tables"] / both["pred_contrib"],
        "found": found,
    }


def print_figures(told: dict[str, Any]) -> None:
    """Nothing; a table goes to stdout."""
    title = f"Rows scored and explained a second: {told['heads']} heads, {told['features']} features"
    heads = ("reasons by", "processes", "rows a second", "times Klout's 8,700")
    rows = [
        (of["way"], of["processes"], of["rows_per_second"], f"{of['rows_per_second'] / KLOUT:.2f}")
        for of in told["found"]
    ]
    show(title, heads, rows, 0)


def main(
    bundle: Annotated[Path | None, typer.Argument(help="Folder of a bundle.")] = None,
    seconds: Annotated[float, typer.Option(help="How long each is measured.", min=0.1)] = 10.0,
    home: Annotated[Path | None, typer.Option(help="Folder to keep the model in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Score and explain the same rows again and again, and tell how many that is a second."""
    os.environ |= {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with working_home(home) as folder:
        told = measure_all(bundle or trained(folder), seconds)
    print_json(told) if as_json else print_figures(told)


if __name__ == "__main__":
    typer.run(main)
