"""Accounts of a Mastodon server come in: what is theirs, what it drew until it was ripe, and nothing they object to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import polars as pl
import pytest
from mastodon_server import TOKEN, MastodonServer

from clout.data.erasure import erase
from clout.data.history import load, read_tables
from clout.data.lake import Lake
from clout.data.sources.archives.activity_streams import NETWORK
from clout.data.sources.live.mastodon.accounts import AccountsOfMastodon
from clout.data.sources.live.mastodon.feed import MastodonFeed
from clout.data.sources.live.mastodon.server import MastodonError
from clout.data.sources.live.passing import PassingError
from clout.data.sources.source import Piece, Taken, cursor, take

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
# The server dates posts itself: they are some hours old, however long the tests before these took.
LATER = datetime.now(UTC) + timedelta(days=1)
VALUES = {"like": 1.0, "reshare": 2.0, "reply": 2.0, "quote": 3.0}


def source_of(
    server: MastodonServer, lake: Lake, *actors: str, now: datetime = LATER, size: int = 50, seconds: float = 10
) -> AccountsOfMastodon:
    """The accounts as a source that does not really wait."""
    feed = MastodonFeed(name="fedi", server=server.url, actors=actors)
    return AccountsOfMastodon(feed, now, lake, wait=lambda _: None, seconds=seconds, size=size)


def read(server: MastodonServer, lake: Lake, *actors: str, now: datetime = LATER) -> Taken:
    """What became of the rows of the accounts, read once."""
    return take(lake, source_of(server, lake, *actors, now=now), now)


def counted(lake: Lake) -> list[tuple[str, int, bool]]:
    """The counts of a lake as (kind, count, retrospective)."""
    return list(lake.read("counts").sort("happened_at", "kind").select("kind", "count", "retrospective").iter_rows())


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake without a row."""
    return Lake(tmp_path / "lake")


def test_an_account_its_posts_and_their_counts_come_in(mastodon: MastodonServer, lake: Lake) -> None:
    first = mastodon.post("ann", "Good morning #garden @ben", language="en")
    mastodon.on(first, favourite="ben", reblog="cyd")
    mastodon.post("ben", "hello", in_reply_to_id=first)
    own = mastodon.post("ann", "more", in_reply_to_id=first)
    mastodon.post("ann", "and this", quoted_status_id=own)
    taken = read(mastodon, lake, "@ann")
    assert (taken.rows, taken.rejected) == ({"accounts": 1, "profiles": 1, "posts": 3, "counts": 9}, {})
    posts = lake.read("posts").sort("happened_at")
    assert posts["kind"].to_list() == ["original", "reply", "quote"]
    shown = posts.select("text", "lang", "n_media", "n_hashtags", "n_mentions", "n_urls").row(0)
    assert shown == ("Good morning #garden @ben", "en", 0, 1, 1, None)
    likes = lake.read("counts").filter(pl.col("post") == posts["post"][0]).sort("kind")
    assert likes.select("kind", "count").rows() == [("like", 1), ("reply", 2), ("reshare", 1)]
    account, profile = lake.read("accounts").row(0), lake.read("profiles").row(0, named=True)
    assert account[:3] == (f"mastodon/{mastodon.looked_up('ann')['uri']}", "mastodon", "ann")
    assert (profile["happened_at"], profile["followers"], profile["posts"], profile["listed"]) == (LATER, 0, 3, None)


def test_a_young_post_is_known_from_now_on_and_counted_until_it_is_ripe_and_then_once(
    mastodon: MastodonServer, lake: Lake
) -> None:
    first = mastodon.post("ann", "one")
    zero = [("like", 0, False), ("reply", 0, False), ("reshare", 0, False)]
    read(mastodon, lake, "ann")
    assert lake.read("posts")["known_at"].to_list() == [LATER]
    assert counted(lake) == zero
    mastodon.on(first, favourite="ben")
    read(mastodon, lake, "ann", now=LATER + HOUR)
    assert counted(lake) == [*zero, ("like", 1, False)]
    read(mastodon, lake, "ann", now=LATER + 2 * HOUR)
    assert counted(lake) == [*zero, ("like", 1, False)]
    ripe = [("like", 1, False), ("reply", 0, False), ("reshare", 0, False)]
    read(mastodon, lake, "ann", now=LATER + WEEK + DAY)
    assert counted(lake) == [*zero, ("like", 1, False), *ripe]
    mastodon.on(first, favourite="cyd")
    read(mastodon, lake, "ann", now=LATER + WEEK + 2 * DAY)
    assert len(counted(lake)) == 7
    outcomes = load(read_tables(lake), WEEK, VALUES).outcomes
    assert outcomes.select("outcome", "at").rows() == [(1.0, LATER + WEEK + DAY)]


