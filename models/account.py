"""The account score: what an account's recent posts would drive now, set right by its track record.

margin of the account = Σ wₚ·mₚ + Σ (yₚ − mₚ) / (n + k). mₚ is the margin of a post judged with what is known now, wₚ its
weight in the window (halved every `half_life_days`, they add up to 1), yₚ the log1p outcome of each of the n posts of
`record_days` that is known, and k, `prior_posts`, how many posts the model's word is worth. Everything adds up, so the
reasons of an account are the weighted means of its posts' reasons and one more, its track record beyond the model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from clout.features.contract import Contract, FeatureSpec
from clout.models.explain import Explanation

if TYPE_CHECKING:
    import polars as pl

    from clout.models.score_model import ScoreModel

Floats = npt.NDArray[np.float64]
Owners = npt.NDArray[np.intp]
BEYOND = FeatureSpec(
    name="outcome_beyond_model_365d",
    group="track_record",
    unit="times what was expected",
    direction=1,
    actionable=False,
    label="results beyond what was expected",
    helping="Your posts of the last year drew {value}. That speaks for you.",
    holding_back="Your posts of the last year drew {value}. That speaks against you.",
    advice="",
    missing="no earlier post has a known result",
)
MORE_POSTS = (
    "{more} more post with a known result ({posts} of {least} so far)",
    "{more} more posts with a known result ({posts} of {least} so far)",
)
MORE_WEEKS = ("{weeks} more week", "{weeks} more weeks")
NO_POST = "a post in the last {days} days"
BOTH = "{first}, and {second}"


@dataclass(frozen=True)
class AccountRule:
    """How posts become an account's score, and how sure that is; `account.json` of a bundle.

    `low` and `high` are offsets on the margin's scale, one for each group of accounts by posts with a known outcome
    (`edges`, and a first group for fewer than the first edge): the mean log1p outcome of an account's next posts lies
    between margin + low and margin + high for `level` of the accounts.
    """

    window_days: float = 90.0
    half_life_days: float = 45.0
    record_days: float = 365.0
    prior_posts: float = 5.0
    min_posts: int = 10
    min_days: float = 28.0
    level: float = 0.9
    edges: tuple[float, ...] = ()
    low: tuple[float, ...] = (0.0,)
    high: tuple[float, ...] = (0.0,)
    learned_from: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> AccountRule:
        """The rule a `to_json` record describes."""
        tuples = {name: tuple(map(float, record[name])) for name in ("edges", "low", "high")}
        return cls(**{**record, **tuples})

    def to_json(self) -> dict[str, Any]:
        """The rule as plain values."""
        return asdict(self)

    @property
    def windows(self) -> tuple[timedelta, timedelta]:
        """How far back posts are judged, and how far back a track record goes."""
        return timedelta(days=self.window_days), timedelta(days=self.record_days)

    def offsets(self, ripe: Floats) -> tuple[Floats, Floats]:
        """The ends of the interval beside the margin, for accounts with so many posts of known outcome."""
        group = np.searchsorted(np.asarray(self.edges), ripe, side="right")
        return np.asarray(self.low)[group], np.asarray(self.high)[group]

    def lacks(self, recent: int, ripe: int, days: float) -> str | None:
        """What is missing before an account can be scored, in words; None when nothing is.

        >>> AccountRule().lacks(recent=3, ripe=3, days=15.0)
        '7 more posts with a known result (3 of 10 so far), and 2 more weeks'
        >>> AccountRule().lacks(recent=0, ripe=40, days=300.0)
        'a post in the last 90 days'
        """
        missing = []
        if ripe < self.min_posts:
            more = self.min_posts - ripe
            missing.append(MORE_POSTS[more > 1].format(more=more, posts=ripe, least=self.min_posts))
        if days < self.min_days:
            weeks = math.ceil((self.min_days - days) / 7)
            missing.append(MORE_WEEKS[weeks > 1].format(weeks=weeks))
        if recent == 0:
            missing.append(NO_POST.format(days=f"{self.window_days:.0f}"))
        return reduce(lambda first, second: BOTH.format(first=first, second=second), missing) if missing else None


@dataclass(frozen=True)
class AccountPosts:
    """The posts of some accounts: `owner` is the place of each post's account in `networks`, which has one an account.

    `age_days` (posts,) is how long ago each was published; `log_outcome` (posts,) its log1p outcome, NaN while it is
    not known.
    """

    networks: Sequence[str]
    owner: Owners
    age_days: Floats
    log_outcome: Floats

    @classmethod
    def of(cls, posts: pl.DataFrame) -> AccountPosts:
        """The posts of a frame with account, network, age_days and log, each account's together; null is not known."""
        return cls(
            posts.filter(posts["account"].is_first_distinct())["network"].to_list(),
            posts["account"].rle_id().to_numpy().astype(np.intp),
            posts["age_days"].to_numpy(),
            posts["log"].cast(float).fill_null(np.nan).to_numpy(),
        )


