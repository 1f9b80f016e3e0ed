"""Who teaches and who judges: the order of time, the gap, cold accounts, and refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clout.training.config import Splits
from clout.training.splits import Block, NothingToJudgeError, Plan, SplitError, is_cold, mark_cold, plan, sample

START = datetime(2024, 1, 1, tzinfo=UTC)
WEEK = timedelta(days=7)


def drawn(hours: list[int], accounts: int = 40, horizon: timedelta = WEEK) -> pl.DataFrame:
    """Posts at these hours, of so many accounts in turn, ripe after the horizon."""
    times = [START + timedelta(hours=hour) for hour in hours]
    posts = pl.DataFrame(
        {
            "account": [f"net/{row % accounts}" for row in range(len(times))],
            "happened_at": times,
            "ripe_at": [time + horizon for time in times],
        },
        schema_overrides=dict.fromkeys(("happened_at", "ripe_at"), pl.Datetime("us", "UTC")),
    )
    return mark_cold(posts, 0.1)


def steady(posts: int = 1000, hours: int = 4) -> pl.DataFrame:
    """One post every few hours."""
    return drawn([row * hours for row in range(posts)])


def bursts(seed: int) -> list[int]:
    """700 hours of half a year, crowded here and there once some are past, some the same."""
    random = np.random.default_rng(seed)
    crowd = random.integers(1000, 4000, size=random.integers(1, 5))
    near = random.choice(crowd, 300) + random.integers(0, 200, 300)
    return [int(hour) for hour in [*random.integers(0, 4200, 400), *near]]


def refusal(posts: pl.DataFrame, params: Splits | None = None) -> str:
    """The words with which the posts are refused."""
    with pytest.raises(SplitError) as refused:
        plan(posts, params or Splits())
    assert refused.value.code == "too_little_data"
    return str(refused.value)


def blocks(made: Plan) -> tuple[Block, ...]:
    return (*made.rolling, made.final)


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 999),
    st.integers(2, 4),
    st.floats(0.05, 0.15),
    st.sampled_from([timedelta(hours=1), timedelta(days=1), WEEK]),
)
def test_nobody_is_judged_on_a_time_it_learned_from(seed: int, origins: int, share: float, horizon: timedelta) -> None:
    posts = drawn(bursts(seed), horizon=horizon)
    made = plan(posts, Splits(origins=origins, block_share=share, min_posts=100))
    assert len(made.rolling) == origins
    for block in blocks(made):
        taught, judged = posts.filter(block.taught()), posts.filter(block.judged())
        assert judged.height
        assert taught.height
        newest, first = taught["happened_at"].max(), judged["happened_at"].min()
        assert newest < first - horizon  # type: ignore[operator]
        assert taught["ripe_at"].max() < first  # type: ignore[operator]


@pytest.mark.parametrize("seed", range(10))
def test_blocks_follow_each_other_without_a_hole_or_an_overlap(seed: int) -> None:
    posts = drawn(bursts(seed))
    made = plan(posts, Splits(min_posts=100))
    assert [block.end for block in blocks(made)] == [*(block.start for block in blocks(made)[1:]), None]
    judged = posts.select(sum(block.judged().cast(pl.Int64) for block in blocks(made)).alias("times"))["times"]
    later = (posts["happened_at"] >= made.rolling[0].start).cast(pl.Int64)
    assert judged.equals(later.alias("times"))


def test_shares_are_those_asked_for() -> None:
    posts = steady(2000)
    made = plan(posts, Splits(final_share=0.2, block_share=0.1, origins=4))
    assert posts.filter(made.final.judged()).height == 400
    early = posts.filter(pl.col("ripe_at") < made.final.start)
    sizes = [early.filter(block.judged()).height for block in made.rolling]
    assert sizes == pytest.approx([early.height / 10] * 4, abs=1)


def test_a_last_block_may_begin_at_a_moment() -> None:
    moment = START + timedelta(days=120)
    assert plan(steady(), Splits(final_from=moment)).final == Block(moment, None)


def test_the_order_of_rows_decides_nothing() -> None:
    posts = steady()
    assert plan(posts.sample(fraction=1, shuffle=True, seed=1), Splits()) == plan(posts, Splits())


def test_a_post_that_ripens_when_the_block_begins_is_not_learned_from() -> None:
    block = Block(START, START + WEEK)
    frame = pl.DataFrame(
        {
            "happened_at": [START - WEEK, START - WEEK, START, START + WEEK],
            "ripe_at": [START, START - timedelta(microseconds=1), START + WEEK, START + 2 * WEEK],
            "cold": [False] * 4,
        }
    )
    assert frame.select(block.taught()).to_series().to_list() == [False, True, False, False]
    assert frame.select(block.judged()).to_series().to_list() == [False, False, True, False]
    assert frame.select(Block(START, None).judged()).to_series().to_list() == [False, False, True, True]


def test_cold_accounts_judge_but_never_teach() -> None:
    posts = steady()
    assert posts["cold"].any()
    for block in blocks(plan(posts, Splits())):
        assert not posts.filter(block.taught())["cold"].any()
        assert posts.filter(block.judged())["cold"].any()


@given(st.text(max_size=20), st.floats(0, 0.5), st.floats(0, 0.5))
def test_an_account_cold_at_a_share_is_cold_at_every_greater_one(name: str, share: float, other: float) -> None:
    if is_cold(name, min(share, other)):
        assert is_cold(name, max(share, other))
    assert not is_cold(name, 0)


def test_who_is_cold_depends_on_the_name_alone_and_never_changes() -> None:
    names = [f"twitter/{number}" for number in range(4000)]
    cold = [name for name in names if is_cold(name, 0.05)]
    assert cold[:4] == ["twitter/17", "twitter/39", "twitter/46", "twitter/60"]
    assert len(cold) == pytest.approx(200, abs=45)
    frame = pl.DataFrame({"account": names[::-1] + names[:7]})
    assert mark_cold(frame, 0.05).filter("cold")["account"].unique().sort().to_list() == sorted(cold)


def test_a_sample_is_of_the_share_whoever_is_cold() -> None:
    names = pl.Series([f"twitter/{number}" for number in range(4000)])
    some = sample(pl.concat([names, names[:7]]), 0.3)
    assert some.len() == pytest.approx(1200, abs=90)
    assert some.is_unique().all()
    assert set(sample(names, 0.1)) < set(some)
    assert sum(is_cold(name, 0.05) for name in some) == pytest.approx(60, abs=25)
    assert sample(names, 1).len() == 4000


def test_marking_keeps_rows_and_their_order() -> None:
    frame = pl.DataFrame({"account": ["b", "a", "b", "c"], "row": [0, 1, 2, 3]})
    marked = mark_cold(frame, 0.3)
    assert marked.drop("cold").equals(frame)
    assert marked["cold"].to_list() == [is_cold(account, 0.3) for account in frame["account"]]
    assert mark_cold(frame.clear(), 0.3).schema["cold"] == pl.Boolean


def test_too_few_posts_are_refused() -> None:
    words = refusal(steady(499))
    assert words.startswith("got 499 posts with a known outcome; expected at least 500: ")
    assert "add posts older than the horizon" in words


def test_too_few_accounts_are_refused() -> None:
    posts = steady().with_columns(account=pl.lit("net/only"))
    assert refusal(posts).startswith("got posts of 1 account; expected at least 30: ")
    assert refusal(drawn(list(range(600)), accounts=29)).startswith("got posts of 29 accounts; expected at least 30")


def test_no_posts_before_the_last_block_are_refused() -> None:
    words = refusal(steady(), Splits(final_from=START))
    assert words.startswith(
        "got 0 posts with an outcome known before the last block (2024-01-01); expected at least 250"
    )
    assert "splits.final_from or splits.final_share" in words


def test_no_posts_in_the_last_block_are_refused() -> None:
    with pytest.raises(NothingToJudgeError, match="in the last block, which begins on 2026-06-19; expected some"):
        plan(steady(), Splits(final_from=START + timedelta(days=900)))


def test_too_short_a_time_for_the_horizon_is_refused() -> None:
    posts = drawn(sorted(hour % 400 for hour in range(1000)))
    words = refusal(posts)
    assert "known before the first rolling origin" in words
    assert words.endswith("add older posts, or lower label.horizon_days or splits.origins")


def test_posts_of_one_moment_are_refused() -> None:
    assert "posts" in refusal(drawn([0] * 1000))
