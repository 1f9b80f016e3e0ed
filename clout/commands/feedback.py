"""Commands for what people reported by the form of the pages."""

from __future__ import annotations

from typing import Annotated

import typer

from clout.commands.options import AsJson


def show(
    every: Annotated[bool, typer.Option("--all", help="Also those that were closed.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what people reported, oldest first.

    Those that nobody has closed. Objections wait for `clout forget`; see docs/privacy.md.
    """
    from clout.display import print_feedback, print_json
    from clout.serving.store.scores import Store
    from clout.settings import read_settings

    with Store.open(read_settings().store) as store:
        told = [report.told() for report in (store.feedback.all() if every else store.feedback.open())]
    print_json(told) if as_json else print_feedback(told)


def close(
    report: Annotated[str, typer.Argument(help="The reference, as `clout feedback list` shows it.")],
    note: Annotated[str | None, typer.Option(help="What was done; whoever has the reference can read it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Close a report; its page says so, and what was done."""
    from datetime import UTC, datetime

    from clout.display import print_json
    from clout.serving.edge.request_log import audit_log
    from clout.serving.store.feedback import NoReportError
    from clout.serving.store.scores import Store
    from clout.settings import read_settings

    settings = read_settings()
    with Store.open(settings.store) as store:
        closed = store.feedback.close(report, datetime.now(UTC), note)
    if closed is None:
        raise NoReportError(f"got {report!r}; expected the reference of a report: see `clout feedback list --all`")
    told = {"who": settings.who, "did": "feedback close", "report": closed.id}
    audit_log(settings.home).info("", extra={"told": told})
    print_json(closed.told()) if as_json else typer.echo(f"closed {closed.id}")
