"""Each check against leaks finds the leak it is there for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from clout.features.catalogue import CONTRACT
from clout.features.compute import compute, prepare
from clout.training.checks import leaks
from clout.training.checks.check import Verdict
from clout.training.checks.evidence import Evidence
from clout.training.checks.leaks import shuffle_outcomes
from clout.training.checks.training import CHECKS
from clout.training.dataset import Dataset
from clout.training.heads import log_counts


def verdict(code: str, evidence: Evidence) -> Verdict:
    return next(check for check in CHECKS if check.code == code).verdict(evidence)


def status(code: str, evidence: Evidence) -> str:
    return verdict(code, evidence).status


def ripe_at_once(dataset: Dataset) -> Dataset:
    """The dataset of one who lets outcomes into the history when their post is published."""
    tick = timedelta(microseconds=1)
    outcomes = dataset.store.history.outcomes.with_columns(at=pl.col("published_at") - tick)
    history = replace(dataset.store.history, outcomes=outcomes)
    streams = prepare(history)
    posts = dataset.frame.select("post").join(history.posts, on="post", maintain_order="left")
    features = compute(posts, streams, dataset.frame["wording_lift"]).select(CONTRACT.names)
    frame = dataset.frame.with_columns(features[name] for name in CONTRACT.names)
    return replace(dataset, store=replace(dataset.store, history=history), frame=frame)


def test_005_features_that_hold_their_own_outcome_are_found(sound: Evidence) -> None:
    leaking = replace(sound, dataset=ripe_at_once(sound.dataset))
    assert status("CLOUT005", leaking) == "finding"
    assert status("CLOUT005", sound) == "passed"


def test_005_shuffles_outcomes_before_anything_is_measured(sound: Evidence) -> None:
    shuffled = shuffle_outcomes(sound.dataset, 1)
    before = sound.dataset.frame
    assert shuffled["post"].to_list() == before["post"].to_list()
    assert shuffled["outcome"].sort().to_list() == before["outcome"].sort().to_list()
    assert (shuffled["outcome"] != before["outcome"]).mean() > 0.5
    assert abs(np.corrcoef(log_counts(shuffled), log_counts(before))[0, 1]) < 0.1
    assert (shuffled["outcome_level_365d"] != before["outcome_level_365d"]).mean() > 0.8
    assert shuffled["text_chars"].equals(before["text_chars"])
    assert shuffle_outcomes(sound.dataset, 1).equals(shuffled)


def test_005_has_accounts_to_learn_from_however_many_posts_there_are(
    sound: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = sound.dataset.frame
    monkeypatch.setattr(leaks, "SHUFFLED_POSTS", frame.height * sound.params.splits.cold_share)
    some = shuffle_outcomes(sound.dataset, 7)
    assert 0 < some.height < frame.height / 2
    assert not some["cold"].all()


def test_005_takes_some_accounts_of_many_posts(sound: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "SHUFFLED_POSTS", sound.dataset.frame.height // 3)
    few = shuffle_outcomes(sound.dataset, 1)
    assert 0.15 < few.height / sound.dataset.frame.height < 0.5
    accounts = sound.dataset.frame.select("post", "account")
    taken = few.join(accounts, on="post")["account"].unique()
    assert few.height == accounts.filter(pl.col("account").is_in(taken.to_list())).height


def test_006_a_clock_that_forgets_the_horizon_is_found(sound: Evidence) -> None:
    """Learning from all posts published before the block learns from outcomes known a week into it."""
    late = sound.judged.with_columns(taught_through=pl.col("taught_through") + timedelta(days=7))
    result = verdict("CLOUT006", replace(sound, judged=late))
    early = late.filter(pl.col("happened_at") <= pl.col("taught_through")).height
    assert early > 0
    assert result.status == "finding"
    assert result.detail.startswith(f"{early} of {late.height} judged posts")


@pytest.mark.parametrize("sign", [1, -1])
def test_007_a_feature_that_knows_the_outcome_is_found(sign: int, sound: Evidence) -> None:
    noise = pl.Series(np.random.default_rng(0).normal(0, 0.05, sound.dataset.frame.height))
    known = sign * (pl.col("outcome").log1p() + noise)
    frame = sound.dataset.frame.with_columns(followers_last=pl.when(pl.int_range(pl.len()) % 3 > 0).then(known))
    result = verdict("CLOUT007", replace(sound, dataset=replace(sound.dataset, frame=frame)))
    assert result.status == "finding"
    assert result.detail.startswith("the strongest, followers_last, has 0.9")


def test_007_a_few_posts_prove_nothing(sound: Evidence) -> None:
    newest = pl.col("happened_at") >= sound.dataset.plan.rolling[-1].start
    few = sound.dataset.frame.with_columns(
        followers_last=pl.when(newest & (newest.cum_sum() < 50)).then(pl.col("outcome"))
    )
    assert status("CLOUT007", replace(sound, dataset=replace(sound.dataset, frame=few))) == "passed"
    none = sound.dataset.frame.filter(~newest | (newest.cum_sum() < 50))
    assert status("CLOUT007", replace(sound, dataset=replace(sound.dataset, frame=none))) == "not applicable"
