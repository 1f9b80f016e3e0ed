"""What answers hold, field by field."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from clout.features.groups import Group, Side

MOMENT = "2026-03-02T14:30:00Z"
VERSION = "5d0c1c5f7a3be2d1"
SIDES = {
    "message": 3.2,
    "messenger": 9.4,
    "timing": -0.6,
    "network": 0.1,
    "message_share": 0.25,
    "messenger_share": 0.75,
}
PRINTED = {"base_score": 42, "points": 13, "score": 55}
SUM = {"base_score": 42.4, "points": 12.2, "score": 54.6, "difference": 0.0, "printed": PRINTED}
NETWORK = {"data_through": MOMENT, "ten_points": 1.87, "ten_points_mean": "10 points more mean 1.87 times as many"}


class Answer(BaseModel):
    """What holds of every part of an answer: nothing else is in it, and every number is finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Interval(Answer):
    """Where the score probably lies."""

    low: float = Field(description="Lower end, in points.", examples=[48.2])
    high: float = Field(description="Upper end, in points.", examples=[61.9])
    level: float = Field(description="Share of posts whose outcome lies inside.", examples=[0.9])


class Expected(Answer):
    """Actions the post is expected to draw within the horizon."""

    value: float = Field(description="Expected number.", examples=[14.2])
    low: float = Field(description="Lower end of the interval.", examples=[3.1])
    high: float = Field(description="Upper end of the interval.", examples=[41.0])


class Evidence(Answer):
    """What the answer rests on."""

    ripe_posts: int = Field(description="Earlier posts of the account whose outcome is known.", examples=[37])
    source: Literal["lake", "account_facts"] = Field(
        description="Where the account's past was taken from.", examples=["lake"]
    )


class Score(Answer):
    """The score of one post."""

    score: float = Field(description="Between 1 and 100; 40 is the mean account of the network.", examples=[54.6])
    interval: Interval = Field(
        description="Where it probably lies.", examples=[{"low": 48.2, "high": 61.9, "level": 0.9}]
    )
    band: str = Field(description="The score in words.", examples=["well above average"])
    expected: dict[str, Expected] = Field(
        description="Expected `actions`, weighed by their values, and expected numbers by kind.",
        examples=[{"actions": {"value": 14.2, "low": 3.1, "high": 41.0}}],
    )
    account: str | None = Field(
        description="The account judged; null for somebody without a name.", examples=["twitter/1"]
    )
    network: str = Field(description="The network judged on.", examples=["twitter"])
    happened_at: datetime = Field(description="When the post is published.", examples=[MOMENT])
    as_of: datetime = Field(
        description="Only what was known before this counts: happened_at, or the end of the data where that is earlier.",
        examples=[MOMENT],
    )
    data_through: datetime | None = Field(
        description="The last moment anything is known of the network.", examples=[MOMENT]
    )
    evidence: Evidence = Field(description="How much it rests on.", examples=[{"ripe_posts": 37, "source": "lake"}])
    model_version: str = Field(description="Version of the bundle that answered.", examples=[VERSION])
    scale_version: str = Field(description="Version of the scale, which outlives models.", examples=["1"])


class Reason(Answer):
    """What one feature did to the score."""

    code: str = Field(description="The feature; stable.", examples=["outcome_log_mean_90d"])
    label: str = Field(description="Its name for people.", examples=["usual reactions in the last three months"])
    group: Group = Field(description="The group it belongs to.", examples=["track_record"])
    side: Side = Field(description="Who it belongs to.", examples=["messenger"])
    value: float | None = Field(description="Its value; null where it is missing.", examples=[2.7])
    unit: str = Field(
        description="The unit of value; a value is a logarithm of 1 + the number where it ends in (typical), and of the "
        "factor where it begins with times.",
        examples=["actions (typical)"],
    )
    said: str | None = Field(
        description="The value in words; null where it is missing.", examples=["about 14 reactions"]
    )
    typical: tuple[float, float] | None = Field(
        description="The middle half of the values that are usual: among accounts like this one where an account is explained, else those seen in training.",
        examples=[[1.1, 2.9]],
    )
    points: float = Field(description="Points it added or took.", examples=[6.32])
    points_printed: int = Field(description="The same as an integer; these add up.", examples=[6])
    actionable: bool = Field(description="Whether one can change it.", examples=[False])
    sentence: str = Field(
        description="What it did, in words.",
        examples=["Your best post so far drew about 31 reactions. That points to more reactions."],
    )
    advice: str = Field(description="What one can do; empty where one cannot.", examples=[""])


class Points(Answer):
    """Points of a group."""

    points: float = Field(description="Points its features added or took.", examples=[9.7])
    printed: int = Field(description="The same as an integer; these add up.", examples=[10])


