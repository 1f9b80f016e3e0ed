"""What `clout train --sample` saves and what it loses, beside all accounts, on the posts that both were judged on.

Usage: python bench/sampling.py [SET…] [--home FOLDER] [--json]    (politicians and society without a SET)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from measuring.home import working_home
from measuring.processes import Meter, alone
from measuring.sets import NAMES, SOCIETY, at_hand, lake_of, params_of
from measuring.tables import show, spread

from clout.data.lake import Lake
from clout.display import print_json
from clout.training import judged, pipeline
from clout.training.paired import DIFFERENCE, accuracy

SHARES = (1.0, 0.5, 0.25, 0.1)
FIGURES = ("spearman", "r2_log", "coverage")


def fill(name: str, folder: Path) -> None:
    """Nothing; the set is in the lake of the folder."""
    lake_of(name, folder)


def train(name: str, folder: Path, share: float) -> dict[str, Any]:
    """What it took to train on a share of the accounts, and the version that came of it."""
    params = params_of(name)
    chosen = params.model_copy(update={"splits": params.splits.model_copy(update={"sample_share": share})})
    meter = Meter()
    trained = pipeline.train(Lake(folder / "lake"), chosen, folder, f"sqlite:///{folder / 'mlflow.db'}")
    return {"share": share, "version": trained.version, **meter.read().told()}


def measure(name: str, folder: Path) -> list[dict[str, Any]]:
    """Every share of a set, each in a process of its own, with what it loses against all accounts."""
    alone(fill, name, folder)
    rows = [alone(train, name, folder, share) for share in SHARES]
    return [rows[0], *({**row, **lost(folder, rows[0]["version"], row["version"])} for row in rows[1:])]


def lost(folder: Path, all_of: str, sampled: str) -> dict[str, Any]:
    """The figures of both on the posts both were judged on, and the second's less the first's, with 95 % intervals."""
    told = accuracy({version: judged.read(folder, version) for version in (all_of, sampled)}, seed=7)
    figures = {name: told["figures"][name] for name in FIGURES}
    return {
        "posts": told["posts"],
        **{name: figure[sampled]["value"] for name, figure in figures.items()},
        **{f"{name}_lost": figure[sampled][DIFFERENCE] for name, figure in figures.items()},
    }


def _lost(row: Mapping[str, Any]) -> list[str | None]:
    return [spread(row.get(f"{name}_lost"), 4) for name in FIGURES]


def print_losses(figures: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Nothing; a table a set goes to stdout."""
    costs = ("wall_seconds", "cpu_seconds", "peak_mib")
    heads = (
        "accounts",
        "seconds",
        "CPU s",
        "peak MiB",
        "posts of both",
        *(f"{name}, loss" for name in FIGURES),
    )
    for name, rows in figures.items():
        told = [[f"{row['share']:.0%}", *(row[cost] for cost in costs), row.get("posts"), *_lost(row)] for row in rows]
        show(f"Training on a share of the accounts of {name}", heads, told, 0)


def main(
    sets: Annotated[list[str] | None, typer.Argument(help=f"Some of {', '.join(NAMES)}.")] = None,
    home: Annotated[Path | None, typer.Option(help="Folder to keep lakes and models in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Train on shares of the accounts, and tell what each costs and loses."""
    with working_home(home) as folder:
        names = [name for name in sets or ("politicians", SOCIETY) if at_hand(name)]
        figures = {name: measure(name, folder / name) for name in names}
    print_json(figures) if as_json else print_losses(figures)


if __name__ == "__main__":
    typer.run(main)
