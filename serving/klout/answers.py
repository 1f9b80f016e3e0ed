"""What Klout's answers hold, field by field, under Klout's names."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

NUMBER = "7263327713455967219"
MOVED = {"dayChange": 0.11, "weekChange": 0.07, "monthChange": 0.2}
SOMEBODY = {"kloutId": NUMBER, "nick": "klout", "score": {"score": 54.61}, "scoreDeltas": MOVED}


class KloutAnswer(BaseModel):
    """What holds of every part of an answer: Klout's names, nothing else, and every number finite."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, alias_generator=to_camel, validate_by_name=True
    )


class KloutIdentity(KloutAnswer):
    """Somebody on a network; `ks` is Klout's own."""

    id: str = Field(description="The id there.", examples=[NUMBER])
    network: str = Field(description="ks, tw, gp, ig, fb, bs, ma, or the network's name.", examples=["ks"])


class Deltas(KloutAnswer):
    """How far the score has moved, in points; 0 where there is no earlier score to tell it by."""

    day_change: float = Field(description="Over a day.", examples=[0.11])
    week_change: float = Field(description="Over a week.", examples=[0.07])
    month_change: float = Field(description="Over a month.", examples=[0.2])


class Plain(KloutAnswer):
    """A score alone."""

    score: float = Field(description="Between 1 and 100, not rounded.", examples=[54.61])


class InBucket(Plain):
    """A score and the ten points it lies in."""

    bucket: str = Field(description="The ten points, the highest 90-100.", examples=["50-59"])


class KloutScore(KloutAnswer):
    """The score of an account."""

    score: float = Field(description="Between 1 and 100, not rounded.", examples=[54.61])
    score_delta: Deltas = Field(description="How far it has moved.", examples=[MOVED])
    bucket: str = Field(description="The ten points it lies in, the highest 90-100.", examples=["50-59"])


class KloutUser(KloutAnswer):
    """An account and its score."""

    klout_id: str = Field(description="The number that stands for it.", examples=[NUMBER])
    nick: str = Field(description="Its handle, or its id where none is known.", examples=["klout"])
    score: InBucket = Field(description="Its score.", examples=[{"score": 54.61, "bucket": "50-59"}])
    score_deltas: Deltas = Field(description="How far it has moved.", examples=[MOVED])


class Payload(KloutAnswer):
    """An account beside another."""

    klout_id: str = Field(description="The number that stands for it.", examples=[NUMBER])
    nick: str = Field(description="Its handle, or its id where none is known.", examples=["klout"])
    score: Plain = Field(description="Its score.", examples=[{"score": 54.61}])
    score_deltas: Deltas = Field(description="How far it has moved.", examples=[MOVED])


class Entity(KloutAnswer):
    """Somebody, by number."""

    id: str = Field(description="The number that stands for it.", examples=[NUMBER])
    payload: Payload = Field(description="Who that is.", examples=[SOMEBODY])


class Partner(KloutAnswer):
    """One of those who influence somebody, or are influenced."""

    entity: Entity = Field(description="Who.", examples=[{"id": NUMBER, "payload": SOMEBODY}])


class KloutInfluence(KloutAnswer):
    """Who influences an account, and whom it influences."""

    my_influencers: list[Partner] = Field(description="Whom it acts on, strongest first, 5 at most.", examples=[[]])
    my_influencees: list[Partner] = Field(description="Who acts on it, strongest first, 5 at most.", examples=[[]])
    my_influencers_count: int = Field(description="How many accounts it acts on.", examples=[17])
    my_influencees_count: int = Field(description="How many accounts act on it.", examples=[8])


class ScoreOfOne(BaseModel):
    """A score as Klout's first API told it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    twitter_screen_name: str = Field(description="The name, as it was asked for.", examples=["klout"])
    kscore: float = Field(description="The score.", examples=[54.61])


class ScoresOfSome(BaseModel):
    """What Klout's first API told of the names it was asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: int = Field(description="200.", examples=[200])
    users: list[ScoreOfOne] = Field(description="Those who have a score, as they were asked for.", examples=[[]])


class KloutError(KloutAnswer):
    """An error as Klout told it."""

    error: int = Field(description="The status.", examples=[404])
    description: str = Field(description="What is wrong.", examples=["nothing is known of klout on tw"])
