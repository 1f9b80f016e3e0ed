"""The command that describes the API for other programs."""

from __future__ import annotations

from clout.commands.options import AsJson


def openapi(as_json: AsJson = False) -> None:  # noqa: ARG001 (it is JSON in any case)
    """Print what the API takes and answers, as OpenAPI 3.1."""
    from datetime import UTC, datetime

    import typer

    from clout.serving.active_model import ActiveModel
    from clout.serving.api import application
    from clout.serving.openapi.document import text
    from clout.serving.openapi.routes import described

    app = application(ActiveModel(), lambda: datetime.now(UTC))
    typer.echo(text(described(app.routes)), nl=False)