def test_a_post_that_was_ripe_when_first_seen_is_taken_as_in_an_export(mastodon: MastodonServer, lake: Lake) -> None:
    mastodon.on(mastodon.post("ann", "one"), favourite="ben")
    read(mastodon, lake, "ann", now=LATER + 30 * DAY)
    posts = lake.read("posts")
    assert posts["known_at"].to_list() == posts["happened_at"].to_list()
    assert counted(lake) == [("like", 1, True), ("reply", 0, True), ("reshare", 0, True)]
    outcomes = load(read_tables(lake), WEEK, VALUES).outcomes
    assert outcomes.select("outcome", "at").rows() == [(1.0, posts["happened_at"][0] + WEEK)]


def test_what_is_older_than_a_year_stays_away(mastodon: MastodonServer, lake: Lake) -> None:
    mastodon.post("ann", "one")
    assert "posts" not in read(mastodon, lake, "ann", now=LATER + 366 * DAY).rows


def test_a_boost_is_not_the_boosters_post(mastodon: MastodonServer, lake: Lake) -> None:
    famous = mastodon.post("ben", "famous")
    mastodon.on(famous, favourite="cyd", reblog="ann")
    read(mastodon, lake, "ann", now=LATER + 8 * DAY)
    assert lake.read("posts").select("kind", "text", "account").rows() == [
        ("reshare", None, f"mastodon/{mastodon.looked_up('ann')['uri']}")
    ]
    assert counted(lake) == []
    assert lake.read("actions").is_empty()


def test_only_public_posts_are_taken_and_the_others_are_counted_once(mastodon: MastodonServer, lake: Lake) -> None:
    for visibility in ("public", "unlisted", "private", "direct"):
        mastodon.post("ann", f"for {visibility}", visibility=visibility)
    feed = MastodonFeed(name="fedi", server=mastodon.url, actors=("ann",), token=TOKEN.format(name="ann"))
    found = [take(lake, AccountsOfMastodon(feed, now, lake), now).rejected for now in (LATER, LATER + HOUR)]
    assert found == [{"not_public": 3}, {}]
    assert lake.read("posts")["text"].to_list() == ["for public"]
    assert not any("for " in raw for raw in lake.rejects().collect()["raw"])


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ({"noindex": True}, "it has opted out of being indexed"),
        ({"discoverable": False}, "it has chosen not to be discovered"),
        ({"note": '<p>I paint. <a href="https://a.example/tags/nobot">#<span>NoBot</span></a></p>'}, "says #NoBot"),
        ({"fields": [{"name": "bots", "value": "<p>#noindex</p>"}]}, "says #noindex"),
    ],
)
def test_an_account_that_objects_is_left_out_with_the_reason(
    mastodon: MastodonServer, lake: Lake, says: dict[str, object], why: str
) -> None:
    mastodon.post("ann", "one")
    mastodon.says("/api/v1/accounts/lookup", {**mastodon.looked_up("ann"), **says})
    source = source_of(mastodon, lake, "ann")
    taken = take(lake, source, LATER)
    assert (taken.rows, taken.rejected) == ({}, {"opted_out": 1})
    assert source.left_out["ann"].endswith(why)


def test_bots_locked_accounts_and_the_undecided_are_taken(mastodon: MastodonServer, lake: Lake) -> None:
    told = {**mastodon.looked_up("ann"), "bot": True, "locked": True, "discoverable": None, "indexable": False}
    mastodon.says("/api/v1/accounts/lookup", {**told, "note": "<p>I know a robot, and #nobody. /nobot</p>"})
    assert read(mastodon, lake, "ann").rows["profiles"] == 1


def test_one_that_objects_later_is_told_to_be_forgotten_and_the_forgotten_are_not_read(
    mastodon: MastodonServer, lake: Lake
) -> None:
    mastodon.post("ann", "one")
    read(mastodon, lake, "ann", "ben")
    (name,) = lake.read("posts")["account"]
    mastodon.act("ann", "/api/v1/accounts/update_credentials", "PATCH", discoverable=False)
    source = source_of(mastodon, lake, "ann", "ben", now=LATER + HOUR)
    take(lake, source, LATER + HOUR)
    assert source.left_out == {
        "ann": f"it has chosen not to be discovered; what the lake has of it goes with `clout forget {name}`"
    }
    erase(lake, frozenset({name}), reason="asked", day=LATER.date())
    mastodon.act("ann", "/api/v1/accounts/update_credentials", "PATCH", discoverable=True)
    again = source_of(mastodon, lake, "ann", "ben", now=LATER + 2 * HOUR)
    assert take(lake, again, LATER + 2 * HOUR).rejected == {"forgotten": 1}
    assert not any("ann" in raw for raw in lake.rejects().collect()["raw"])


