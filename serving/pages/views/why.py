"""Why an account's score is what it is: what its page shows, from the same answers that programs get."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from clout.serving.accounts import answers, told
from clout.serving.accounts.others import distribution
from clout.serving.accounts.queries import Name, Range
from clout.serving.accounts.told import Asked, recalled
from clout.serving.answers import Reason
from clout.serving.pages.views.view import View
from clout.serving.store.rows import Record

FEW = 4


class Moved(View):
    """A reason whose points are not what they were."""

    code: str = Field(description="The feature.")
    label: str = Field(description="Its name for people.")
    points: float = Field(description="Points more, or fewer below 0.")
    before: str | None = Field(description="Its value then, in words.")
    after: str | None = Field(description="Its value now.")


class Since(View):
    """What has moved a score since an earlier one."""

    change: answers.Change
    moved: list[Moved] = Field(description="What moved most, largest first; empty where another model judged then.")


class Why(View):
    """An account's score with everything that its page says of it."""

    score: answers.AccountScore
    explained: answers.AccountExplained
    helping: list[Reason] = Field(description="The reasons that added most, at most four.")
    holding_back: list[Reason] = Field(description="The reasons that took most, at most four.")
    history: answers.AccountHistory
    since: Since | None = Field(description="What has moved since a week ago; null where there was no score.")
    mean: float | None = Field(description="The mean score of the network's accounts.")
    ten_points: float | None = Field(description="What ten points more multiply the expected reactions by.")
    level: float | None = Field(description="Share of accounts whose next posts do as the interval says.")


def why(asked: Asked, name: Name, now: datetime) -> Why:
    """All that is told of an account on its page."""
    score, explained = told.score(asked, name), told.explanation(asked, name)
    lie = distribution(asked, score.network) if score.score is not None else None
    return Why(
        score=score,
        explained=explained,
        helping=[reason for reason in explained.reasons if reason.points_printed > 0][:FEW],
        holding_back=[reason for reason in explained.reasons if reason.points_printed < 0][:FEW],
        history=told.history(asked, name, Range(None, now)),
        since=_since(asked, name, score),
        mean=lie and lie.mean,
        ten_points=lie and lie.ten_points,
        level=score.interval and score.interval.level,
    )


def _since(asked: Asked, name: Name, score: answers.AccountScore) -> Since | None:
    """What has moved since the score of a week ago that the change is told against."""
    change = score.changes["week"]
    if change.since is None:
        return None
    store = asked.store.open()
    found = store.history(score.account, change.since, change.since)
    return Since(change=change, moved=_moved(asked, found[0], asked.record(name)) if found else [])


def _moved(asked: Asked, before: Record, after: Record) -> list[Moved]:
    """The reasons whose points have moved most between two records of one model."""
    if before.model_version != after.model_version:
        return []
    then, now = recalled(asked.store, before), recalled(asked.store, after)
    if then is None or now is None:
        return []
    was = {reason.code: reason for reason in then.reasons(0)}
    pairs = [(was[reason.code], reason) for reason in now.reasons(0)]
    every = [
        Moved(code=b.code, label=b.label, points=b.points - a.points, before=a.said, after=b.said) for a, b in pairs
    ]
    return sorted(every, key=lambda one: -abs(one.points))[: 2 * FEW]
