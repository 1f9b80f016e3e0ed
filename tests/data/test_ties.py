"""Who acts on whom, against a count by hand, on small tables full of traps and on three people."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest
from nasty_tables import Acted, Published, Tables, account_id, history_of, nasty_tables, tables_of

from clout.data.engagers import QUARTER
from clout.data.history import History
from clout.data.ties import Ties

DAY = 86_400_000_000


@pytest.fixture(scope="module")
def history() -> History:
    return history_of(nasty_tables())


def weights(history: History, accounts: frozenset[str]) -> dict[tuple[str, str], float]:
    """What the actions of each actor on each account weigh, counted one by one."""
    through = dict(history.coverage.through.iter_rows())
    told: dict[tuple[str, str], float] = defaultdict(float)
    for row in history.actions.iter_rows(named=True):
        pair, end = (row["actor"], row["account"]), through.get(row["network"])
        lately = end is not None and row["at"] > end - QUARTER
        if lately and row["kind"] != "view" and pair[0] != pair[1] and accounts.issuperset(pair):
            told[pair] += row["weight"]
    return {pair: weight for pair, weight in told.items() if weight > 0}


def test_ties_are_those_counted_one_by_one(history: History) -> None:
    accounts = frozenset(history.posts["account"])
    ties, expected = Ties.of(history, accounts), weights(history, accounts)
    assert len(expected) > 10
    for name in accounts | {"log/nobody", ""}:
        given = {account: weight for (actor, account), weight in expected.items() if actor == name}
        taken = {actor: weight for (actor, account), weight in expected.items() if account == name}
        assert ties.acted_on(name) == sorted(given, key=lambda one: (-given[one], one))
        assert ties.actors_on(name) == sorted(taken, key=lambda one: (-taken[one], one))


def test_who_only_reacts_to_others_is_never_named(history: History) -> None:
    authors = frozenset(history.posts["account"])
    assert not authors.issuperset(history.actions["actor"])
    ties = Ties.of(history, authors)
    engagers = frozenset(history.actions["actor"]) - authors
    assert not any(ties.acted_on(engager) for engager in engagers)
    assert authors.issuperset(ties.names)


def three(*acts: tuple[int, int, int]) -> Tables:
    """Authors 0, 5 and 10 of one network, and actions (post's place, actor, after)."""
    posts = [Published(author, place * DAY) for place, author in enumerate((0, 5, 10))]
    return tables_of(posts, [Acted(post, actor, after) for post, actor, after in acts], [], [])


def told(tables: Tables) -> list[tuple[str, str]]:
    """Pairs of actor and account."""
    names = [account_id(author) for author in (0, 5, 10)]
    ties = Ties.of(history_of(tables), names)
    return [(name, other) for name in names for other in ties.acted_on(name)]


def test_an_action_counts_for_ninety_days() -> None:
    one, other, third = (account_id(author) for author in (0, 5, 10))
    recent = three((1, 0, DAY), (2, 5, 85 * DAY))
    assert told(recent) == [(one, other), (other, third)]
    long_ago = three((1, 0, DAY), (2, 5, 95 * DAY))
    assert told(long_ago) == [(other, third)]
    assert timedelta(days=90) == QUARTER


def test_actions_that_weigh_nothing_are_no_ties(history: History) -> None:
    weightless = replace(history, actions=history.actions.with_columns(weight=pl.lit(0.0)))
    assert Ties.of(weightless, frozenset(history.posts["account"])).actions.is_empty()


def test_no_actions_are_no_ties() -> None:
    ties = Ties.of(history_of(three()), frozenset())
    assert (ties.acted_on("log/0"), ties.actors_on("log/0")) == ([], [])
