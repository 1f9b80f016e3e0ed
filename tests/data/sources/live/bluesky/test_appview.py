"""The AppView, asked on this machine: who is left out, what passes, and what a second reading makes of the first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from live_server import listening
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from clout.data.lake import Lake
from clout.data.sources.live.bluesky.appview import AppView
from clout.data.sources.live.bluesky.feed import BlueskyFeed
from clout.data.sources.live.passing import PassingError
from clout.data.sources.source import Taken, take

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)
ANN, BEN, CID = "did:plc:ann", "did:plc:ben", "did:plc:cid"
OWN, OLD = f"at://{ANN}/app.bsky.feed.post/new", f"at://{ANN}/app.bsky.feed.post/old"


def at(hours: float) -> str:
    return (NOW - timedelta(hours=hours)).isoformat().replace("+00:00", "Z")


def view(uri: str, hours: float, record: dict[str, Any] | None = None, **counts: int) -> dict[str, Any]:
    did = uri.split("/")[2]
    held = {"$type": "app.bsky.feed.post", "text": uri[-3:], **(record or {})}
    return {"uri": uri, "author": {"did": did}, "record": held, "indexedAt": at(hours), **counts}


class Stand:
    """An AppView as a test wants it: `answers` by method, a question's first value behind a slash, or one for all."""

    def __init__(self) -> None:
        self.url = ""
        self.begin()

    def begin(self) -> None:
        """Nothing; all is as at first."""
        self.asked: Counter[str] = Counter()
        self.faults: list[Response] = []
        nothing = {"likeCount": 0, "repostCount": 0, "replyCount": 0, "quoteCount": 0}
        posts = [view(OWN, 5, **{**nothing, "likeCount": 1}), view(OLD, 900, **{**nothing, "repostCount": 1})]
        why = {"by": {"did": BEN}, "uri": f"at://{BEN}/app.bsky.feed.repost/r", "indexedAt": at(899)}
        self.answers: dict[str, Any] = {
            f"actor.getProfile/{ANN}": {
                "did": ANN,
                "handle": "ann.example",
                "followersCount": 3,
                "createdAt": at(9000),
            },
            f"feed.getAuthorFeed/{ANN}": {"feed": [{"post": post} for post in posts]},
            f"feed.getAuthorFeed/{BEN}": {"feed": [{"post": posts[1], "reason": why}]},
            f"feed.getLikes/{OWN}": {"likes": [{"actor": {"did": CID}, "createdAt": at(4), "indexedAt": at(4)}]},
            f"feed.getRepostedBy/{OLD}": {"repostedBy": [{"did": BEN}, {"did": CID}]},
            "feed.getPosts": {"posts": []},
        }

    async def answer(self, request: Request) -> Response:
        """What the AppView says."""
        method = request.path_params["method"].removeprefix("app.bsky.")
        self.asked[method] += 1
        if self.faults:
            return self.faults.pop(0)
        found = self.answers.get(f"{method}/{next(iter(request.query_params.values()))}", self.answers.get(method))
        if isinstance(found, Response):
            return found
        return JSONResponse(found or {"error": "InvalidRequest", "message": "no such"}, 200 if found else 400)

    def show(self, uri: str, **counts: int) -> None:
        """Nothing; the counts of a post are then others."""
        for item in self.answers[f"feed.getAuthorFeed/{ANN}"]["feed"]:
            if item["post"]["uri"] == uri:
                item["post"] |= counts


@pytest.fixture(scope="module")
def standing_by() -> Iterator[Stand]:
    made = Stand()
    with listening(Starlette(routes=[Route("/xrpc/{method}", made.answer)])) as host:
        made.url = f"http://{host}"
        yield made


@pytest.fixture
def stand(standing_by: Stand) -> Stand:
    """The AppView as at first."""
    standing_by.begin()
    return standing_by


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def reading(
    stand: Stand, lake: Lake, *actors: str, hours: float = 0, wait: Callable[[float], object] = lambda _: None
) -> tuple[AppView, Taken]:
    now = NOW + timedelta(hours=hours)
    source = AppView("ours", actors or (ANN,), (), now, lake, stand.url, wait, seconds=1)
    return source, take(lake, source, now)


def standing(lake: Lake) -> set[tuple[str, str]]:
    actions = lake.read("actions").join(lake.read("removals"), left_on="action", right_on="removed", how="anti")
    return set(actions.select("kind", "actor").iter_rows())


