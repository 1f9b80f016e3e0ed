"""Simple predictors that a score must beat, fitted on taught posts and on nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from trained_society import Studied

from clout.data.windows import ONE, fixed, stream
from clout.features.catalogue import CONTRACT
from clout.features.compute import Streams
from clout.training.baselines import fit_baselines, judge_baselines
from clout.training.config import Fit, Params
from clout.training.feature_store import own_past
from clout.training.heads import log_counts
from clout.training.matrix import Part

Floats = npt.NDArray[np.float64]
FEW = Params(fit=Fit(trees=10, threads=1))
NAMES = ["mean", "account_mean", "account_mean_90d", "poisson", "no_history", "followers"]


@pytest.fixture(scope="module")
def taught(studied: Studied) -> pl.DataFrame:
    block = studied.dataset.plan.rolling[1]
    return studied.dataset.frame.filter(block.taught())


@pytest.fixture(scope="module")
def judged(studied: Studied) -> pl.DataFrame:
    return studied.held.frame.filter(pl.col("block") == 1)


def bare(outcomes: list[float], **windows: tuple[list[float], list[float]]) -> pl.DataFrame:
    """Posts with these outcomes and (number, sum) of their account's own past by window; nothing else known."""
    unknown = dict.fromkeys(CONTRACT.names, [None] * len(outcomes))
    own = {f"own_n_{window}": pl.Series(n) for window, (n, _) in windows.items()}
    own |= {f"own_sum_{window}": pl.Series(total) for window, (_, total) in windows.items()}
    frame = pl.DataFrame(unknown, schema=dict.fromkeys(CONTRACT.names, pl.Float64))
    known = {"followers": pl.lit(None, pl.Float64), "outcome": pl.Series(outcomes, dtype=pl.Float64)}
    return frame.with_columns(**known, **own)


WINDOWS = ("90d", "365d", "all")


def pasts() -> dict[str, tuple[list[float], list[float]]]:
    """Another past in each window."""
    random = np.random.default_rng(0)
    counts = random.integers(6, 20, (3, 400)).astype(float)
    totals = counts * random.uniform(0, 3, (3, 400))
    return {window: (n.tolist(), total.tolist()) for window, n, total in zip(WINDOWS, counts, totals, strict=True)}


def own_mean(window: str) -> Floats:
    n, total = pasts()[window]
    return np.array(total) / np.array(n)


def nothing() -> dict[str, tuple[list[float], list[float]]]:
    return dict.fromkeys(WINDOWS, ([0.0] * 200, [0.0] * 200))


def test_all_of_them_are_there(taught: pl.DataFrame, judged: pl.DataFrame) -> None:
    said, residuals = judge_baselines(Part.of(taught), judged, FEW)
    assert list(said) == list(residuals) == NAMES
    for name, values in said.items():
        assert values.shape == (judged.height,), name
        assert np.isfinite(values).all(), name
        assert len(residuals[name]) == 50
        assert residuals[name] == sorted(residuals[name])


def test_the_own_mean_is_that_of_ripe_posts_before(judged: pl.DataFrame, studied: Studied) -> None:
    outcomes = studied.dataset.store.history.outcomes
    for row in judged.gather_every(100).iter_rows(named=True):
        past = outcomes.filter((pl.col("account") == row["account"]) & (pl.col("at") < row["happened_at"]))
        recent = past.filter(pl.col("published_at") > row["happened_at"] - timedelta(days=90))
        assert row["own_n_all"] == past.height
        assert row["own_n_90d"] == recent.height
        assert row["own_sum_all"] == pytest.approx(past["outcome"].log1p().sum(), abs=1e-4)


def test_each_window_of_the_own_mean_reaches_as_far_back_as_it_says() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    past = pl.DataFrame({"account": "a", "post": ["1", "2", "3"], "days": [400, 100, 10], "log": [4.0, 2.0, 1.0]})
    events = past.with_columns(at=now - pl.duration(days=pl.col("days")))
    totals = {"n": ONE, "log": fixed(pl.col("log"))}
    profiles = pl.DataFrame({"account": ["a"], "at": [now - timedelta(days=1)], "followers": [7]})
    by_name = {
        "outcomes": stream(events, ["account"], tie="post", totals=totals),
        "profiles": stream(profiles, ["account"], tie="followers", lasts={"followers": pl.col("followers")}),
    }
    [row] = own_past(pl.DataFrame({"account": ["a"], "happened_at": [now]}), Streams(by_name, frozenset())).rows(
        named=True
    )
    assert row["followers"] == 7
    assert {name: row[name] for name in row if name.startswith("own")} == {
        "own_n_90d": 1.0,
        "own_n_365d": 2.0,
        "own_n_all": 3.0,
        "own_sum_90d": 1.0,
        "own_sum_365d": 3.0,
        "own_sum_all": 7.0,
    }


