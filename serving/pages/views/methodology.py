"""How scores are made, how well, and where they fail: from the model that answers and from what was measured apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from clout.models.scale import Scale
from clout.models.score_model import ScoreModel
from clout.serving.accounts.told import Asked
from clout.serving.pages.measured import measured
from clout.serving.pages.views.advice import Recourse, advice_tested
from clout.serving.pages.views.origin import told_by_sources
from clout.serving.pages.views.view import View

SHOWN = (10, 20, 30, 40, 50, 63, 80, 90)
ALONG = tuple(range(2, 100, 2))
HISTORY, MORE = "history", ">="
A_POINT = 1.0


class Curve(View):
    """What scores mean on a network."""

    network: str
    accounts: int = Field(description="How many accounts the scale was fixed on.")
    ten_points: float = Field(description="What ten points more multiply one plus the expected reactions by.")
    mean: float = Field(description="Reactions that a post of a mean account is expected to draw, each by its value.")
    top: float = Field(description="The same of an account that 5 of 100 reach.")
    steps: list[tuple[int, float]] = Field(description="Scores, each with the reactions it stands for.")
    line: list[tuple[int, float]] = Field(description="The same in small steps, for a picture.")


class Figure(View):
    """A figure with its 95 % interval, where it has one."""

    value: float
    low: float | None = None
    high: float | None = None


class Naive(View):
    """A simpler way to guess, beside ours."""

    name: str = Field(description="Which one, as in the model's metrics.")
    rank: float | None = Field(description="How well its order agrees with what came out (Spearman).")
    less: Figure | None = Field(description="The share by which our squared error, on a log scale, is below its own.")


class Experience(View):
    """How well we do for accounts with so many earlier posts whose reactions are known."""

    least: int
    below: int | None
    posts: int
    rank: float | None


class Tenth(View):
    """A tenth of the posts: reactions to one, as expected and as they came."""

    expected: float
    actual: float


class Judged(View):
    """How the model did on posts that it had not learned from."""

    posts: int
    accounts: int | None
    first: datetime | None
    last: datetime | None
    rank: Figure | None
    naive: list[Naive]
    ratio: Figure | None = Field(description="Expected reactions over those that came, in all.")
    tenths: list[Tenth]
    level: float = Field(description="The share of posts that ranges are made for.")
    covered: Figure | None = Field(description="The share of posts inside their range.")
    covered_worst: float | None = Field(description="The same of the group where it is lowest.")
    experience: list[Experience]


class Bought(View):
    """What an attack buys accounts that usually draw `base` reactions a post, in points."""

    base: float
    median: float
    most: float
    followers: float = Field(description="What it buys on a score made of follower counts alone, at the median.")


class Attack(View):
    """A way to buy a better score."""

    kind: str
    what: str
    cost: str
    unit: str
    bought: list[Bought]
    works: bool = Field(description="Whether it buys more than a point at the median of any group of accounts.")


class Attacks(View):
    """What attacks buy, measured on a made-up society."""

    people: int
    budget: int
    bases: list[float]
    attacks: list[Attack]


class Rule(View):
    """Which posts make an account's score."""

    window_days: float
    half_life_days: float
    min_posts: int
    min_days: float


class Source(View):
    """The posts of a network that taught the model."""

    network: str
    posts: int
    accounts: int
    first: datetime | None
    last: datetime | None


class Methodology(View):
    """All that the page on method shows."""

    model_version: str
    scale_version: str
    action_values: dict[str, float]
    horizon_days: float
    account: Rule
    curves: list[Curve]
    judged: Judged | None
    attacks: Attacks | None
    recourse: Recourse | None
    sources: list[Source]
    notes: list[str] = Field(description="What the sources say of themselves.")
    made_up: bool = Field(description="Whether a simulation made some of the posts.")
    data_through: datetime


