"""Targets are accounts near the base with enough evidence, and a base that nobody is near is told with those there are."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from clout.training.attacks.targets import AttackError, Plan, choose, newest

ACCOUNTS = pl.DataFrame({"account": [f"n/{n:03}" for n in range(400)], "usual": np.linspace(0.1, 12, 400)})


def usual(accounts: list[str]) -> pl.Series:
    """The usual actions of some accounts."""
    return ACCOUNTS.filter(pl.col("account").is_in(accounts))["usual"]


def test_targets_are_near_their_base_and_nobody_is_one_twice() -> None:
    chosen = choose(ACCOUNTS, Plan(bases=(2.0, 2.1, 8.0), targets=8))
    assert [len(group) for group in chosen.values()] == [8, 8, 8]
    assert len({account for group in chosen.values() for account in group}) == 24
    for base, group in chosen.items():
        assert (np.abs(np.log1p(usual(group).to_numpy()) - np.log1p(base)) <= 0.2).all()


def test_another_seed_chooses_others() -> None:
    first, again, other = (choose(ACCOUNTS, Plan(bases=(5.0,), seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_fewer_are_taken_where_fewer_fit() -> None:
    assert (
        choose(ACCOUNTS.head(70), Plan(bases=(2.0,), targets=50))[2.0]
        == ACCOUNTS.filter(
            (pl.col("usual").log1p() - np.log1p(2)).abs() <= 0.2, pl.col("usual") <= ACCOUNTS["usual"][69]
        )["account"].to_list()
    )


def test_a_base_nobody_is_near_is_told_with_those_there_are() -> None:
    words = (
        r"got --base 50, but none of the 400 accounts with 30 known posts drives 40.8 to 61.3 actions a post; .* below "
    )
    with pytest.raises(AttackError, match=words + r"1.29, 3.08, 6.06, 9.02, 10.8: give --base"):
        choose(ACCOUNTS, Plan(bases=(5.0, 50.0)))


def test_without_any_account_it_is_evidence_that_lacks() -> None:
    with pytest.raises(AttackError, match=r"got no account with 30 posts of known outcome .* ask for fewer --posts"):
        choose(ACCOUNTS.clear(), Plan())


def test_the_newest_posts_of_each_are_taken() -> None:
    posts = pl.DataFrame({"post": list("abcde"), "account": list("xxxyz"), "happened_at": [3, 1, 2, 4, 5]})
    assert newest(posts, ["x", "y"], 2)["post"].to_list() == ["c", "a", "d"]