@dataclass(frozen=True)
class Folded:
    """What posts add up to: arrays of one value an account, and `weight` and `record` of one value a post.

    `recent` counts posts of the window, `ripe` posts with a known outcome, `days` is the age of the oldest post that
    counts. `expected` + `track_record` = `margin`, NaN without a recent post. `weight` adds up to 1 over an account's
    posts, `record` to its track record.
    """

    recent: Floats
    ripe: Floats
    days: Floats
    expected: Floats
    track_record: Floats
    margin: Floats
    weight: Floats
    record: Floats


def decay(rule: AccountRule, age_days: Floats) -> Floats:
    """The weight of posts of each age, before they are made to add up to 1; 0 outside the window."""
    return np.where(age_days < rule.window_days, 0.5 ** (age_days / rule.half_life_days), 0.0)


def fold(rule: AccountRule, posts: AccountPosts, margin: Floats) -> Folded:
    """What the margins of `posts` (posts,) add up to for each account."""
    count, owner = len(posts.networks), posts.owner

    def summed(values: Floats) -> Floats:
        return np.bincount(owner, values, minlength=count).astype(np.float64)

    decayed = decay(rule, posts.age_days)
    known = ~np.isnan(posts.log_outcome) & (posts.age_days < rule.record_days)
    total, ripe = summed(decayed), summed(known.astype(np.float64))
    weight = decayed / np.where(total > 0, total, np.nan)[owner]
    record = np.where(known, posts.log_outcome - margin, 0.0) / (ripe + rule.prior_posts)[owner]
    expected = np.where(total > 0, summed(np.nan_to_num(weight) * margin), np.nan)
    track_record = summed(record)
    days = np.zeros(count)
    np.maximum.at(days, owner, posts.age_days)
    recent = summed((decayed > 0).astype(np.float64))
    return Folded(recent, ripe, days, expected, track_record, expected + track_record, np.nan_to_num(weight), record)


@dataclass(frozen=True)
class AccountScores:
    """Scores of some accounts with their reasons; arrays of one value an account unless said otherwise.

    `score`, `low` and `high` are NaN where `lacks` says what is missing. `expected`, with its ends, is the number of
    actions a typical post of the account is expected to drive. `explanation` has the features of the model and the
    track record beyond it; its values are the weighted means over the posts. `post_margin` and `carried` are of one
    value a post: what the model says of it now, and its points; they add up to what lies above the base score.
    """

    folded: Folded
    lacks: tuple[str | None, ...]
    score: Floats
    low: Floats
    high: Floats
    expected: Floats
    expected_low: Floats
    expected_high: Floats
    explanation: Explanation
    post_margin: Floats
    carried: Floats


def contract_of(contract: Contract) -> Contract:
    """The reasons of account scores: the features of a model and the track record beyond it."""
    return Contract(features=(*contract.features, BEYOND))


def judge(model: ScoreModel, posts: AccountPosts, matrix: Floats) -> AccountScores:
    """The scores of the accounts of `posts`, whose features are `matrix` (posts, features), missing as NaN."""
    rule = model.account
    judged = decay(rule, posts.age_days) > 0
    phi, base = model.contributions(matrix[judged])
    margin = np.empty(len(matrix))
    margin[judged], margin[~judged] = phi.sum(axis=1) + base, model.main(matrix[~judged])
    folded = fold(rule, posts, margin)
    explanation = _explain(model, posts, folded, judged, phi, matrix[judged])
    lacks = tuple(
        rule.lacks(int(recent), int(ripe), float(days))
        for recent, ripe, days in zip(folded.recent, folded.ripe, folded.days, strict=True)
    )
    enough = np.array([missing is None for missing in lacks], dtype=bool)
    low, high = rule.offsets(folded.ripe)
    margins = np.stack([folded.margin, folded.margin + np.minimum(low, 0), folded.margin + np.maximum(high, 0)])
    margins = np.where(enough, margins, np.nan)
    score, score_low, score_high = model.score_margins(margins, posts.networks)
    expected, expected_low, expected_high = model.expected_of(margins)
    base_margin = explanation.base_margin[posts.owner]
    moved = folded.weight * (margin - base_margin) + folded.record
    return AccountScores(
        folded,
        lacks,
        *(score, score_low, score_high),
        *(expected, expected_low, expected_high),
        explanation,
        margin,
        moved * explanation.rate[posts.owner],
    )


def _explain(
    model: ScoreModel, posts: AccountPosts, folded: Folded, judged: npt.NDArray[np.bool_], phi: Floats, values: Floats
) -> Explanation:
    """The reasons of accounts: weighted means of the reasons of their judged posts, and the track record."""
    weight, owner = folded.weight[judged], posts.owner[judged]
    mean = csr_array((weight, (owner, np.arange(len(owner)))), shape=(len(posts.networks), len(owner)))
    known = ~np.isnan(values)
    total, seen = mean @ np.where(known, values, 0.0), mean @ known.astype(np.float64)
    typical = np.divide(total, seen, out=np.full_like(total, np.nan), where=seen > 0)
    factor = np.where(folded.ripe > 0, folded.track_record, np.nan)
    return model.explain_margins(
        folded.margin,
        np.column_stack([mean @ phi, folded.track_record]),
        np.column_stack([typical, factor]),
        posts.networks,
        contract_of(model.contract),
    )