def test_the_first_reading_is_as_of_an_export(stand: Stand, lake: Lake) -> None:
    _, taken = reading(stand, lake)
    assert dict(taken.rows) == {"accounts": 1, "profiles": 1, "posts": 2, "actions": 2, "counts": 8}
    assert standing(lake) == {("like", f"bluesky/{CID}"), ("reshare", f"bluesky/{BEN}")}
    for table in ("posts", "actions"):
        assert lake.read(table).filter(pl.col("happened_at") != pl.col("known_at")).is_empty()
    assert lake.read("counts")["retrospective"].all()
    reshare = lake.read("actions").filter(kind="reshare")
    assert reshare["action"].to_list() == [f"bluesky/at://{BEN}/app.bsky.feed.repost/r"]
    assert lake.read("profiles").select("followers", "following", "verified").row(0) == (3, None, None)


def test_what_has_not_changed_is_not_asked_for_again(stand: Stand, lake: Lake) -> None:
    reading(stand, lake)
    stand.asked.clear()
    _, taken = reading(stand, lake, hours=1)
    assert stand.asked == {"actor.getProfile": 1, "feed.getAuthorFeed": 1, "feed.getLikes": 1}, (
        "of the young post alone"
    )
    assert dict(taken.rows) == {"profiles": 1}


def test_an_unlike_undoes_one_like_and_a_like_again_is_another(stand: Stand, lake: Lake) -> None:
    reading(stand, lake)
    likes = stand.answers[f"feed.getLikes/{OWN}"]
    first = deepcopy(likes["likes"])
    likes["likes"] = [{"actor": {"did": BEN}, "createdAt": at(-1), "indexedAt": at(-1)}]
    reading(stand, lake, hours=2)
    assert standing(lake) == {("like", f"bluesky/{BEN}"), ("reshare", f"bluesky/{BEN}")}
    gone = lake.read("removals")
    assert gone.select("account", "known_at").rows() == [(f"bluesky/{CID}", NOW + timedelta(hours=2))]
    likes["likes"] += [{**first[0], "createdAt": at(-3), "indexedAt": at(-3)}]
    stand.show(OWN, likeCount=2)
    reading(stand, lake, hours=4)
    assert ("like", f"bluesky/{CID}") in standing(lake)
    assert lake.read("removals").height == 1


def test_what_is_dated_back_behind_the_last_reading_is_known_from_its_own(stand: Stand, lake: Lake) -> None:
    reading(stand, lake)
    stand.answers[f"feed.getLikes/{OWN}"]["likes"] += [{"actor": {"did": BEN}, "createdAt": at(3), "indexedAt": at(3)}]
    stand.show(OWN, likeCount=2)
    older = view(f"at://{ANN}/app.bsky.feed.post/dated", 300, likeCount=0)
    stand.answers[f"feed.getAuthorFeed/{ANN}"]["feed"].insert(1, {"post": older})
    now = NOW + timedelta(hours=2)
    reading(stand, lake, hours=2)
    (like,) = lake.read("actions").filter(kind="like", actor=f"bluesky/{BEN}").iter_rows(named=True)
    (post,) = lake.read("posts").filter(pl.col("post").str.ends_with("dated")).iter_rows(named=True)
    assert (like["happened_at"], like["known_at"]) == (NOW - timedelta(hours=3), now)
    assert (post["happened_at"], post["known_at"]) == (NOW - timedelta(hours=300), now)


def test_a_post_that_is_gone_is_taken_back_and_one_that_is_only_not_listed_is_not(stand: Stand, lake: Lake) -> None:
    reading(stand, lake)
    (item, _) = stand.answers[f"feed.getAuthorFeed/{ANN}"]["feed"]
    stand.answers[f"feed.getAuthorFeed/{ANN}"]["feed"] = []
    stand.answers["feed.getPosts"] = {"posts": [item["post"]]}
    reading(stand, lake, hours=1)
    assert lake.read("removals").is_empty()
    stand.answers["feed.getPosts"] = {"posts": []}
    reading(stand, lake, hours=2)
    assert lake.read("removals")["removed"].to_list() == [f"bluesky/{OWN}", f"bluesky/{OWN}#quote"]


def test_replies_and_quotes_with_their_addresses(stand: Stand, lake: Lake) -> None:
    says = {"reply": {"parent": {"uri": OWN}, "root": {"uri": OWN}}}
    shows = {"embed": {"record": {"uri": OWN}}}
    reply, quote = (f"at://{BEN}/app.bsky.feed.post/{name}" for name in ("reply", "quote"))
    stand.answers["feed.getPostThread"] = {"thread": {"replies": [{"post": view(reply, 3, says)}, {"notFound": True}]}}
    stand.answers["feed.getQuotes"] = {"posts": [view(quote, 2, shows)]}
    stand.show(OWN, replyCount=1, quoteCount=1)
    reading(stand, lake)
    kinds = dict(
        lake.read("actions").filter(pl.col("kind").is_in(["reply", "quote"])).select("kind", "action").iter_rows()
    )
    assert kinds == {"reply": f"bluesky/{reply}", "quote": f"bluesky/{quote}#quote"}
    stand.answers["feed.getPostThread"] = {"thread": {"replies": []}}
    stand.show(OWN, replyCount=0)
    reading(stand, lake, hours=1)
    assert lake.read("removals")["removed"].to_list() == [f"bluesky/{reply}"]


