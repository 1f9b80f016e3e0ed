"""Which accounts are attacked: such as anybody might be, with enough evidence to be scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from clout.data.coverage import Tables
from clout.data.history import History
from clout.errors import CloutError
from clout.models.account import AccountRule
from clout.training.attacks.naive import received

NEAR = 0.2


class AttackError(CloutError):
    """An attack that cannot be tried."""

    code = "attack"


@dataclass(frozen=True)
class Plan:
    """What is asked: how much each target buys, and who the targets are.

    There are at most `targets` of each of `bases` (usual actions a post); what they buy is spread over `posts` of theirs.
    """

    budget: int = 1_000
    bases: tuple[float, ...] = (2.0, 20.0)
    targets: int = 20
    posts: int = 30
    seed: int = 7


def known_posts(history: History, network: str, at: datetime) -> pl.DataFrame:
    """The own posts of a network whose outcome is known at a moment, oldest first: post, account, happened_at."""
    ripe = history.outcomes.filter((pl.col("network") == network) & (pl.col("at") < at))
    return ripe.select("post", "account", happened_at="published_at").sort("account", "happened_at", "post")


def with_evidence(
    tables: Tables, network: str, posts: pl.DataFrame, rule: AccountRule, at: datetime, least: int
) -> pl.DataFrame:
    """The accounts that can be scored, and have `least` known posts in the window: account, usual (actions a post).

    `posts` are those of `known_posts`.
    """
    window, begin = timedelta(days=rule.window_days), at - timedelta(days=rule.min_days)
    seen = received(tables, network, at).select("post", "actions")
    recent = posts.filter(pl.col("happened_at") > at - window).join(seen, on="post")
    old = posts.group_by("account").agg(pl.col("happened_at").min()).filter(pl.col("happened_at") <= begin)
    stats = recent.group_by("account").agg(usual=pl.col("actions").mean(), known=pl.len())
    enough = stats.filter(pl.col("known") >= max(least, rule.min_posts))
    return enough.join(old, on="account", how="semi").select("account", "usual").sort("account")


def choose(accounts: pl.DataFrame, plan: Plan) -> dict[float, list[str]]:
    """The targets of each base, by chance among those near it; nobody is a target twice.

    Raises `AttackError` for a base nobody is near.
    """
    rng = np.random.default_rng(plan.seed)
    chosen: dict[float, list[str]] = {}
    for base in plan.bases:
        taken = [account for others in chosen.values() for account in others]
        near = (pl.col("usual").log1p() - np.log1p(base)).abs() <= NEAR
        fitting = accounts.filter(near & ~pl.col("account").is_in(taken))["account"].to_list()
        if not fitting:
            raise AttackError(_nobody(accounts, base, plan))
        chosen[base] = sorted(fitting[place] for place in rng.permutation(len(fitting))[: plan.targets])
    return chosen


def newest(posts: pl.DataFrame, targets: Sequence[str], most: int) -> pl.DataFrame:
    """The newest `most` posts of each target, its oldest first."""
    mine = posts.filter(pl.col("account").is_in(targets)).sort("account", "happened_at", "post")
    return mine.group_by("account", maintain_order=True).tail(most).select("post", "account", "happened_at")


def _nobody(accounts: pl.DataFrame, base: float, plan: Plan) -> str:
    if accounts.is_empty():
        return (
            f"got no account with {plan.posts} posts of known outcome in the window and enough evidence for a score; "
            "expected some to attack: ask for fewer --posts, or give a lake of more days"
        )
    low, high = (np.expm1(np.log1p(base) + side) for side in (-NEAR, NEAR))
    marks = ", ".join(f"{accounts['usual'].quantile(share):.3g}" for share in (0.1, 0.25, 0.5, 0.75, 0.9))
    return (
        f"got --base {base:g}, but none of the {accounts.height} accounts with {plan.posts} known posts drives {low:.3g} to "
        f"{high:.3g} actions a post; expected a base that the lake has: a tenth, a quarter, half, three quarters and nine "
        f"tenths of them lie below {marks}: give --base between the first and the last, or fewer --posts"
    )
