"""The number that stands for an account, and the account that a number stands for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock

import numpy as np
import numpy.typing as npt

from clout.serving.active_model import Loaded

NETWORKS = {
    "tw": "twitter",
    "gp": "googleplus",
    "ig": "instagram",
    "fb": "facebook",
    "bs": "bluesky",
    "ma": "mastodon",
}
SHORT = {network: short for short, network in NETWORKS.items()}
KLOUT = "ks"
LARGEST = (1 << 63) - 1


def number(account: str) -> int:
    """The number of an account, the same for ever and everywhere.

    >>> number("twitter/137407124")
    7263327713455967219
    """
    return int.from_bytes(sha256(account.encode()).digest()[:8]) >> 1


@dataclass(frozen=True)
class KloutIds:
    """The numbers of some accounts, in rising order, and `old` ones that Klout itself once gave, by account."""

    numbers: npt.NDArray[np.int64]
    accounts: tuple[str, ...]
    old: Mapping[str, int]
    bearers: Mapping[int, str]

    @classmethod
    def of(cls, accounts: Collection[str], persons: Iterable[Collection[str]] = ()) -> KloutIds:
        """The numbers of `accounts`; an account ks/N of a person says that Klout's number was N."""
        names = np.array(list(accounts), dtype=object)
        numbers = np.array([number(account) for account in names], dtype=np.int64)
        order = np.argsort(numbers)
        old = _old(frozenset(accounts), persons)
        bearers = {number: account for account, number in old.items()}
        return cls(numbers[order], tuple(names[order].tolist()), old, bearers)

    def number(self, account: str) -> int:
        """The number of an account: Klout's own where it is declared."""
        return self.old.get(account) or number(account)

    def account(self, number: str) -> str | None:
        """The account that a number, as it is written, stands for; None where it is nobody's."""
        if not (number.isascii() and number.isdecimal() and len(number) <= 19 and int(number) <= LARGEST):
            return None
        if int(number) in self.bearers:
            return self.bearers[int(number)]
        place = int(np.searchsorted(self.numbers, int(number)))
        found = place < len(self.numbers) and int(self.numbers[place]) == int(number)
        return self.accounts[place] if found else None


def _old(accounts: Collection[str], persons: Iterable[Collection[str]]) -> dict[str, int]:
    """Klout's own number of the first account of each person who declared one, in the order of `NETWORKS`."""
    found = {}
    for person in persons:
        declared = [account.removeprefix(f"{KLOUT}/") for account in person if account.startswith(f"{KLOUT}/")]
        numbers = [int(text) for text in declared if text.isascii() and text.isdecimal() and len(text) < 19]
        known = sorted((account for account in person if account in accounts), key=_rank)
        if numbers and known:
            found[known[0]] = numbers[0]
    return found


def _rank(account: str) -> tuple[int, str]:
    order, network = list(SHORT), account.split("/", 1)[0]
    return order.index(network) if network in SHORT else len(order), account


class CurrentIds:
    """The numbers of the accounts that are loaded, made when they are first asked for, and again when others are."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._accounts: frozenset[str] | None = None
        self._persons: Mapping[str, tuple[str, ...]] = {}
        self._ids = KloutIds.of(())

    def of(self, loaded: Loaded) -> KloutIds:
        """The numbers of the accounts of `loaded`."""
        with self._lock:
            if (self._accounts, self._persons) != (loaded.accounts, loaded.persons):
                self._accounts, self._persons = loaded.accounts, loaded.persons
                self._ids = KloutIds.of(loaded.accounts, set(loaded.persons.values()))
            return self._ids
