"""Whose scores move: every account's score from several versions, at one moment and from the same data.

So all of a change is the model's part. An account's reasons are the means of its recent posts' reasons plus its track
record, turned into points along one secant, as a post's are; the change of its reasons adds up to its change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.data.history import History, load, read_tables
from clout.data.lake import Lake
from clout.features.account_posts import CHUNK, measured
from clout.features.catalogue import CONTRACT, WORDING
from clout.features.compute import Streams, prepare
from clout.features.contract import FeatureSpec
from clout.features.wording import Wording
from clout.models.account import BEYOND, AccountPosts, judge
from clout.models.score_model import ScoreModel
from clout.training.accounts import counted_posts, weigh

Floats = npt.NDArray[np.float64]
STEPS = (1, 5, 10)
MOVERS = 20
START = "starting_point"
START_LABEL = "the starting point"


@dataclass(frozen=True)
class Past:
    """What all versions judge from: the history of a lake, and the moment just after its newest post."""

    history: History
    streams: Streams
    at: datetime

    @classmethod
    def read(cls, lake: Lake, model: ScoreModel) -> Past | None:
        """The past of `lake` with the action values and horizon of `model`; None where it has no posts."""
        horizon = timedelta(days=model.data["horizon_days"])
        history = load(read_tables(lake), horizon, model.data["action_values"])
        newest = history.posts["at"].max()
        if not isinstance(newest, datetime):
            return None
        return cls(history, prepare(history), newest + timedelta(microseconds=1))


@dataclass(frozen=True)
class Voice:
    """A version as it judges: with its own words, trees, calibration and scale."""

    model: ScoreModel

    @cached_property
    def wording(self) -> Wording:
        """Its words; none where it was trained without texts."""
        path = self.model.wording_path
        return Wording.read(path) if path else Wording((), np.zeros(0), np.zeros(0))

    def matrix(self, frame: pl.DataFrame, texts: Sequence[str | None]) -> Floats:
        """Its columns of `frame`, every feature of posts with these texts, its own words' lift among them."""
        if WORDING.name in self.model.contract.names:
            frame = frame.with_columns(pl.Series(WORDING.name, self.wording.values(texts)))
        return self.model.contract.matrix(frame)


def not_comparable(models: Sequence[ScoreModel]) -> str | None:
    """Why the scores of these models cannot be compared, and what to do; None where they can."""
    first, *others = models
    for model in others:
        for name in ("action_values", "horizon_days"):
            if model.data[name] != first.data[name]:
                return (
                    f"{first.version} and {model.version} have other {name.replace('_', ' ')} "
                    f"({first.data[name]} and {model.data[name]}), so their scores mean other things; "
                    "expected the same: compare versions that were trained with the same"
                )
        if _other_scale(first, model):
            return (
                f"{first.version} and {model.version} have other scales ({first.scale_version} and "
                f"{model.scale_version}), so equal scores mean other things; expected the same frozen scale: "
                "compare versions of one CLOUT_HOME"
            )
    return next((words for model in models if (words := _not_measured(model))), None)


def _other_scale(first: ScoreModel, other: ScoreModel) -> bool:
    curves = first.scale.curves, other.scale.curves
    shared = set(curves[0]) & set(curves[1])
    return (
        first.scale_version != other.scale_version
        or not shared
        or any(curves[0][network] != curves[1][network] for network in shared)
    )


def _not_measured(model: ScoreModel) -> str | None:
    known = {(spec.name, spec.unit, spec.direction) for spec in CONTRACT.features}
    missing = [f.name for f in model.contract.features if (f.name, f.unit, f.direction) not in known]
    if not missing:
        return None
    return (
        f"{model.version} was trained on features that this version of clout does not measure ({', '.join(missing[:5])}); "
        "expected only such as it does: train again, or compare with the version of clout that trained it"
    )


def account_scores(past: Past, voices: Sequence[Voice]) -> list[pl.DataFrame]:
    """For each voice the rows of `accounts.account_margins` at the moment of `past`, plus `score`.

    Only accounts whose network all voices have a curve for. Features are measured once for all voices.
    """
    networks = set.intersection(*(set(voice.model.networks) for voice in voices))
    posts = counted_posts(past.history, past.at).filter(pl.col("network").is_in(sorted(networks)))
    parts: list[list[Floats]] = [[] for _ in voices]
    for part in posts.iter_slices(CHUNK):
        frame, texts = _measured(part, past), part["text"].to_list()
        for voice, margins in zip(voices, parts, strict=True):
            margins.append(voice.model.main(voice.matrix(frame, texts)))
    return [
        _scored(voice, weigh(posts, np.concatenate([np.empty(0), *margins]), voice.model.account))
        for voice, margins in zip(voices, parts, strict=True)
    ]


def _measured(posts: pl.DataFrame, past: Past) -> pl.DataFrame:
    return pl.concat(measured(posts, past.streams, None, past.at))


