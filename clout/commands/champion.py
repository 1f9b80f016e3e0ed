"""Commands that choose which model answers."""

from __future__ import annotations

from typing import Annotated

import typer


def promote(
    version: Annotated[str, typer.Argument(help="challenger, or a version as `clout train` printed it.")],
) -> None:
    """Make a model the champion, which answers. Its checks are shown, the choice is yours."""
    from clout.display import print_checks
    from clout.models import registry
    from clout.models.score_model import ScoreModel
    from clout.settings import read_settings

    settings = read_settings()
    directory = registry.promote(settings.home, settings.tracking_uri, version)
    print_checks(ScoreModel.load(directory).bundle.json("checks.json")["checks"])
    typer.echo(f"champion {directory.name}")
