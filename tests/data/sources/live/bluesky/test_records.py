"""Rows from records of Bluesky: every kind, every shape, and two clocks that nobody can set at will."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clout.data.sources.items import Gathered
from clout.data.sources.live.bluesky.records import MAKERS, Kept, arrived, removals, rows
from clout.data.tables import validate

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ANN, BEN = "did:plc:ann", "did:web:ben.example"
POST = f"at://{ANN}/app.bsky.feed.post/3k"
HERS = {"uri": POST, "cid": "bafy"}
FACET = "app.bsky.richtext.facet"


def made(collection: str, held: Any, table: str = "actions") -> list[dict[str, Any]]:  # noqa: ANN401
    """The rows of one table that a record of BEN makes."""
    kept = Kept(BEN, f"{collection}/3r", held, {"happened_at": NOW, "known_at": NOW})
    return [dict(row.values) for row in rows(kept) if row.table == table]


@pytest.mark.parametrize(("name", "kind"), [("like", "like"), ("repost", "reshare")])
def test_reactions(name: str, kind: str) -> None:
    assert made(f"app.bsky.feed.{name}", {"subject": HERS}) == [
        {
            "action": f"bluesky/at://{BEN}/app.bsky.feed.{name}/3r",
            "post": f"bluesky/{POST}",
            "account": f"bluesky/{ANN}",
            "actor": f"bluesky/{BEN}",
            "kind": kind,
            "happened_at": NOW,
            "known_at": NOW,
        }
    ]


def test_a_like_of_something_else_than_a_post_makes_no_row() -> None:
    assert made("app.bsky.feed.like", {"subject": {"uri": f"at://{ANN}/app.bsky.feed.generator/x"}}) == []


def test_whose_post_it_is_is_looked_up_where_its_address_has_a_handle() -> None:
    (row,) = made("app.bsky.feed.like", {"subject": {"uri": "at://ann.example/app.bsky.feed.post/3k"}})
    assert row["account"] is None


def test_following_has_no_post() -> None:
    (row,) = made("app.bsky.graph.follow", {"subject": ANN})
    assert (row["post"], row["account"], row["kind"]) == (None, f"bluesky/{ANN}", "follow")


@pytest.mark.parametrize(
    ("held", "kind", "actions"),
    [
        ({}, "original", []),
        ({"reply": {"parent": HERS, "root": HERS}}, "reply", [("reply", "")]),
        ({"embed": {"record": HERS}}, "quote", [("quote", "#quote")]),
        ({"embed": {"record": {"record": HERS}, "media": {}}}, "quote", [("quote", "#quote")]),
        ({"reply": {"parent": HERS}, "embed": {"record": HERS}}, "reply", [("reply", ""), ("quote", "#quote")]),
        ({"embed": {"record": {"uri": f"at://{ANN}/app.bsky.graph.list/x"}}}, "original", []),
    ],
    ids=["original", "reply", "quote", "quote with media", "both", "shows a list"],
)
def test_replies_and_quotes_are_posts_and_actions(held: object, kind: str, actions: list[tuple[str, str]]) -> None:
    (post,) = made("app.bsky.feed.post", held, "posts")
    own = f"bluesky/at://{BEN}/app.bsky.feed.post/3r"
    assert (post["post"], post["kind"]) == (own, kind)
    found = [(row["kind"], row["action"].removeprefix(own)) for row in made("app.bsky.feed.post", held)]
    assert found == actions


def test_what_a_post_is_made_of() -> None:
    features = [
        {"$type": f"{FACET}#link", "uri": "https://a.example"},
        {"$type": f"{FACET}#link", "uri": "https://a.example"},
        {"$type": f"{FACET}#tag", "tag": "sea"},
        {"$type": f"{FACET}#mention", "did": ANN},
    ]
    media = {"images": [{}, {}]}
    held = {"text": "so", "langs": ["en", "de"], "tags": ["sea", "sun"], "facets": [{"features": features}]}
    (post,) = made("app.bsky.feed.post", held | {"embed": {"media": media, "record": {"record": HERS}}}, "posts")
    assert {name: post[name] for name in ("text", "lang", "n_media", "n_urls", "n_hashtags", "n_mentions")} == {
        "text": "so", "lang": "en", "n_media": 2, "n_urls": 1, "n_hashtags": 2, "n_mentions": 1,
    }  # fmt: skip
    (card,) = made("app.bsky.feed.post", {"embed": {"external": {"uri": "https://b.example"}}}, "posts")
    assert (card["n_urls"], card["n_media"]) == (1, 0)
    mentions = [row for row in made("app.bsky.feed.post", held) if row["kind"] == "mention"]
    assert [(row["account"], row["post"]) for row in mentions] == [(f"bluesky/{ANN}", None)]


def test_a_deleted_post_takes_back_its_quote_too() -> None:
    gone = [row.values["removed"].partition("/3r")[2] for row in removals(BEN, "app.bsky.feed.post/3r", NOW)]
    assert gone == ["", "#quote"]
    (like,) = removals(BEN, "app.bsky.feed.like/3r", NOW)
    assert like.values == {
        "removed": f"bluesky/at://{BEN}/app.bsky.feed.like/3r",
        "account": f"bluesky/{BEN}",
        "happened_at": NOW,
        "known_at": NOW,
    }


@pytest.mark.parametrize(
    ("told", "happened"),
    [
        (NOW - timedelta(seconds=3), NOW),
        (NOW - timedelta(hours=1), NOW),
        (NOW + timedelta(days=9), NOW),
        (NOW - timedelta(hours=1, microseconds=1), NOW - timedelta(hours=1, microseconds=1)),
        (NOW - timedelta(days=900), NOW - timedelta(days=900)),
    ],
    ids=["just now", "an hour ago", "from the future", "dated back", "long ago"],
)
def test_the_two_clocks(told: datetime, happened: datetime) -> None:
    assert arrived(told.isoformat(), NOW) == {"happened_at": happened, "known_at": NOW}


def test_a_moment_that_cannot_be_read_is_refused_and_counted() -> None:
    gathered = Gathered()
    for told in ("yesterday", None, 7, NOW.isoformat()):
        for row in rows(Kept(BEN, f"app.bsky.feed.like/{told}", {"subject": HERS}, arrived(told, NOW))):
            gathered.add(1, row)
    accepted, refused = validate("actions", gathered.tables()["actions"], NOW)
    assert accepted.height == 1
    assert sorted(refused["reason"]) == ["missing_time", "unreadable_time", "unreadable_time"]


FIELDS = [
    "subject",
    "uri",
    "createdAt",
    "text",
    "langs",
    "facets",
    "features",
    "$type",
    "tag",
    "did",
    "reply",
    "parent",
    "embed",
    "record",
    "media",
    "images",
    "external",
    "tags",
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=3)
    | st.just(POST),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(JSON, st.sampled_from(sorted(MAKERS)))
def test_anything_is_taken_and_what_is_bad_refused(held: Any, collection: str) -> None:  # noqa: ANN401
    told = held.get("createdAt") if isinstance(held, dict) else None
    gathered = Gathered()
    for row in rows(Kept(BEN, f"{collection}/3r", held, arrived(told, NOW))):
        gathered.add(1, row)
    for table, frame in gathered.tables().items():
        accepted, refused = validate(table, frame, NOW)
        assert accepted.height + refused.height == frame.height
