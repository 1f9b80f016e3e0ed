"""Every head, taught only on what was known before its block, with as many trees as serve posts it never saw."""

from __future__ import annotations

from dataclasses import replace

import lightgbm
import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from trained_society import Studied

from clout.features.catalogue import CONTRACT
from clout.training.config import Fit, Params
from clout.training.dataset import Dataset
from clout.training.fit import fit
from clout.training.heads import Heads, choose_trees, fit_heads, held_out, learnable_kinds, log_counts

Floats = npt.NDArray[np.float64]
FEW = Params(fit=Fit(trees=5, threads=1))


def texts(heads: Heads) -> dict[str, str]:
    """The trees of every head."""
    return {head: booster.model_to_string() for head, booster in heads.boosters.items()}


def changed(dataset: Dataset, where: pl.Expr) -> Dataset:
    """The dataset with other outcomes, counts and features in some rows."""
    counts = [pl.when(where).then(pl.col(kind) * 0 + 77).otherwise(kind).alias(kind) for kind in dataset.kinds]
    outcome = pl.when(where).then(77.0).otherwise("outcome").alias("outcome")
    feature = pl.when(where).then(-1.0).otherwise("outcome_level_365d").alias("outcome_level_365d")
    return replace(dataset, frame=dataset.frame.with_columns(outcome, feature, *counts))


def test_there_is_a_head_for_the_outcome_its_ends_and_every_kind(studied: Studied) -> None:
    heads = fit_heads(studied.dataset, studied.dataset.plan.final, FEW, studied.kinds)
    assert list(heads.boosters) == ["main", "low", "high", "like", "reshare", "reply", "quote"]
    matrix = studied.dataset.matrix()[:100]
    margins = heads.margins(matrix)
    assert np.array_equal(margins["main"], heads.main(matrix))
    assert (margins["low"] < margins["high"]).mean() > 0.95


def test_what_was_not_known_before_the_block_teaches_nothing(studied: Studied) -> None:
    block = studied.dataset.plan.rolling[1]
    heads = fit_heads(studied.dataset, block, FEW, studied.kinds)
    later = changed(studied.dataset, pl.col("ripe_at") >= block.start)
    assert texts(fit_heads(later, block, FEW, studied.kinds)) == texts(heads)
    earlier = changed(studied.dataset, pl.col("ripe_at") < block.start)
    assert texts(fit_heads(earlier, block, FEW, studied.kinds)) != texts(heads)


def test_a_kind_is_taught_on_the_posts_that_have_a_count_of_it(studied: Studied) -> None:
    """Though other heads of the block, before it and after it, learn from all of them."""
    block = studied.dataset.plan.rolling[0]
    known = pl.when(pl.int_range(pl.len()) % 3 > 0).then("like").alias("like")
    dataset = replace(studied.dataset, frame=studied.dataset.frame.with_columns(known))
    heads = fit_heads(dataset, block, FEW, ("reply", "like", "reshare"))
    taught = dataset.frame.filter(block.taught())
    for kind in ("reply", "like", "reshare"):
        alone = fit(CONTRACT.matrix(taught), log_counts(taught, kind), FEW, CONTRACT.names, CONTRACT.directions)
        assert heads.boosters[kind].model_to_string() == alone.model_to_string()


def test_cold_accounts_teach_nothing(studied: Studied) -> None:
    block = studied.dataset.plan.final
    cold = changed(studied.dataset, pl.col("cold"))
    assert texts(fit_heads(cold, block, FEW, ("like",))) == texts(fit_heads(studied.dataset, block, FEW, ("like",)))


def test_it_is_told_when_the_newest_outcome_was_known(studied: Studied) -> None:
    block = studied.dataset.plan.rolling[0]
    known = studied.dataset.frame.filter((pl.col("ripe_at") < block.start) & ~pl.col("cold"))["ripe_at"]
    assert fit_heads(studied.dataset, block, FEW, ()).taught_through == known.max()


def test_the_rolling_blocks_are_held_out_whole_and_once(studied: Studied) -> None:
    dataset, held = studied.dataset, studied.held
    first, final = dataset.plan.rolling[0].start, dataset.plan.final.start
    inside = dataset.frame.filter((pl.col("happened_at") >= first) & (pl.col("ripe_at") < final))
    assert held.frame["post"].to_list() == inside["post"].to_list()
    assert held.frame["block"].unique().sort().to_list() == [0, 1, 2]
    for block in (0, 1, 2):
        rows = held.frame.filter(block=block)
        assert rows["happened_at"].min() >= dataset.plan.rolling[block].start
        assert rows["taught_through"].max() < dataset.plan.rolling[block].start
    assert {len(values) for values in held.margins.values()} == {held.frame.height}