def _scored(voice: Voice, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(score=voice.model.score_margins(rows["margin"].to_numpy(), rows["network"].to_list()))


def account_points(past: Past, voice: Voice, scored: pl.DataFrame) -> list[dict[str, float]]:
    """For each row of `scored` (some rows of `account_scores` of this voice) the points that add up to its score.

    The starting point first, then each feature by name, then the track record beyond the model.
    """
    wanted = scored["account"].to_list()
    posts = counted_posts(past.history, past.at).filter(pl.col("account").is_in(wanted))
    told = judge(
        voice.model, AccountPosts.of(posts), voice.matrix(_measured(posts, past), posts["text"].to_list())
    ).explanation
    places = {account: place for place, account in enumerate(posts["account"].unique(maintain_order=True))}
    rows = np.column_stack([told.base_score, told.points])[[places[account] for account in wanted]]
    return [dict(zip((START, *told.names), map(float, row), strict=True)) for row in rows]


def moves(past: Past, models: Mapping[str, ScoreModel], step: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """How the scores of all accounts move from the first of `models` to each other, and why those that move most do.

    `at`, `accounts`, `networks`, then under `to` by version: figures of |change|, shares, bands, movers.
    """
    voices = [Voice(model) for model in models.values()]
    step("scoring every account")
    scored = account_scores(past, voices)
    told: dict[str, Any] = {"at": past.at.isoformat().replace("+00:00", "Z"), "accounts": scored[0].height}
    told |= {"reason": None, "networks": sorted(scored[0]["network"].unique()), "to": {}}
    if scored[0].is_empty():
        return told | {"reason": NOBODY}
    step("explaining those that move most")
    for version, voice, rows in zip(models, voices, scored, strict=True):
        if voice is not voices[0]:
            change = (rows["score"] - scored[0]["score"]).to_numpy()
            told["to"][version] = {
                **summary(change),
                "bands": bands(scored[0]["score"].to_numpy(), change),
                "movers": _movers(past, (voices[0], voice), (scored[0], rows), change),
            }
    return told


NOBODY = (
    "no account of a network that all versions know has a post in the 90 days before the newest; "
    "expected some: give the lake the models were trained on with --lake"
)


def summary(change: Floats) -> dict[str, Any]:
    """Median, 95th and 99th percentile and most of |change|, the median change, and shares that rose or fell by more."""
    size = np.abs(change)
    told: dict[str, Any] = {"median": float(np.median(size)), "most": float(size.max())}
    told |= {f"p{level}": float(np.quantile(size, level / 100)) for level in (95, 99)}
    told["median_change"] = float(np.median(change))
    told["beyond"] = {
        str(step): {"rose": float((change > step).mean()), "fell": float((change < -step).mean())} for step in STEPS
    }
    return told


def bands(before: Floats, change: Floats) -> list[dict[str, Any]]:
    """The change by ten points of the score before: accounts, and the 5, 25, 50, 75 and 95 % marks of the change."""
    told = []
    for low in range(0, 100, 10):
        mine = change[(before >= low) & (before < low + 10)]
        if len(mine):
            marks = {f"p{mark}": float(np.quantile(mine, mark / 100)) for mark in (5, 25, 50, 75, 95)}
            told.append({"from": low, "to": low + 10, "accounts": len(mine), **marks})
    return told


def _movers(
    past: Past, voices: tuple[Voice, Voice], scored: tuple[pl.DataFrame, pl.DataFrame], change: Floats
) -> list[dict[str, Any]]:
    order = np.argsort(-np.abs(change), kind="stable")[:MOVERS]
    chosen = [rows[order.tolist()] for rows in scored]
    points = [account_points(past, voice, rows) for voice, rows in zip(voices, chosen, strict=True)]
    handles = dict(past.history.accounts.select("account", "handle").iter_rows())
    specs = {spec.name: spec for voice in voices for spec in (*voice.model.contract.features, BEYOND)}
    told: list[dict[str, Any]] = []
    for row, before, after in zip(chosen[0].iter_rows(named=True), *points, strict=True):
        scores = (row["score"], chosen[1]["score"][len(told)])
        told.append(
            {
                "account": row["account"],
                "network": row["network"],
                "handle": handles.get(row["account"]),
                "posts": row["posts"],
                "score": list(scores),
                **because(before, after, specs),
            }
        )
    return told


def because(
    before: Mapping[str, float], after: Mapping[str, float], specs: Mapping[str, FeatureSpec]
) -> dict[str, Any]:
    """The change between two breakdowns of one account's score: reasons by size, groups, and both in words.

    `change` is the sum of the reasons' points, and of the groups'.
    """
    points = {code: after.get(code, 0.0) - before.get(code, 0.0) for code in {**before, **after}}
    groups: dict[str, float] = {}
    reasons = []
    for code in sorted(points, key=lambda code: -abs(points[code])):
        group, label = (START, START_LABEL) if code == START else (specs[code].group, specs[code].label)
        groups[group] = groups.get(group, 0.0) + points[code]
        if points[code]:
            reasons.append({"code": code, "label": label, "group": group, "points": points[code]})
    change = sum(points.values())
    return {"change": change, "groups": groups, "reasons": reasons, "words": words(change, reasons)}


def words(change: float, reasons: Sequence[Mapping[str, Any]], most: int = 4) -> str:
    """The change told as the model's part; the parts add up as printed.

    >>> words(-4.14, [{"label": "choice of words", "points": -3.02}, {"label": "usual reactions", "points": -1.12}])
    'model part −4.1: choice of words −3.0, usual reactions −1.1'
    """
    shown = [(reason["label"], round(10 * reason["points"])) for reason in reasons[:most]]
    shown = [(label, tenths) for label, tenths in shown if tenths]
    rest = round(10 * change) - sum(tenths for _, tenths in shown)
    parts = [f"{label} {_signed(tenths)}" for label, tenths in [*shown, *([("all else", rest)] if rest else [])]]
    return f"model part {_signed(round(10 * change))}" + (f": {', '.join(parts)}" if parts else "")


def _signed(tenths: int) -> str:
    return f"{'−' if tenths < 0 else '+' if tenths else ''}{abs(tenths) / 10:.1f}"
