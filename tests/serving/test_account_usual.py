"""What is usual among accounts of one size: measured over those of a run, kept with it, and told beside reasons."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from score_store import day, record, run
from scored_home import Scored

from clout.models.explain import MARKS
from clout.serving.accounts.kept import FEWEST, AccountStore
from clout.serving.accounts.queries import Name
from clout.serving.accounts.told import Asked, explanation
from clout.serving.accounts.usual import MOST, usual
from clout.serving.store.rows import Judge, Record, Run, Usual
from clout.serving.store.scores import Store

LARGE, SMALL = "10,000 to 99,999 followers", "under 1,000 followers"


def one(number: int, size_group: str | None, value: float | None, network: str = "x") -> Record:
    detail = {"values": {"text_words": value, "never_known": None}}
    return record(0, f"{network}/{number:04}", size_group=size_group, detail=detail)


def filled(store: Store, *rows: Record) -> Run:
    begun = store.begin(run(0))
    store.write(begun, rows)
    return begun


def test_quantiles_are_those_of_the_group(store: Store) -> None:
    large = [one(number, LARGE, float(number)) for number in range(FEWEST)]
    small = [one(100 + number, SMALL, None) for number in range(FEWEST - 1)]
    found = {(told.network, told.size_group): told for told in usual(store, filled(store, *large, *small))}
    assert set(found) == {("x", None), ("x", LARGE)}
    told = found["x", LARGE]
    assert told.accounts == FEWEST
    assert told.quantiles["text_words"] == pytest.approx(np.quantile(np.arange(FEWEST), MARKS))
    assert told.quantiles["never_known"] is None
    assert found["x", None].quantiles["text_words"] == told.quantiles["text_words"]


def test_networks_and_accounts_without_a_score_are_apart(store: Store) -> None:
    here = [one(number, None, 1.0) for number in range(FEWEST)]
    there = [one(number, None, 9.0, "y") for number in range(FEWEST)]
    none = [record(0, f"x/none-{number}", None) for number in range(FEWEST)]
    found = {told.network: told for told in usual(store, filled(store, *here, *there, *none))}
    assert {name: told.accounts for name, told in found.items()} == {"x": FEWEST, "y": FEWEST}
    assert found["y"].quantiles["text_words"] == [9.0] * len(MARKS)


def test_of_many_some_are_asked_evenly(store: Store) -> None:
    begun = filled(store, *(one(number, LARGE, float(number)) for number in range(2 * MOST)))
    told = next(told for told in usual(store, begun) if told.size_group == LARGE)
    assert told.accounts == 2 * MOST
    assert told.quantiles["text_words"] == pytest.approx(np.quantile(np.arange(0, 2 * MOST, 2), MARKS))


def test_what_is_kept_comes_back_and_stays(store: Store) -> None:
    begun = store.begin(run(0))
    told = Usual("x", LARGE, 31, {"text_words": [1.0, 2.0, 3.0, 4.0, 5.0], "never_known": None})
    every = replace(told, size_group=None, accounts=99)
    store.keep_usual(begun, [told, every])
    store.keep_usual(begun, [replace(told, accounts=7)])
    store.keep_usual(begun, [])
    assert store.usual(begun, "x", LARGE) == told
    assert store.usual(begun, "x", None) == every
    assert store.usual(begun, "x", SMALL) is None
    assert store.usual(replace(begun, as_of=day(1)), "x", None) is None


def test_reasons_are_put_beside_accounts_of_the_same_size(scored: Scored) -> None:
    store, account = AccountStore(lambda: scored.url), scored.accounts[0]
    network, _, name = account.partition("/")
    asked, kept = Asked(store, scored.active.current()), store.usual(store.open().latest(account))
    told = explanation(asked, Name(network, name, ""))
    assert kept
    assert told.typical_of
    assert (told.typical_of.size_group, told.typical_of.accounts) == (kept.size_group, kept.accounts)
    marks = {reason.code: reason.typical for reason in told.reasons if reason.typical}
    assert marks == {name: (of[1], of[3]) for name, of in kept.quantiles.items() if of}
    posts = json.loads(store.open().judge(told.model_version).quantiles)
    assert any(posts[name] and marks[name] != (posts[name][1], posts[name][3]) for name in marks if name in posts)


def test_where_few_are_of_its_size_it_is_put_beside_all_of_its_network(store_url: str) -> None:
    with Store.open(store_url) as store:
        store.remember(Judge("a", "scale-a", "{}", "{}"))
        rows = [*(one(number, SMALL, 1.0) for number in range(FEWEST)), one(99, LARGE, 1.0)]
        begun = filled(store, *rows)
        store.keep_usual(begun, usual(store, begun))
        kept = AccountStore(lambda: store_url)
        assert kept.usual(rows[-1]) is None
        store.finish(begun, day(0))
        lone, many = kept.usual(rows[-1]), kept.usual(rows[0])
        assert lone
        assert many
        assert (lone.size_group, lone.accounts) == (None, FEWEST + 1)
        assert (many.size_group, many.accounts) == (SMALL, FEWEST)
        kept.open().close()
