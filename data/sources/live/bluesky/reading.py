"""One reading of an account by the AppView: its rows, and those that take back what was there at the last reading."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

from clout.data.sources.items import Row, at, counts, identity, objects, text
from clout.data.sources.live.bluesky.known import Known
from clout.data.sources.live.bluesky.records import NETWORK, POST, SKEW, Kept, removals, rows, when
from clout.data.sources.live.bluesky.server import NotThereError, Server

COUNTS = {"like": "likeCount", "reshare": "repostCount", "reply": "replyCount", "quote": "quoteCount"}
ALIKE = timedelta(days=1)
# A like and an unlike leave a count as it was: so long the reactions are looked at whatever it says.
YOUNG = timedelta(days=8)
# How much of a reposter's feed is looked through for the repost.
MOST_OF_A_FEED = 500
AT_ONCE = 25
Reposts = Callable[[str], Mapping[str, Any]]
Reactions = Mapping[str, Callable[[], Iterable[Row]]]


class Reading:
    """What `server` tells of the account of `profile`, posts since `floor`, against what was known `before`.

    `reposts` are those of an account, as `reposts_of` tells them.
    """

    def __init__(
        self,
        server: Server,
        profile: Any,  # noqa: ANN401
        before: Known,
        now: datetime,
        floor: datetime,
        reposts: Reposts,
    ) -> None:
        self._server, self._profile, self._before, self._now, self._floor = server, profile, before, now, floor
        self._did = str(at(profile, "did"))
        self._account = f"{NETWORK}/{self._did}"
        self._reposts = reposts

    def rows(self) -> Iterator[Row]:
        """Every row: the profile, posts, counts, who reacted, and what was taken back."""
        yield from self._profile_rows()
        views = {f"{NETWORK}/{at(view, 'uri')}": view for view in self._views()}
        for post, view in views.items():
            yield from self._of_post(post, view)
        known = [post for post, moment in self._before.posts.items() if moment >= self._floor and post not in views]
        for post in self._gone(known):
            yield from removals(self._did, post.removeprefix(f"{NETWORK}/at://{self._did}/"), self._now)

    def _profile_rows(self) -> Iterator[Row]:
        profile, own = self._profile, {"account": self._account}
        if self._before.read_at is None:
            created = when(at(profile, "createdAt"))
            yield Row("accounts", {**own, "network": NETWORK, "handle": at(profile, "handle"), "created_at": created})
        checked = text(at(profile, "verification", "verifiedStatus"))
        clock = {"happened_at": self._now, "known_at": self._now}
        told = {"followers": "followersCount", "following": "followsCount", "posts": "postsCount"}
        shown = {name: at(profile, field) for name, field in told.items()}
        yield Row("profiles", {**own, **clock, **shown, "verified": None if checked is None else checked == "valid"})

    def _views(self) -> Iterator[Any]:
        """The account's own posts since the floor, newest first; nothing of the time after `now`, which is for the next reading."""
        asked = {"actor": self._did, "filter": "posts_with_replies"}
        for item in self._server.pages("feed.getAuthorFeed", "feed", **asked):
            view, reason = at(item, "post"), at(item, "reason")
            moment = when(at(reason if reason is not None else view, "indexedAt"))
            if not isinstance(moment, datetime) or moment > self._now:
                continue
            if moment < self._floor:
                return
            if reason is None and _path(view, self._did) is not None:
                yield view

    def _of_post(self, post: str, view: Any) -> Iterator[Row]:  # noqa: ANN401
        is_new = post not in self._before.posts
        if is_new:
            yield from self._written(view)
        told = {kind: at(view, field) for kind, field in COUNTS.items() if isinstance(at(view, field), int)}
        last = {kind: self._before.counts.get((post, kind)) for kind in told}
        other = {kind for kind, known in last.items() if known is None or known[0] != told[kind]}
        fresh = {
            kind: count
            for kind, count in told.items()
            if kind in other or (known := last[kind]) is None or known[1] <= self._now - ALIKE
        }
        yield from counts(post, self._now, fresh, long_after=is_new)
        moment = when(at(view, "indexedAt"))
        is_young = isinstance(moment, datetime) and moment > self._now - YOUNG
        for kind in sorted(told if is_young else other):
            if told[kind] or self._before.actions.get((post, kind)):
                # A post may go while it is asked about.
                with suppress(NotThereError):
                    yield from self._changes(kind, post, view)

    def _changes(self, kind: str, post: str, view: Any) -> Iterator[Row]:  # noqa: ANN401
        """The reactions that are new, and removals of those that are gone."""
        had = self._before.actions.get((post, kind), {})
        if kind in {"like", "reshare"}:
            by = self._likes(post, view) if kind == "like" else self._reshares(post, view)
            for actor in by.keys() - set(had.values()):
                yield from by[actor]()
            gone = [action for action, actor in had.items() if actor not in by]
        else:
            said = self._said(kind, post, view)
            for action in said.keys() - had.keys():
                yield said[action]
            lost = {action.partition("#")[0]: action for action in had if action not in said}
            gone = [lost[name] for name in self._gone(lost)]
        for action in gone:
            yield Row("removals", {"removed": action, "account": had[action], **self._clock(self._now)})

    def _likes(self, post: str, view: Any) -> Reactions:  # noqa: ANN401
        """By actor, the row of its like. The AppView does not tell a like's address, so it has its post and time for one."""
        found: dict[str, Callable[[], Iterable[Row]]] = {}
        for like in self._server.pages("feed.getLikes", "likes", uri=at(view, "uri")):
            actor, told = identity(NETWORK, text(at(like, "actor", "did"))), text(at(like, "createdAt"))
            if actor is not None:
                name = f"{NETWORK}/at://{at(like, 'actor', 'did')}/app.bsky.feed.like/?post={at(view, 'uri')}&at={told}"
                found[actor] = partial(self._reaction, name, post, actor, "like", at(like, "indexedAt"))
        return found

    def _reshares(self, post: str, view: Any) -> Reactions:  # noqa: ANN401
        """By actor, the row of its repost, which only its own feed tells; none where that is too long ago."""
        found: dict[str, Callable[[], Iterable[Row]]] = {}
        for by in self._server.pages("feed.getRepostedBy", "repostedBy", uri=at(view, "uri")):
            did = text(at(by, "did"))
            if did is not None:
                found[f"{NETWORK}/{did}"] = partial(self._reshare, did, post, str(at(view, "uri")))
        return found

    def _reshare(self, did: str, post: str, uri: str) -> Iterator[Row]:
        reason = self._reposts(did).get(uri)
        if reason is not None:
            name, actor = f"{NETWORK}/{at(reason, 'uri')}", f"{NETWORK}/{did}"
            yield from self._reaction(name, post, actor, "reshare", at(reason, "indexedAt"))

    def _said(self, kind: str, post: str, view: Any) -> dict[str, Row]:  # noqa: ANN401
        """By id, the replies to a post or the quotes of it."""
        uri = at(view, "uri")
        if kind == "quote":
            views = [*self._server.pages("feed.getQuotes", "posts", uri=uri)]
        else:
            thread = self._server.one("feed.getPostThread", uri=uri, depth=1, parentHeight=0)
            views = [at(reply, "post") for reply in objects(at(thread, "thread", "replies"))]
        made = (row.values for one in views for row in self._written(one))
        return {values["action"]: Row("actions", values) for values in made if _is(values, kind, post)}

    def _reaction(self, name: str, post: str, actor: str, kind: str, told: object) -> Iterator[Row]:
        moment = when(told)
        if not isinstance(moment, datetime) or moment <= self._now:
            own = {"action": name, "post": post, "account": self._account, "actor": actor, "kind": kind}
            yield Row("actions", {**own, **self._clock(moment)})

    def _written(self, view: Any) -> Iterator[Row]:  # noqa: ANN401
        """The rows of a post that somebody wrote, up to now."""
        did, moment = text(at(view, "author", "did")), when(at(view, "indexedAt"))
        path = _path(view, did)
        if did is not None and path is not None and isinstance(moment, datetime) and moment <= self._now:
            yield from rows(Kept(did, path, at(view, "record"), self._clock(moment)))

    def _clock(self, moment: Any) -> dict[str, Any]:  # noqa: ANN401 (what is no time is refused later)
        """Known when it happened, as in an export, unless the reading before did not have it, though it was after that."""
        read_at = self._before.read_at
        dated_back = read_at is not None and isinstance(moment, datetime) and moment < read_at - SKEW
        return {"happened_at": moment, "known_at": self._now if dated_back else moment}

    def _gone(self, posts: Iterable[str]) -> Iterator[str]:
        """Those of `posts` that the AppView has no more."""
        rest = iter(posts)
        while some := [*islice(rest, AT_ONCE)]:
            uris = [post.removeprefix(f"{NETWORK}/") for post in some]
            there = {at(view, "uri") for view in objects(at(self._server.one("feed.getPosts", uris=uris), "posts"))}
            yield from (post for post, uri in zip(some, uris, strict=True) if uri not in there)


def reposts_of(server: Server, did: str) -> Mapping[str, Any]:
    """By post, why the feed of an account shows it, for all that it reposted lately; none where the feed is not shown."""
    asked = {"actor": did, "filter": "posts_with_replies"}
    found: dict[str, Any] = {}
    with suppress(NotThereError):
        for item in islice(server.pages("feed.getAuthorFeed", "feed", **asked), MOST_OF_A_FEED):
            if text(at(item, "reason", "uri")) is not None:
                found[str(at(item, "post", "uri"))] = at(item, "reason")
    return found


def _path(view: Any, did: str | None) -> str | None:  # noqa: ANN401
    """The `collection/key` of the post of a view, None where it is not of the account."""
    uri = text(at(view, "uri")) or ""
    own = uri.startswith(f"at://{did}/{POST}/")
    return uri.removeprefix(f"at://{did}/") if own else None


def _is(values: Mapping[str, Any], kind: str, post: str) -> bool:
    return "action" in values and values["kind"] == kind and values["post"] == post
