"""Commands for a scheduler: is the champion still right, and is it time for another."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clout.commands.options import AsJson, LakeUrl, open_lake

if TYPE_CHECKING:
    from clout.data.lake import Lake
    from clout.models.score_model import ScoreModel
    from clout.training.watch import Stretch, Watched

ACT = 1


def watch(
    since: Annotated[
        datetime | None, typer.Option(help="Look at posts after this moment.", show_default="since the training")
    ] = None,
    days: Annotated[float | None, typer.Option(min=0.05, max=36_500, help="Look at the newest days instead.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with pictures to this file.")] = None,
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Tell whether the champion still fits what comes in.

    Exits with 0 when all is quiet, with 1 when something is worth acting on, with 2 when it could not be told.
    """
    from clout.display import print_json, print_watched
    from clout.models import registry, watch_log
    from clout.models.score_model import ScoreModel
    from clout.settings import read_settings
    from clout.training import pages, watch_report
    from clout.training.watch import Stretch

    if since is not None and days is not None:
        raise typer.BadParameter("got both --since and --days; expected one of them")
    if html:
        pages.refuse_missing_folder(html)
    home, now = read_settings().home, datetime.now(UTC)
    model = ScoreModel.load(registry.resolve(home, registry.CHAMPION))
    chosen = Stretch(None if since is None else since.replace(tzinfo=since.tzinfo or UTC), days)
    told = watched(model, open_lake(lake), home, chosen, now).told()
    if html:
        pages.write(html, watch_report.page(told))
    watch_log.append(home, told, now)
    print_json(told) if as_json else print_watched(told, watch_report.table(told), html)
    raise typer.Exit(ACT if told["act"] else 0)


def watched(model: ScoreModel, lake: Lake, home: Path, stretch: Stretch, now: datetime) -> Watched:
    """What a watch of a stretch saw."""
    from clout.display import step_bar
    from clout.training import judged, stores
    from clout.training.watch import STEPS, watch

    with step_bar(STEPS + stores.steps(lake)) as step:
        return watch(model, lake, judged.read(home, model.version), stretch, now, home, step)


def retrain(
    if_needed: Annotated[bool, typer.Option("--if-needed", help="Only when the champion needs it.")] = False,
    params: Annotated[Path | None, typer.Option(help="TOML file of parameters.", show_default="the champion's")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="section.name=value, as often as needed.")
    ] = None,
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Train a challenger as the champion was trained.

    It never becomes champion by itself. With --if-needed nothing is trained while the champion is fine; then it exits
    with 0 when there was no need, and with 1 when a challenger waits for your choice.
    """
    from clout.display import print_json, print_retrained, step_bar
    from clout.models import registry
    from clout.models.score_model import ScoreModel
    from clout.settings import read_settings
    from clout.training import pipeline
    from clout.training.retrain import Due, beside, successor_params
    from clout.training.watch import Stretch

    settings, store = read_settings(), open_lake(lake)
    champion = ScoreModel.load(registry.resolve(settings.home, registry.CHAMPION))
    chosen, why = successor_params(champion, params, tuple(overrides or ())), ["asked for"]
    if if_needed:
        seen = watched(champion, store, settings.home, Stretch(), datetime.now(UTC))
        why = Due(settings.retrain_share, settings.retrain_days).reasons(champion, seen)
    told = {"needed": bool(why), "why": why, "champion": champion.version, "challenger": None}
    if why:
        with step_bar(pipeline.steps(chosen, store)) as step:
            trained = pipeline.train(store, chosen, settings.home, settings.tracking_uri, step)
        challenger = ScoreModel.load(trained.directory)
        told |= {"challenger": trained.version, "checks": trained.checks}
        told |= {"beside": beside(settings.home, champion, challenger)}
    print_json(told) if as_json else print_retrained(told)
    raise typer.Exit(ACT if if_needed and why else 0)
