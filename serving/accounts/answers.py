"""What answers about accounts hold, field by field."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from clout.features.groups import Group
from clout.serving.answers import MOMENT, SIDES, SUM, VERSION, Answer, Points, Reason, Sides, Sum

MISSING = "7 more posts with a known result (3 of 10 so far), and 2 more weeks"
MOVED = {"since": MOMENT, "total": 1.3, "yours": 0.9, "ours": 0.4, "missing": None}
Status = Literal["scored", "not_enough_evidence"]
Span = Literal["day", "week", "month"]


class Account(Answer):
    """Whose score it is, whether there is one, and who gave it when."""

    account: str = Field(description="The account, as network and id.", examples=["twitter/137407124"])
    handle: str | None = Field(description="Its handle; null where it is not known.", examples=["klout"])
    network: str = Field(description="Its network.", examples=["twitter"])
    status: Status = Field(description="scored, or not_enough_evidence.", examples=["scored"])
    missing: str | None = Field(description="What is missing for a score; null where nothing is.", examples=[MISSING])
    score: float | None = Field(description="Between 1 and 100; null without enough evidence.", examples=[54.6])
    printed: int | None = Field(description="The score as people see it.", examples=[55])
    as_of: datetime = Field(description="Only what was known before this counts.", examples=[MOMENT])
    model_version: str = Field(description="Version of the bundle that judged.", examples=[VERSION])
    scale_version: str = Field(description="Version of the scale, which outlives models.", examples=["1"])


class AccountInterval(Answer):
    """Where the score probably lies."""

    low: float = Field(description="Lower end, in points.", examples=[48.2])
    high: float = Field(description="Upper end, in points.", examples=[61.9])
    level: float = Field(description="Share of accounts whose next posts do as the interval says.", examples=[0.9])


class Actions(Answer):
    """Actions that a typical post of the account is expected to draw within the horizon."""

    value: float = Field(description="Expected number, weighed by the values of actions.", examples=[14.2])
    low: float = Field(description="Lower end of the interval.", examples=[9.1])
    high: float = Field(description="Upper end of the interval.", examples=[22.0])


class AccountEvidence(Answer):
    """What the score rests on."""

    posts: int = Field(description="Posts that are judged, of the last months.", examples=[31])
    ripe_posts: int = Field(description="Posts of the last year whose outcome is known.", examples=[120])
    days: float = Field(description="Days since the oldest post that counts.", examples=[360.5])


class Change(Answer):
    """How far the score has moved, in points; your part and ours add up to the whole."""

    since: datetime | None = Field(
        description="The earlier score's moment; null where there is none.", examples=[MOMENT]
    )
    total: float | None = Field(description="Points it has moved.", examples=[1.3])
    yours: float | None = Field(description="Of these, what the account did.", examples=[0.9])
    ours: float | None = Field(description="Of these, what a new model or scale did.", examples=[0.4])
    missing: str | None = Field(description="Why something cannot be told; null where all is.", examples=[None])


class PersonPart(Answer):
    """One account of a person."""

    account: str = Field(description="The account.", examples=["twitter/137407124"])
    network: str = Field(description="Its network.", examples=["twitter"])
    status: Literal["scored", "unknown"] = Field(description="scored, or unknown.", examples=["scored"])
    score: float | None = Field(description="Its own score; null while it is unknown.", examples=[54.6])
    points: float | None = Field(description="Its part of the combined score; null while unknown.", examples=[54.6])
    as_of: datetime | None = Field(description="The moment of its own score.", examples=[MOMENT])


class Person(Answer):
    """The score of all accounts that one person has declared; connecting another never lowers it."""

    score: float | None = Field(description="Combined score; null where none is known.", examples=[61.2])
    printed: int | None = Field(description="The same as people see it.", examples=[61])
    low: float | None = Field(description="Lower end of its interval.", examples=[55.0])
    high: float | None = Field(description="Upper end of its interval.", examples=[67.1])
    accounts: list[PersonPart] = Field(description="The accounts; their points add up to the score.", examples=[[]])
    missing: str | None = Field(description="Why there is no combined score.", examples=[None])


class Finding(Answer):
    """A sign of arranged engagement."""

    code: str = Field(description="The feature that shows it.", examples=["actions_burst_share_30d"])
    value: float = Field(description="Its value here.", examples=[0.7])
    usual: float = Field(description="What 19 of 20 posts have at most.", examples=[0.06])
    sentence: str = Field(
        description="The same in words.",
        examples=[
            "This score rests on unusual engagement: reactions that came in a burst make up 70%; 19 of 20 posts have at most 6%."
        ],
    )


class AccountScore(Account):
    """The score of an account, its place among others, and how it has moved."""

    interval: AccountInterval | None = Field(
        description="Where it probably lies.", examples=[{"low": 48.2, "high": 61.9, "level": 0.9}]
    )
    band: str | None = Field(description="The score in words.", examples=["well above average"])
    percentile: float | None = Field(
        description="Percentage of the network's scored accounts, of the same run, that it is above; null until the run "
        "is finished, and of fewer than 20.",
        examples=[87.5],
    )
    size_group: str | None = Field(description="Accounts of about its size.", examples=["1,000 to 9,999 followers"])
    size_percentile: float | None = Field(description="The percentile among those.", examples=[71.0])
    expected: Actions | None = Field(
        description="What a typical post of it draws.", examples=[{"value": 14.2, "low": 9.1, "high": 22.0}]
    )
    evidence: AccountEvidence = Field(
        description="How much the score rests on.", examples=[{"posts": 31, "ripe_posts": 120, "days": 360.5}]
    )
    findings: list[Finding] = Field(description="What is unusual about the engagement it rests on.", examples=[[]])
    changes: dict[Span, Change] = Field(
        description="How it has moved over a day, a week and a month.", examples=[{"day": MOVED}]
    )
    person: Person | None = Field(description="All accounts of its person, where that is declared.", examples=[None])
    data_through: datetime | None = Field(
        description="The last moment before as_of that anything is known of.", examples=[MOMENT]
    )


class Carried(Answer):
    """A post that carried the score."""

    post: str = Field(description="The post.", examples=["twitter/712"])
    happened_at: datetime = Field(description="When it was published.", examples=[MOMENT])
    text: str = Field(description="The beginning of its text.", examples=["Good news"])
    points: float = Field(description="Points it added or took.", examples=[2.1])
    usually: float = Field(description="Actions the model expects such a post to draw.", examples=[12.5])
    actions: float | None = Field(description="Actions it drew; null until that is known.", examples=[31.0])


class Step(Answer):
    """One thing to do otherwise with the posts to come, tried on a sample of those of the last months."""

    code: str = Field(description="What it is.", examples=["picture_more"])
    feature: str = Field(description="The reason it is about.", examples=["media_count"])
    sentence: str = Field(
        description="What to do, where the account stands now and where it would.",
        examples=["Put a picture on more posts: 4 of the 12 we looked at have one, 9 would."],
    )
    worth: str = Field(
        description="What it is worth, in words.",
        examples=["About 1.9 points more, likely 0.7 to 3.4. An estimate, not a promise."],
    )
    to: int | None = Field(
        description="The number it names: the most hashtags, the words, the first of three hours (UTC); null without one.",
        examples=[None],
    )
    posts: int = Field(description="Posts it was tried on.", examples=[12])
    changed: int = Field(description="How many of them would be otherwise.", examples=[5])
    now: float = Field(
        description="Where the account stands: the share of posts that do it, or a number a post.", examples=[0.333]
    )
    then: float = Field(
        description="Where it would, never beyond what 19 of 20 similar accounts do at least and at most.",
        examples=[0.75],
    )
    points: float = Field(
        description=(
            "Points more: the lesser of what the model says of the changed posts, and that corrected by what posts "
            "with a known result drew."
        ),
        examples=[1.93],
    )
    low: float = Field(description="Lower end of its interval, above 0.", examples=[0.71])
    high: float = Field(description="Upper end of its interval.", examples=[3.4])


class WouldRaise(Answer):
    """What would raise a score: single steps, each judged by the model itself; estimates, not promises."""

    steps: list[Step] = Field(description="At most three, worth more than a point each, best first.", examples=[[]])
    nothing: str | None = Field(
        description="Said where there are none.", examples=["Nothing realistic would move this by more than a point."]
    )
    level: float = Field(description="The share of such steps whose worth lies in the interval.", examples=[0.9])


class TypicalOf(Answer):
    """The accounts that `typical` is of: the middle half of them."""

    size_group: str | None = Field(
        description="Accounts of about its size; null for all scored accounts of its network, where few are of its size.",
        examples=["1,000 to 9,999 followers"],
    )
    accounts: int = Field(description="How many have a score.", examples=[4120])


class AccountExplained(Account):
    """The reasons of an account's score, in the words of the model that judged; empty without enough evidence."""

    base_score: float | None = Field(description="Where the reasons begin.", examples=[42.4])
    reasons: list[Reason] = Field(description="Every reason, those that moved most first.", examples=[[]])
    groups: dict[Group, Points] = Field(
        description="Points summed by group.", examples=[{"track_record": {"points": 9.7, "printed": 10}}]
    )
    typical_of: TypicalOf | None = Field(
        description="Whose values are typical in the reasons; null where they are those of posts seen in training.",
        examples=[{"size_group": "1,000 to 9,999 followers", "accounts": 4120}],
    )
    sides: Sides | None = Field(description="The message against the messenger.", examples=[SIDES])
    adds_up: Sum | None = Field(description="That the reasons are the score.", examples=[SUM])
    posts: list[Carried] = Field(description="The posts that carried most.", examples=[[]])
    would_raise: WouldRaise | None = Field(
        description="What would raise the score; null without one, and for scores from before this was looked for.",
        examples=[{"steps": [], "nothing": "Nothing realistic would move this by more than a point.", "level": 0.9}],
    )


