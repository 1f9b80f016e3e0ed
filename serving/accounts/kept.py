"""The store of scores as a running service has it: opened when it is first asked for, and what it reads often is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from time import monotonic
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from clout.features.contract import Contract
from clout.models.account import contract_of
from clout.models.explain import Quantiles
from clout.serving.store.engine import mark
from clout.serving.store.rows import Record, Run, StoreError, Usual
from clout.serving.store.scores import Store

Floats = npt.NDArray[np.float64]
RETRY_SECONDS = 5.0
# How long a PostgreSQL server may be silent, and how long the first who ask wait while one opens the store.
PATIENCE, OPENING_SECONDS = 8.0, 3.0
LOOK_SECONDS = 1.0
KEPT_GROUPS, KEPT_MODELS = 64, 8
# Of fewer accounts nothing is told as of a group.
FEWEST = 20
OK = "ok"
GONE = (
    "the file of the score store is gone; expected it where it was: move a copy there, which is opened without a restart, "
    "or start the service again to begin an empty one"
)
OPENING = f"the score store was not open after {OPENING_SECONDS:g} s; expected it soon: try again"
NO_STORE = "there is no store of scores here; expected one that `clout score --all` has written to: set CLOUT_STORE"


class AwayError(StoreError):
    """There is no store to read, in words that everybody may hear: those of other errors name its place."""


@dataclass(frozen=True)
class Words:
    """What the reasons of a model's account scores are called, and the values that are usual."""

    contract: Contract
    quantiles: Quantiles


class AccountStore:
    """The store at the URL that `url` gives, None where there is none; threads share it.

    One that cannot be opened is tried again, but not for `RETRY_SECONDS`: whoever asks meanwhile, or while somebody
    tries, is told the same. An SQLite file that was replaced is opened anew; one that is gone is not made again.
    """

    def __init__(self, url: Callable[[], str | None]) -> None:
        self._url, self._lock = url, Lock()
        self._opened: Store | None = None
        self._refused: tuple[float, StoreError] | None = None
        self._opened_at = ""
        self._mark: tuple[int, int] | None = None
        self._looked = float("-inf")
        self.words = lru_cache(KEPT_MODELS)(self._words)
        self._ranked = lru_cache(KEPT_GROUPS)(self._read_ranked)
        self._usual = lru_cache(KEPT_GROUPS)(self._read_usual)

    def open(self) -> Store:
        """The store; raises `StoreError` where it cannot be opened."""
        opened, now = self._opened, monotonic()
        if opened is not None and now - self._looked < LOOK_SECONDS:
            return opened
        if not self._lock.acquire(timeout=0 if opened or self._refused else OPENING_SECONDS):
            return opened or self._refuse()
        try:
            self._looked = now
            self._leave_replaced()
            self._opened = self._opened or self._open()
            return self._opened
        finally:
            self._lock.release()

    def close(self) -> None:
        """Nothing; the store is closed, and a copy of its file alone has all that was written."""
        with self._lock:
            if self._opened is not None:
                self._opened.settle()
                self._opened.close()
                self._opened = None

    def state(self) -> str:
        """`ok`, or why the store cannot be read."""
        try:
            self.open().newest_run()
        except StoreError as error:
            return str(error)
        return OK

    def places(self, record: Record) -> tuple[float | None, float | None]:
        """The percentages of the accounts of its network, and of its size group there, that the record's score is above.

        None until the run that gave the score is finished, of too few accounts, and where the size group is not known.
        """
        run = self.open().run_of(record.as_of, record.model_version)
        if record.score is None or run is None or run.finished_at is None:
            return None, None
        groups = (None, record.size_group)
        network, group = (_share_below(self.scores(run, record.network, group), record.score) for group in groups)
        return network, None if record.size_group is None else group

    def usual(self, record: Record) -> Usual | None:
        """What is usual among the accounts of the record's size, else among those of its network; None where few have a score.

        None until the run that gave the score is finished, too.
        """
        run = self.open().run_of(record.as_of, record.model_version)
        if run is None or run.finished_at is None:
            return None
        among_size = self._usual(run, record.network, record.size_group) if record.size_group else None
        return among_size or self._usual(run, record.network, None)

    def scores(self, run: Run, network: str, size_group: str | None = None) -> Floats:
        """The scores that a finished run gave the accounts of a network, in rising order."""
        return self._ranked(run, network, size_group)

    def forget_places(self) -> None:
        """Nothing; what was kept of runs is read again."""
        self._ranked.cache_clear()
        self._usual.cache_clear()

    def _read_usual(self, run: Run, network: str, size_group: str | None) -> Usual | None:
        return self.open().usual(run, network, size_group)

    def _refuse(self) -> NoReturn:
        if self._refused is None:
            raise AwayError(OPENING)
        _, error = self._refused
        raise type(error)(str(error))

    def _open(self) -> Store:
        if self._refused and monotonic() - self._refused[0] < RETRY_SECONDS:
            self._refuse()
        url = self._url()
        if url is None:
            raise AwayError(NO_STORE)
        try:
            opened = self._open_at(url)
        except StoreError as error:
            self._refused = monotonic(), error
            raise
        self._refused = None
        return opened

    def _open_at(self, url: str) -> Store:
        if self._mark is not None and mark(url) is None:
            raise AwayError(GONE)
        opened = Store.open(url, PATIENCE)
        self._opened_at, self._mark = url, mark(url)
        return opened

    def _leave_replaced(self) -> None:
        """Nothing; a store whose file is gone or another is not open any more, and nothing of it is kept."""
        if self._opened is None or self._mark is None or mark(self._opened_at) == self._mark:
            return
        self._opened.close()
        self._opened = None
        self.words.cache_clear()
        self._usual.cache_clear()
        self._ranked.cache_clear()

    def _words(self, model_version: str) -> Words:
        judge = self.open().judge(model_version)
        if judge is None:
            raise StoreError(f"the score store does not hold the words of the model {model_version}, but scores by it")
        contract = Contract.model_validate_json(judge.contract)
        return Words(contract_of(contract), json.loads(judge.quantiles))

    def _read_ranked(self, run: Run, network: str, size_group: str | None) -> Floats:
        return self.open().scores_at(run.as_of, network, size_group)


def _share_below(others: Floats, score: float) -> float | None:
    """The percentage of `others`, in rising order, that lie below a score; None where they are too few to say it of."""
    return 100 * float(np.searchsorted(others, score)) / len(others) if len(others) >= FEWEST else None


NOWHERE = AccountStore(lambda: None)
