"""Scoring every account at a moment: batch after batch into the store, begun again where it was broken off."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from clout.data.coverage import Tables, coverage
from clout.data.lake import Lake
from clout.errors import CloutError
from clout.features.account_posts import AccountsAt, measured
from clout.features.compute import Streams
from clout.features.wording import Wording
from clout.models import account
from clout.models.account import AccountPosts, AccountScores
from clout.models.score_model import ScoreModel
from clout.serving.accounts.findings import findings
from clout.serving.accounts.recourse import Adviser
from clout.serving.accounts.usual import usual
from clout.serving.store.rows import Judge, Record, Run
from clout.serving.store.scores import Store

if TYPE_CHECKING:
    import polars as pl

Progress = Callable[[str, float], None]
BATCH = 5_000
CARRIED = 10
EXCERPT = 140
DIGITS = 6
SIZES = (
    (1_000, "under 1,000 followers"),
    (10_000, "1,000 to 9,999 followers"),
    (100_000, "10,000 to 99,999 followers"),
)
LARGEST = "100,000 followers or more"


class BatchError(CloutError):
    """Accounts cannot be scored as asked."""

    code = "account_batch"


@dataclass(frozen=True)
class Scored:
    """What a batch did: the moment, the model, accounts with and without a score, and how many were new this time."""

    as_of: datetime
    model_version: str
    scale_version: str
    accounts: int
    scored: int
    new: int


def moment_of(
    tables: Tables, networks: Collection[str], store: Store, asked: datetime | None, now: datetime
) -> datetime:
    """The moment to score at: as asked, else that of the day's run, else now.

    Where all that is known of the `networks` ends before now, its last day ends the wait: the midnight (UTC) after it. A day is scored once,
    so a second run of a day goes on with the first; where the clock or the end of the data went back, with the newest.
    """
    ends = [through for network, through in coverage(tables).through.iter_rows() if network in networks]
    if not ends:
        raise BatchError(
            f"the lake has no posts of {', '.join(networks)}; expected some to score accounts by: ingest them first"
        )
    through = max(ends)
    moment = min(now, datetime.combine(through.date() + timedelta(days=1), time(), UTC))
    if asked is not None:
        _refuse_unfit(asked, moment, store)
        return asked
    day = datetime.combine(moment.date(), time(), UTC)
    newest = store.newest_run()
    chosen = store.moment_between(day, day + timedelta(days=1)) or moment
    return chosen if newest is None else max(chosen, newest.as_of)


def _refuse_unfit(asked: datetime, last: datetime, store: Store) -> None:
    """Nothing; raises `BatchError` for a moment beyond what is known, or before one that was told already."""
    if asked > last:
        raise BatchError(
            f"got {asked.isoformat()}, but nothing is known from {last.isoformat()} on; expected that moment at most"
        )
    newest = store.newest_run()
    if newest is not None and asked < newest.as_of and store.run_at(asked) is None:
        raise BatchError(
            f"got {asked.isoformat()}, but scores were told as of {newest.as_of.isoformat()}; expected a later moment: what "
            "was told, and how it changed, is never rewritten"
        )


def told_before(store: Store, at: datetime, model: ScoreModel) -> Scored | None:
    """What another model told of a moment, which stays as it is; None where this one may score."""
    run = store.run_at(at)
    if run is None or run.finished_at is None or run.model_version == model.version:
        return None
    scored = sum(len(store.scores_at(at, network)) for network in model.networks)
    return Scored(at, run.model_version, run.scale_version, run.accounts or 0, scored, 0)


@dataclass(frozen=True)
class Judgement:
    """A model with the words it was taught, as it judges accounts."""

    model: ScoreModel
    wording: Wording | None

    @classmethod
    def of(cls, model: ScoreModel) -> Judgement:
        """The judgement of a bundle."""
        return cls(model, None if model.wording_path is None else Wording.read(model.wording_path))

    def matrix(self, posts: pl.DataFrame, streams: Streams, at: datetime) -> npt.NDArray[np.float64]:
        """The features of `posts`, as `counted_posts` gives them, (posts, features)."""
        frames = list(measured(posts, streams, self.wording, at))
        empty = np.empty((0, len(self.model.contract.names)))
        return np.concatenate([empty, *(self.model.contract.matrix(frame) for frame in frames)])

    def scores(self, posts: pl.DataFrame, matrix: npt.NDArray[np.float64]) -> AccountScores:
        """The scores of the accounts of `posts`, whose features are `matrix`."""
        return account.judge(self.model, AccountPosts.of(posts), matrix)

    def remembered(self) -> Judge:
        """What the store keeps of the model."""
        files = (self.model.bundle.text(f"{name}.json") for name in ("contract", "quantiles"))
        return Judge(self.model.version, self.model.scale_version, *files)


def score_all(
    past: AccountsAt,
    judges: Sequence[Judgement],
    store: Store,
    lake: Lake,
    clock: Callable[[], datetime],
    progress: Progress = lambda _, __: None,
) -> Scored:
    """What was scored, once every account of `past` has its score in the store, by the first of `judges`.

    Accounts that have one are left as they are, so a run that was broken off goes on where it was. A second judge is the
    champion of the run before: it judges the same, so that a change can be told apart. Whoever is forgotten in `lake`
    meanwhile is so in the store too.
    """
    model = judges[0].model
    for judge in judges:
        store.remember(judge.remembered())
    run = store.begin(Run(past.at, model.version, model.scale_version, lake.fingerprint(), clock()))
    done = store.written(past.at, model.version)
    todo = past.accounts.filter(~past.accounts["account"].is_in(list(done)))
    adviser = None if todo.is_empty() else adviser_of(judges[0], past)
    new = 0
    for part in todo.iter_slices(BATCH):
        progress(f"scoring {todo.height:,} accounts", new / todo.height)
        told = [records(past, judges[0], part, adviser), *(records(past, judge, part, None) for judge in judges[1:])]
        store.write(run, [record for records_ in told for record in records_])
        for name in part["account"].filter(lake.tombstones().accounts_in(part["account"])):
            store.forget(name)
        new += part.height
    store.keep_usual(run, usual(store, run))
    store.finish(run, clock())
    scored = sum(len(store.scores_at(past.at, network)) for network in model.networks)
    return Scored(past.at, model.version, model.scale_version, past.accounts.height, scored, new)


def adviser_of(judge: Judgement, past: AccountsAt) -> Adviser:
    """What all accounts of `past` say of the steps that any of them could take, as a judge sees it."""
    sizes = {
        name: size_group(followers) for name, followers in past.accounts.select("account", "followers").iter_rows()
    }
    return Adviser.of(judge.model, judge.wording, past, sizes)


def records(past: AccountsAt, judge: Judgement, accounts: pl.DataFrame, adviser: Adviser | None) -> list[Record]:
    """The record of each of `accounts`, rows of `past.accounts`, as one judge tells it; a bridge without an adviser."""
    posts = past.posts.filter(past.posts["account"].is_in(accounts["account"].to_list()))
    matrix = judge.matrix(posts, past.streams.among(accounts["account"].to_list()), past.at)
    scores = judge.scores(posts, matrix)
    names = posts["account"].unique(maintain_order=True).to_list()
    scored = [name for name, lacks in zip(names, scores.lacks, strict=True) if lacks is None]
    advice = {} if adviser is None else adviser.advice(posts, matrix, scores, scored)
    ends = [0, *np.cumsum(posts.group_by("account", maintain_order=True).len()["len"]).tolist()]
    of = {name: (place, posts[ends[place] : ends[place + 1]], ends[place]) for place, name in enumerate(names)}
    told = []
    for row in accounts.iter_rows(named=True):
        found = of.get(row["account"])
        detail = _nothing(judge.model) if found is None else _detail(scores, *found)
        if row["account"] in advice:
            detail["recourse"] = [asdict(step) for step in advice[row["account"]]]
        place = None if found is None or scores.lacks[found[0]] else found[0]
        score, low, high = (
            None if place is None else float(values[place]) for values in (scores.score, scores.low, scores.high)
        )
        told.append(
            Record(
                account=row["account"],
                network=row["network"],
                handle=row["handle"],
                as_of=past.at,
                model_version=judge.model.version,
                scale_version=judge.model.scale_version,
                score=score,
                low=low,
                high=high,
                size_group=None if score is None else size_group(row["followers"]),
                detail=detail | {"followers": row["followers"], "level": judge.model.account.level},
                bridge=adviser is None,
            )
        )
    return told


def size_group(followers: int | None) -> str | None:
    """The accounts that one of this size is put beside; None where its followers are not known.

    >>> size_group(999), size_group(100_000)
    ('under 1,000 followers', '100,000 followers or more')
    """
    if followers is None:
        return None
    return next((words for below, words in SIZES if followers < below), LARGEST)


def _nothing(model: ScoreModel) -> dict[str, Any]:
    return {"evidence": _evidence(0, 0, 0.0, model.account.lacks(0, 0, 0.0))}


def _evidence(recent: int, ripe: int, days: float, lacks: str | None) -> dict[str, Any]:
    return {"posts": recent, "ripe_posts": ripe, "days": days, "lacks": lacks}


def _detail(scores: AccountScores, place: int, posts: pl.DataFrame, first: int) -> dict[str, Any]:
    """What is told of the account at a place beside its score: evidence, reasons, and the posts that carried most."""
    folded, why = scores.folded, scores.explanation
    lacks = scores.lacks[place]
    evidence = _evidence(int(folded.recent[place]), int(folded.ripe[place]), float(folded.days[place]), lacks)
    if lacks:
        return {"evidence": evidence}
    ends = {"value": scores.expected, "low": scores.expected_low, "high": scores.expected_high}
    values = dict(zip(why.names, map(_known, why.values[place].tolist()), strict=True))
    return {
        "evidence": evidence,
        "findings": findings(values, why.quantiles),
        "expected": {name: float(values[place]) for name, values in ends.items()},
        "margin": float(folded.margin[place]),
        "track_record": float(folded.track_record[place]),
        "base_score": float(why.base_score[place]),
        "values": values,
        "points": dict(zip(why.names, why.points[place].tolist(), strict=True)),
        "carried": _carried(scores, posts, first),
    }


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def _carried(scores: AccountScores, posts: pl.DataFrame, first: int) -> list[dict[str, Any]]:
    """The posts that carried most, first those with most points either way."""
    points = scores.carried[first : first + posts.height]
    order = np.argsort(-np.abs(points), kind="stable")[:CARRIED]
    rows = posts[order.tolist()].select("post", "happened_at", "text", "log").iter_rows(named=True)
    expected = np.expm1(np.maximum(scores.post_margin[first : first + posts.height], 0))
    return [
        {
            "post": row["post"],
            "happened_at": row["happened_at"].isoformat(),
            "text": (row["text"] or "")[:EXCERPT],
            "points": float(points[at]),
            "usually": float(expected[at]),
            "actions": None if row["log"] is None else round(float(np.expm1(row["log"])), DIGITS),
        }
        for at, row in zip(order.tolist(), rows, strict=True)
    ]
