"""The command that tells what the checks of a model found."""

from __future__ import annotations

import typer

from clout.commands.options import AsJson, Version


def checks(version: Version = "challenger", as_json: AsJson = False) -> None:
    """Print what the checks of a model found.

    They are those of its training, as kept in the bundle. A finding of severity error stops a promotion, unless it was
    muted with a reason; a warning does not. docs/checks.md says of each why it is there and what to do.
    """
    from clout.display import print_checks, print_json
    from clout.models import registry
    from clout.models.score_model import ScoreModel
    from clout.settings import read_settings

    model = ScoreModel.load(registry.resolve(read_settings().home, version))
    results = model.bundle.json("checks.json")["checks"]
    if as_json:
        print_json({"version": model.version, "checks": results})
        return
    typer.echo(f"model {model.version}")
    print_checks(results)