class AccountPosts(Account):
    """The posts that carried an account's score most."""

    posts: list[Carried] = Field(description="Those with most points either way first.", examples=[[]])


class Shown(Answer):
    """A score as it was shown on its day."""

    as_of: datetime = Field(description="The moment of the score.", examples=[MOMENT])
    score: float | None = Field(description="The score; null without enough evidence.", examples=[54.6])
    low: float | None = Field(description="Lower end of its interval.", examples=[48.2])
    high: float | None = Field(description="Upper end of its interval.", examples=[61.9])
    model_version: str = Field(description="Version of the bundle that judged.", examples=[VERSION])
    scale_version: str = Field(description="Version of the scale.", examples=["1"])
    ours: float | None = Field(
        description="Where another model or scale than before judged: the points that this moved it by.", examples=[0.4]
    )
    missing: str | None = Field(description="Why our part cannot be told.", examples=[None])


class AccountHistory(Answer):
    """The scores of an account as they were shown."""

    account: str = Field(description="The account, as network and id.", examples=["twitter/137407124"])
    network: str = Field(description="Its network.", examples=["twitter"])
    since: datetime = Field(description="The first moment asked for.", examples=[MOMENT])
    until: datetime = Field(
        description="The last moment asked for; else of the newest score, or since.", examples=[MOMENT]
    )
    scores: list[Shown] = Field(description="Oldest first, the newest 1,000 at most.", examples=[[]])
    left_out: int = Field(description="Older scores that were left out; ask for an earlier until.", examples=[0])
    as_of: datetime = Field(description="The moment of its newest score.", examples=[MOMENT])
    model_version: str = Field(description="Version of the bundle that gave it.", examples=[VERSION])
    scale_version: str = Field(description="Version of its scale.", examples=["1"])