class Sides(Answer):
    """Points by side, and the shares of message and messenger in all that the two moved."""

    message: float = Field(description="Points of what the post says and shows.", examples=[3.2])
    messenger: float = Field(description="Points of who publishes it.", examples=[9.4])
    timing: float = Field(description="Points of when it is published.", examples=[-0.6])
    network: float = Field(description="Points of the network around it.", examples=[0.1])
    message_share: float | None = Field(description="Share of the message; null when neither moved.", examples=[0.25])
    messenger_share: float | None = Field(
        description="Share of the messenger; null when neither moved.", examples=[0.75]
    )


class PrintedSum(Answer):
    """The sum in integers, which is exact."""

    base_score: int = Field(description="The base score as it is printed.", examples=[42])
    points: int = Field(description="Sum of the printed points.", examples=[13])
    score: int = Field(description="The score as it is printed.", examples=[55])


class Sum(Answer):
    """That base score and points make the score."""

    base_score: float = Field(description="Where the reasons begin.", examples=[42.4])
    points: float = Field(description="Sum of all points.", examples=[12.2])
    score: float = Field(description="Where they end.", examples=[54.6])
    difference: float = Field(description="What is left over: rounding of floats.", examples=[0.0])
    printed: PrintedSum = Field(
        description="The same in integers.", examples=[{"base_score": 42, "points": 13, "score": 55}]
    )


class Words(Answer):
    """Words of the text that have moved reactions."""

    words: str = Field(description="A word, in small letters.", examples=["news"])
    lift: float = Field(
        description="Their part of the wording's lift, in steps of the logarithm of reactions.", examples=[0.12]
    )


class Explained(Score):
    """The score of one post with its reasons."""

    base_score: float = Field(description="The score of a typical post, where the reasons begin.", examples=[42.4])
    reasons: list[Reason] = Field(description="Every feature, those that moved most first.", examples=[[]])
    groups: dict[Group, Points] = Field(
        description="Points summed by group.", examples=[{"track_record": {"points": 9.7, "printed": 10}}]
    )
    sides: Sides = Field(description="The message against the messenger.", examples=[SIDES])
    adds_up: Sum = Field(description="That the reasons are the score.", examples=[SUM])
    words: list[Words] = Field(
        description="The words that count most, strongest first.", examples=[[{"words": "news", "lift": 0.12}]]
    )


class Network(Answer):
    """What scores mean on one network."""

    data_through: datetime | None = Field(description="The last moment anything is known of it.", examples=[MOMENT])
    ten_points: float = Field(description="What ten points multiply 1 + expected actions by.", examples=[1.87])
    ten_points_mean: str = Field(description="The same in words.", examples=["10 points more mean 1.87 times as many"])


class Feature(Answer):
    """A feature with its words."""

    name: str = Field(description="Its code.", examples=["urls_count"])
    group: Group = Field(description="The group it belongs to.", examples=["format"])
    unit: str = Field(description="The unit of its values.", examples=["links"])
    direction: Literal[-1, 0, 1] = Field(
        description="1 or -1 where the score may only rise or fall with it.", examples=[0]
    )
    actionable: bool = Field(description="Whether one can change it.", examples=[True])
    label: str = Field(description="Its name for people.", examples=["links"])
    helping: str = Field(
        description="The sentence where it helps.", examples=["With {value}, people tend to react more."]
    )
    holding_back: str = Field(
        description="The sentence where it holds back.", examples=["With {value}, people tend to react less."]
    )
    advice: str = Field(description="What one can do.", examples=["Compare a text with a link and one without."])
    missing: str = Field(
        description="What it means when there is no value.", examples=["the text or the form of the post is not known"]
    )


class Model(Answer):
    """The model that answers."""

    model_version: str = Field(description="Version of the bundle.", examples=[VERSION])
    scale_version: str = Field(description="Version of the scale.", examples=["1"])
    as_of: datetime | None = Field(
        description="The last moment that anything is known of; nothing later counts.", examples=[MOMENT]
    )
    contract: str = Field(
        description="Fingerprint of its features, their order, units and directions.", examples=["9f2c…"]
    )
    action_values: dict[str, float] = Field(
        description="What one action of each kind is worth.", examples=[{"like": 1}]
    )
    horizon_days: float = Field(description="Actions within this many days of the post count.", examples=[7])
    level: float = Field(description="Share of outcomes that lie inside the intervals.", examples=[0.9])
    kinds: list[str] = Field(description="Kinds of action it expects numbers of.", examples=[["like", "reshare"]])
    trained_through: str | None = Field(description="The last moment of its training data.", examples=[MOMENT])
    networks: dict[str, Network] = Field(description="The networks it scores.", examples=[{"twitter": NETWORK}])
    metrics: dict[str, Any] = Field(
        description="Its figures on posts it had not learned from, each with a 95 % interval.",
        examples=[{"posts": 4000, "model": {"spearman": {"value": 0.69, "low": 0.67, "high": 0.71}}}],
    )
    features: list[Feature] = Field(description="What it measures, in order.", examples=[[]])
