"""What the model says of drafts: every answer is the one that the draft alone would get."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from clout.models.phrases import WEEKDAYS
from clout.models.step_words import NOTHING
from clout.serving import scoring
from clout.serving.active_model import Loaded
from clout.serving.answers import Expected, Explained, Reason, Score
from clout.serving.drafts import answers
from clout.serving.drafts.asked import PostsRequest, WhatIfRequest, changed
from clout.serving.drafts.ideas import Idea, ideas
from clout.serving.openapi.told import Fault
from clout.serving.problems import ProblemError
from clout.serving.schemas import PostRequest

HOUR = timedelta(hours=1)
WEEK, DAY = 168, 24
FEW = 5
HABIT = "hour_share_90d"
WORTH_DOING = 1.0
NO_BETTER_HOUR = "No hour of the week after is better than the draft's own time."
BETTER_HOUR = "At the best hour the score is {points} points more than at the draft's own time."
PUBLISH_AT = "Publish it at {time} UTC on {day}."
ALL = "actions"
UNFORESEEN = "an error that nobody foresaw; its trace is in the service's log"

log = logging.getLogger("clout.serving")


def scores(loaded: Loaded, asked: PostsRequest, now: datetime) -> answers.Scores:
    """A result or a problem for each post."""
    items = [_item(loaded, body, now) for body in asked.bodies()]
    results = [item.result for item in items if item.result is not None]
    as_of = max((result.as_of for result in results), default=None)
    return answers.Scores(items=items, judged=len(results), as_of=as_of, **_versions(loaded))


def best_time(loaded: Loaded, post: PostRequest, now: datetime) -> answers.BestTime:
    """The hours of the week after the draft's own time, and the best of them."""
    draft = scoring.score(loaded, post, now)
    hours = _at_hours(loaded, post, draft, now, WEEK)
    first = sorted(hours, key=lambda hour: -hour.score)[:FEW]
    return answers.BestTime(
        account=draft.account,
        network=draft.network,
        data_through=draft.data_through,
        draft=draft,
        best=[_best(loaded, post, now, hour) for hour in first],
        hours=hours,
        sentence=_worth(first[0].points),
        as_of=draft.as_of,
        **_versions(loaded),
    )


def what_if(loaded: Loaded, asked: WhatIfRequest, now: datetime) -> answers.WhatIf:
    """What each change would do, and what would help where that is asked."""
    changes = [
        (fields, changed(asked.post, fields, now, ("changes", index))) for index, fields in enumerate(asked.fields())
    ]
    draft = scoring.explain(loaded, asked.post, now)
    tried = [_tried(draft, fields, scoring.explain(loaded, post, now)) for fields, post in changes]
    found = suggested(loaded, asked.post, draft, now) if asked.suggest else None
    return answers.WhatIf(
        draft=Score(**{name: getattr(draft, name) for name in Score.model_fields}),
        tried=[answers.Tried(**told) for told in tried],
        suggestions=found,
        nothing=NOTHING if found == [] else None,
        as_of=draft.as_of,
        **_versions(loaded),
    )


def suggested(loaded: Loaded, post: PostRequest, draft: Explained, now: datetime) -> list[answers.Suggestion]:
    """The ideas that gain more than a point, best first."""
    actionable = {spec.name for spec in loaded.model.contract.features if spec.actionable}
    every = [*ideas(post), *_other_hour(loaded, post, draft, now)]
    found = [_suggestion(loaded, post, draft, now, idea) for idea in every if idea.code in actionable]
    return sorted((told for told in found if told is not None), key=lambda told: -told.points_gained)


def _item(loaded: Loaded, body: str, now: datetime) -> answers.Item:
    try:
        return answers.Item(result=scoring.score(loaded, scoring.read_request(body, now), now), problem=None)
    except ProblemError as error:
        return answers.Item(result=None, problem=_problem(error))
    except Exception:  # one post must not harm the others
        log.exception("one post of several broke")
        return answers.Item(result=None, problem=_problem(ProblemError("internal_error", UNFORESEEN)))


