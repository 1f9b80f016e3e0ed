"""The command that attacks scores on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clout.commands.options import AsJson, LakeUrl, open_lake


def attack(
    model: Annotated[str, typer.Argument(help="champion, challenger or a version.")] = "champion",
    kind: Annotated[str, typer.Option(help="Which attack, or all; docs/attacks.md lists them.")] = "all",
    budget: Annotated[int, typer.Option(min=1, max=1_000_000, help="Actions that each target buys.")] = 1_000,
    base: Annotated[
        list[float] | None,
        typer.Option(min=0, help="Usual actions a post of the targets; as often as needed.", show_default="2 and 20"),
    ] = None,
    targets: Annotated[int, typer.Option(min=1, max=1_000, help="Accounts attacked, of each base.")] = 20,
    posts: Annotated[int, typer.Option(min=1, max=1_000, help="Newest known posts that it is spread over.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Where chance begins.")] = 7,
    html: Annotated[Path | None, typer.Option(help="Write a page with plots to this file.")] = None,
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Tell how many points an attacker buys.

    The attack happens in memory, on accounts of the lake: scores before and after, all else equal, beside three naive
    scores on the same scale. Nothing is ever written to the lake.
    """
    from clout.display import print_json, print_tables, step_bar
    from clout.models import registry
    from clout.models.score_model import ScoreModel
    from clout.settings import read_settings
    from clout.training import pages
    from clout.training.attacks import measure, page, report
    from clout.training.attacks.targets import Plan

    if html:
        pages.refuse_missing_folder(html)
    steps = measure.count_steps(kind, curve=html is not None)
    plan = Plan(budget, tuple(dict.fromkeys(base or Plan.bases)), targets, posts, seed)
    judged = ScoreModel.load(registry.resolve(read_settings().home, model))
    with step_bar(steps) as step:
        told = measure.attack(open_lake(lake), judged, kind, plan, curve=html is not None, step=step)
    if html:
        pages.write(html, page.page(told))
    print_json(told) if as_json else print_tables(report.tables(told), html)
