"""What would raise a score: judged by the model, within what one can change and others do, and true where truth is known."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from trained_society import ACCOUNTS, DAYS, TrainedSociety

from clout.data.society.people import Society
from clout.features.changed_posts import change, sample
from clout.features.compute import compute
from clout.features.contract import Contract
from clout.models.recourse import MOST_STEPS, WORTH_DOING
from clout.models.score_model import ScoreModel
from clout.serving.accounts.batch import Judgement, adviser_of, size_group
from clout.serving.accounts.recourse import MOST_POSTS

ENOUGH, FEWEST = 0.7, 10


@pytest.fixture(scope="module")
def bench(root: Path) -> Iterator[Any]:
    """The benchmark, which finds the truth beside itself."""
    sys.path.insert(0, str(root / "bench"))
    yield importlib.import_module("recourse")
    sys.path.remove(str(root / "bench"))


@pytest.fixture(scope="module")
def model(trained: TrainedSociety) -> ScoreModel:
    return trained.model


@pytest.fixture(scope="module")
def advised(trained: TrainedSociety, model: ScoreModel, bench: Any) -> Any:  # noqa: ANN401 - a class of the benchmark
    return bench.Advised.of(bench.past_of(trained.lake, model), Judgement.of(model))


def test_the_first_suggestion_truly_raises_what_is_expected(advised: Any, bench: Any) -> None:  # noqa: ANN401
    told = bench.measure(advised, bench.Truth.of(Society(accounts=ACCOUNTS, days=DAYS)))
    assert told["with_suggestion"] >= FEWEST
    assert told["first"]["raised"] >= ENOUGH
    assert told["by_chance"]["raised"] < told["first"]["raised"]


def test_a_suggestion_is_worth_a_point_and_surely_something(advised: Any) -> None:  # noqa: ANN401
    for steps in advised.advice.values():
        points = [step.points for step in steps]
        assert points == sorted(points, reverse=True)
        assert len({step.feature for step in steps}) == len(steps) <= MOST_STEPS
        assert all(step.points > WORTH_DOING and 0 < step.low <= step.points <= step.high for step in steps)


def test_every_suggestion_is_the_word_of_the_model(advised: Any, model: ScoreModel) -> None:  # noqa: ANN401
    """Its points are at most what the model says of the changed posts, measured whole and not only where they moved."""
    checked = 0
    for step in {step for steps in advised.advice.values() for step in advised.adviser.steps if step.columns}:
        named = {
            account: one
            for account, steps in advised.advice.items()
            for one in steps
            if (one.code, one.to) == (step.code, step.to)
        }
        if named and not step.looked_up:
            for account, one in named.items():
                assert one.points <= said_by_the_model(advised, model, step, account, one.changed) + 1e-9
                checked += 1
    assert checked >= FEWEST


def said_by_the_model(advised: Any, model: ScoreModel, step: Any, account: str, changed: int) -> float:  # noqa: ANN401
    """The points that a step gains an account when every changed post is measured anew."""
    adviser, sampled = advised.adviser, advised.sampled
    own = sampled.where(model, sampled.owner == sampled.accounts.index(account))
    rows = adviser.tried(step, own).rows
    made = change(own.posts, step, own.streams, adviser.wording, adviser.past.at)
    posts = made.posts.filter(pl.Series(np.isin(made.rows, rows))).with_columns(as_of=pl.lit(adviser.past.at))
    lift = pl.Series(np.asarray(adviser.wording.values(posts["text"].to_list())))
    after = model.main(model.contract.matrix(compute(posts, adviser.past.streams, lift)))
    gain = (own.weight[rows] * (after - own.margin[rows])).sum() * changed / len(rows)
    margin = np.array([0.0, gain]) + advised.margins[account]
    before, then = model.score_margins(margin, [account.partition("/")[0]] * 2)
    return float(then - before)


def test_nobody_is_sent_beyond_what_similar_accounts_do(advised: Any) -> None:  # noqa: ANN401
    adviser, rule = advised.adviser, advised.adviser.model.account
    posts = sample(adviser.past.posts, adviser.past.streams, rule.window_days, MOST_POSTS, rule.min_posts)
    sizes = {
        name: size_group(count) for name, count in adviser.past.accounts.select("account", "followers").iter_rows()
    }
    group = pl.col("account").replace_strict(sizes, return_dtype=pl.String)
    for step in adviser.steps:
        stand = posts.group_by("account").agg(stand=step.level.cast(pl.Float64).mean()).with_columns(group=group)
        for account, one in of_step(advised, step):
            alike = stand.filter(pl.col("group") == sizes[account])["stand"].drop_nulls()
            low, high = np.percentile(alike.to_numpy(), [5, 95])
            assert (one.then <= high + 1e-9) if step.rises else (one.then >= low - 1e-9)
            assert (one.then > one.now) == step.rises


def of_step(advised: Any, step: Any) -> list[tuple[str, Any]]:  # noqa: ANN401
    """The accounts that are told to take a step, with what they are told."""
    told = [(account, one) for account, steps in advised.advice.items() for one in steps]
    return [(account, one) for account, one in told if (one.code, one.to) == (step.code, step.to)]


def test_what_one_cannot_change_is_never_suggested(advised: Any, model: ScoreModel) -> None:  # noqa: ANN401
    actionable = {spec.name for spec in model.contract.features if spec.actionable}
    assert {one.feature for steps in advised.advice.values() for one in steps} <= actionable
    fixed = ScoreModel(model.bundle)
    fixed.contract = Contract(
        features=tuple(spec.model_copy(update={"actionable": False}) for spec in model.contract.features)
    )
    assert adviser_of(replace(Judgement.of(model), model=fixed), advised.adviser.past).steps == ()


def test_an_account_is_told_the_same_whoever_is_told_beside_it(advised: Any) -> None:  # noqa: ANN401
    adviser, past = advised.adviser, advised.adviser.past
    some = [account for account, steps in advised.advice.items() if steps][:5]
    posts = past.posts.filter(past.posts["account"].is_in(some))
    judge = Judgement(adviser.model, adviser.wording)
    matrix = judge.matrix(posts, past.streams, past.at)
    assert adviser.advice(posts, matrix, judge.scores(posts, matrix), some) == {
        name: advised.advice[name] for name in some
    }
