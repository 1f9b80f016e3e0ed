"""A score that was given stays as it was given: plain SQL cannot change it either, and only forgetting takes it away."""

from __future__ import annotations

import pytest
from score_store import day, record, run
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from clout.serving.store.scores import Store

REFUSED = {
    "UPDATE scores SET score = 99, high = 99": "scores are never changed",
    "UPDATE scores SET as_of = as_of": "scores are never changed",
    "UPDATE scores SET detail = detail WHERE account = 'x/1'": "scores are never changed",
    "UPDATE models SET contract = ''": "models are never changed",
    "DELETE FROM scores": "scores are only deleted by forgetting their account",
    "DELETE FROM scores WHERE account = 'x/1'": "scores are only deleted by forgetting their account",
    "DELETE FROM models": "models are never deleted",
}
BEYOND = {
    "postgresql": {
        "TRUNCATE scores": "scores are only deleted by forgetting their account",
        "TRUNCATE models, runs, scores, usual": "never deleted|only deleted by forgetting",
        "INSERT INTO scores SELECT * FROM scores ON CONFLICT (account, as_of, model_version) DO UPDATE SET score = 99": (
            "scores are never changed"
        ),
    },
    "sqlite": {
        "INSERT INTO scores SELECT * FROM scores WHERE true "
        "ON CONFLICT (account, as_of, model_version) DO UPDATE SET score = 99": "",
        "REPLACE INTO scores (account, as_of, model_version, scale_version, network, bridge, detail, run, score, low, high)"
        " SELECT account, as_of, model_version, scale_version, network, bridge, detail, run, 99, 98, 100 FROM scores": "",
        "REPLACE INTO models SELECT model_version, scale_version, 'other', quantiles FROM models": "",
    },
}


def told(url: str, statement: str) -> str:
    """What the database says of a plain SQL statement; nothing when it takes it."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(text(statement))
    except DBAPIError as error:
        return str(error.orig)
    finally:
        engine.dispose()
    return ""


@pytest.fixture
def kept(store: Store) -> Store:
    """A store with scores of two accounts and a bridge."""
    store.write(store.begin(run(0)), [record(0), record(0, "x/2", score=None), record(0, model="b", bridge=True)])
    return store


def everything(store: Store) -> list[object]:
    """All scores and models."""
    return [*(store.all_of(account) for account in ("x/1", "x/2")), *(store.judge(model) for model in ("a", "b"))]


@pytest.mark.parametrize("statement", REFUSED)
def test_plain_sql_cannot_change_or_take_away_a_score(kept: Store, store_url: str, statement: str):
    before = everything(kept)
    assert REFUSED[statement] in told(store_url, statement)
    assert everything(kept) == before


def test_nor_by_what_only_one_database_knows(kept: Store, store_url: str):
    before = everything(kept)
    for statement, refusal in BEYOND[store_url.partition(":")[0].partition("+")[0]].items():
        said = told(store_url, statement)
        assert any(words in said for words in refusal.split("|")), statement
        assert everything(kept) == before, statement


def test_writing_again_keeps_what_was_written(kept: Store):
    before = everything(kept)
    assert kept.write(kept.begin(run(0)), [record(0, score=99.0), record(0, "x/2"), record(0)]) == 0
    assert kept.write(kept.begin(run(0, lake="more")), [record(0, score=99.0, handle="Other")]) == 0
    assert everything(kept) == before


def test_only_forgetting_takes_an_account_away_and_no_other(kept: Store, store_url: str):
    assert kept.forget("x/1") == {"scores": 2, "feedback": 0}
    assert kept.all_of("x/1") == {"scores": [], "feedback": []}
    assert kept.history("x/2", day(0), day(0)) == (record(0, "x/2", score=None),)
    assert "only deleted by forgetting" in told(store_url, "DELETE FROM scores")
