"""What is held of an account, and whom a name means."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from clout.data.lake import Lake
from clout.data.personal import NobodyError, find, held, is_empty
from clout.data.tables import REJECTS, SCHEMAS

THEN = datetime(2023, 1, 1, tzinfo=UTC)
AT = {"happened_at": THEN, "known_at": THEN}


def rows(name: str, *told: dict[str, Any]) -> dict[str, pl.DataFrame]:
    """A batch of one table."""
    return {name: pl.DataFrame([AT | row for row in told], schema=SCHEMAS[name])}


@pytest.fixture
def lake() -> Lake:
    """Three accounts, two of them of one handle; a post, what was done on it, and a rejected row."""
    lake = Lake(f"memory://{uuid.uuid4()}")
    people = (("x/1", "Ann"), ("x/2", "@bob"), ("x/3", "BOB"), ("x/4", None))
    accounts = rows("accounts", *({"account": name, "network": "x", "handle": handle} for name, handle in people))
    post = {"post": "x/p", "account": "x/1", "network": "x", "kind": "original", "text": "hello"}
    lake.append(accounts | rows("posts", post), source="a.csv")
    received = {"action": "x/2:x/p", "post": "x/p", "account": "x/1", "actor": "x/2", "kind": "like"}
    done = {"action": "x/1:x/q", "post": "x/q", "account": "x/3", "actor": "x/1", "kind": "reshare"}
    torn = [
        ("posts", 3, "torn", "it is torn", '{"by":"ann","of":"x/9"}'),
        ("posts", 4, "torn", "it is torn", '{"by":2}'),
    ]
    refused = pl.DataFrame(torn, schema=REJECTS, orient="row")
    lake.append(rows("actions", received, done), source="b.csv", note="so", rejects=refused)
    page = {"page": "en.wikipedia.org/wiki/Ann", "kind": "view", "count": 3}
    lake.append(rows("standings", {"account": "x/1"} | page, {"account": "x/2"} | page), source="wikipedia")
    return lake


def test_an_account_is_found_by_id_and_by_handle(lake: Lake):
    assert find(lake, "x/1") == find(lake, "x/@ann") == find(lake, "x/@ANN") == "x/1"
    assert find(lake, "x/nobody yet") == "x/nobody yet"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x/@bob", "@bob is the handle of 2 accounts: x/2, x/3 on x in the lake .*; expected one: give network/id"),
        ("x/@cid", "@cid is nobody's handle on x in the lake .*; expected one: give network/id"),
        ("y/@ann", "@ann is nobody's handle on y"),
        ("ann", "got the account 'ann'; expected network/id or network/@handle"),
        ("x/@", "got the account 'x/@'; expected network/id or network/@handle"),
        ("/1", "got the account '/1'; expected"),
    ],
)
def test_a_name_that_means_nobody_is_told(name: str, words: str, lake: Lake):
    with pytest.raises(NobodyError, match=words):
        find(lake, name)


def test_all_that_is_held_is_told_and_nobody_else(lake: Lake):
    told = held(lake, "x/1")
    tables, when = told["tables"], "2023-01-01T00:00:00.000000Z"
    clocks = {"happened_at": when, "known_at": when}
    assert [row["handle"] for row in tables["accounts"]] == ["Ann"]
    assert [(row["post"], row["text"], row["happened_at"]) for row in tables["posts"]] == [("x/p", "hello", when)]
    assert tables["actions_received"] == [{"post": "x/p", "kind": "like", **clocks}]
    assert tables["actions_done"] == [{"kind": "reshare", **clocks}]
    assert tables["rejects"] == [{"table": "posts", "row": 3, "reason": "torn", "sentence": "it is torn"}]
    assert [(batch["source"], batch["note"], batch["rows"]) for batch in told["batches"]] == [
        ("a.csv", "", {"accounts": 1, "posts": 1}),
        ("b.csv", "so", {"actions": 2}),
        ("wikipedia", "", {"standings": 1}),
    ]
    assert [(row["page"], row["count"]) for row in tables["standings"]] == [("en.wikipedia.org/wiki/Ann", 3)]
    assert not is_empty(told)
    assert is_empty(held(lake, "x/nobody"))
