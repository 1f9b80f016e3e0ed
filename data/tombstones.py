"""What a lake remembers of accounts it must not hold: keyed hashes of their ids, why, and since when.

An erasure is `tombstones/<sha256>.json`. It holds no id: each is HMAC-SHA256 with a salt that the lake drew once.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl
from pydantic import BaseModel, ConfigDict

ACCOUNTS = ("account", "actor")
STATE_CHARACTERS = 16
_PARTS = re.compile(r"[^\s/\"',;?&=#<>()@]+")


class Erasure(BaseModel):
    """One erasure: `accounts`, `posts` of theirs and other `names` they go by, all hashed with `salt`.

    `number` orders it among the batches of the lake. `networks` are those of its ids; `states` how the fingerprints
    begin that the lake had before and can have no more. An erasure without accounts adds posts to those before it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    salt: str
    reason: str = ""
    day: str = ""
    accounts: tuple[str, ...] = ()
    posts: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    states: tuple[str, ...] = ()

    def naming(self, accounts: Iterable[str], posts: Iterable[str], handles: Iterable[str]) -> Erasure:
        """This erasure with the hashes of these accounts, of their posts and of what else they are called."""
        ids = sorted(accounts)
        named = {
            "accounts": tuple(sorted(hashed(self.salt, ids))),
            "posts": tuple(sorted(hashed(self.salt, posts))),
            "names": tuple(sorted(hashed(self.salt, other_names(ids, handles)))),
            "networks": tuple(sorted({name.split("/", 1)[0] for name in ids})),
        }
        return self.model_copy(update=named)


@dataclass(frozen=True)
class Tombstones:
    """All erasures of a lake, first to last."""

    erasures: tuple[Erasure, ...] = ()

    def __len__(self) -> int:
        """How many accounts were forgotten."""
        return len(self.accounts)

    @property
    def salt(self) -> str | None:
        """What every hash is keyed with; None before the first erasure."""
        return self.erasures[0].salt if self.erasures else None

    @cached_property
    def accounts(self) -> frozenset[str]:
        """The hashes of the accounts."""
        return frozenset(mark for erasure in self.erasures for mark in erasure.accounts)

    @cached_property
    def posts(self) -> frozenset[str]:
        """The hashes of their posts."""
        return frozenset(mark for erasure in self.erasures for mark in erasure.posts)

    def erased_on(self, fingerprint: str) -> str | None:
        """The day rows were erased from the state of this fingerprint; None when they never were."""
        short = fingerprint[:STATE_CHARACTERS]
        return next((erasure.day for erasure in self.erasures if short in erasure.states), None)

    def marks(self, words: Iterable[str]) -> list[str]:
        """The hash of each of `words`, in order."""
        return [] if self.salt is None else hashed(self.salt, words)

    def accounts_in(self, ids: pl.Series) -> pl.Series:
        """True for each of `ids` that is a forgotten account."""
        return self._among(ids, self.accounts)

    def posts_in(self, ids: pl.Series) -> pl.Series:
        """True for each of `ids` that is a post of a forgotten account."""
        return self._among(ids, self.posts)

    def name(self, rows: pl.DataFrame) -> pl.Series:
        """True for each of `rows`, of any table, that is of a forgotten account, by it, or on a post of it."""
        found = pl.repeat(value=False, n=rows.height, eager=True)
        for column in ACCOUNTS:
            if column in rows.columns:
                found |= self.accounts_in(rows[column])
        return found | self.posts_in(rows["post"]) if "post" in rows.columns else found

    def told_in(self, raw: pl.Series) -> pl.Series:
        """True for each rejected row, as JSON, with a value that names a forgotten account or a post of one."""
        if not self.erasures:
            return pl.repeat(value=False, n=raw.len(), eager=True)
        words = {row: set(_words(row)) for row in raw.unique().drop_nulls()}
        named = self._named(set().union(*words.values()))
        return raw.is_in([row for row, parts in words.items() if parts & named])

    def _named(self, words: set[str]) -> set[str]:
        """Those of `words` that are an id or a name of a forgotten account, or a post of one."""
        names = frozenset(mark for erasure in self.erasures for mark in erasure.names)
        ids, networks = self.accounts | self.posts, {name for erasure in self.erasures for name in erasure.networks}
        found = _hit(words, self.marks(words), ids) | _hit(words, self.marks(map(str.casefold, words)), names)
        for network in networks:
            found |= _hit(words, self.marks(f"{network}/{word}" for word in words), ids)
        return found

    def _among(self, ids: pl.Series, marks: frozenset[str]) -> pl.Series:
        if not marks:
            return pl.repeat(value=False, n=ids.len(), eager=True)
        unique = ids.unique().drop_nulls().to_list()
        hit = [name for name, mark in zip(unique, self.marks(unique), strict=True) if mark in marks]
        return ids.is_in(hit).fill_null(value=False)


def hashed(salt: str, words: Iterable[str]) -> list[str]:
    """HMAC-SHA256 of each of `words` with the salt, both hex, in order."""
    key = bytes.fromhex(salt)
    return [hmac.digest(key, word.encode(), "sha256").hex() for word in words]


def other_names(accounts: Iterable[str], handles: Iterable[str]) -> set[str]:
    """What a source may call accounts besides their ids: their handles, and what ends an id.

    >>> sorted(other_names(["twitter/higgs-12"], ["@Ann"]))
    ['12', 'ann']
    """
    own = [account.split("/", 1)[-1] for account in accounts]
    ends = {name[place + 1 :] for name in own for place, letter in enumerate(name) if letter in "-:_"}
    return {name.casefold() for name in ends | {handle.removeprefix("@") for handle in handles} if name}


def _hit(words: Iterable[str], marks: Iterable[str], wanted: frozenset[str]) -> set[str]:
    return {word for word, mark in zip(words, marks, strict=True) if mark in wanted}


def _words(raw: str) -> Iterator[str]:
    """The values of a row in JSON, and the words they are made of."""
    try:
        leaves = list(_leaves(json.loads(raw)))
    except ValueError:
        leaves = [raw]
    for leaf in leaves:
        yield leaf
        yield from _PARTS.findall(leaf)


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _leaves(part)
    elif value is not None:
        yield str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