def methodology(asked: Asked) -> Methodology:
    """What the page on method shows."""
    model = asked.loaded.model
    data = model.data
    notes, made_up = told_by_sources(data.get("notes", []))
    return Methodology(
        model_version=model.version,
        scale_version=model.scale_version,
        action_values=data["action_values"],
        horizon_days=data["horizon_days"],
        account=Rule.model_validate(model.account, from_attributes=True),
        curves=[_curve(model.scale, network) for network in model.networks],
        judged=judged(model),
        attacks=_attacks(measured("attacks")),
        recourse=advice_tested(),
        sources=[_source(network, told) for network, told in data.get("networks", {}).items()],
        notes=notes,
        made_up=made_up,
        data_through=data["data_through"],
    )


def _curve(scale: Scale, network: str) -> Curve:
    curve = scale.curves[network]
    return Curve(
        network=network,
        accounts=curve.accounts,
        ten_points=scale.ten_points(network),
        mean=math.expm1(curve.mean),
        top=math.expm1(curve.p95),
        steps=_reactions(scale, network, SHOWN),
        line=_reactions(scale, network, ALONG),
    )


def _reactions(scale: Scale, network: str, scores: Sequence[int]) -> list[tuple[int, float]]:
    """The reactions that scores stand for, where a post can have so few."""
    pairs = [(score, math.expm1(scale.log_expected(score, network))) for score in scores]
    return [(score, reactions) for score, reactions in pairs if reactions >= 0]


def judged(model: ScoreModel) -> Judged | None:
    """How a model did; None where its bundle tells nothing of it."""
    report = model.bundle.json("metrics.json")
    if "posts" not in report:
        return None
    told, ranks = report.get("model", {}), report.get("baselines", {})
    return Judged(
        posts=report["posts"],
        accounts=report.get("accounts"),
        first=report.get("from") or None,
        last=report.get("through") or None,
        rank=figure(told.get("spearman")),
        naive=[
            Naive(name=name, rank=ranks.get(name, {}).get("spearman"), less=figure(less))
            for name, less in report.get("skill", {}).items()
        ],
        ratio=figure(told.get("total_ratio")),
        tenths=[Tenth(**tenth) for tenth in report.get("deciles", []) if None not in tenth.values()],
        level=model.intervals.level,
        covered=figure(told.get("coverage")),
        covered_worst=told.get("coverage_worst_group", {}).get("value"),
        experience=_experience(report.get("groups", {})),
    )


def figure(told: Mapping[str, float | None] | None) -> Figure | None:
    """A figure as reports tell it; None where it could not be told."""
    if told is None or told.get("value") is None:
        return None
    return Figure.model_validate(told)


def _experience(groups: Mapping[str, Mapping[str, Any]]) -> list[Experience]:
    """The groups of a report that are made by earlier posts, least first."""
    told = sorted((_least(name), group) for name, group in groups.items() if name.startswith(HISTORY))
    ends = [*(least for least, _ in told[1:]), None]
    return [
        Experience(least=least, below=below, posts=group["posts"], rank=group["spearman"])
        for (least, group), below in zip(told, ends, strict=False)
    ]


def _least(name: str) -> int:
    """The fewest earlier posts in a group.

    >>> _least("history<1"), _least("history>=10")
    (0, 10)
    """
    return int(float(name.partition(MORE)[2])) if MORE in name else 0


def _attacks(told: Mapping[str, Any] | None) -> Attacks | None:
    if told is None:
        return None
    attacks = [_attack(one) for one in told["attacks"] if one["reason"] is None]
    bases = [base["base"] for base in told["bases"]]
    return Attacks(people=told["people"], budget=told["budget"], bases=bases, attacks=attacks)


def _attack(told: Mapping[str, Any]) -> Attack:
    bought = _bought(told["bases"])
    words = {name: told[name] for name in ("kind", "what", "cost", "unit")}
    return Attack(**words, bought=bought, works=any(one.median > A_POINT for one in bought))


def _bought(bases: Sequence[Mapping[str, Any]]) -> list[Bought]:
    return [
        Bought(
            base=base["base"],
            median=base["points"]["clout"]["median"],
            most=base["points"]["clout"]["most"],
            followers=base["points"]["followers"]["median"],
        )
        for base in bases
    ]


def _source(network: str, told: Mapping[str, Any]) -> Source:
    return Source(
        network=network,
        posts=told["posts"],
        accounts=told["accounts"],
        first=told.get("from") or None,
        last=told.get("through") or None,
    )
