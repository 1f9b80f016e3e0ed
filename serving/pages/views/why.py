"""Why an account's score is what it is: what its page shows, from the same answers that programs get."""

from __future__ import annotations

from itertools import pairwise

from pydantic import Field

from clout.serving.accounts import answers, told
from clout.serving.accounts.others import distribution
from clout.serving.accounts.queries import Name, Range
from clout.serving.accounts.told import Asked, recalled
from clout.serving.answers import Reason
from clout.serving.pages.charts import Line, line
from clout.serving.pages.tongue import Tongue
from clout.serving.pages.views.advice import Recourse, advice_tested
from clout.serving.pages.views.view import View
from clout.serving.store.rows import Record

FEW, MOST_MOVED = 4, 6


class Moved(View):
    """A reason whose points are not what they were."""

    code: str = Field(description="The feature.")
    label: str = Field(description="Its name for people.")
    points: float = Field(description="Points more, or fewer below 0.")
    unit: str = Field(description="The unit of its values.")
    before: float | None = Field(description="Its value then; null where it was missing.")
    after: float | None = Field(description="Its value now.")


class Since(View):
    """What has moved a score since an earlier one."""

    change: answers.Change
    moved: list[Moved] = Field(description="What moved most, largest first; empty where another model judged then.")
    others: float = Field(description="The points that all other reasons, and the start, have moved it by.")


class Why(View):
    """An account's score with everything that its page says of it."""

    score: answers.AccountScore
    explained: answers.AccountExplained
    helping: list[Reason] = Field(description="The reasons that added most, at most four.")
    holding_back: list[Reason] = Field(description="The reasons that took most, at most four.")
    history: answers.AccountHistory
    since: Since | None = Field(description="What has moved since a week ago; null where there was no score.")
    tested: Recourse | None = Field(description="How often such advice helped where the truth is known.")
    mean: float | None = Field(description="The mean score of the network's accounts.")
    ten_points: float | None = Field(description="What ten points more multiply the expected reactions by.")

    def line(self) -> Line | None:
        """The history as a line; None where there are fewer than two scores."""
        shown = self.history.scores
        models = [row.model_version for row in shown]
        changed = [False, *(before != after for before, after in pairwise(models))]
        ends = [(row.low, row.high) for row in shown]
        return line([row.as_of for row in shown], [row.score for row in shown], ends, changed)

    def history_words(self, tongue: Tongue) -> str:
        """The line in a sentence, for those who do not see it."""
        known = [row for row in self.history.scores if row.score is not None]
        first, last = known[0], known[-1]
        return tongue.text(
            "From {first} on {begin} to {last} on {end}.",
            first=tongue.number(first.score or 0.0),
            begin=tongue.day(first.as_of),
            last=tongue.number(last.score or 0.0),
            end=tongue.day(last.as_of),
        )


def why(asked: Asked, name: Name) -> Why:
    """All that is told of an account on its page."""
    score, explained = told.score(asked, name), told.explanation(asked, name)
    lie = distribution(asked, score.network) if score.score is not None else None
    return Why(
        score=score,
        explained=explained,
        helping=[reason for reason in explained.reasons if reason.points_printed > 0][:FEW],
        holding_back=[reason for reason in explained.reasons if reason.points_printed < 0][:FEW],
        history=told.history(asked, name, Range(None, None)),
        since=_since(asked, name, score),
        tested=advice_tested(),
        mean=lie and lie.mean,
        ten_points=lie and lie.ten_points,
    )


def _since(asked: Asked, name: Name, score: answers.AccountScore) -> Since | None:
    """What has moved since the score of a week ago that the change is told against."""
    change = score.changes["week"]
    if change.since is None or change.total is None:
        return None
    [before] = asked.store.open().history(score.account, change.since, change.since)
    moved = _moved(asked, before, asked.record(name))
    return Since(change=change, moved=moved, others=change.total - sum(one.points for one in moved))


def _moved(asked: Asked, before: Record, after: Record) -> list[Moved]:
    """The reasons whose points have moved most between two records of one model, `MOST_MOVED` at most."""
    then, now = recalled(asked.store, before), recalled(asked.store, after)
    if before.model_version != after.model_version or then is None or now is None:
        return []
    was = {reason.code: reason for reason in then.reasons(0)}
    every = [
        Moved(
            code=reason.code,
            label=reason.label,
            points=reason.points - was[reason.code].points,
            unit=reason.unit,
            before=was[reason.code].value,
            after=reason.value,
        )
        for reason in now.reasons(0)
    ]
    return sorted(every, key=lambda one: -abs(one.points))[:MOST_MOVED]