def test_one_that_was_forgotten_unseen_is_not_named(mastodon: MastodonServer, lake: Lake) -> None:
    erase(lake, frozenset({f"mastodon/{mastodon.looked_up('ann')['uri']}"}), reason="asked", day=LATER.date())
    assert read(mastodon, lake, "ann").rejected == {"forgotten": 1}
    assert "ann" not in lake.rejects().collect()["raw"][0]


def test_a_bad_account_stops_no_other(mastodon: MastodonServer, lake: Lake) -> None:
    for name in ("ann", "ben", "cyd", "dot"):
        mastodon.post(name, f"I am {name}")
    ben, cyd = (mastodon.looked_up(name)["id"] for name in ("ben", "cyd"))
    mastodon.fault(f"/api/v1/accounts/{ben}/statuses", "malformed")
    mastodon.says(f"/api/v1/accounts/{cyd}/statuses", {"not": "a list"})
    source = source_of(mastodon, lake, "ann", "ben", "cyd", "nobody", "dot")
    taken = take(lake, source, LATER)
    assert (taken.rows["accounts"], taken.rejected) == (2, {"unreachable": 3})
    assert sorted(lake.read("posts")["text"]) == ["I am ann", "I am dot"]
    assert [why.split(" (")[0] for why in source.left_out.values()] == [
        f"{mastodon.url} gave no answer that can be read",
        "the server answered with something that is no list of statuses",
        "the server does not have it",
    ]


def test_a_server_that_fails_three_times_in_a_row_is_left_for_later(mastodon: MastodonServer, lake: Lake) -> None:
    mastodon.post("dot", "one")
    mastodon.fault("/api/v1/accounts/lookup", "status", count=12, status=503)
    actors = ("ann", "ben", "cyd", "dot")
    with pytest.raises(PassingError, match=r"gave no answer that can be read .*503"):
        read(mastodon, lake, *actors)
    taken = read(mastodon, lake, *actors)
    assert (taken.went_on, taken.rows["posts"]) == (True, 1)
    assert read(mastodon, lake, *actors, now=LATER + HOUR).rows["accounts"] == 3


def test_a_token_that_is_refused_is_an_error_that_says_what_to_do(mastodon: MastodonServer, lake: Lake) -> None:
    mastodon.fault("/api/v1/accounts/lookup", "status", status=401)
    with pytest.raises(MastodonError, match="answered 401, unauthorized; expected to be let in: give a token"):
        read(mastodon, lake, "ann")


def test_a_post_that_is_gone_when_it_is_read_again_was_taken_back(mastodon: MastodonServer, lake: Lake) -> None:
    first, second = mastodon.post("ann", "a slip"), mastodon.post("ann", "stays")
    assert "removals" not in read(mastodon, lake, "ann").rows
    mastodon.act("ann", f"/api/v1/statuses/{first}", "DELETE")
    ids = mastodon.looked_up("ann")["id"]
    mastodon.fault(f"/api/v1/accounts/{ids}/statuses", "status", count=1, status=404)
    assert "removals" not in read(mastodon, lake, "ann", now=LATER + HOUR).rows
    mastodon.fault(
        "/api/v1/accounts/lookup", "status", count=1, status=200, body={**mastodon.looked_up("ann"), "suspended": True}
    )
    assert read(mastodon, lake, "ann", now=LATER + 2 * HOUR).rejected == {"unreachable": 1}
    later = [read(mastodon, lake, "ann", now=LATER + hours * HOUR) for hours in (3, 4)]
    assert [(taken.rows["removals"], taken.rejected) for taken in later] == [(1, {}), (0, {})]
    assert lake.read("removals").select("account", "known_at").rows() == [
        (lake.read("posts")["account"][0], LATER + 3 * HOUR)
    ]
    assert sorted(read_tables(lake)["posts"]["text"], key=str) == [None, "stays"]
    assert second not in lake.read("removals")["removed"][0]


def test_where_something_could_not_be_read_nothing_was_taken_back(mastodon: MastodonServer, lake: Lake) -> None:
    mastodon.post("ann", "one")
    read(mastodon, lake, "ann")
    mastodon.says(f"/api/v1/accounts/{mastodon.looked_up('ann')['id']}/statuses", [{"visibility": "public"}])
    taken = read(mastodon, lake, "ann", now=LATER + HOUR)
    assert (taken.rows, taken.rejected) == ({"profiles": 1}, {"unreadable_row": 1})


def test_a_post_that_only_an_export_told_was_not_taken_back(mastodon: MastodonServer, lake: Lake) -> None:
    mastodon.post("ann", "one")
    read(mastodon, lake, "ann")
    posts = lake.read("posts").with_columns(post=pl.col("post") + "0", known_at=pl.col("happened_at"))
    lake.append({"posts": posts}, source="an export, with what is not public")
    assert read(mastodon, lake, "ann", now=LATER + HOUR).rows == {"profiles": 1}


