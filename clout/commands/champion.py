"""Commands that choose which model answers, and tell how it came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from clout.commands.options import AsJson, LakeUrl, open_lake
from clout.errors import CloutError

if TYPE_CHECKING:
    from clout.models.audit import Asked
    from clout.settings import Settings

Why = Annotated[str, typer.Option(help="The reason, for the audit log.", show_default=False)]


def promote(
    version: Annotated[
        str | None, typer.Argument(help="challenger, a version, or how one begins.", show_default=False)
    ] = None,
    why: Why = "",
    mute: Annotated[
        list[str] | None, typer.Option(metavar="CODE=REASON", help="A finding that may stand, as often as needed.")
    ] = None,
    lake: LakeUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make a model the champion, which answers.

    Its files, its golden rows and its checks come first; a finding stops it, unless it is muted with a reason.
    """
    from clout.display_champion import print_change
    from clout.models import registry
    from clout.settings import read_settings
    from clout.training import promotion

    settings = read_settings()
    if version is None:
        raise CloutError(f"expected challenger or a version to promote: {registry.known(settings.home)}")
    mutes = promotion.read_mutes(mute or [])
    places = (settings.home, open_lake(lake), settings.tracking_uri)
    change = promotion.promote(*places, version, _asked(settings, why), mutes)
    print_change(change.told(), as_json)


def rollback(why: Why = "", as_json: AsJson = False) -> None:
    """Go back to the champion before this one."""
    from clout.display_champion import print_change
    from clout.models import champion
    from clout.settings import read_settings

    settings = read_settings()
    print_change(champion.rollback(settings.home, settings.tracking_uri, _asked(settings, why)).told(), as_json)


def show_champion(as_json: AsJson = False) -> None:
    """Show which model answers. Log and alias are mended to name it."""
    from clout.display_champion import print_champion
    from clout.models import champion, registry
    from clout.settings import read_settings

    settings = read_settings()
    directory = registry.champion(settings.home)
    notes = champion.mend(settings.home, settings.tracking_uri, _asked(settings, ""))
    told = {"version": directory.name, "directory": str(directory), "notes": notes}
    print_champion(told, as_json)


def audit(
    last: Annotated[int | None, typer.Option(min=1, help="Only so many of the newest lines.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show who made which model champion and why. Exit code 1 when the log was changed."""
    from clout.display_champion import print_audit
    from clout.models import audit, champion
    from clout.settings import read_settings

    home = read_settings().home
    log = audit.read(home)
    told = {**log.told(), "champion": champion.astray(home, log)}
    told["entries"] = told["entries"][-(last or 0) :]
    print_audit(told, as_json)
    if log.breaks:
        raise typer.Exit(1)


def versions(as_json: AsJson = False) -> None:
    """Show the models there are: figures, findings and roles."""
    from clout.display_champion import print_versions
    from clout.models import champion
    from clout.settings import read_settings

    home = read_settings().home
    print_versions({"home": str(home), "versions": champion.listing(home)}, as_json)


def _asked(settings: Settings, why: str) -> Asked:
    from datetime import UTC, datetime

    from clout.models.audit import Asked

    return Asked(datetime.now(UTC), settings.who, why)
