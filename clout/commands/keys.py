"""Commands for the keys that open the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from clout.commands.options import AsJson

if TYPE_CHECKING:
    from clout.serving.edge.keys import Key
    from clout.settings import Settings


def create(
    name: Annotated[str, typer.Argument(help="Whose it is, for people.")],
    scope: Annotated[list[str], typer.Option(help="What it opens: read, score, ingest or admin; as often as needed.")],
    days: Annotated[float | None, typer.Option(help="It expires after so many days.", show_default="never")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key; its secret is shown this once.

    Only a hash of it is kept. An admin's key opens everything. See docs/keys.md.
    """
    from datetime import UTC, datetime, timedelta
    from secrets import token_hex, token_urlsafe

    from clout.display import print_json
    from clout.serving.edge import keys
    from clout.serving.store.scores import Store
    from clout.settings import read_settings

    settings, now, secret = read_settings(), datetime.now(UTC), token_urlsafe(32)
    expires = None if days is None else now + timedelta(days=keys.checked_days(days))
    parts = (keys.checked_name(name), keys.checked_scopes(scope), keys.digest(secret), now, expires)
    key = keys.Key(token_hex(4), *parts)
    with Store.open(settings.store) as store:
        store.keys.add(key)
    _note(settings, "keys create", key)
    text = keys.written(key.id, secret)
    if as_json:
        print_json({**key.told(now), "key": text})
        return
    typer.echo(
        f"{text}\nkeep it: it is not shown again. It opens {', '.join(key.scopes)}; revoke it: clout keys revoke {key.id}"
    )


def show(as_json: AsJson = False) -> None:
    """List the keys, without their secrets."""
    from datetime import UTC, datetime

    from clout.display import print_json, print_keys
    from clout.serving.store.scores import Store
    from clout.settings import read_settings

    now = datetime.now(UTC)
    with Store.open(read_settings().store) as store:
        told = [key.told(now) for key in store.keys.all()]
    print_json(told) if as_json else print_keys(told)


def revoke(
    key: Annotated[str, typer.Argument(help="The id of the key, as `clout keys list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Revoke a key; it opens nothing any more.

    A service that runs knows within five seconds.
    """
    from datetime import UTC, datetime

    from clout.display import print_json
    from clout.serving.edge.keys import NoKeyError
    from clout.serving.store.scores import Store
    from clout.settings import read_settings

    settings, now = read_settings(), datetime.now(UTC)
    with Store.open(settings.store) as store:
        revoked = store.keys.revoke(key, now)
    if revoked is None:
        raise NoKeyError(f"got {key!r}; expected the id of a key: see `clout keys list`")
    _note(settings, "keys revoke", revoked)
    print_json(revoked.told(now)) if as_json else typer.echo(f"revoked {revoked.id} ({revoked.name})")


def _note(settings: Settings, what: str, key: Key) -> None:
    from clout.serving.edge.request_log import audit_log

    audit_log(settings.home).info("", extra={"told": {"who": settings.who, "did": what, "key": key.id}})