def test_what_an_export_told_of_ripe_posts_is_not_told_again(mastodon: MastodonServer, tmp_path: Path) -> None:
    mastodon.post("ann", "one")
    exported, asked = Lake(tmp_path / "exported"), Lake(tmp_path / "asked")
    read(mastodon, exported, "ann", now=LATER + 30 * DAY)
    asked.append({table: exported.read(table) for table in ("accounts", "posts", "counts")}, source="an export")
    taken = read(mastodon, asked, "ann", now=LATER + 31 * DAY)
    assert (taken.rows, taken.already_there, taken.rejected) == ({"profiles": 1}, {"accounts": 1}, {})


@pytest.mark.parametrize("kept", [1, 3])
def test_a_run_that_broke_off_goes_on_and_ends_with_the_rows_of_a_whole_one(
    mastodon: MastodonServer, tmp_path: Path, kept: int
) -> None:
    actors = ("ann", "ben", "cyd", "dot")
    for name in actors:
        mastodon.on(mastodon.post(name, f"I am {name}"), favourite="ann")
    whole, broken = Lake(tmp_path / "whole"), Lake(tmp_path / "broken")
    take(whole, source_of(mastodon, whole, *actors, size=1), LATER)

    class Dies(AccountsOfMastodon):
        def pull(self, since: str | None) -> Iterator[Piece]:
            """Some pieces, and no more."""
            yield from islice(super().pull(since), kept)

    feed = MastodonFeed(name="fedi", server=mastodon.url, actors=actors)
    take(broken, Dies(feed, LATER, broken, size=1), LATER)
    assert cursor(broken, "fedi")
    assert take(broken, source_of(mastodon, broken, *actors, size=1), LATER).went_on
    assert broken.fingerprint() == whole.fingerprint()
    assert cursor(broken, "fedi") is None


def test_other_accounts_under_the_same_name_are_all_read(mastodon: MastodonServer, lake: Lake) -> None:
    source = source_of(mastodon, lake, "ann", "ben", size=1)
    first = next(iter(source.pull(None)))
    begun = source_of(mastodon, lake, "cyd", "dot", size=1)
    assert len(list(begun.pull(first.cursor))) == 2
    assert len(list(source.pull(first.cursor))) == 1


def test_accounts_that_cannot_be_read_do_not_hold_the_cursor(mastodon: MastodonServer, lake: Lake) -> None:
    for hours in range(3):
        now = LATER + hours * HOUR
        taken = take(lake, source_of(mastodon, lake, "ann", "nobody", now=now, size=1), now)
        assert (taken.went_on, taken.rows["profiles"]) == (False, 1)


def test_pages_are_read_to_the_first_post_and_later_only_as_far_as_needed(mastodon: MastodonServer, lake: Lake) -> None:
    for number in range(45):
        mastodon.post("ann", f"number {number}")
    assert read(mastodon, lake, "ann", now=LATER + 8 * DAY).rows["posts"] == 45
    assert set(counted(lake)) == {("like", 0, True), ("reply", 0, True), ("reshare", 0, True)}
    assert read(mastodon, lake, "ann", now=LATER + 16 * DAY).rows == {"profiles": 1}


def test_what_is_posted_while_a_run_lasts_is_for_the_next(mastodon: MastodonServer, lake: Lake) -> None:
    mastodon.post("ann", "one")
    mastodon.says("/api/v1/accounts/lookup", {**mastodon.looked_up("ann"), "created_at": "2024-01-01T00:00:00.000Z"})
    early = read(mastodon, lake, "ann", now=LATER - 30 * HOUR)
    assert (early.rows, early.rejected) == ({"accounts": 1, "profiles": 1}, {})
    assert read(mastodon, lake, "ann").rows["posts"] == 1


def test_beside_a_log_of_the_network_nothing_is_counted(mastodon: MastodonServer, lake: Lake) -> None:
    moment = datetime(2025, 1, 1, tzinfo=UTC)
    like = {"action": f"{NETWORK}/1", "post": f"{NETWORK}/a/1", "account": f"{NETWORK}/a", "actor": f"{NETWORK}/b"}
    frame = pl.DataFrame([{**like, "kind": "like", "happened_at": moment, "known_at": moment}]).with_columns(
        pl.col("happened_at", "known_at").cast(pl.Datetime("us", "UTC"))
    )
    lake.append({"actions": frame}, source="a collection")
    with pytest.raises(MastodonError, match="has a log of like on mastodon; expected none"):
        read(mastodon, lake, "ann")