def test_who_objects_or_is_not_there_is_left_out_and_stops_nobody(stand: Stand, lake: Lake) -> None:
    stand.answers[f"actor.getProfile/{BEN}"] = {"did": BEN, "labels": [{"val": "!no-unauthenticated"}]}
    source, taken = reading(stand, lake, "nobody.example", BEN, ANN)
    assert list(source.left_out) == ["nobody.example", BEN]
    assert dict(taken.rejected) == {"unreachable": 1, "opted_out": 1}
    assert lake.read("posts").height == 2


def test_a_limit_is_waited_for_as_the_server_says(stand: Stand, lake: Lake) -> None:
    ends = {"ratelimit-reset": str(int(datetime.now(UTC).timestamp()) + 43)}
    stand.faults = [
        Response("", 429, {"retry-after": "7"}),
        Response("", 429, ends),
        Response("", 429),
        Response("{", 200, media_type="application/json"),
    ]
    waits: list[float] = []
    with pytest.raises(PassingError, match="no answer that can be read"):
        reading(stand, lake, wait=waits.append)
    assert [int(wait // 10) for wait in waits] == [0, 4, 6]
    stand.faults = [Response("", 503), Response("<html>", 200, media_type="application/json")]
    assert reading(stand, lake)[1].rows["posts"] == 2


def test_trouble_of_one_stops_no_other_and_that_of_three_in_a_row_the_run(stand: Stand, lake: Lake) -> None:
    stand.answers |= {f"actor.getProfile/down{number}.example": Response("", 503) for number in range(4)}
    down = [f"down{number}.example" for number in range(4)]
    source, taken = reading(stand, lake, *down[:2], ANN, down[2])
    assert list(source.left_out) == down[:3]
    assert taken.rows["posts"] == 2
    with pytest.raises(PassingError):
        reading(stand, lake, *down[:3], ANN, hours=1)
    assert lake.read("profiles").height == 1
    source, _ = reading(stand, lake, *down[:3], ANN, hours=2)
    assert lake.read("profiles").height == 2, "the next run goes on behind them"


def test_nobody_there(lake: Lake) -> None:
    source = AppView("ours", [ANN], (), NOW, lake, "http://127.0.0.1:1", lambda _: None)
    with pytest.raises(
        PassingError, match=r"http://127\.0\.0\.1:1 gave no answer that can be read \(.*refused\): try again later"
    ):
        take(lake, source, NOW)


def test_pages_end_though_a_cursor_comes_again(stand: Stand, lake: Lake) -> None:
    stand.answers[f"feed.getAuthorFeed/{ANN}"]["cursor"] = "again"
    assert reading(stand, lake)[1].rows["posts"] == 2


def test_odd_answers_are_refused_and_harm_nothing(stand: Stand, lake: Lake) -> None:
    odd = [
        None,
        7,
        {"post": None},
        {"post": {"uri": 3}},
        {"post": view(f"at://{ANN}/app.bsky.feed.post/odd", 1), "reason": 1},
    ]
    stand.answers[f"feed.getAuthorFeed/{ANN}"]["feed"] += odd
    stand.answers[f"feed.getLikes/{OWN}"]["likes"] += [None, {"actor": None}, {"actor": {"did": BEN}, "indexedAt": 3}]
    _, taken = reading(stand, lake)
    assert (taken.rows["posts"], taken.rows["actions"]) == (2, 2)
    stand.answers[f"feed.getAuthorFeed/{ANN}"] = {"feed": "none"}
    source, _ = reading(stand, lake, hours=1)
    assert "has no feed" in source.left_out[ANN]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"actors": ["ann"]}, "got the account 'ann'; expected a handle or an id"),
        ({"lists": ["https://bsky.app/profile/ann.example"]}, "expected its address"),
        ({"actors": ["ann.example"], "appview": "ftp://x"}, "expected one as in https://bsky.example"),
        ({"firehose": True, "host": "https://x"}, "expected one as in wss://bsky.example"),
        ({}, "got nothing to read"),
    ],
)
def test_what_to_read_is_checked(told: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        BlueskyFeed(name="x", **told)


def test_handles_ids_and_lists_in_their_forms() -> None:
    feed = BlueskyFeed(name="x", actors=("@ann.example", ANN), lists=("https://bsky.app/profile/ann.example/lists/3k",))
    assert feed.actors == ("ann.example", ANN)
    assert feed.lists == ("at://ann.example/app.bsky.graph.list/3k",)
