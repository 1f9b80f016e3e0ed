"""One row a post: its outcome beside what was known before it, words included."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from bits import unequal
from trained_society import Studied
from two_networks import emigrated

from clout.data.simulate import Simulation
from clout.data.tables import SCHEMAS
from clout.features.catalogue import CONTRACT, WORDING
from clout.features.compute import compute
from clout.training.config import Params
from clout.training.dataset import Dataset, NoOutcomesError, Step, build, cross_fit
from clout.training.feature_store import MEANS
from clout.training.splits import SplitError
from clout.training.whole_lake import WholeLake

START = datetime(2024, 1, 1, tzinfo=UTC)
LABELS = ["ripe_at", "outcome", "like", "reshare", "reply", "quote", "reaction"]
Tables = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def dataset(studied: Studied) -> Dataset:
    return studied.dataset


def counted(posts: int, likes: list[int] | None = None, *, retrospective: bool = True, days: int = 200) -> Tables:
    """Posts of 40 accounts in turn, four hours apart, their likes read `days` after the first."""
    times = [START + timedelta(hours=4 * row) for row in range(posts)]
    ids = [f"net/p{row}" for row in range(posts)]
    accounts = [f"net/{row % 40}" for row in range(posts)]
    clocks = {"happened_at": times, "known_at": times}
    written = {"post": ids, "account": accounts, "network": ["net"] * posts, **clocks, "kind": ["original"] * posts}
    reading = [START + timedelta(days=days)] * posts
    read = {"post": ids, "kind": ["like"] * posts, "count": likes or [row % 7 for row in range(posts)]}
    read |= {"happened_at": reading, "known_at": reading, "retrospective": [retrospective] * posts}
    tables = {name: schema.to_frame() for name, schema in SCHEMAS.items()}
    tables["posts"] = pl.concat([tables["posts"], pl.DataFrame(written)], how="diagonal_relaxed")
    tables["counts"] = pl.DataFrame(read, schema=SCHEMAS["counts"])
    return {name: frame.cast(dict(SCHEMAS[name])) for name, frame in tables.items()}


def built(tables: Tables, params: Params | None = None, *more: Step, anchored: Sequence[str] = ()) -> Dataset:
    """The dataset of a lake with these tables."""
    params = params or Params()
    return build(WholeLake.of(tables, params), params, *more, anchored=anchored)


def refusal(tables: Tables, params: Params | None = None) -> str:
    """The words with which the tables are refused."""
    with pytest.raises(NoOutcomesError) as refused:
        built(tables, params)
    return str(refused.value)


def test_a_row_for_each_labelled_post_in_the_order_of_time(dataset: Dataset) -> None:
    frame = dataset.frame
    own = [f"own_{what}_{window}" for window in MEANS for what in ("n", "sum")]
    beside = ["kind", "lang", "followers", *own]
    ids = ["post", "account", "network", "happened_at"]
    assert frame.columns == [*ids, *CONTRACT.names, *beside, *LABELS, "cold"]
    assert set(frame["post"]) == set(dataset.store.history.outcomes["post"])
    assert frame["post"].is_unique().all()
    assert frame.equals(frame.sort("happened_at", "post"))
    assert len(dataset.texts) == frame.height


def test_outcomes_and_texts_stand_beside_their_posts(dataset: Dataset) -> None:
    truth = dict(dataset.store.history.outcomes.select("post", "outcome").iter_rows())
    assert [truth[post] for post in dataset.frame["post"]] == dataset.frame["outcome"].to_list()
    texts = dict(dataset.store.history.posts.select("post", "text").iter_rows())
    assert [texts[post] for post in dataset.frame["post"]] == list(dataset.texts)


def test_the_outcome_is_what_others_did_within_the_horizon(dataset: Dataset, society: Simulation) -> None:
    posts = dataset.frame.select("post", "account", "happened_at", "outcome")
    values = pl.col("kind").replace_strict(Params().action_values, default=0.0, return_dtype=pl.Float64)
    age = pl.col("happened_at_right") - pl.col("happened_at")
    late = pl.col("known_at") - pl.col("happened_at") > timedelta(days=7)
    inside = (age > timedelta(0)) & (age <= timedelta(days=7)) & (pl.col("actor") != pl.col("account")) & ~late
    weights = dataset.store.history.actions.select("action", "weight")
    actions = society.tables["actions"].drop("account").join(weights, on="action")
    acted = posts.join(actions, on="post").filter(inside).sort(pl.max_horizontal("happened_at_right", "known_at"))
    once = acted.unique(["post", "actor", "kind"], keep="first", maintain_order=True)
    once = once.group_by("post").agg(value=(values * pl.col("weight")).sum())
    compared = posts.join(once, on="post", how="left").with_columns(pl.col("value").fill_null(0))
    assert compared["value"].to_list() == compared["outcome"].to_list()


def test_features_are_those_of_the_posts_and_their_words(dataset: Dataset) -> None:
    rows = dataset.frame.tail(300)
    posts = rows.select("post").join(dataset.store.history.posts, on="post", maintain_order="left")
    alone = compute(posts, dataset.store.streams, rows[WORDING.name])
    assert not unequal(alone, rows.select(alone.columns))
    mask = dataset.where(pl.col("post").is_in(rows["post"].to_list()))
    assert np.array_equal(dataset.matrix(mask), CONTRACT.matrix(rows), equal_nan=True)
    assert dataset.matrix().shape == (dataset.frame.height, len(CONTRACT.names))


def test_kinds_are_those_that_some_post_has_a_count_of(dataset: Dataset) -> None:
    assert dataset.kinds == ("like", "reshare", "reply", "quote")
    assert built(counted(600)).kinds == ("like",)


def test_words_are_learned_from_what_was_known_before(dataset: Dataset) -> None:
    """Other outcomes and other words from a moment on change no lift of a post before it."""
    params, start = Params().wording, dataset.plan.rolling[1].start
    later = pl.when(pl.col("ripe_at") >= start).then(1000.0 - pl.col("outcome")).otherwise("outcome").alias("outcome")
    before = dataset.frame.select(pl.col("happened_at") < start).to_series()
    texts = dataset.texts.zip_with(before, pl.Series(["another word"]))
    lift, _ = cross_fit(dataset.frame.with_columns(later), texts, dataset.plan, params)
    now, _ = cross_fit(dataset.frame, dataset.texts, dataset.plan, params)
    assert np.array_equal(lift[before], now[before], equal_nan=True)
    assert not np.array_equal(lift, now, equal_nan=True)


def test_the_first_slice_has_no_words_yet(dataset: Dataset) -> None:
    lift = dataset.frame[WORDING.name]
    first = int(lift.is_not_null().arg_max() or 0)
    early = dataset.frame.filter(pl.col("happened_at") < dataset.plan.rolling[0].start).height
    assert abs(first - early / Params().wording.slices) <= 1
    assert lift[first:].null_count() == 0
    assert lift[first:].n_unique() > 100


def test_lifts_of_the_last_block_come_from_the_wording_that_is_kept(dataset: Dataset) -> None:
    last = dataset.where(dataset.plan.final.judged())
    texts = dataset.texts.filter(last).to_list()
    assert dataset.frame.filter(last)[WORDING.name].to_list() == dataset.wording.values(texts).tolist()
    assert len(dataset.wording.pieces) > 50


def test_words_are_not_learned_from_cold_accounts(dataset: Dataset) -> None:
    loud = pl.when("cold").then(10_000.0).otherwise("outcome").alias("outcome")
    assert dataset.frame["cold"].any()
    _, words = cross_fit(dataset.frame.with_columns(loud), dataset.texts, dataset.plan, Params().wording)
    assert words[dataset.plan.final.start].to_json() == dataset.wording.to_json()


def test_counts_read_long_after_are_told(dataset: Dataset) -> None:
    assert built(counted(600)).retrospective
    assert not dataset.retrospective


def test_posts_without_texts_have_no_lift() -> None:
    made = built(counted(600))
    assert made.wording.pieces == ()
    assert set(made.frame[WORDING.name].drop_nulls()) == {0.0}


def test_the_steps_are_told() -> None:
    told: list[str] = []
    built(counted(600), Params(), told.append)
    assert told == [
        "reading what each post drove",
        "measuring what was known before each post",
        "learning words, forward in time",
    ]


def test_an_empty_lake_is_refused() -> None:
    words = refusal({name: schema.to_frame() for name, schema in SCHEMAS.items()})
    assert words.startswith("the lake has no posts; expected posts with the actions they drove")


def test_actions_without_posts_are_refused() -> None:
    tables = {name: schema.to_frame() for name, schema in SCHEMAS.items()}
    row = {"action": "net/1", "account": "net/a", "actor": "net/b", "kind": "reshare"}
    row |= {"post": None, "happened_at": START, "known_at": START}
    tables["actions"] = pl.DataFrame([row], schema=SCHEMAS["actions"])
    assert refusal(tables).startswith("the lake has no posts (1 actions name only accounts); expected posts")


def test_counts_read_too_early_are_refused() -> None:
    tables = counted(60, retrospective=False)
    young = tables["posts"].select("post", "happened_at")
    tables["counts"] = tables["counts"].drop("happened_at").join(young, on="post").select(SCHEMAS["counts"].names())
    words = refusal(tables)
    assert words.startswith("none of the 60 posts has a known outcome 7 days after it (60 counts, 0 actions); expected")
    assert words.endswith("or lower label.horizon_days")


@pytest.mark.parametrize(("likes", "value"), [(0, "0"), (3, "3")])
def test_outcomes_that_are_all_alike_are_refused(likes: int, value: str) -> None:
    words = refusal(counted(600, [likes] * 600))
    assert words.startswith(
        f"each of the 600 posts with a known outcome drove {value} actions; expected outcomes that differ"
    )
    assert "action_values" in words


def test_kinds_that_count_nothing_are_no_outcome() -> None:
    words = refusal(counted(600), Params(action_values={"reshare": 1, "view": 2, "like": 0}))
    assert words.startswith(
        "action_values counts reshare, view, of which the lake has nothing; expected some of the kinds it has: like"
    )


def test_a_network_too_small_for_a_scale_is_left_out_and_changes_nothing(studied: Studied, society: Simulation) -> None:
    dataset = built(emigrated(society.tables, 5), studied.params)
    assert dataset.left_out == {"tiny": 5}
    assert dataset.frame.equals(studied.dataset.frame)
    assert dataset.plan == studied.dataset.plan
    assert set(dataset.store.history.posts["network"]) == {"commons"}
    assert studied.dataset.left_out == {}


def test_a_small_network_that_has_its_scale_stays(studied: Studied, society: Simulation) -> None:
    dataset = built(emigrated(society.tables, 5), studied.params, anchored=["tiny"])
    assert dataset.left_out == {}
    assert set(dataset.frame["network"]) == {"commons", "tiny"}


def test_a_sample_has_some_accounts_and_they_know_what_all_did(studied: Studied) -> None:
    splits = studied.params.splits.model_copy(update={"sample_share": 0.5})
    dataset = build(studied.dataset.store, studied.params.model_copy(update={"splits": splits}))
    whole = studied.dataset.frame.filter(pl.col("account").is_in(dataset.frame["account"].unique().implode()))
    assert 0.3 < whole.height / studied.dataset.frame.height < 0.7
    columns = [name for name in whole.columns if name != WORDING.name]
    assert dataset.frame.select(columns).equals(whole.select(columns))


def test_when_every_network_is_too_small_the_largest_is_named() -> None:
    tables = counted(900)
    many = pl.col("post").str.strip_prefix("net/p").cast(pl.Int64) % 40 < 25
    network = pl.when(many).then(pl.lit("many")).otherwise(pl.lit("few"))
    post, account = (pl.col(name).str.replace("net", network) for name in ("post", "account"))
    posts = tables["posts"].with_columns(post, account, network.alias("network"))
    with pytest.raises(SplitError, match=r"got 25 accounts of the network 'many' .* at least 30 of one network"):
        built({**tables, "posts": posts, "counts": tables["counts"].with_columns(post)})
