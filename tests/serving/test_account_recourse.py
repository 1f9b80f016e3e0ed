"""What would raise a score, as it is kept of each account and told: steps, that there are none, or that nobody had looked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import timedelta

import numpy as np
import pytest
from scored_home import LAST, TWINS, Scored

from clout.data.history import known_before, load, read_tables
from clout.data.lake import Lake
from clout.features.account_posts import AccountsAt
from clout.models.recourse import LEVEL, Pooled, Suggestion
from clout.models.step_words import NOTHING
from clout.serving.accounts.batch import Judgement, adviser_of, records
from clout.serving.accounts.recourse import Adviser
from clout.serving.accounts.told import would_raise
from clout.serving.store.rows import Record
from clout.serving.store.scores import Store

STEP = Suggestion("picture_more", "media_count", None, 12, 5, 4 / 12, 9 / 12, 1.93, 0.71, 3.4)
CERTAIN = Pooled(0.0, 0.0, 0.0, 1.0)


@pytest.fixture
def store(scored: Scored) -> Iterator[Store]:
    with Store.open(scored.url) as opened:
        yield opened


@pytest.fixture(scope="module")
def past(scored: Scored) -> AccountsAt:
    model = scored.active.current().model
    tables = known_before(read_tables(Lake(scored.home / "lake")), LAST)
    history = load(tables, timedelta(days=model.data["horizon_days"]), model.data["action_values"])
    return AccountsAt.of(history, LAST, model.networks, *model.account.windows)


@pytest.fixture(scope="module")
def judge(scored: Scored) -> Judgement:
    return Judgement.of(scored.active.current().model)


@pytest.fixture(scope="module")
def adviser(judge: Judgement, past: AccountsAt) -> Adviser:
    return adviser_of(judge, past)


def latest(store: Store, account: str) -> Record:
    record = store.latest(account)
    assert record is not None
    return record


def test_it_is_looked_for_with_every_score_and_with_no_other(scored: Scored, store: Store) -> None:
    for account, record in scored.records.items():
        assert ("recourse" in record["detail"]) == (record["score"] is not None), account
    first = scored.accounts[0]
    rows = store.history(first, LAST, LAST)
    assert all("recourse" in row.detail for row in rows)
    assert would_raise(latest(store, TWINS[0])) is None


def test_a_step_is_told_in_words(scored: Scored, store: Store) -> None:
    record = latest(store, scored.accounts[0])
    told = would_raise(replace(record, detail={**record.detail, "recourse": [asdict(STEP)]}))
    assert told is not None
    assert (told.nothing, told.level) == (None, LEVEL)
    [step] = told.steps
    assert step.sentence == "Put a picture on more posts: 4 of the 12 we looked at have one, 9 would."
    assert step.worth == "About 1.9 points more, likely 0.7 to 3.4. An estimate, not a promise."
    assert (step.points, step.low, step.high, step.changed) == (1.93, 0.71, 3.4, 5)


def test_that_there_is_nothing_is_an_answer(scored: Scored, store: Store) -> None:
    record = latest(store, scored.accounts[0])
    told = would_raise(replace(record, detail={**record.detail, "recourse": []}))
    assert told is not None
    assert (told.steps, told.nothing) == ([], NOTHING)


def test_a_score_from_before_says_nothing_of_it(scored: Scored, store: Store) -> None:
    record = latest(store, scored.accounts[0])
    assert would_raise(replace(record, detail={k: v for k, v in record.detail.items() if k != "recourse"})) is None


def test_the_address_of_the_reasons_tells_it(scored: Scored) -> None:
    network, _, name = scored.accounts[0].partition("/")
    told = scored.client().get(f"/v1/accounts/{network}/{name}/explanation").json()
    assert set(told["would_raise"]) == {"steps", "nothing", "level"}


def test_a_bridge_is_not_advised(past: AccountsAt, judge: Judgement, adviser: Adviser) -> None:
    part = past.accounts[:20]
    assert not any("recourse" in record.detail for record in records(past, judge, part, None))
    told = records(past, judge, part, adviser)
    assert all(("recourse" in record.detail) == (record.score is not None) for record in told)


def test_without_evidence_nothing_is_suggested(past: AccountsAt, judge: Judgement, adviser: Adviser) -> None:
    """The society is too small for most of its steps to be seen in it; were all known, there would be more."""
    known = {network: [CERTAIN] * len(adviser.steps) for network in judge.model.networks}
    bold = replace(adviser, evidence=known)
    matrix = judge.matrix(past.posts, past.streams, past.at)
    scores = judge.scores(past.posts, matrix)
    names = past.posts["account"].unique(maintain_order=True).to_list()
    scored = [name for name, lacks in zip(names, scores.lacks, strict=True) if lacks is None]
    told, more = (one.advice(past.posts, matrix, scores, scored) for one in (adviser, bold))
    assert sum(map(len, told.values())) < sum(map(len, more.values()))
    unknown = {
        network: [place for place, one in enumerate(of) if np.isnan(one.mean)]
        for network, of in adviser.evidence.items()
    }
    for account, steps in told.items():
        lacking = {(adviser.steps[place].code, adviser.steps[place].to) for place in unknown[account.partition("/")[0]]}
        assert not lacking & {(step.code, step.to) for step in steps}


def test_nobody_named_is_told_nothing(past: AccountsAt, judge: Judgement, adviser: Adviser) -> None:
    matrix = judge.matrix(past.posts, past.streams, past.at)
    assert adviser.advice(past.posts, matrix, judge.scores(past.posts, matrix), []) == {}
