"""What would raise the scores of accounts: every step tried on a sample of their posts, and kept as plain values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from clout.features.account_posts import AccountsAt, measured
from clout.features.changed_posts import Measured, as_published, change, level, levels, sample, sides
from clout.features.compute import Streams
from clout.features.steps import STEPS, Step
from clout.features.wording import Wording
from clout.models.account import AccountScores, decay
from clout.models.explain import Quantiles
from clout.models.recourse import (
    Bounds,
    Contrasts,
    Pooled,
    Suggestion,
    Tried,
    admissible,
    choose,
    contrasts,
    pooled,
    promising,
    suggestions,
    worth,
)
from clout.models.score_model import ScoreModel

if TYPE_CHECKING:
    import polars as pl

Floats = npt.NDArray[np.float64]
MOST_POSTS, MOST_WITNESSES = 12, 2_000
FIRST_LOOK = 3


@dataclass(frozen=True)
class Sampled:
    """Sampled posts of accounts, with features and the model's margin; `owner` is the place of each post's account.

    `weight` adds up to 1 over an account's posts; `log` is the log1p outcome, NaN while it is not known.
    """

    posts: pl.DataFrame
    accounts: list[str]
    owner: npt.NDArray[np.intp]
    weight: Floats
    matrix: Floats
    margin: Floats
    log: Floats
    streams: Streams

    @classmethod
    def of(cls, model: ScoreModel, posts: pl.DataFrame, matrix: Floats, margin: Floats, streams: Streams) -> Sampled:
        """Posts as `sample` gives them, with their features and margins, and the past of their accounts."""
        accounts = posts["account"].unique(maintain_order=True).to_list()
        owner = posts["account"].rle_id().to_numpy().astype(np.intp)
        weight = decay(model.account, posts["age_days"].to_numpy())
        total = np.bincount(owner, weight, minlength=len(accounts))
        log = posts["log"].cast(float).fill_null(np.nan).to_numpy()
        return cls(posts, accounts, owner, weight / total[owner], matrix, margin, log, streams)

    def where(self, model: ScoreModel, kept: npt.NDArray[np.bool_]) -> Sampled:
        """Some of the posts, and their accounts."""
        return Sampled.of(model, self.posts.filter(kept), self.matrix[kept], self.margin[kept], self.streams)

    @property
    def networks(self) -> list[str]:
        """The network of each account."""
        return [_network(account) for account in self.accounts]

    def before(self, model: ScoreModel, step: Step) -> Sampled:
        """The same posts as a step finds them: with what was known before each, where it is about that."""
        if not step.looked_up:
            return self
        told = as_published(self.posts, step, self.streams)
        matrix = _replaced(model, self.matrix, told)
        return replace(self, matrix=matrix, margin=model.main(matrix))

    def contrasts(self, step: Step) -> Contrasts:
        """What posts drew beyond the model's word: those as the step would have them against those it would change."""
        before, after = sides(self.posts, step)
        return contrasts(self.owner, self.log - self.margin, before, after, len(self.accounts))


