"""What answers about drafts hold, field by field."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from clout.features.groups import Group
from clout.serving.answers import MOMENT, VERSION, Answer, Expected, Interval, Score
from clout.serving.openapi.told import Fault

EXPECTED = {"value": 14.2, "low": 3.1, "high": 41.0}
SCORE = {name: field.examples[0] for name, field in Score.model_fields.items() if field.examples}


class Versions(Answer):
    """Who answered."""

    model_version: str = Field(description="Version of the bundle that answered.", examples=[VERSION])
    scale_version: str = Field(description="Version of the scale, which outlives models.", examples=["1"])


class Known(Versions):
    """Who answered, and what was known."""

    as_of: datetime = Field(description="Only what was known before this counts.", examples=[MOMENT])


class ItemProblem(Answer):
    """Why one post of several was not judged."""

    code: str = Field(description="The problem, one of those of /problems.", examples=["unknown_account"])
    status: int = Field(description="The status it would have had alone.", examples=[404])
    title: str = Field(description="What kind of problem it is.", examples=["Nothing is known of this account"])
    detail: str = Field(description="What was got and what was expected.", examples=["nothing is known of a/b"])
    errors: list[Fault] = Field(description="What is wrong, by place in the post.", examples=[[]])


class Item(Answer):
    """One post of several: its score, or why there is none; one of the two is null."""

    result: Score | None = Field(description="Its score.", examples=[None])
    problem: ItemProblem | None = Field(description="Why there is none.", examples=[None])


class Scores(Versions):
    """The posts in the order they were sent, all judged by one model."""

    items: list[Item] = Field(description="A result or a problem for each post.", examples=[[]])
    judged: int = Field(description="How many have a result.", examples=[1])
    as_of: datetime | None = Field(
        description="The latest as_of of the results: only what was known before this counts; null where there is none.",
        examples=[MOMENT],
    )


class Hour(Answer):
    """The draft published at an hour."""

    happened_at: datetime = Field(description="The hour.", examples=[MOMENT])
    score: float = Field(description="Its score then.", examples=[56.1])
    points: float = Field(description="Points more than now, or fewer below 0.", examples=[1.5])
    expected: Expected = Field(description="Expected actions then, weighed by their values.", examples=[EXPECTED])


class BestHour(Hour):
    """One of the best hours."""

    habit: float | None = Field(
        description="The share of the account's posts that it publishes at this hour of the day; null where not known.",
        examples=[0.12],
    )


class BestTime(Known):
    """When a draft would draw most, hour by hour; all hours are UTC."""

    account: str | None = Field(description="The account judged; null without a name.", examples=["twitter/1"])
    network: str = Field(description="The network judged on.", examples=["twitter"])
    data_through: datetime | None = Field(
        description="The last moment anything is known of the network.", examples=[MOMENT]
    )
    draft: Score = Field(description="The draft at its own time, or now.", examples=[SCORE])
    best: list[BestHour] = Field(description="The best hours, best first.", examples=[[]])
    hours: list[Hour] = Field(description="Each hour of the seven days after, in order.", examples=[[]])
    sentence: str = Field(
        description="What the best hour is worth, in words.",
        examples=["At the best hour the score is 1.5 points more than at the draft's own time."],
    )


class Moved(Answer):
    """A reason whose value a change has moved."""

    code: str = Field(description="The feature.", examples=["media_count"])
    label: str = Field(description="Its name for people.", examples=["pictures and videos"])
    group: Group = Field(description="The group it belongs to.", examples=["format"])
    before: str | None = Field(description="Its value before, in words.", examples=["0 pictures or videos"])
    after: str | None = Field(description="Its value after, in words.", examples=["1 picture or video"])
    points: float = Field(description="Points more than before, or fewer below 0.", examples=[2.1])


class Tried(Answer):
    """A change, and what the model says of the draft after it."""

    change: dict[str, Any] = Field(
        description="The fields that were changed, as they are then.", examples=[{"n_media": 1}]
    )
    score: float = Field(description="The score then.", examples=[57.0])
    interval: Interval = Field(
        description="Where it probably lies.", examples=[{"low": 50.2, "high": 63.9, "level": 0.9}]
    )
    expected: Expected = Field(description="Expected actions then, weighed by their values.", examples=[EXPECTED])
    points_gained: float = Field(description="Points more than the draft as it is.", examples=[2.4])
    moved: list[Moved] = Field(description="The reasons whose value changed, most points first.", examples=[[]])
    others: float = Field(
        description=(
            "Points of all other reasons, whose values stayed: the same features weigh differently beside the change. "
            "With those of `moved` they are the points gained."
        ),
        examples=[0.1],
    )


class Suggestion(Tried):
    """A single change that helps."""

    code: str = Field(description="The feature it is about.", examples=["media_count"])
    sentence: str = Field(description="What to do.", examples=["Add a picture or video."])


class WhatIf(Known):
    """What changes would do to a draft, each judged by the model itself."""

    draft: Score = Field(description="The draft as it is.", examples=[SCORE])
    tried: list[Tried] = Field(description="The changes asked for, in their order.", examples=[[]])
    suggestions: list[Suggestion] | None = Field(
        description="Single changes worth more than a point, best first; null unless asked for.", examples=[[]]
    )
    nothing: str | None = Field(
        description="Said where suggestions were asked for and there are none.",
        examples=["Nothing realistic would move this by more than a point."],
    )