def test_margins_are_those_of_the_model_before_each_block(studied: Studied) -> None:
    block = studied.dataset.plan.rolling[2]
    heads = fit_heads(studied.dataset, block, studied.params, ("like",))
    rows = studied.held.frame["block"].to_numpy() == 2
    matrix = CONTRACT.matrix(studied.held.frame.filter(pl.Series(rows)))
    for head, values in heads.margins(matrix, studied.held.trees).items():
        assert np.array_equal(values, studied.held.margins[head][rows])


def test_only_the_main_heads_of_rolling_blocks_grow_to_the_most(studied: Studied) -> None:
    steep = Params(fit=Fit(trees=20, learning_rate=1, threads=1))
    held = held_out(studied.dataset, steep, ("like",), lambda _: None)
    assert held.trees < 20
    for heads in held.heads:
        grown = {name: booster.num_trees() for name, booster in heads.boosters.items()}
        assert grown == {"main": 20, "low": held.trees, "high": held.trees, "like": held.trees}


def test_the_heads_tell_held_out_posts_apart(studied: Studied) -> None:
    for head, kind in (("main", None), ("like", "like"), ("reshare", "reshare")):
        margin, truth = studied.held.margins[head], studied.held.log_count(kind)
        assert np.corrcoef(margin, truth)[0, 1] > 0.5, head


def test_rows_are_cut_in_all_their_parts(studied: Studied) -> None:
    mask = np.arange(studied.held.frame.height) % 3 == 0
    part = studied.held.rows(mask)
    assert part.frame["post"].to_list() == studied.held.frame["post"].to_list()[::3]
    assert np.array_equal(part.margins["low"], studied.held.margins["low"][::3])
    assert np.array_equal(part.log_count("reply"), studied.held.log_count("reply")[::3])
    assert part.trees == studied.held.trees


def test_counts_that_are_not_reported_are_not_a_number() -> None:
    frame = pl.DataFrame({"outcome": [0.0, 3.0], "like": [7, None]})
    assert log_counts(frame).tolist() == [0.0, np.log(4)]
    assert log_counts(frame, "like")[0] == np.log(8)
    assert np.isnan(log_counts(frame, "like")[1])


@pytest.mark.parametrize(
    ("like", "learnable"),
    [
        (pl.col("like") * 0, False),
        (pl.when(pl.int_range(pl.len()) < 99).then("like"), False),
        (pl.when(pl.int_range(pl.len()) < 100).then("like"), True),
    ],
    ids=["never happens", "on 99 posts", "on 100 posts"],
)
def test_a_kind_needs_posts_that_differ(studied: Studied, like: pl.Expr, learnable: bool) -> None:
    """The first block is taught with posts that come first in the frame, cold accounts aside."""
    frame = studied.dataset.frame.sort("cold", "happened_at").with_columns(like.alias("like"))
    dataset = replace(studied.dataset, frame=frame)
    assert ("like" in learnable_kinds(dataset, studied.params)) is learnable
    assert "reply" in learnable_kinds(dataset, studied.params)


def main_of(matrix: Floats, target: Floats, trees: int) -> lightgbm.Booster:
    params = Params(fit=Fit(trees=trees, threads=1, min_data_in_leaf=5))
    return fit(matrix, target, params, ("a", "b"), (0, 0))


def test_chance_is_given_few_trees_and_a_true_course_many() -> None:
    random = np.random.default_rng(1)
    taught, unseen = random.normal(size=(400, 2)), random.normal(size=(400, 2))
    noise = random.normal(size=800)
    by_chance = main_of(taught, noise[:400], 100)
    assert choose_trees([by_chance], [unseen], [noise[400:]], 100) == 5
    course = main_of(taught, 3 * taught[:, 0] + taught[:, 1], 100)
    assert choose_trees([course], [unseen], [3 * unseen[:, 0] + unseen[:, 1]], 100) >= 80


def test_every_block_has_a_say_on_the_number_of_trees() -> None:
    random = np.random.default_rng(1)
    matrix = random.normal(size=(400, 2))
    good, bad = 3 * matrix[:, 0], -3 * matrix[:, 0]
    main = main_of(matrix, good, 100)
    assert choose_trees([main], [matrix], [good], 100) == 100
    assert choose_trees([main, main], [matrix, matrix], [good, bad], 100) < 20


def test_one_tree_is_a_number_of_trees() -> None:
    matrix = np.zeros((50, 2))
    assert choose_trees([main_of(matrix, np.zeros(50), 1)], [matrix], [np.zeros(50)], 1) == 1


def test_the_steps_are_told(studied: Studied) -> None:
    told: list[str] = []
    held = held_out(studied.dataset, FEW, (), told.append)
    start = studied.dataset.plan.rolling[0].start
    assert told[0] == f"rolling origin 1 of 3 ({start:%Y-%m-%d})"
    assert [words[:15] for words in told] == ["rolling origin "] * 3 + ["rolling origins"]
    assert 1 <= held.trees <= 5
