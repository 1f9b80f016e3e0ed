"""Every rule strikes the rows it names, and only those."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from clout.data.tables import LONGEST_TEXT, NULLABLE, REJECTS, SCHEMAS, TableError, minors_in, rules, validate

NOW = datetime(2024, 1, 1, tzinfo=UTC)
THEN = datetime(2023, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(microseconds=1)

GOOD: dict[str, dict[str, Any]] = {
    "accounts": {"account": "x/ann", "network": "x", "handle": "ann", "created_at": THEN},
    "profiles": {
        "account": "x/ann",
        "happened_at": THEN,
        "known_at": THEN,
        "followers": 3,
        "following": 0,
        "listed": None,
        "posts": None,
        "verified": True,
    },
    "posts": {
        "post": "x/1",
        "account": "x/ann",
        "network": "x",
        "happened_at": THEN,
        "known_at": THEN,
        "text": "hello",
        "lang": "en",
        "kind": "original",
        "n_media": 0,
        "n_urls": 0,
        "n_hashtags": None,
        "n_mentions": None,
    },
    "actions": {
        "action": "x/a1",
        "post": "x/1",
        "account": "x/ann",
        "actor": "x/bob",
        "kind": "like",
        "happened_at": THEN,
        "known_at": THEN,
    },
    "counts": {
        "post": "x/1",
        "kind": "like",
        "count": 5,
        "happened_at": THEN,
        "known_at": THEN,
        "retrospective": False,
    },
    "identities": {"person": "p-1", "account": "x/ann", "happened_at": THEN, "known_at": THEN},
    "standings": {
        "account": "x/ann",
        "page": "en.wikipedia.org/wiki/Ann",
        "kind": "view",
        "count": 3,
        "happened_at": THEN,
        "known_at": THEN,
    },
    "removals": {"removed": "x/a1", "account": "x/bob", "happened_at": THEN, "known_at": THEN},
}
BROKEN = [
    ("removals", {"removed": None}, "missing_id"),
    ("removals", {"removed": "a1"}, "id_without_network"),
    ("removals", {"account": ""}, "missing_id"),
    ("identities", {"person": ""}, "missing_id"),
    ("identities", {"person": None}, "missing_id"),
    ("accounts", {"account": None}, "missing_id"),
    ("posts", {"post": ""}, "missing_id"),
    ("posts", {"account": None}, "missing_id"),
    ("actions", {"actor": None}, "missing_id"),
    ("posts", {"happened_at": None}, "missing_time"),
    ("profiles", {"known_at": None}, "missing_time"),
    ("counts", {"count": None}, "missing_value"),
    ("counts", {"kind": None}, "missing_value"),
    ("posts", {"network": None}, "missing_value"),
    ("accounts", {"account": "ann"}, "id_without_network"),
    ("actions", {"post": "x/"}, "id_without_network"),
    ("accounts", {"account": "x/\0"}, "nul_character"),
    ("accounts", {"handle": "ann\0"}, "nul_character"),
    ("identities", {"person": "a\0b"}, "nul_character"),
    ("posts", {"post": "y/1"}, "other_network"),
    ("posts", {"happened_at": datetime(1970, 1, 17, tzinfo=UTC)}, "too_early"),
    ("accounts", {"created_at": LATER}, "future"),
    ("posts", {"happened_at": LATER, "known_at": LATER}, "future"),
    ("actions", {"known_at": LATER}, "future"),
    ("counts", {"count": -1}, "negative_number"),
    ("profiles", {"followers": -1}, "negative_number"),
    ("posts", {"known_at": THEN - timedelta(seconds=1)}, "known_before_happened"),
    ("posts", {"kind": "like"}, "unknown_kind"),
    ("actions", {"kind": "original"}, "unknown_kind"),
    ("standings", {"kind": "like"}, "unknown_kind"),
    ("standings", {"page": None}, "missing_value"),
    ("standings", {"known_at": THEN - timedelta(seconds=1)}, "known_before_happened"),
    ("posts", {"text": "é" * (LONGEST_TEXT + 1)}, "text_too_long"),
    ("counts", {"count": float("nan")}, "not_a_number"),
    ("counts", {"count": 1.5}, "not_a_whole_number"),
    ("counts", {"count": "many"}, "wrong_type"),
    ("profiles", {"verified": "perhaps"}, "wrong_type"),
    ("posts", {"happened_at": "someday"}, "unreadable_time"),
]


def frame(table: str, *changes: dict[str, Any]) -> pl.DataFrame:
    """A good row for each of `changes`, changed so."""
    rows = [GOOD[table] | change for change in changes]
    as_given = {name for change in changes for name, value in change.items() if isinstance(value, str | float)}
    schema = {name: None if name in as_given else kind for name, kind in SCHEMAS[table].items()}
    return pl.DataFrame(rows, schema=schema)


@pytest.mark.parametrize("table", list(SCHEMAS))
def test_a_good_row_is_accepted_as_it_is(table: str):
    accepted, rejects = validate(table, frame(table, {}), NOW)
    assert accepted.to_dicts() == [GOOD[table]]
    assert dict(accepted.schema) == dict(SCHEMAS[table])
    assert rejects.is_empty()
    assert rejects.schema == REJECTS


@pytest.mark.parametrize(("table", "change", "reason"), BROKEN, ids=[f"{t}-{r}-{next(iter(c))}" for t, c, r in BROKEN])
def test_a_broken_row_is_rejected_and_kept(table: str, change: dict[str, Any], reason: str):
    accepted, rejects = validate(table, frame(table, change), NOW)
    assert accepted.is_empty()
    assert dict(accepted.schema) == dict(SCHEMAS[table])
    (reject,) = rejects.to_dicts()
    assert (reject["table"], reject["row"], reject["reason"]) == (table, 1, reason)
    assert reject["sentence"]
    raw, (column, value) = json.loads(reject["raw"]), next(iter(change.items()))
    assert raw.keys() == SCHEMAS[table].keys()
    if isinstance(value, str):
        assert raw[column] == value


def test_every_rule_is_tried():
    told = {reason for _, _, reason in BROKEN}
    assert {rule.code for table in SCHEMAS for rule in rules(table, NOW)} - {"minor"} <= told


MINORS = [(True, None, "minor"), ("yes", "someday", "minor"), ("perhaps", None, "wrong_type")]


@pytest.mark.parametrize(("flag", "created_at", "reason"), MINORS)
def test_a_minor_is_rejected_whatever_else_is_wrong_and_what_its_row_said_is_not_kept(
    flag: object, created_at: str | None, reason: str
):
    given = pl.DataFrame([GOOD["accounts"] | {"created_at": created_at, "minor": flag}])
    accepted, rejects = validate("accounts", given, NOW)
    assert accepted.is_empty()
    assert dict(accepted.schema) == dict(SCHEMAS["accounts"]), "the flag is never kept"
    (reject,) = rejects.to_dicts()
    assert (reject["row"], reject["reason"]) == (1, reason)
    assert (reject["raw"] == "") == (reason == "minor")
    assert minors_in(given) == ({"x/ann"} if reason == "minor" else set())


@pytest.mark.parametrize("flag", [False, None, "no"])
def test_an_account_that_is_no_minors_stays(flag: object):
    given = pl.DataFrame([GOOD["accounts"] | {"minor": flag}])
    accepted, _ = validate("accounts", given, NOW)
    assert accepted.to_dicts() == [GOOD["accounts"]]
    assert minors_in(given) == set()


def test_an_account_stays_with_the_first_person_who_declared_it():
    rows = frame("identities", {}, {"person": "p-2"}, {"person": "p-2", "account": "y/ann"}, {"account": "y/bob"})
    accepted, rejects = validate("identities", rows, NOW)
    told = [("p-1", "x/ann"), ("p-2", "y/ann"), ("p-1", "y/bob")]
    assert accepted.select("person", "account").rows() == told
    assert rejects.select("row", "reason", "sentence").rows() == [
        (2, "two_persons", "another person has declared this account before")
    ]
    assert json.loads(rejects["raw"][0])["person"] == "p-2"


def test_one_bad_row_does_not_cost_the_others():
    ids = [{"post": f"x/{number}"} for number in range(5)]
    ids[3]["kind"] = "poem"
    accepted, rejects = validate("posts", frame("posts", *ids), NOW)
    assert accepted["post"].to_list() == ["x/0", "x/1", "x/2", "x/4"]
    assert rejects["row"].to_list() == [4]


@pytest.mark.parametrize(
    ("table", "other"),
    [
        ("accounts", {"handle": None}),
        ("profiles", {"followers": 4}),
        ("posts", {"text": "goodbye"}),
        ("actions", {"actor": "x/cid"}),
        ("counts", {"retrospective": True}),
        ("identities", {"happened_at": THEN - timedelta(days=1)}),
    ],
)
def test_the_first_of_equal_rows_stays_and_the_others_are_told_apart(table: str, other: dict[str, Any]):
    accepted, rejects = validate(table, frame(table, {}, {}, other, {}), NOW)
    assert accepted.to_dicts() == [GOOD[table]]
    told = dict(zip(rejects["row"], rejects["reason"], strict=True))
    assert told == {2: "duplicate", 3: "conflicting_duplicate", 4: "duplicate"}


def test_a_rejected_row_does_not_keep_a_good_one_of_its_key_out():
    accepted, rejects = validate("posts", frame("posts", {"kind": "poem"}, {}), NOW)
    assert accepted.height == rejects.height == 1


def test_two_readings_of_a_count_are_two_rows():
    later = {"happened_at": THEN + timedelta(days=1), "known_at": THEN + timedelta(days=1), "count": 9}
    accepted, _ = validate("counts", frame("counts", {}, later), NOW)
    assert accepted["count"].to_list() == [5, 9]


def test_edges_that_are_allowed():
    edges = [
        {"post": "x/now", "happened_at": NOW, "known_at": NOW},
        {"post": "x/empty", "text": ""},
        {"post": "x/long", "text": "é" * LONGEST_TEXT},
    ]
    accepted, rejects = validate("posts", frame("posts", *edges), NOW)
    assert rejects.is_empty()
    assert accepted["text"].to_list()[1] == ""
    on_the_account = frame("actions", {"post": None, "actor": "x/ann"})
    assert validate("actions", on_the_account, NOW)[0].height == 1


def test_a_megabyte_of_text_is_counted_and_its_neighbours_live():
    accepted, rejects = validate("posts", frame("posts", {"text": "a" * 1_000_000}, {"post": "x/2"}), NOW)
    assert rejects["reason"].to_list() == ["text_too_long"]
    assert accepted["post"].to_list() == ["x/2"]


def test_texts_are_read_as_what_they_say():
    told = {"happened_at": "2023-01-01T00:00:00Z", "known_at": "2023-01-01 00:00", "n_media": "2", "n_urls": " 3.0 "}
    accepted, rejects = validate("posts", frame("posts", told), NOW)
    assert rejects.is_empty()
    assert accepted.select("happened_at", "known_at", "n_media", "n_urls").row(0) == (THEN, THEN, 2, 3)


def test_nullable_columns_may_be_absent_and_required_ones_may_not():
    small = frame("posts", {}).drop(NULLABLE["posts"])
    assert validate("posts", small, NOW)[0]["text"].to_list() == [None]
    with pytest.raises(
        TableError, match=r"got posts without kind; expected the columns post, account, .*: add, rename"
    ):
        validate("posts", small.drop("kind"), NOW)
    with pytest.raises(TableError, match=r"got posts with likes, which it does not have"):
        validate("posts", small.with_columns(likes=1), NOW)


def test_rows_keep_the_numbers_and_reasons_of_their_source():
    source = frame("posts", {}, {"post": "x/2"}, {"post": "x/3", "kind": "poem"}).with_columns(
        row=pl.Series([10, 20, 30]),
        reason=pl.Series([None, "torn", None]),
        sentence=pl.Series([None, "it is torn", None]),
    )
    accepted, rejects = validate("posts", source, NOW)
    assert accepted["row"].to_list() == [10]
    assert rejects.select("row", "reason").rows() == [(20, "torn"), (30, "unknown_kind")]


def test_line_separators_inside_a_text_do_not_split_the_raw_row():
    text = "one\u2028two\x85three\nfour"
    _, rejects = validate("posts", frame("posts", {"text": text, "kind": "poem"}, {"kind": "song"}), NOW)
    assert [json.loads(raw)["kind"] for raw in rejects["raw"]] == ["poem", "song"]
    assert json.loads(rejects["raw"][0])["text"] == text
