"""What the score store keeps: the score of an account at a moment, the run that gave it, and the model that judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clout.errors import CloutError


class StoreError(CloutError):
    """The score store cannot do what it is asked for."""

    code = "store"


@dataclass(frozen=True)
class Record:
    """The score of an account at a moment, its interval, the accounts of its size, and `detail` for its reasons.

    All figures are None where there was not enough evidence; `detail`, plain values for JSON, says what was missing. A
    `bridge` is a second judgement at the same moment by the model before, never a score of its own.
    """

    account: str
    network: str
    handle: str | None
    as_of: datetime
    model_version: str
    scale_version: str
    score: float | None
    low: float | None
    high: float | None
    size_group: str | None
    detail: Mapping[str, Any]
    bridge: bool = False

    def __post_init__(self) -> None:
        if self.score is None:
            self._check_nothing_is_told()
        elif not (self.low is not None and self.high is not None and 1 <= self.low <= self.score <= self.high <= 100):
            raise StoreError(
                f"got the score {self.score!r} of {self.account} within {self.low!r} to {self.high!r}; expected a score "
                "from 1 to 100 inside its interval: give None where there is not enough evidence"
            )

    def _check_nothing_is_told(self) -> None:
        told = (self.low, self.high, self.size_group)
        if any(value is not None for value in told):
            raise StoreError(
                f"got no score of {self.account}, but {told} beside it; expected None everywhere: without enough "
                "evidence nothing is told"
            )

    def told(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return {**self.__dict__, "as_of": self.as_of.isoformat(), "detail": dict(self.detail)}


@dataclass(frozen=True)
class Step:
    """A score of an account at a moment, or a bridge, without its reasons: what a history is told from."""

    as_of: datetime
    model_version: str
    scale_version: str
    score: float | None
    low: float | None
    high: float | None
    bridge: bool


@dataclass(frozen=True)
class Run:
    """One scoring of all accounts at a moment, by one model, from one state of the lake.

    `id` is given by the store; `finished_at` and `accounts`, how many have a row, when it is finished.
    """

    as_of: datetime
    model_version: str
    scale_version: str
    lake_fingerprint: str
    started_at: datetime
    finished_at: datetime | None = None
    accounts: int | None = None
    id: int | None = None


@dataclass(frozen=True)
class Judge:
    """A model that judged, with the texts of its `contract.json` and its quantiles: they tell its reasons in words."""

    model_version: str
    scale_version: str
    contract: str
    quantiles: str


@dataclass(frozen=True)
class Usual:
    """What is usual among the scored accounts of a network, or of one size group there: `models.explain.Quantiles`."""

    network: str
    size_group: str | None
    accounts: int
    quantiles: Mapping[str, Sequence[float] | None]