@dataclass(frozen=True)
class Adviser:
    """What is known of all accounts before the steps of any are looked for, so that no batch of them changes another.

    `sizes` are the size groups of accounts, `evidence` is what the posts of each network say of each of the steps.
    """

    model: ScoreModel
    wording: Wording | None
    past: AccountsAt
    sizes: Mapping[str, str | None]
    steps: tuple[Step, ...]
    bounds: Bounds
    evidence: Mapping[str, Sequence[Pooled]]
    quantiles: Quantiles

    @classmethod
    def of(
        cls, model: ScoreModel, wording: Wording | None, past: AccountsAt, sizes: Mapping[str, str | None]
    ) -> Adviser:
        """What the posts of all accounts with enough of them say; of each network many, but not all, are witnesses."""
        actionable = {spec.name for spec in model.contract.features if spec.actionable}
        steps = tuple(step for step in STEPS if step.feature in actionable)
        rule = model.account
        posts = sample(past.posts, past.streams, rule.window_days, MOST_POSTS, min(rule.min_posts, MOST_POSTS))
        accounts, stand = levels(posts, steps)
        networks = [_network(account) for account in accounts]
        bounds = Bounds.of(networks, [sizes[account] for account in accounts], stand)
        spoken = posts.filter(posts["account"].is_in(_witnesses(accounts)))
        matrix = _measured(model, wording, spoken, past)
        sampled = Sampled.of(model, spoken, matrix, model.main(matrix), past.streams)
        evidence, quantiles = _evidence(model, steps, sampled), model.bundle.json("quantiles.json")
        return cls(model, wording, past, sizes, steps, bounds, evidence, quantiles)

    def advice(
        self, posts: pl.DataFrame, matrix: Floats, scores: AccountScores, accounts: Collection[str]
    ) -> dict[str, list[Suggestion]]:
        """The steps of those of the accounts of `posts` that are named, by account; `matrix` are the posts' features."""
        sampled = self.sampled(posts, matrix, scores, accounts)
        every = posts["account"].unique(maintain_order=True).to_list()
        margins = dict(zip(every, scores.folded.margin.tolist(), strict=True))
        found: dict[str, list[Suggestion]] = {account: [] for account in sampled.accounts}
        for step in self.steps:
            for account, one in self.suggested(step, sampled, margins).items():
                found[account].append(one)
        return {account: choose(steps) for account, steps in found.items()}

    def sampled(self, posts: pl.DataFrame, matrix: Floats, scores: AccountScores, accounts: Collection[str]) -> Sampled:
        """The posts that steps are tried on, of those of the accounts of `posts` that are named."""
        streams = self.past.streams.among(list(accounts))
        chosen = sample(posts, streams, self.model.account.window_days, MOST_POSTS)
        chosen = chosen.filter(chosen["account"].is_in(list(accounts)))
        rows = chosen["row"].to_numpy()
        return Sampled.of(self.model, chosen, matrix[rows], scores.post_margin[rows], streams)

    def suggested(self, step: Step, sampled: Sampled, margins: Mapping[str, float]) -> dict[str, Suggestion]:
        """A step for the accounts that may find it worth doing after a first look at a few of their posts."""
        sampled = sampled.where(self.model, self._room(step, sampled)[sampled.owner])
        few = sampled.where(self.model, _every(FIRST_LOOK, sampled.owner))
        tried = self.tried(step, few)
        if tried is None:
            return {}
        hopeful = promising(tried, few.owner, few.weight, self._margins(few, margins), self._score(few))
        return self.worth(step, sampled.where(self.model, hopeful[sampled.owner]), margins)

    def worth(self, step: Step, sampled: Sampled, margins: Mapping[str, float]) -> dict[str, Suggestion]:
        """What a step is worth to each account that it changes anything for; `margins` are those of accounts."""
        tried = self.tried(step, sampled)
        if tried is None:
            return {}
        told = worth(tried, sampled.owner, sampled.weight, self._margins(sampled, margins), self._score(sampled))
        return {sampled.accounts[place]: one for place, one in suggestions(told, sampled.owner).items()}

    def _margins(self, sampled: Sampled, margins: Mapping[str, float]) -> Floats:
        return np.array([margins[account] for account in sampled.accounts], dtype=np.float64)

    def _score(self, sampled: Sampled) -> Callable[[Floats], Floats]:
        return lambda margin: self.model.score_margins(margin, sampled.networks)

    def _room(self, step: Step, sampled: Sampled) -> npt.NDArray[np.bool_]:
        """Which accounts might go further with a step, as similar accounts do, where posts say what comes of it."""
        number = self.steps.index(step)
        low, high = np.array([self._bounds(account, number) for account in sampled.accounts]).reshape(-1, 2).T
        now = _stand(sampled, level(sampled.posts, step))
        known = np.array(
            [not np.isnan(self.evidence[network][number].mean) for network in sampled.networks], dtype=bool
        )
        return known & ((high > now) if step.rises else (low < now))

    def tried(self, step: Step, sampled: Sampled) -> Tried | None:
        """A step as it changes the posts; None where it changes nothing that it may."""
        if not len(sampled.owner):
            return None
        before = sampled.before(self.model, step)
        made = change(sampled.posts, step, sampled.streams, self.wording, self.past.at)
        after = _replaced(self.model, before.matrix[made.rows], made)
        fits = self._admissible(step, before.matrix[made.rows], after, made)
        rows = made.rows[fits]
        if not len(rows):
            return None
        number = self.steps.index(step)
        now = level(sampled.posts, step)
        full = now.copy()
        full[rows] = level(made.posts, step)[fits]
        low, high = np.array([self._bounds(account, number) for account in sampled.accounts]).T
        return Tried(
            code=step.code,
            feature=step.feature,
            to=step.to,
            rows=rows,
            gain=self.model.main(after[fits]) - before.margin[rows],
            now=_stand(sampled, now),
            full=_stand(sampled, full),
            low=low,
            high=high,
            own=before.contrasts(step),
            pooled=[self.evidence[network][number] for network in sampled.networks],
        )

    def _admissible(self, step: Step, before: Floats, after: Floats, made: Measured) -> npt.NDArray[np.bool_]:
        contract, quantiles = self.model.contract, self.quantiles
        moved = [contract.names.index(name) for name in made.names if name in contract.names]
        names = [contract.names[column] for column in moved]
        return admissible(before[:, moved], after[:, moved], names, step.feature, contract, quantiles)

    def _bounds(self, account: str, number: int) -> tuple[float, float]:
        ends = self.bounds.among(_network(account), self.sizes[account])
        return (np.nan, np.nan) if ends is None else (ends[0][number], ends[1][number])


