"""The command `clout`."""

from __future__ import annotations

import os
from typing import Any

import typer
from typer.core import TyperGroup

from clout.commands import (
    attack,
    bluesky,
    champion,
    checks,
    compare,
    data,
    features,
    feedback,
    keys,
    live,
    mastodon,
    openapi,
    privacy,
    serving,
    training,
    watch,
    wikipedia,
)
from clout.errors import CloutError

TROUBLE = 2
# Two programs at once must not spin against each other: OpenMP reads this when LightGBM is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


class _Clear(TyperGroup):
    """A group of commands that tells a `CloutError` in one line, without a traceback, and exits with 2."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 (typer's own signature)
        """What the command gives; variables that are misspelt are told first."""
        from clout.settings import misnamed  # noqa: PLC0415 - slow to import, and help needs none of it

        for name, meant in misnamed(os.environ).items():
            typer.secho(f"warning: {name} sets nothing; did you mean {meant}?", fg="yellow", err=True)
        try:
            return super().invoke(ctx)
        except CloutError as error:
            typer.secho(f"error: {error}", fg="red", err=True)
            raise typer.Exit(TROUBLE) from error


app = typer.Typer(
    cls=_Clear,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Clout: an open influence score that is learned, calibrated and explained.",
)
ingest = typer.Typer(no_args_is_help=True, help="Bring posts, actions and counts into the lake.")
app.add_typer(ingest, name="ingest")
ingest.command("table")(data.ingest_table)
ingest.command("archive")(data.ingest_archive)
ingest.command("bluesky")(bluesky.ingest_bluesky)
ingest.command("mastodon")(mastodon.ingest_mastodon)
ingest.command("wikipedia")(wikipedia.ingest_wikipedia)
of_keys = typer.Typer(no_args_is_help=True, help="Make, list and revoke keys of the service.")
app.add_typer(of_keys, name="keys")
of_keys.command("create")(keys.create)
of_keys.command("list")(keys.show)
of_keys.command("revoke")(keys.revoke)
of_feedback = typer.Typer(no_args_is_help=True, help="List and close what people reported on the pages.")
app.add_typer(of_feedback, name="feedback")
of_feedback.command("list")(feedback.show)
of_feedback.command("close")(feedback.close)
app.command("lake")(data.show_lake)
app.command("runs")(live.show_runs)
app.command("champion")(champion.show_champion)
for command in (
    data.simulate,
    features.features,
    training.train,
    training.evaluate,
    training.reproduce,
    training.tune,
    compare.compare,
    attack.attack,
    checks.checks,
    champion.promote,
    champion.rollback,
    champion.audit,
    champion.versions,
    watch.watch,
    watch.retrain,
    serving.run,
    serving.score,
    serving.serve,
    serving.build,
    live.up,
    openapi.openapi,
    privacy.export,
    privacy.forget,
):
    app.command()(command)