def test_the_mean_is_one_number(taught: pl.DataFrame, judged: pl.DataFrame) -> None:
    said = fit_baselines(Part.of(taught), FEW)["mean"](judged)
    assert set(said) == {float(log_counts(taught).mean())}


@pytest.mark.parametrize("best", WINDOWS)
def test_the_account_mean_takes_the_window_that_fits_what_was_taught(best: str) -> None:
    taught = bare(np.expm1(own_mean(best)).tolist(), **pasts())
    said = fit_baselines(Part.of(taught), FEW)["account_mean"](taught)
    recent = fit_baselines(Part.of(taught), FEW)["account_mean_90d"](taught)
    assert [window for window in WINDOWS if np.corrcoef(said, own_mean(window))[0, 1] > 0.95] == [best]
    assert np.corrcoef(recent, own_mean("90d"))[0, 1] > 0.9


def test_the_choice_of_window_never_looks_at_judged_posts() -> None:
    taught, judged = (bare(np.expm1(own_mean(window)).tolist(), **pasts()) for window in ("90d", "all"))
    said, _ = judge_baselines(Part.of(taught), judged, FEW)
    assert np.corrcoef(said["account_mean"], own_mean("90d"))[0, 1] > 0.95
    assert abs(np.corrcoef(said["account_mean"], own_mean("all"))[0, 1]) < 0.3


@pytest.mark.parametrize("shrinkage", [1.0, 5.0, 20.0])
def test_shrinkage_is_chosen_too(shrinkage: float) -> None:
    n = np.arange(400) % 20 + 1.0
    total = n * (1 + np.sin(np.arange(400)))
    target = (total + shrinkage * 1.0) / (n + shrinkage)
    taught = bare(np.expm1(target).tolist(), **dict.fromkeys(WINDOWS, (n.tolist(), total.tolist())))
    said = fit_baselines(Part.of(taught), FEW)["account_mean"](taught)
    assert np.abs(said - (total + shrinkage * target.mean()) / (n + shrinkage)).max() < 1e-9


def test_an_account_without_a_past_has_everyones_mean() -> None:
    taught = bare([0.0, 3.0] * 100, **nothing())
    assert fit_baselines(Part.of(taught), FEW)["account_mean"](taught) == pytest.approx(np.log(4) / 2)


def test_followers_alone_never_fall(taught: pl.DataFrame) -> None:
    ladder = taught.head(100).with_columns(followers=pl.int_range(100).cast(pl.Float64) ** 2)
    said = fit_baselines(Part.of(taught), FEW)["followers"](ladder)
    assert (np.diff(said) >= 0).all()
    assert said[-1] > said[0]
    unknown = ladder.with_columns(followers=pl.lit(None, pl.Float64))
    assert set(fit_baselines(Part.of(taught), FEW)["followers"](unknown)) == {float(log_counts(taught).mean())}


def test_without_followers_there_is_no_such_baseline(taught: pl.DataFrame) -> None:
    few = pl.when(pl.int_range(pl.len()) % 2 == 0).then("followers").alias("followers")
    assert "followers" not in fit_baselines(Part.of(taught.with_columns(few)), FEW)


def test_poisson_reads_the_history_alone(taught: pl.DataFrame, judged: pl.DataFrame) -> None:
    group = {spec.name: spec.group for spec in CONTRACT.features}
    other = [pl.lit(9.0).alias(name) for name in CONTRACT.names if group[name] != "track_record"]
    predict = fit_baselines(Part.of(taught), FEW)["poisson"]
    assert np.array_equal(predict(judged), predict(judged.with_columns(other)))
    assert np.corrcoef(predict(judged), log_counts(judged))[0, 1] > 0.4


def test_poisson_without_any_history_says_everyones_mean() -> None:
    taught = bare([0.0, 3.0] * 100, **nothing())
    assert fit_baselines(Part.of(taught), FEW)["poisson"](taught) == pytest.approx(np.log(4) / 2)


def test_no_history_never_reads_the_track_record(taught: pl.DataFrame, judged: pl.DataFrame) -> None:
    group = {spec.name: spec.group for spec in CONTRACT.features}
    record = [pl.lit(9.0).alias(name) for name in CONTRACT.names if group[name] == "track_record"]
    predict = fit_baselines(Part.of(taught), FEW)["no_history"]
    assert len(record) > 5
    assert np.array_equal(predict(judged), predict(judged.with_columns(record)))
    assert np.ptp(predict(judged)) > 0.1