def _network(account: str) -> str:
    return account.split("/", 1)[0]


def _witnesses(accounts: Sequence[str]) -> list[str]:
    """At most so many accounts of each network, evenly from those given."""
    of: dict[str, list[str]] = defaultdict(list)
    for account in accounts:
        of[_network(account)].append(account)
    return [name for names in of.values() for name in _evenly(names, min(len(names), MOST_WITNESSES))]


def _evenly(names: Sequence[str], most: int) -> list[str]:
    return [names[place * len(names) // most] for place in range(most)]


def _measured(model: ScoreModel, wording: Wording | None, posts: pl.DataFrame, past: AccountsAt) -> Floats:
    """The features of posts as `sample` gives them, (posts, features)."""
    frames = [model.contract.matrix(frame) for frame in measured(posts, past.streams, wording, past.at)]
    return np.concatenate([np.empty((0, len(model.contract.names))), *frames])


def _replaced(model: ScoreModel, matrix: Floats, told: Measured) -> Floats:
    """A copy of a matrix in contract order with what was measured again, of the features that the model knows."""
    again = matrix.copy()
    for place, name in enumerate(told.names):
        if name in model.contract.names:
            again[:, model.contract.names.index(name)] = told.features[:, place]
    return again


def _evidence(model: ScoreModel, steps: Sequence[Step], sampled: Sampled) -> dict[str, list[Pooled]]:
    """What the sampled posts of each network say of each step."""
    networks = np.array([_network(account) for account in sampled.accounts])
    told: dict[str, list[Pooled]] = {network: [] for network in model.networks}
    for step in steps:
        own = sampled.before(model, step).contrasts(step)
        for network, known in told.items():
            known.append(pooled(own.of(networks == network)))
    return told


def _stand(sampled: Sampled, levels: Floats) -> Floats:
    """The mean level of each account's posts; NaN where no post says anything."""
    known, count = ~np.isnan(levels), len(sampled.accounts)
    posts = np.bincount(sampled.owner, known, count)
    total = np.bincount(sampled.owner, np.where(known, levels, 0.0), count)
    return np.asarray(np.divide(total, posts, out=np.full(count, np.nan), where=posts > 0))


def _every(number: int, owner: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """One in so many posts of each account, its newest among them."""
    if not len(owner):
        return np.zeros(0, dtype=bool)
    last = np.append(np.flatnonzero(np.diff(owner)), len(owner) - 1)
    return np.asarray((last[owner] - np.arange(len(owner))) % number == 0)
