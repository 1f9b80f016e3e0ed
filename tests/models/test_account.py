"""The account score: its sums, its reasons, its interval, and what it lacks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
import small_bundle
from hypothesis import given
from hypothesis import strategies as st

from clout.models.account import BEYOND, AccountPosts, AccountRule, AccountScores, contract_of, decay, fold, judge
from clout.models.bundle import Bundle
from clout.models.score_model import ScoreModel

Floats = npt.NDArray[np.float64]
RULE = AccountRule(prior_posts=5.0, edges=(30.0, 100.0), low=(-0.9, -0.5, -0.3), high=(0.8, 0.4, 0.2))
ACCOUNTS, POSTS = 6, 15


@pytest.fixture(scope="module")
def model() -> ScoreModel:
    return ScoreModel(Bundle.of(small_bundle.files()))


def posts_of(counts: list[int], seed: int = 1) -> AccountPosts:
    """So many posts an account, one a fortnight at most, of which every third has no known outcome."""
    random = np.random.default_rng(seed)
    owner = np.repeat(np.arange(len(counts)), counts)
    log = random.normal(2, 1, len(owner))
    log[::3] = np.nan
    networks = [small_bundle.NETWORKS[place % 2] for place in range(len(counts))]
    return AccountPosts(networks, owner, random.uniform(0, 120, len(owner)), log)


@pytest.fixture(scope="module")
def posts() -> AccountPosts:
    return posts_of([POSTS + 3 * place for place in range(ACCOUNTS)])


@pytest.fixture(scope="module")
def matrix(posts: AccountPosts) -> Floats:
    return small_bundle.population().matrix[: len(posts.owner)]


@pytest.fixture(scope="module")
def scores(model: ScoreModel, posts: AccountPosts, matrix: Floats) -> AccountScores:
    return judge(model, posts, matrix)


def test_it_is_the_weighted_mean_of_recent_posts_and_the_track_record() -> None:
    posts = AccountPosts(["a"], np.zeros(4, dtype=np.intp), np.array([0.0, 45, 95, 400]), np.array([2, np.nan, 5, 9]))
    folded = fold(RULE, posts, np.array([1.0, 4.0, 3.0, 7.0]))
    assert folded.expected[0] == pytest.approx((1 * 1 + 0.5 * 4) / 1.5)
    assert folded.track_record[0] == pytest.approx(((2 - 1) + (5 - 3)) / (2 + 5))
    assert folded.margin[0] == folded.expected[0] + folded.track_record[0]
    assert (folded.recent[0], folded.ripe[0], folded.days[0]) == (2, 2, 400)


def test_a_post_of_the_window_s_end_no_longer_counts() -> None:
    assert decay(RULE, np.array([0.0, 45.0, 90.0, 89.999])).round(4).tolist() == [1.0, 0.5, 0.0, 0.25]


@given(st.lists(st.floats(0, 89), min_size=1, max_size=30), st.floats(-3, 8))
def test_more_posts_of_the_same_kind_change_nothing(ages: list[float], margin: float) -> None:
    """Rates, not volume: the mean counts, however many posts there are."""
    owner = np.zeros(len(ages), dtype=np.intp)
    folded = fold(
        RULE, AccountPosts(["a"], owner, np.array(ages), np.full(len(ages), np.nan)), np.full(len(ages), margin)
    )
    assert folded.margin[0] == pytest.approx(margin)


def test_reasons_add_up_to_the_score(scores: AccountScores) -> None:
    why = scores.explanation
    assert np.abs(why.base_score + why.points.sum(axis=1) - why.score).max() < 1e-9
    known = ~np.isnan(scores.score)
    assert known.all()
    assert np.abs(why.score - scores.score).max() < 1e-9
    assert why.names == (*small_bundle.contract().names, BEYOND.name)


def test_the_track_record_is_a_reason_like_others(scores: AccountScores) -> None:
    (reason,) = (reason for reason in scores.explanation.reasons(0) if reason.code == BEYOND.name)
    assert (reason.label, reason.points) == (BEYOND.label, scores.explanation.points[0, -1])
    assert BEYOND.name in scores.explanation.printed(0).features


def test_posts_add_up_to_the_score(scores: AccountScores, posts: AccountPosts) -> None:
    carried = np.bincount(posts.owner, scores.carried)
    assert np.abs(scores.explanation.base_score + carried - scores.score).max() < 1e-9


def test_an_account_of_one_post_without_record_is_that_post(model: ScoreModel, matrix: Floats) -> None:
    one = AccountPosts(["twitter"], np.zeros(1, dtype=np.intp), np.array([3.0]), np.array([np.nan]))
    told = judge(model, one, matrix[:1])
    post = model.explain_rows(matrix[:1], ["twitter"])
    assert told.explanation.score == pytest.approx(post.score, abs=1e-9)
    assert told.explanation.points[:, :-1] == pytest.approx(post.points, abs=1e-9)
    assert (told.lacks, np.isnan(told.score[0])) == (
        ("10 more posts with a known result (0 of 10 so far), and 4 more weeks",),
        True,
    )


def test_others_change_nothing(model: ScoreModel, posts: AccountPosts, matrix: Floats, scores: AccountScores) -> None:
    mine = posts.owner == 2
    alone = AccountPosts(
        [posts.networks[2]], np.zeros(mine.sum(), np.intp), posts.age_days[mine], posts.log_outcome[mine]
    )
    told = judge(model, alone, matrix[mine])
    assert (told.score[0], told.low[0], told.high[0]) == pytest.approx((scores.score[2], scores.low[2], scores.high[2]))


def test_values_are_means_of_what_is_known(scores: AccountScores, posts: AccountPosts, matrix: Floats) -> None:
    mine = posts.owner == 1
    weight = np.where(np.isnan(matrix[mine, 0]), 0, decay(AccountRule(), posts.age_days[mine]))
    expected = np.nansum(weight * np.nan_to_num(matrix[mine, 0])) / weight.sum()
    assert scores.explanation.values[1, 0] == pytest.approx(expected)


@pytest.mark.parametrize(("ripe", "ends"), [(29, (-0.9, 0.8)), (30, (-0.5, 0.4)), (100, (-0.3, 0.2))])
def test_the_interval_is_that_of_its_group(ripe: float, ends: tuple[float, float]) -> None:
    low, high = RULE.offsets(np.array([ripe]))
    assert (low[0], high[0]) == ends


def test_the_interval_holds_the_score(scores: AccountScores) -> None:
    assert (scores.low < scores.score).all()
    assert (scores.score < scores.high).all()
    assert (scores.expected_low < scores.expected).all()


def test_an_account_without_a_recent_post_has_no_score(model: ScoreModel, matrix: Floats) -> None:
    old = AccountPosts(["twitter"], np.zeros(20, dtype=np.intp), np.linspace(95, 200, 20), np.full(20, 2.0))
    told = judge(model, old, matrix[:20])
    assert np.isnan(told.score[0])
    assert told.lacks == ("a post in the last 90 days",)


def test_nobody(model: ScoreModel) -> None:
    nothing = AccountPosts.of(
        pl.DataFrame(schema={"account": pl.String, "network": pl.String, "age_days": pl.Float64, "log": pl.Float64})
    )
    assert judge(model, nothing, np.empty((0, 9))).score.shape == (0,)


def test_frames_become_arrays() -> None:
    frame = pl.DataFrame(
        {"account": ["a", "a", "b"], "network": ["x", "x", "y"], "age_days": [1.0, 2, 3], "log": [None, 1.0, 2]}
    )
    posts = AccountPosts.of(frame)
    assert (list(posts.networks), posts.owner.tolist()) == (["x", "y"], [0, 0, 1])
    assert np.isnan(posts.log_outcome[0])


def test_a_rule_is_read_as_it_was_written() -> None:
    assert AccountRule.from_json(RULE.to_json()) == RULE
    assert contract_of(small_bundle.contract()).features[-1] is BEYOND
