"""Keys: who may ask what. A key reads `clout_<id>_<secret>`, and only the SHA-256 of its secret is kept."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from threading import Event, Lock
from time import monotonic
from typing import Any

from starlette.concurrency import run_in_threadpool

from clout.errors import CloutError
from clout.serving.problems import ProblemError
from clout.serving.store.rows import StoreError

SCOPES = ("read", "score", "ingest", "admin")
ADMIN = "admin"
MARK = "clout"
LONGEST_NAME, LONGEST_DAYS = 100, 36_500
# A key that is revoked opens nothing after so many seconds; without the store, keys known before hold this long.
KEPT_SECONDS, HELD_SECONDS = 2.0, 60.0
# So often they are read where nobody asks, so that those known hold nearly a minute from whenever the store is gone.
IDLE_SECONDS = 5.0
BEARER = 'Bearer realm="clout"'
HOW = "Authorization: Bearer clout_… or X-Api-Key: clout_…"

log = logging.getLogger("clout.serving")


class NoKeyError(CloutError):
    """A key that cannot be made or found."""

    code = "key"


@dataclass(frozen=True)
class Key:
    """A key as it is kept. `digest` is the SHA-256 of its secret, in hex.

    The secret is 256 random bits, so nobody can try all of them: a plain hash is enough, and quick for every request.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    digest: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def allows(self, scope: str) -> bool:
        """Whether the key opens what needs `scope`; an admin's opens all."""
        return scope in self.scopes or ADMIN in self.scopes

    def state(self, now: datetime) -> str:
        """`active`, `revoked` or `expired`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"

    def told(self, now: datetime) -> dict[str, Any]:
        """The key as plain values for JSON, without what its secret is known by."""
        moments = {name: getattr(self, name) for name in ("created_at", "expires_at", "revoked_at")}
        told = {name: moment and moment.isoformat(timespec="seconds") for name, moment in moments.items()}
        return {"id": self.id, "name": self.name, "scopes": list(self.scopes), "state": self.state(now), **told}


def digest(secret: str) -> str:
    """What a secret is known by."""
    return sha256(secret.encode()).hexdigest()


def written(key_id: str, secret: str) -> str:
    """A key as its owner keeps it.

    >>> written("a1b2", "s3cret")
    'clout_a1b2_s3cret'
    """
    return f"{MARK}_{key_id}_{secret}"


def checked_name(name: str) -> str:
    """The name of a key, or an error where it is none."""
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise NoKeyError(
            f"got {name[:LONGEST_NAME]!r} as name of a key; expected up to {LONGEST_NAME} letters: say whose it is"
        )
    return name


def checked_scopes(scopes: Sequence[str]) -> tuple[str, ...]:
    """The scopes of a key in their order, each once, or an error where one is none."""
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        got = f"the scope {unknown[0]!r}" if unknown else "no scope"
        raise NoKeyError(f"got {got}; expected one or more of {', '.join(SCOPES)}: name each with --scope")
    return tuple(scope for scope in SCOPES if scope in scopes)


def checked_days(days: float) -> float:
    """How many days a key holds, or an error where that cannot be."""
    if not 0 < days <= LONGEST_DAYS:
        raise NoKeyError(
            f"got --days {days:g}; expected more than 0 and at most {LONGEST_DAYS:,}: leave it out for ever"
        )
    return days


class KeyRing:
    """The keys that a running service knows: read from the store every few seconds, never for each request."""

    def __init__(
        self,
        read: Callable[[], Iterable[Key]],
        now: Callable[[], datetime],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._read, self._now, self._clock = read, now, clock
        self._known: Mapping[str, Key] = {}
        self._refused: str | None = None
        self._looked = self._read_at = float("-inf")
        self._reading = Lock()

    async def find(self, given: str) -> Key:
        """The key that reads `given`; raises `ProblemError` where there is none, or none that holds."""
        mark, _, rest = given.partition("_")
        key_id, _, secret = rest.partition("_")
        key = (await self._keys()).get(key_id) if mark == MARK and secret else None
        if key is None or not hmac.compare_digest(key.digest, digest(secret)):
            raise _refused("a key that there is not")
        state = key.state(self._now())
        if state != "active":
            raise _refused(f"the key {key.id}, which is {state}")
        return key

    def follow(self, stop: Event) -> None:
        """Nothing, once `stop` is set; until then the keys are read every few seconds, whether anybody asks or not."""
        while not stop.is_set():
            try:
                self._look()
            except Exception:
                log.exception("the keys could not be read")
            stop.wait(IDLE_SECONDS)

    async def _keys(self) -> Mapping[str, Key]:
        now = self._clock()
        answers = self._refused is not None or now - self._read_at < HELD_SECONDS
        if now - self._looked >= KEPT_SECONDS and not (answers and self._reading.locked()):
            await run_in_threadpool(self._look)
        if self._refused is not None and self._clock() - self._read_at >= HELD_SECONDS:
            raise StoreError(self._refused)
        return self._known

    def _look(self) -> None:
        with self._reading:
            if self._clock() - self._looked < KEPT_SECONDS:
                return
            try:
                self._known = {key.id: key for key in self._read()}
                self._read_at, self._refused = self._clock(), None
            except StoreError as error:
                if self._refused is None:
                    log.warning("the keys known before hold for %.0f s at most: %s", HELD_SECONDS, error)
                self._refused = str(error)
            self._looked = self._clock()


def _refused(got: str) -> ProblemError:
    headers = {"WWW-Authenticate": f'{BEARER}, error="invalid_token"'}
    return ProblemError("bad_key", f"got {got}; expected one that `clout keys create` gave, in {HOW}", (), headers)


def no_key(needs: str) -> ProblemError:
    """The problem of a request without the key that it needs."""
    detail = f"got no key; expected one with the scope {needs}, in {HOW}"
    return ProblemError("no_key", detail, (), {"WWW-Authenticate": BEARER})


def missing_scope(key: Key, needs: str) -> ProblemError:
    """The problem of a key that does not open what was asked for."""
    got = f"got the key {key.id} with {', '.join(key.scopes)}; expected one with the scope {needs}"
    headers = {"WWW-Authenticate": f'{BEARER}, error="insufficient_scope", scope="{needs}"'}
    return ProblemError("missing_scope", got, (), headers)


NO_KEYS = KeyRing(tuple, lambda: datetime.max.replace(tzinfo=UTC))
