"""Who teaches and who judges: rolling origins in time, a last block, and accounts never seen.

A model at an origin learns from posts whose outcome was known before it, so a gap of one horizon always lies between
the newest post it learned from and the first it is judged on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from clout.errors import CloutError
from clout.training.config import Splits


class SplitError(CloutError):
    """There is too little data to learn from and be judged on."""

    code = "too_little_data"


class NothingToJudgeError(SplitError):
    """There are no posts for the last block."""

    code = "nothing_to_judge"


@dataclass(frozen=True)
class Block:
    """Posts of `[start, end)`; a model for it learns from outcomes known before `start`. `end` None: until the last."""

    start: datetime
    end: datetime | None

    def judged(self) -> pl.Expr:
        """Whether a post is in this block."""
        inside = pl.col("happened_at") >= self.start
        return inside if self.end is None else inside & (pl.col("happened_at") < self.end)

    def taught(self) -> pl.Expr:
        """Whether a post's outcome was known before this block and its account may be learned from."""
        return (pl.col("ripe_at") < self.start) & ~pl.col("cold")


@dataclass(frozen=True)
class Plan:
    """The rolling blocks, oldest first, and the last block that only `evaluate --final` opens."""

    rolling: tuple[Block, ...]
    final: Block


def is_cold(account: str, share: float) -> bool:
    """Whether an account is one of the `share` that is never learned from; depends on its name alone."""
    return _among(account, share)


def sample(accounts: pl.Series, share: float) -> pl.Series:
    """Those of `accounts`, each once, that are of the `share` which teaches and judges; being cold is no part of it."""
    names = accounts.unique().sort()
    return names.filter([_among(f"sample {name}", share) for name in names])


def _among(words: str, share: float) -> bool:
    """Whether the sha256 of `words` is among the lowest `share` of all."""
    digest = hashlib.sha256(words.encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def mark_cold(frame: pl.DataFrame, share: float) -> pl.DataFrame:
    """`frame` with a boolean column `cold`."""
    accounts = frame.select("account").unique()
    cold = [is_cold(account, share) for account in accounts["account"]]
    marked = accounts.with_columns(cold=pl.Series(cold, dtype=pl.Boolean))
    return frame.with_columns(frame.select("account").join(marked, on="account", maintain_order="left")["cold"])


def plan(posts: pl.DataFrame, params: Splits) -> Plan:
    """The blocks for labelled `posts` (columns account, happened_at, ripe_at).

    Raises `SplitError` when there are too few posts or accounts, or too little time for the gaps, and
    `NothingToJudgeError` when there are none for the last block.
    """
    _refuse_too_little(posts, params)
    start = params.final_from or _quantile(posts["happened_at"], 1 - params.final_share)
    if posts.filter(pl.col("happened_at") >= start).is_empty():
        raise NothingToJudgeError(
            f"no post with a known outcome lies in the last block, which begins on {start:%Y-%m-%d}; expected some: add "
            "newer posts, or train with an earlier splits.final_from"
        )
    early = posts.filter(pl.col("ripe_at") < start)["happened_at"]
    if early.len() < params.min_posts // 2:
        raise SplitError(
            f"got {early.len()} posts with an outcome known before the last block ({start:%Y-%m-%d}); expected at least "
            f"{params.min_posts // 2}: add older posts or set splits.final_from or splits.final_share; counts read long after "
            "their posts need retrospective = true in the mapping"
        )
    shares = [1 - params.block_share * back for back in range(params.origins, 0, -1)]
    starts = sorted({_quantile(early, share) for share in shares})
    first = posts.filter(pl.col("ripe_at") < starts[0]).height
    if len(starts) < params.origins or first < params.min_posts // 5:
        raise SplitError(
            f"got {first} posts with an outcome known before the first rolling origin ({starts[0]:%Y-%m-%d}); expected at "
            f"least {params.min_posts // 5}: the posts cover too short a time for their horizon; add older posts, or "
            "lower label.horizon_days or splits.origins"
        )
    return Plan(_blocks(starts, start), Block(start, None))


def _blocks(starts: Sequence[datetime], end: datetime) -> tuple[Block, ...]:
    return tuple(Block(start, stop) for start, stop in zip(starts, [*starts[1:], end], strict=True))


def _quantile(times: pl.Series, share: float) -> datetime:
    value = times.sort()[min(int(times.len() * share), times.len() - 1)]
    assert isinstance(value, datetime)  # noqa: S101 - narrows the type of a time column
    return value


def _refuse_too_little(posts: pl.DataFrame, params: Splits) -> None:
    accounts = posts["account"].n_unique()
    if posts.height < params.min_posts:
        raise SplitError(
            f"got {posts.height} posts with a known outcome; expected at least {params.min_posts}: a post counts once its "
            "outcome has ripened, so add posts older than the horizon, or see `clout lake` for what was rejected"
        )
    if accounts < params.min_accounts:
        raise SplitError(
            f"got posts of {accounts} account{'s' if accounts != 1 else ''}; expected at least {params.min_accounts}: "
            "a score compares accounts, so add more of them"
        )