def _problem(problem: ProblemError) -> answers.ItemProblem:
    kind, faults = problem.kind, [Fault(**fault.told()) for fault in problem.errors]
    return answers.ItemProblem(
        code=kind.code, status=kind.status, title=kind.title, detail=problem.detail, errors=faults
    )


def _versions(loaded: Loaded) -> dict[str, Any]:
    return {"model_version": loaded.model.version, "scale_version": loaded.model.scale_version}


def _at_hours(loaded: Loaded, post: PostRequest, draft: Score, now: datetime, number: int) -> list[answers.Hour]:
    """The draft at each of the full hours after its own time."""
    start = draft.happened_at.replace(minute=0, second=0, microsecond=0)
    moments = [start + step * HOUR for step in range(1, number + 1)]
    told = scoring.predict_at(loaded, post, moments, now)
    return [
        answers.Hour(
            happened_at=moment,
            score=float(told.score[row]),
            points=float(told.score[row]) - draft.score,
            expected=Expected(
                value=float(told.expected[ALL][row]), low=float(told.low[ALL][row]), high=float(told.high[ALL][row])
            ),
        )
        for row, moment in enumerate(moments)
    ]


def _best(loaded: Loaded, post: PostRequest, now: datetime, hour: answers.Hour) -> answers.BestHour:
    """The hour beside the account's habit of it."""
    told = scoring.explain(loaded, post.model_copy(update={"happened_at": hour.happened_at}), now)
    habit = next((reason.value for reason in told.reasons if reason.code == HABIT), None)
    return answers.BestHour(**dict(hour), habit=habit)


def _worth(points: float) -> str:
    if points <= 0:
        return NO_BETTER_HOUR
    return BETTER_HOUR.format(points=f"{points:.1f}")


def _tried(draft: Explained, fields: Mapping[str, Any], told: Explained) -> dict[str, Any]:
    """The fields of a `Tried`: what the change did to the score, and by which reasons."""
    pairs = _pairs(draft.reasons, told.reasons)
    moved = [_moved(before, after) for before, after in pairs if after.value != before.value]
    weighed = [reason for reason in sorted(moved, key=lambda reason: -abs(reason.points)) if reason.points]
    gained = told.score - draft.score
    return {
        "change": dict(fields),
        "score": told.score,
        "interval": told.interval,
        "expected": told.expected[ALL],
        "points_gained": gained,
        "moved": weighed,
        "others": gained - sum(reason.points for reason in weighed),
    }


def _pairs(before: Iterable[Reason], after: Iterable[Reason]) -> Iterator[tuple[Reason, Reason]]:
    then = {reason.code: reason for reason in after}
    return ((reason, then[reason.code]) for reason in before)


def _moved(before: Reason, after: Reason) -> answers.Moved:
    return answers.Moved(
        code=before.code,
        label=before.label,
        group=before.group,
        before=before.said,
        after=after.said,
        points=after.points - before.points,
    )


def _suggestion(
    loaded: Loaded, post: PostRequest, draft: Explained, now: datetime, idea: Idea
) -> answers.Suggestion | None:
    """The idea, judged; None where it gains too little, or leaves no post that one could send."""
    try:
        after = changed(post, idea.change, now)
    except ProblemError:
        return None
    if scoring.score(loaded, after, now).score - draft.score <= WORTH_DOING:
        return None  # its reasons, which take longest, are told to nobody
    told = _tried(draft, idea.change, scoring.explain(loaded, after, now))
    return answers.Suggestion(**told, code=idea.code, sentence=idea.sentence)


def _other_hour(loaded: Loaded, post: PostRequest, draft: Score, now: datetime) -> Iterator[Idea]:
    """The best hour of the day after the draft's own time."""
    best = max(_at_hours(loaded, post, draft, now, DAY), key=lambda hour: hour.score)
    at = best.happened_at
    yield Idea("hour_utc", PUBLISH_AT.format(time=f"{at:%H:%M}", day=WEEKDAYS[at.weekday()]), {"happened_at": at})
