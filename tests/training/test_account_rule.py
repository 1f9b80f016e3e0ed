"""The rule of account scores: learned at earlier moments, and its interval held to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from trained_society import Studied, TrainedSociety

from clout.models.account import AccountRule
from clout.training.account_rule import PRIORS, Past, accounts_before, fit_rule, sampled
from clout.training.accounts import account_margins, weigh

NOW = datetime(2025, 3, 1, tzinfo=UTC)


def past(accounts: int, posts: int, seed: int, *, later: int = 12, spread: float = 0.3) -> Past:
    """Accounts whose level the model does not know: posts around it before and after, margins all 2."""
    random = np.random.default_rng(seed)
    levels = random.normal(2, 1, accounts)
    owner = np.repeat(np.arange(accounts), posts)
    frame = pl.DataFrame(
        {
            "account": [f"net/{number:05}" for number in owner],
            "network": "net",
            "age_days": np.tile(np.linspace(10, 80, posts), accounts),
            "log": levels[owner] + random.normal(0, 1, len(owner)),
        }
    )
    names = [f"net/{number:05}" for number in range(accounts)]
    truth = levels + random.normal(0, spread, accounts)
    return Past(frame, np.full(len(owner), 2.0), pl.DataFrame({"account": names, "later": truth, "after": later}))


def test_the_interval_holds_what_it_says_on_accounts_of_another_time() -> None:
    rule = fit_rule([past(400, 20, 1), past(400, 20, 2)], 0.9)
    fresh = past(2_000, 20, 3)

    said = weigh(fresh.posts, fresh.margin, rule).join(fresh.later, on="account")
    inside = said.select((pl.col("later") >= pl.col("low")) & (pl.col("later") <= pl.col("high"))).to_series().mean()
    assert 0.87 < inside < 0.93  # type: ignore[operator]


def test_a_model_that_knows_nothing_leaves_it_to_the_track_record() -> None:
    assert fit_rule([past(400, 20, 1)], 0.9).prior_posts <= PRIORS[1]


def test_a_track_record_of_chance_alone_counts_little() -> None:
    told = past(400, 20, 1)
    rest = replace_later(told, np.full(400, 2.0))
    assert fit_rule([rest], 0.9).prior_posts == PRIORS[-1]


def replace_later(told: Past, later: np.ndarray) -> Past:
    """The same past with other outcomes afterwards."""
    return told._replace(later=told.later.with_columns(later=pl.Series(later)))


def test_accounts_with_fewer_posts_afterwards_count_where_others_are_few() -> None:
    assert fit_rule([past(100, 20, 1, later=3)], 0.9).learned_from == {"accounts": 100, "later_posts": 3}


def test_without_anybody_the_interval_is_the_margin() -> None:
    nobody = past(50, 3, 1)
    rule = fit_rule([nobody], 0.9)
    assert (rule.low, rule.high, rule.learned_from["accounts"]) == ((0.0,) * 3, (0.0,) * 3, 0)


def test_many_accounts_are_sampled_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = past(300, 4, 1).posts["account"].unique().sort()
    assert sampled(accounts).equals(accounts)
    monkeypatch.setattr("clout.training.account_rule.MOST_ACCOUNTS", 100)
    some = sampled(accounts)
    assert 60 < some.len() < 140
    assert some.equals(sampled(accounts))


def test_it_is_learned_from_what_was_known_before_each_block(studied: Studied) -> None:
    pasts = accounts_before(studied.dataset, studied.held)
    for told, block in zip(pasts, studied.dataset.plan.rolling, strict=True):
        assert told.posts["happened_at"].max() < block.start  # type: ignore[operator]
        assert told.posts.height == len(told.margin)
    last = studied.dataset.plan.rolling[-1]
    heads = studied.held.heads[-1]
    words = studied.dataset.words[last.start]
    parts = studied.dataset.store.account_posts(last.start, words)
    said = account_margins(parts, lambda matrix: heads.main(matrix, studied.held.trees))
    assert said["margin"].is_finite().all()


def test_a_bundle_has_its_rule(trained: TrainedSociety) -> None:
    rule = trained.model.account
    assert rule.prior_posts in PRIORS
    assert rule.learned_from["accounts"] > 0
    assert all(low < 0 < high for low, high in zip(rule.low, rule.high, strict=True))
    assert rule != replace(AccountRule(), prior_posts=rule.prior_posts)
    assert timedelta(days=rule.window_days) == timedelta(days=90)


def test_the_reference_population_has_a_mean_of_40_and_a_95th_percentile_of_63(
    trained: TrainedSociety, studied: Studied
) -> None:
    model, data = trained.model, studied.dataset
    parts = data.store.account_posts(data.plan.final.start, data.wording)
    reference = account_margins(parts, model.main, model.contract, model.account).filter(pl.col("lacks").is_null())
    scores = model.score_margins(reference["margin"].to_numpy(), reference["network"].to_list())
    assert len(scores) == model.scale.curves["commons"].accounts > 50
    assert scores.mean() == pytest.approx(40, abs=0.5)
    assert np.quantile(scores, 0.95) == pytest.approx(63, abs=1e-6)
