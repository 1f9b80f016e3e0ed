"""Whatever a server tells of an account or a status becomes rows or rejects with a reason; it never breaks anything."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from any_json import bent
from hypothesis import HealthCheck, example, given, settings
from mastodon.return_types import Account
from mastodon.return_types import Status as ToldStatus
from mastodon.types_base import PaginatableList, try_cast_recurse

from clout.data.sources.archives import activity_streams
from clout.data.sources.items import About, Broken, Gathered
from clout.data.sources.live.mastodon.readings import Known, status_rows
from clout.data.sources.live.mastodon.rows import Status, account_id, account_rows, objection, status
from clout.data.tables import validate

NOW, WEEK = datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=7)
NOTHING = Known({}, {}, {}, frozenset(), frozenset())
URI = "https://social.example/users/ann"
ANN = {
    "id": "17",
    "username": "ann",
    "acct": "ann",
    "url": "https://social.example/@ann",
    "uri": URI,
    "locked": False,
    "bot": False,
    "group": False,
    "discoverable": True,
    "noindex": False,
    "created_at": "2022-11-05T00:00:00.000Z",
    "note": "<p>I grow things.</p>",
    "fields": [{"name": "Home", "value": "<b>here</b>", "verified_at": None}],
    "followers_count": 120,
    "following_count": 80,
    "statuses_count": 4_000,
    "last_status_at": "2025-12-31",
}
STATUS = {
    "id": "112",
    "uri": f"{URI}/statuses/112",
    "created_at": "2025-12-20T08:00:00.000Z",
    "account": ANN,
    "url": "https://social.example/@ann/112",
    "visibility": "public",
    "language": "en",
    "sensitive": False,
    "content": "<p>First frost.<br>Second &amp; last.</p><p>Bye</p>",
    "spoiler_text": "",
    "in_reply_to_id": None,
    "replies_count": 2,
    "reblogs_count": 3,
    "favourites_count": 10,
    "quotes_count": 1,
    "reblog": None,
    "tags": [{"name": "frost", "url": "https://social.example/tags/frost"}],
    "media_attachments": [],
    "mentions": [],
    "edited_at": None,
    "card": None,
    "poll": None,
    "quote": None,
    "emojis": [],
    "in_reply_to_account_id": None,
}
BOOST = {**STATUS, "id": "113", "uri": f"{URI}/statuses/113/activity", "content": "", "reblog": STATUS}
REPLY = {**STATUS, "id": "114", "uri": f"{URI}/statuses/114", "in_reply_to_id": "112"}
QUOTE = {**STATUS, "id": "115", "uri": f"{URI}/statuses/115", "quote": {"state": "accepted", "quoted_status": STATUS}}
HUGE = {**STATUS, "favourites_count": 10**30, "content": "<" * 200_000}


def told(item: object, kind: Any) -> Any:  # noqa: ANN401 (what the library makes of it)
    """What Mastodon.py hands on of JSON."""
    return try_cast_recurse(kind, json.loads(json.dumps(item)))


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(bent([STATUS, BOOST, REPLY, QUOTE]))
@example([HUGE, None, [], "text", {}])
def test_any_status_makes_rows_or_a_reject(page: list[Any]) -> None:
    ann = told(ANN, Account)
    for items in (page, told(page, PaginatableList[ToldStatus])):
        gathered, refused = Gathered(), 0
        rows = 0
        for number, item in enumerate(items, 1):
            one = status(item, ann)
            if isinstance(one, Broken):
                gathered.refuse(number, one)
                refused += 1
                continue
            for row in status_rows(one, NOTHING, None, NOW, WEEK):
                gathered.add(number, row)
                rows += 1
        made = {table: validate(table, frame, NOW) for table, frame in gathered.tables().items()}
        assert gathered.rejects().height == refused
        assert sum(kept.height + bad.height for kept, bad in made.values()) == rows
        assert all(bad["reason"].null_count() == 0 for _, bad in made.values())


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(bent([ANN]))
def test_any_account_makes_rows_or_a_reject(accounts: list[Any]) -> None:
    for item in accounts:
        for account in (item, told(item, Account)):
            assert isinstance(objection(account), str | None)
            gathered = Gathered()
            for row in account_rows(account, NOW, is_new=True):
                gathered.add(1, row)
            for table, frame in gathered.tables().items():
                kept, bad = validate(table, frame, NOW)
                assert kept.height + bad.height == 1
                assert bad["reason"].null_count() == 0


@pytest.mark.parametrize(
    "broken",
    [
        {"id": None},
        {"uri": ""},
        {"created_at": "yesterday"},
        {"account": {**ANN, "id": "18"}},
        {"account": None},
    ],
    ids=lambda broken: next(iter(broken)),
)
def test_a_status_that_cannot_be_placed_is_refused_and_shown_only_if_it_is_public(broken: dict[str, Any]) -> None:
    for visibility, shown in (("public", True), ("private", False), (None, False)):
        one = status(told({**STATUS, **broken, "visibility": visibility}, ToldStatus), told(ANN, Account))
        assert isinstance(one, Broken)
        assert ("First frost" in one.raw) is shown


def test_the_api_and_an_export_of_the_same_account_say_the_same() -> None:
    actor = {"id": URI, "preferredUsername": "ann", "published": "2022-11-05T00:00:00Z"}
    note = {
        "id": STATUS["uri"],
        "type": "Note",
        "attributedTo": URI,
        "published": "2025-12-20T08:00:00Z",
        "content": STATUS["content"],
        "contentMap": {"en": STATUS["content"]},
        "attachment": [],
        "tag": [{"type": "Hashtag", "name": "#frost"}],
        "inReplyTo": None,
    }
    activities = [
        {"type": "Actor"},
        {"id": f"{STATUS['uri']}/activity", "type": "Create", "actor": URI, "object": note},
        {"id": BOOST["uri"], "type": "Announce", "actor": URI, "published": "2025-12-20T08:00:00Z", "object": "x"},
    ]
    about = About(more={"of_one": True, "actor": actor})
    exported, asked = Gathered(), Gathered()
    for number, item in enumerate(activities):
        for row in activity_streams.rows(item, about):
            exported.add(number, row)
    ann = told(ANN, Account)
    live = [one for item in (STATUS, BOOST) if isinstance(one := status(told(item, ToldStatus), ann), Status)]
    rows = [row for one in live for row in status_rows(one, NOTHING, None, NOW, WEEK)]
    for row in (*account_rows(ann, NOW, is_new=True), *rows):
        asked.add(1, row)
    for table in ("accounts", "posts"):
        one, other = (validate(table, gathered.tables()[table], NOW)[0].drop("row") for gathered in (exported, asked))
        assert one.equals(other)


def test_servers_before_4_2_tell_no_uri_of_accounts() -> None:
    assert account_id({**ANN, "uri": None}) == f"mastodon/{URI}"
    assert account_id({"uri": None, "url": "https://other.example/u/ann"}) is None
    assert account_id({"url": ["x"]}) is None


def test_counts_that_a_server_does_not_tell_stay_missing() -> None:
    older = {name: value for name, value in STATUS.items() if name != "quotes_count"} | {"replies_count": None}
    one = status(told(older, ToldStatus), told(ANN, Account))
    assert isinstance(one, Status)
    assert one.counts == {"like": 10, "reshare": 3}


def test_what_a_server_dates_days_ahead_is_refused_and_not_forgotten() -> None:
    one = status(told({**STATUS, "created_at": "2026-02-01T00:00:00Z"}, ToldStatus), told(ANN, Account))
    assert isinstance(one, Status)
    gathered = Gathered()
    for row in status_rows(one, NOTHING, None, NOW, WEEK):
        gathered.add(1, row)
    _, refused = validate("posts", gathered.tables()["posts"], NOW)
    assert refused["reason"].to_list() == ["future"]
