"""What training the main head on a cluster of Dask's takes and gives, beside one process: two workers of one thread each.

Usage: python bench/cluster.py [--people N] [--home FOLDER] [--json]

All learn the same rows of the rolling blocks of a simulated society with the same settings. The workers have the rows dealt
out in turn, or the older half and the newer half. Each is taught twice with each seed: are the trees the same? Dask is not
among the packages of Clout: uv sync --group bench.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

import lightgbm as lgb
import numpy as np
import typer
from learners import Fold, folds_of, keep_blocks, seeded
from measuring.home import working_home
from measuring.processes import Meter, alone
from measuring.sets import SOCIETY, params_of
from measuring.tables import show

from clout.display import print_json
from clout.training import metrics
from clout.training.config import Params
from clout.training.fit import MAIN, fit, settings

Way = Literal["one process", "dealt out", "older and newer"]
WAYS: tuple[Way, ...] = ("one process", "dealt out", "older and newer")
PEOPLE = 5_000
WORKERS = 2
SEEDS = range(3)
TIMES = 2
GRID = 20
MISSING = "no Dask here: run `uv sync --group bench`, or `pip install dask distributed`, and then this again"
# A booster of a block and a seed, and its cost: wall seconds, CPU seconds, the most MiB of one process.
Taught = tuple[lgb.Booster, tuple[float, float, float]]
Teacher = Callable[[int, Fold, Params], Taught]


def places(way: Way, worker: int, rows: int) -> slice:
    """Which rows a worker has."""
    if way == "dealt out":
        return slice(worker, None, WORKERS)
    return slice(rows * worker // WORKERS, rows * (worker + 1) // WORKERS)


def deal(home: Path) -> None:
    """Nothing; each worker's rows of each block, in each way, are then in files of their own at `home`."""
    for way in WAYS[1:]:
        for number, fold in enumerate(folds_of(home)):
            for worker in range(WORKERS):
                of = places(way, worker, len(fold.lesson.target))
                np.save(part(home, way, number, worker, "matrix"), fold.lesson.matrix[of])
                np.save(part(home, way, number, worker, "target"), fold.lesson.target[of])


def part(home: Path, way: Way, block: int, worker: int, what: str) -> Path:
    """Where a worker's rows are."""
    return home / f"{way.replace(' ', '-')}-{block}-{worker}-{what}.npy"


def here(_: int, fold: Fold, params: Params) -> Taught:
    """Taught by the function that teaches all heads, with two threads."""
    meter = Meter()
    booster = fit(fold.lesson.matrix, fold.lesson.target, params, fold.lesson.names, fold.lesson.directions)
    cost = meter.read()
    return booster, (cost.wall_seconds, cost.cpu_seconds, cost.peak_mib)


@contextmanager
def on_dask(home: Path, way: Way) -> Iterator[Teacher]:
    """Taught by LightGBM's own interface; each worker reads its rows itself."""
    import dask  # noqa: PLC0415 - may not be installed
    from dask.distributed import Client, LocalCluster  # noqa: PLC0415

    # Else Dask may move all rows to one worker, which then learns alone.
    dask.config.set({"distributed.scheduler.work-stealing": False})
    with (
        LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=None, memory_limit=None) as cluster,
        Client(cluster) as client,
    ):
        addresses = sorted(client.scheduler_info()["workers"])

        def teach(block: int, fold: Fold, params: Params) -> Taught:
            began, before = time.perf_counter(), [time.process_time(), *client.run(time.process_time).values()]
            rows = [_placed(client, home, way, block, worker, at) for worker, at in enumerate(addresses)]
            booster = _distributed(client, rows, fold, params)
            wall = time.perf_counter() - began
            after = [time.process_time(), *client.run(time.process_time).values()]
            return booster, (wall, sum(after) - sum(before), max(client.run(_peak).values()))

        yield teach


def _placed(client: Any, home: Path, way: Way, block: int, worker: int, address: str) -> tuple[Any, Any]:  # noqa: ANN401
    """A worker's features and targets, held by the worker at `address`."""
    import dask.array as da  # noqa: PLC0415
    from dask import delayed  # noqa: PLC0415
    from dask.distributed import wait  # noqa: PLC0415

    found = []
    for what in ("matrix", "target"):
        path = part(home, way, block, worker, what)
        held = client.submit(np.load, path, workers=[address], pure=False)
        wait(held)
        found.append(da.from_delayed(delayed(held), np.load(path, mmap_mode="r").shape, float))
    return found[0], found[1]


def _distributed(client: Any, rows: list[tuple[Any, Any]], fold: Fold, params: Params) -> lgb.Booster:  # noqa: ANN401
    import dask.array as da  # noqa: PLC0415

    model = lgb.DaskLGBMRegressor(
        client=client,
        n_estimators=params.fit.trees,
        tree_learner="data",
        monotone_constraints=list(fold.lesson.directions),
        **settings(params),
        **MAIN,
    )
    matrix, target = (da.concatenate(parts) for parts in zip(*rows, strict=True))
    return model.fit(matrix, target).booster_


