"""Posts measured again after a step: by the catalogue's own expressions, and nothing else moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from clout.data.history import History, load
from clout.data.simulate import Society, simulate
from clout.features.account_posts import counted_posts
from clout.features.changed_posts import as_published, change, level, levels, sample, sides
from clout.features.compute import Streams, compute, prepare
from clout.features.steps import STEPS, Step
from clout.features.wording import Wording

AT = datetime(2025, 2, 3, tzinfo=UTC)
VALUES = {"like": 1.0, "reshare": 2.0, "reply": 2.0, "quote": 3.0}
MONTH, YEAR = timedelta(days=30), timedelta(days=365)
WORDING = Wording(("the", "ing", " a ", "y? "), np.array([1.0, 2.0, 1.5, 3.0]), np.array([0.3, -0.2, 0.1, 0.4]))
PICTURE = next(step for step in STEPS if step.code == "picture_more")
PACE = next(step for step in STEPS if step.code == "fewer_a_day")


@pytest.fixture(scope="module")
def history() -> History:
    return load(simulate(Society(accounts=80, days=30)).tables, timedelta(days=7), VALUES)


@pytest.fixture(scope="module")
def streams(history: History) -> Streams:
    return prepare(history)


@pytest.fixture(scope="module")
def counted(history: History) -> pl.DataFrame:
    return counted_posts(history, AT, MONTH, YEAR)


@pytest.fixture(scope="module")
def posts(counted: pl.DataFrame, streams: Streams) -> pl.DataFrame:
    return sample(counted, streams, 30.0, 6)


def measured_now(posts: pl.DataFrame, streams: Streams) -> pl.DataFrame:
    """What the batch says of posts with what is known at the moment."""
    return compute(
        posts.with_columns(as_of=pl.lit(AT)), streams, pl.Series(np.asarray(WORDING.values(posts["text"].to_list())))
    )


def column(frame: pl.DataFrame, name: str) -> np.ndarray:
    return frame[name].cast(pl.Float64).to_numpy()


@pytest.mark.parametrize(
    "step", [step for step in STEPS if not step.looked_up], ids=lambda step: f"{step.code} {step.to}"
)
def test_a_changed_post_is_what_compute_says_of_it(step: Step, posts: pl.DataFrame, streams: Streams) -> None:
    made = change(posts, step, streams, WORDING, AT)
    before, after = (measured_now(told, streams) for told in (posts[made.rows.tolist()], made.posts))
    assert len(made.rows) or step.code in {"exclamation_less"}
    for name in after.columns[4:]:
        told = made.features[:, made.names.index(name)] if name in made.names else column(before, name)
        assert np.array_equal(told, column(after, name), equal_nan=True), name


def test_a_step_about_the_day_before_is_measured_before_each_post(posts: pl.DataFrame, streams: Streams) -> None:
    was, made = as_published(posts, PACE, streams), change(posts, PACE, streams, None, AT)
    names = list(was.names)
    assert names == list(made.names)
    assert np.array_equal(was.features[:, names.index("posts_count_1d")], posts["lately"].to_numpy())
    assert "posts_count_30d" not in names
    old, new = was.features[made.rows], made.features
    place, gap = names.index("posts_count_1d"), names.index("post_gap_hours_last")
    assert np.array_equal(new[:, place], old[:, place] // 2)
    assert np.allclose(new[:, gap], 2 * old[:, gap])
    assert (old[:, place] >= 2).all()


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.code} {step.to}")
def test_a_step_changes_only_posts_that_are_not_so_already(step: Step, posts: pl.DataFrame, streams: Streams) -> None:
    before, after = sides(posts, step)
    assert not (before & after).any()
    made = change(posts, step, streams, None, AT)
    assert before[made.rows].all()
    was, then = level(posts, step)[made.rows], level(made.posts, step)
    assert (then > was).all() if step.rises else (then < was).all()
    kept = [name for name in posts.columns if name not in {*step.columns, "row"}]
    assert made.posts.select(kept).equals(posts[made.rows.tolist()].select(kept))


def test_what_was_not_reported_is_not_changed(posts: pl.DataFrame, streams: Streams) -> None:
    silent = posts.with_columns(n_media=pl.lit(None, pl.Int64), text=pl.lit(None, pl.String))
    untouched = [step for step in STEPS if "text" in step.columns or "n_media" in step.columns]
    counted = {"urls_count", "hashtags_count", "mentions_count"}
    for step in untouched:
        if step.feature not in counted:
            assert not len(change(silent, step, streams, None, AT).rows), step.code


@pytest.mark.parametrize(
    ("code", "text"),
    [("question_more", "See https://e.org/1"), ("question_less", "What?Where"), ("hashtags_more", "so it is")],
)
def test_a_text_that_cannot_be_said_otherwise_is_left_out(
    code: str, text: str, posts: pl.DataFrame, streams: Streams
) -> None:
    said, step = posts.with_columns(text=pl.lit(text)), next(step for step in STEPS if step.code == code)
    said = said.with_columns(n_hashtags=pl.lit(None, pl.Int64))
    assert sides(said, step)[0].all()
    assert not len(change(said, step, streams, None, AT).rows)


def test_whom_a_reply_answers_stays_named(posts: pl.DataFrame, streams: Streams) -> None:
    for step in STEPS:
        if step.code in {"names_fewer", "names_later"}:
            assert "reply" not in change(posts, step, streams, None, AT).posts["kind"].to_list()


def test_a_sample_is_spread_over_the_window(counted: pl.DataFrame, streams: Streams) -> None:
    posts = sample(counted, streams, 20.0, 6)
    window = counted.with_row_index("row").filter(pl.col("age_days") < 20)
    sizes = dict(window.group_by("account").len().iter_rows())
    for account, own in ((name[0], part) for name, part in posts.group_by("account")):
        assert own.height == min(sizes[account], 6)
        places = window.filter(window["account"] == account)["row"].to_list()
        steps = np.diff([places.index(row) for row in own["row"]])
        assert sizes[account] <= 6 or steps.max() - steps.min() <= 1
    assert posts.height == sum(min(size, 6) for size in sizes.values())
    assert set(sample(counted, streams, 20.0, 6, 10)["account"]) == {name for name, size in sizes.items() if size >= 10}


def test_where_accounts_stand_is_the_mean_over_their_posts(posts: pl.DataFrame) -> None:
    accounts, stand = levels(posts, [PICTURE, PACE])
    own = posts.filter(posts["account"] == accounts[3])
    assert stand[3].tolist() == [(own["n_media"] > 0).mean(), own["lately"].mean()]
    assert stand.shape == (posts["account"].n_unique(), 2)
