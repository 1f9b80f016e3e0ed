"""How fast SHAP values come from tables, beside LightGBM's pred_contrib and shap's TreeExplainer, on one thread.

Usage: python bench/reasons.py [BUNDLE…] [--rows N] [--json]

Without bundles, models of three sizes are trained on random numbers: of the defaults, of twice the leaves, and of trees so
deep that the tables are refused and pred_contrib answers instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import process_time
from typing import Annotated, Any

import lightgbm
import numpy as np
import numpy.typing as npt
import shap
import typer
from measuring.tables import show

from clout.display import print_json
from clout.models.tree_shap import TreeShap
from clout.models.trees import TreesError

Floats = npt.NDArray[np.float64]

COLUMNS = 60
TRAINED_ON = 20_000
SIZES = {
    "300 trees of 15 leaves, depth 5": {"trees": 300, "num_leaves": 15, "max_depth": 5},
    "200 trees of 31 leaves, depth 8": {"trees": 200, "num_leaves": 31, "max_depth": 8},
    "500 trees of 63 leaves, any depth": {"trees": 500, "num_leaves": 63, "max_depth": -1},
}
ROUNDS = 3
ALONE = 500
SHARE_OF_THE_SLOW = {"tables": 1, "pred_contrib": 20, "TreeExplainer": 40}


def trained(trees: int, **params: int) -> str:
    """The text of a model of random numbers, a tenth of which is missing."""
    random = np.random.default_rng(1)
    matrix = random.normal(size=(TRAINED_ON, COLUMNS))
    target = matrix[:, :20] @ random.normal(size=20) + matrix[:, 20] * matrix[:, 21] + np.abs(matrix[:, 22])
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    fixed = {"num_threads": 1, "verbose": -1, "min_data_in_leaf": 20, "learning_rate": 0.05, "feature_fraction": 0.6}
    return str(lightgbm.train(fixed | params, lightgbm.Dataset(matrix, target), trees).model_to_string())


def asked(booster: lightgbm.Booster, rows: int) -> Floats:
    """Rows spread over the thresholds of the model, a tenth of the values missing where trees have seen that."""
    random = np.random.default_rng(2)
    splits = booster.trees_to_dataframe().dropna(subset="threshold")
    by_feature = {feature: some.to_numpy() for feature, some in splits.groupby("split_feature")["threshold"]}
    columns = [random.choice(by_feature.get(name, np.zeros(1)), rows) for name in booster.feature_name()]
    matrix = np.stack(columns, axis=1) + random.normal(size=(rows, len(columns)))
    gaps = set(splits["split_feature"][splits["missing_type"] == "NaN"])  # elsewhere shap and LightGBM differ
    missing = random.random(matrix.shape) < 0.1
    matrix[missing & [name in gaps for name in booster.feature_name()]] = np.nan
    return matrix


def seconds(answer: Callable[[], object]) -> float:
    """How long an answer takes."""
    start = process_time()
    answer()
    return process_time() - start


def answers(booster: lightgbm.Booster, tables: TreeShap) -> Mapping[str, Callable[[Floats], Floats]]:
    """The three that explain, by name; each gives (rows, features)."""
    explainer = shap.TreeExplainer(booster)
    explainer.model.model_type = "internal"  # else it asks LightGBM for pred_contrib
    return {
        "tables": tables,
        "pred_contrib": lambda rows: np.asarray(booster.predict(rows, pred_contrib=True, num_threads=1))[:, :-1],
        "TreeExplainer": lambda rows: np.asarray(explainer.shap_values(rows, check_additivity=False)),
    }


def measure(text: str, rows: int) -> dict[str, Any]:
    """Rows a second of each, the best of rounds that take turns; microseconds of one row, the median; and how far apart."""
    booster = lightgbm.Booster(model_str=text)
    building = process_time()
    try:
        tables = TreeShap(text, booster.num_feature())
    except TreesError as refused:
        return {"refused": str(refused), "refused_after_seconds": process_time() - building}
    built = process_time() - building
    matrix, explain = asked(booster, rows), answers(booster, tables)
    shares = {name: matrix[: rows // SHARE_OF_THE_SLOW[name]] for name in explain}
    takes = {name: min(per_row(explain[name], shares[name]) for _ in range(ROUNDS)) for name in explain}
    smallest = shares["TreeExplainer"]
    found = {name: each(smallest) for name, each in explain.items()}
    return {
        "build_seconds": built,
        "table_megabytes": (tables.tables.number.nbytes + tables.tables.step.nbytes) / 1e6,
        "rows_per_second": {name: 1 / value for name, value in takes.items()},
        "times_as_fast_as": {name: takes[name] / takes["tables"] for name in explain if name != "tables"},
        "one_row_microseconds": {name: alone(explain[name], matrix) for name in explain},
        "largest_difference": {name: float(np.abs(found["tables"] - each).max()) for name, each in found.items()},
    }


def per_row(answer: Callable[[Floats], Floats], matrix: Floats) -> float:
    """Seconds a row, of many together."""
    return seconds(lambda: answer(matrix)) / len(matrix)


def alone(answer: Callable[[Floats], Floats], matrix: Floats) -> float:
    """Microseconds of a row alone."""
    rows = (matrix[row : row + 1] for row in range(min(ALONE, len(matrix))))
    return float(np.median([seconds(lambda row=row: answer(row)) for row in rows])) * 1e6


def models(bundles: list[Path]) -> Iterator[tuple[str, str]]:
    """The text of each model, by what it is."""
    for bundle in bundles:
        yield bundle.name, (bundle / "model.txt").read_text()
    if not bundles:
        yield from ((name, trained(**size)) for name, size in SIZES.items())


def print_model(name: str, told: dict[str, Any]) -> None:
    """Nothing; the figures of a model go to stdout."""
    if "refused" in told:
        print(f"{name}: {told['refused']}; pred_contrib answers ({told['refused_after_seconds']:.2f} s to tell)\n")
        return
    speed, one, times = told["rows_per_second"], told["one_row_microseconds"], told["times_as_fast_as"]
    rows = [(who, speed[who], times.get(who), one[who], f"{told['largest_difference'][who]:.0e}") for who in speed]
    heads = ("", "rows a second", "tables are × as fast", "one row, µs", "furthest from tables")
    title = f"{name}: tables of {told['table_megabytes']:.1f} MB made in {told['build_seconds']:.2f} s"
    show(title, heads, rows, 1)


def main(
    bundles: Annotated[list[Path] | None, typer.Argument(help="Folders of bundles.")] = None,
    rows: Annotated[int, typer.Option(help="Rows to explain at once.", min=1_000)] = 40_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Explain the same rows in three ways and tell how long each takes."""
    figures = {}
    for name, text in models(bundles or []):
        figures[name] = measure(text, rows)
        if not as_json:
            print_model(name, figures[name])
    if as_json:
        print_json(figures)


if __name__ == "__main__":
    typer.run(main)
