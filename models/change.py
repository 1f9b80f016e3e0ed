"""What changed between two scores of an account, and whose part it is: the account's, or ours by another model.

Where the model or its scale changes, both judge the account at the same moment. The second judgement is a *bridge*: the
step from it to the score that is shown is ours, every other step is the account's, and the two parts add up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Protocol

from clout.errors import CloutError

_Scores = dict[tuple[datetime, str, str], float | None]
SPANS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}
NO_EVIDENCE = "There was not enough evidence for a score on {days}."
NO_BRIDGE = (
    "The model or its scale changed on {day}, and there are no scores of that day by both, so our part cannot be told "
    "from yours."
)


class ChangeError(CloutError):
    """A change cannot be told of what was handed in."""

    code = "change"


class Judgement(Protocol):
    """A score of an account at a moment; None where there was not enough evidence. A bridge is not shown by itself."""

    @property
    def as_of(self) -> datetime:
        """The moment."""

    @property
    def model_version(self) -> str:
        """The model that judged."""

    @property
    def scale_version(self) -> str:
        """The scale of its score."""

    @property
    def score(self) -> float | None:
        """The score."""

    @property
    def bridge(self) -> bool:
        """Whether it is only there to tell a change apart."""


@dataclass(frozen=True)
class Change:
    """How far a score has moved since a moment, in points; `yours` + `ours` = `total`.

    What cannot be told is None, and `missing` says why.
    """

    since: datetime
    total: float | None = None
    yours: float | None = None
    ours: float | None = None
    missing: str = ""


def split(steps: Sequence[Judgement]) -> Change:
    """The change from the first shown score of `steps` to the last; they are oldest first, with their bridges."""
    shown = [step for step in steps if not step.bridge]
    if len(shown) < 2:
        raise ChangeError(f"got {len(shown)} shown scores; expected at least 2: a change is between two of them")
    first, last = shown[0], shown[-1]
    if first.score is None or last.score is None:
        days = " and ".join(_day(end) for end in (first, last) if end.score is None)
        return Change(first.as_of, missing=NO_EVIDENCE.format(days=days))
    total = last.score - first.score
    try:
        ours = math.fsum(_our_moves(shown, _scores(steps)))
    except _UntoldError as untold:
        return Change(first.as_of, total, missing=str(untold))
    return Change(first.as_of, total, total - ours, ours)


def changes(steps: Sequence[Judgement], now: datetime) -> dict[str, Change | None]:
    """The change of the newest shown score at `now` over a day, a week and a month; `steps` as for `split`.

    Each is told against the newest score at least that much older, and None where that is twice as old or not there.
    """
    shown = [step for step in steps if not step.bridge and step.as_of <= now]
    return {name: _over(steps, shown, span) for name, span in SPANS.items()}


def _over(steps: Sequence[Judgement], shown: Sequence[Judgement], span: timedelta) -> Change | None:
    if not shown:
        return None
    end = shown[-1].as_of
    starts = [step.as_of for step in shown if span <= end - step.as_of < 2 * span]
    return split([step for step in steps if starts[-1] <= step.as_of <= end]) if starts else None


class _UntoldError(Exception):
    """Why a change of model cannot be told apart."""


def _our_moves(shown: Sequence[Judgement], scores: _Scores) -> Iterator[float]:
    """How far each change of model or scale moved the score at its moment."""
    for before, after in pairwise(shown):
        if _judge(before) == _judge(after):
            continue
        old = scores.get((after.as_of, *_judge(before)))
        if after.score is None or old is None:
            raise _UntoldError(NO_BRIDGE.format(day=_day(after)))
        yield after.score - old


def _scores(steps: Sequence[Judgement]) -> _Scores:
    return {(step.as_of, *_judge(step)): step.score for step in steps}


def _judge(step: Judgement) -> tuple[str, str]:
    return step.model_version, step.scale_version


def _day(step: Judgement) -> str:
    return step.as_of.date().isoformat()
