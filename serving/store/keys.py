"""The keys that the store holds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, insert, select, update

from clout.serving.edge.keys import Key
from clout.serving.store.engine import reading, settle, writing
from clout.serving.store.tables import KEYS


class Keys:
    """The keys in the store behind `engine`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, key: Key) -> None:
        """Nothing; the key opens what its scopes say from now on."""
        with writing(self._engine) as connection:
            connection.execute(insert(KEYS).values({**key.__dict__, "scopes": " ".join(key.scopes)}))
        settle(self._engine)

    def all(self) -> tuple[Key, ...]:
        """Every key, oldest first, also those that were revoked or have expired."""
        with reading(self._engine) as connection:
            return tuple(map(_key, connection.execute(select(KEYS).order_by(KEYS.c.created_at, KEYS.c.id))))

    def revoke(self, key_id: str, at: datetime) -> Key | None:
        """The key, which opens nothing from now on; None where there is none. Revoked before, it stays as it is."""
        with writing(self._engine) as connection:
            which = (KEYS.c.id == key_id, KEYS.c.revoked_at.is_(None))
            connection.execute(update(KEYS).where(*which).values(revoked_at=at))
            row = connection.execute(select(KEYS).where(KEYS.c.id == key_id)).one_or_none()
        settle(self._engine)
        return None if row is None else _key(row)


def _key(row: Row[Any]) -> Key:
    return Key(**{**row._mapping, "scopes": tuple(row.scopes.split())})