def _peak() -> float:
    return Meter().read().peak_mib


def keeps_directions(booster: lgb.Booster, fold: Fold) -> bool:
    """Whether predictions only rise, or only fall, with each feature that has a direction."""
    some = fold.asked[:: max(1, len(fold.asked) // 100)]
    for column, direction in enumerate(fold.lesson.directions):
        if direction:
            grid = np.nanquantile(fold.asked[:, column], np.linspace(0, 1, GRID))
            asked = np.repeat(some, GRID, axis=0)
            asked[:, column] = np.tile(grid, len(some))
            steps = np.diff(np.asarray(booster.predict(asked)).reshape(-1, GRID), axis=1)
            if (direction * steps < -1e-12).any():
                return False
    return True


def trees(booster: lgb.Booster) -> str:
    """The trees alone: the settings that follow name the ports of the workers."""
    return str(booster.model_to_string()).split("\nparameters:", maxsplit=1)[0]


def taught(way: Way, home: Path, params: Params) -> dict[str, Any]:
    """What one way costs and gives, over all blocks and seeds."""
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # LightGBM's network and its workers write there
    if way == "one process":
        return _over_all(here, home, params)
    with on_dask(home, way) as teacher:
        return _over_all(teacher, home, params)


def _over_all(teacher: Teacher, home: Path, params: Params) -> dict[str, Any]:
    teacher(0, next(folds_of(home)), seeded(params, 0, 1))  # what is imported on the way is not counted
    costs, errors, ranks, same, kept = [], [], [], [], []
    for seed in SEEDS:
        for number, fold in enumerate(folds_of(home)):
            boosters = []
            for _ in range(TIMES):
                booster, cost = teacher(number, fold, seeded(params, seed, params.fit.trees))
                margin = np.asarray(booster.predict(fold.asked))
                boosters.append(booster)
                costs.append(cost)
                errors.append(float(np.mean((margin - fold.truth) ** 2)))
                ranks.append(metrics.spearman(margin, fold.truth))
            same.append(len({trees(booster) for booster in boosters}) == 1)
            kept.append(keeps_directions(boosters[0], fold))
    by_block = np.array(errors).reshape(len(SEEDS), -1, TIMES)
    wall, cpu = np.array(costs)[:, :2].reshape(len(SEEDS), -1, TIMES, 2).sum(1).min((0, 1)).tolist()
    return {
        "wall_seconds": wall,
        "cpu_seconds": cpu,
        "peak_mib": max(cost[2] for cost in costs),
        "squared_error": float(np.mean(errors)),
        "squared_error_of_blocks": by_block.mean((0, 2)).tolist(),
        "worst_of_blocks": by_block.max((0, 2)).tolist(),
        "spearman": float(np.mean(ranks)),
        "same_trees": [sum(same), len(same)],
        "directions_kept": all(kept),
    }


def measure(people: int, home: Path) -> dict[str, Any]:
    """Each way on the same blocks."""
    params = params_of(SOCIETY)
    size = alone(keep_blocks, SOCIETY, home, people)
    alone(deal, home)
    return {
        **size,
        "trees": params.fit.trees,
        "workers": WORKERS,
        "ways": {way: alone(taught, way, home, params) for way in WAYS},
    }


def print_ways(told: dict[str, Any]) -> None:
    """Nothing; the table goes to stdout."""
    title = f"{told['rows']:,} rows in {told['blocks']} blocks, {told['features']} features, {told['trees']} trees"
    rows = [
        (
            way,
            *(of[name] for name in ("wall_seconds", "cpu_seconds", "peak_mib", "squared_error")),
            max(of["worst_of_blocks"]),
            of["spearman"],
            f"{of['same_trees'][0]} of {of['same_trees'][1]}",
            str(of["directions_kept"]),
        )
        for way, of in told["ways"].items()
    ]
    heads = ("", "s", "CPU s", "peak MiB", "squared error", "worst", "Spearman", "same trees", "directions kept")
    show(title, heads, rows, 4)


def main(
    people: Annotated[int, typer.Option(help="Accounts of the society, of some 40 posts each.")] = PEOPLE,
    home: Annotated[Path | None, typer.Option(help="Folder to keep the lake and the blocks in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Teach the main head in one process and on a cluster, and tell what each costs and how well it does."""
    if find_spec("distributed") is None:
        print(f"SKIPPED: {MISSING}", file=sys.stderr)
        return
    with working_home(home) as folder:
        told = measure(people, folder)
    print_json(told) if as_json else print_ways(told)


if __name__ == "__main__":
    typer.run(main)