class ReasonDifference(Answer):
    """How many points more a reason gave one account than another."""

    code: str = Field(description="The feature.", examples=["outcome_log_mean_90d"])
    label: str = Field(description="Its name for people.", examples=["usual reactions in the last three months"])
    group: Group = Field(description="The group it belongs to.", examples=["track_record"])
    points: float = Field(description="Points more, or fewer below 0.", examples=[4.2])
    printed: int = Field(description="The same of the integers that people see; these add up.", examples=[4])


class Difference(Answer):
    """Why an account's score is higher, or lower, than another's: starting point and reasons add up to it."""

    account: str = Field(description="The other account.", examples=["twitter/12"])
    total: Points | None = Field(
        description="How much higher the score is; null where one has none.", examples=[{"points": 7.5, "printed": 8}]
    )
    starting_point: Points | None = Field(
        description="How much higher its reasons begin.", examples=[{"points": 0.0, "printed": 0}]
    )
    groups: dict[Group, Points] = Field(
        description="Points more by group.", examples=[{"track_record": {"points": 9.7, "printed": 10}}]
    )
    reasons: list[ReasonDifference] = Field(description="Points more by reason, largest first.", examples=[[]])
    left_over: float | None = Field(description="What the sum leaves over: rounding of floats.", examples=[0.0])
    note: str | None = Field(description="What to mind when the two are compared.", examples=[None])


class AccountCompared(Answer):
    """Accounts side by side, and what makes the difference between the first and each other."""

    accounts: list[Account] = Field(description="The accounts, the one that was asked about first.", examples=[[]])
    differences: list[Difference] = Field(description="The first against each other.", examples=[[]])
    as_of: datetime = Field(description="The moment of the first account's newest score.", examples=[MOMENT])
    model_version: str = Field(description="Version of the bundle that gave it.", examples=[VERSION])
    scale_version: str = Field(description="Version of its scale.", examples=["1"])


class Band(Answer):
    """A band of scores."""

    floor: int = Field(description="The lowest printed score in it.", examples=[52])
    words: str = Field(description="What it is called.", examples=["well above average"])
    share: float = Field(description="Share of the accounts in it; the shares add up to 1.", examples=[0.12])


class Distribution(Answer):
    """How the scores of a network lie, and what they mean."""

    network: str = Field(description="The network.", examples=["twitter"])
    accounts: int = Field(description="Accounts with a score.", examples=[12000])
    mean: float | None = Field(description="Their mean score; null without any.", examples=[40.1])
    percentiles: list[float] = Field(description="The scores at the percentiles 1 to 99.", examples=[[12.0]])
    bands: list[Band] = Field(description="The bands, highest first.", examples=[[]])
    ten_points: float | None = Field(
        description="What ten points multiply 1 + expected actions by; null where the scale is not the one loaded.",
        examples=[1.87],
    )
    ten_points_mean: str | None = Field(description="The same in words.", examples=["ten points more mean 1.87 times"])
    as_of: datetime = Field(description="The moment of the run.", examples=[MOMENT])
    model_version: str = Field(description="Version of the bundle that judged.", examples=[VERSION])
    scale_version: str = Field(description="Version of the scale.", examples=["1"])


class Forgotten(Answer):
    """What was erased of an account."""

    account: str = Field(description="The account.", examples=["twitter/137407124"])
    erased: dict[str, int] = Field(
        description="Rows that were erased, by table.", examples=[{"posts": 31, "scores": 90}]
    )
