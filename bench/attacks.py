"""What attackers buy: every attack of `clout attack` on a society trained here, at a base of 2 and of 20 actions a post.

Usage: python bench/attacks.py [--people N] [--home FOLDER] [--write] [--json]

`--write` keeps the figures in serving/pages/figures/attacks.json, which pages show; `make docs` fills the table of
docs/attacks.md from it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from measuring.home import working_home
from measuring.processes import Meter
from measuring.sets import PEOPLE, SOCIETY, lake_of, params_of
from rich.console import Console

from clout.display import print_json
from clout.models import registry, whole_file
from clout.models.score_model import ScoreModel
from clout.training import pipeline
from clout.training.attacks import report
from clout.training.attacks.measure import ALL, attack
from clout.training.attacks.targets import Plan

FILE = Path(__file__).parents[1] / "serving" / "pages" / "figures" / "attacks.json"


def attacked(home: Path, people: int) -> dict[str, Any]:
    """What all attacks buy from the champion of `home`, which is trained first where there is none."""
    lake = lake_of(SOCIETY, home, people)
    if registry.pointed(home, registry.CHAMPION) is None:
        pipeline.train(lake, params_of(SOCIETY), home, f"sqlite:///{home / 'mlflow.db'}")
    return attack(lake, ScoreModel.load(registry.champion(home)), ALL, Plan())


def kept(told: dict[str, Any], people: int) -> str:
    """The figures as they are kept: with the size of the society, without the model's version."""
    rounded = json.loads(json.dumps(told), parse_float=lambda text: round(float(text), 3))
    facts = {name: value for name, value in rounded.items() if name not in ("version", "at")}
    return json.dumps({"people": people, **facts}, indent=1) + "\n"


def main(
    people: Annotated[int, typer.Option(help="People of the society.")] = PEOPLE,
    home: Annotated[Path | None, typer.Option(help="Folder to keep the lake and the model in.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Keep the figures for the document.")] = False,  # noqa: FBT002 - a flag
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Try every attack."""
    meter = Meter()
    with working_home(home) as folder:
        told = attacked(folder, people)
    if write:
        whole_file.write(FILE, kept(told, people))
    if as_json:
        print_json({**told, "cost": meter.read().told()})
        return
    Console().print(report.tables(told))
    print(f"in all {meter.read().wall_seconds:.0f} s, training included where there was no model")


if __name__ == "__main__":
    typer.run(main)
