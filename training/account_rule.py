"""The rule by which posts become an account's score, learned from accounts at earlier moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from clout.models.account import AccountRule
from clout.training.accounts import RULE, margins, weigh
from clout.training.dataset import Dataset
from clout.training.heads import HeldOut
from clout.training.splits import is_cold

Floats = npt.NDArray[np.float64]
PRIORS = (1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0)
EDGES = (30.0, 100.0)
GROUP_ACCOUNTS = 100
LATER_POSTS = (10, 5, 3, 1)
ENOUGH_ACCOUNTS = 40
MOST_ACCOUNTS = 20_000


class Past(NamedTuple):
    """Accounts judged at one moment: their posts, what was said of each, and what the accounts drove afterwards.

    `later` has account, later (mean log1p outcome of its posts after the moment) and after (how many).
    """

    posts: pl.DataFrame
    margin: Floats
    later: pl.DataFrame


def accounts_before(dataset: Dataset, held: HeldOut) -> list[Past]:
    """Accounts judged when each rolling block began, by the heads and words of that moment, and what they drove in it."""
    pasts = []
    for number, (block, heads) in enumerate(zip(dataset.plan.rolling, held.heads, strict=True)):
        accounts = sampled(dataset.store.posting(block.start)["account"])
        parts = [*dataset.store.account_posts(block.start, dataset.words[block.start], accounts)]
        judge = partial(heads.main, trees=held.trees)
        margin = [margins(part, judge, dataset.contract) for part in parts]
        told = pl.concat(part.posts for part in parts).with_columns(margin=np.concatenate(margin))
        told = told.sort("account", maintain_order=True)
        later = later_of(held.frame.filter(block=number))
        pasts.append(Past(told.drop("margin"), told["margin"].to_numpy(), later))
    return pasts


def sampled(accounts: pl.Series) -> pl.Series:
    """All accounts, or so many that their names choose, where there are more than `MOST_ACCOUNTS`."""
    share = MOST_ACCOUNTS / max(accounts.len(), 1)
    return accounts if share >= 1 else accounts.filter([not is_cold(name, 1 - share) for name in accounts])


def later_of(judged: pl.DataFrame) -> pl.DataFrame:
    """What accounts drove in the posts of `judged`, which has account and outcome: account, later, after."""
    return judged.group_by("account").agg(later=pl.col("outcome").log1p().mean(), after=pl.len())


def fit_rule(pasts: Sequence[Past], level: float) -> AccountRule:
    """The rule learned from accounts at earlier moments: how much a track record counts, and how sure a score is.

    `prior_posts` is the one that errs least; the ends of the interval are those of split conformal prediction in groups
    by posts with a known outcome, each end with half of what may miss. Accounts count with as many posts afterwards as
    enough accounts have, ten at most.
    """
    for least in LATER_POSTS:
        errors = {prior: _errors(pasts, replace(RULE, prior_posts=prior), least) for prior in PRIORS}
        if errors[PRIORS[0]].height >= ENOUGH_ACCOUNTS or least == LATER_POSTS[-1]:
            break
    prior = min(PRIORS, key=lambda prior: float(np.square(errors[prior]["error"].to_numpy()).sum()))
    found = errors[prior]
    rule = replace(RULE, prior_posts=prior, level=level, edges=EDGES)
    group = np.searchsorted(EDGES, found["ripe"].to_numpy(), side="right")
    ends = [_ends(found["error"].to_numpy(), group == number, level) for number in range(len(EDGES) + 1)]
    low, high = zip(*ends, strict=True)
    return replace(rule, low=low, high=high, learned_from={"accounts": found.height, "later_posts": least})


def _errors(pasts: Sequence[Past], rule: AccountRule, least: int) -> pl.DataFrame:
    """What accounts with enough evidence, and `least` posts afterwards, drove beyond their margin: error, ripe."""
    parts = [
        weigh(past.posts, past.margin, rule)
        .filter(pl.col("lacks").is_null())
        .join(past.later.filter(pl.col("after") >= least), on="account")
        .select(error=pl.col("later") - pl.col("margin"), ripe="ripe")
        for past in pasts
    ]
    return pl.concat(parts)


def _ends(errors: Floats, group: npt.NDArray[np.bool_], level: float) -> tuple[float, float]:
    """Both ends that hold `level` of the errors of a group; of all when the group is small, 0 without any."""
    known = np.sort(errors[group] if group.sum() >= GROUP_ACCOUNTS else errors)
    if not known.size:
        return 0.0, 0.0
    tail, count = (1 - level) / 2, len(known)
    low, high = int(np.floor((count + 1) * tail)), int(np.ceil((count + 1) * (1 - tail)))
    return float(known[max(low, 1) - 1]), float(known[min(high, count) - 1])
