"""Features of one draft: a post that is in no lake, by an account that is, or whose facts come with the request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from clout.data.history import History, load
from clout.data.tables import SCHEMAS
from clout.data.windows import WIDTHS, Stream
from clout.features.compute import Streams, compute, prepare
from clout.features.message import with_form
from clout.features.wording import Wording

TICK = timedelta(microseconds=1)
NOBODY = "draft"


@dataclass(frozen=True)
class Draft:
    """A post to judge, its fields as in the posts table; `account` is None for somebody without a name."""

    network: str
    account: str | None
    happened_at: datetime
    text: str | None = None
    lang: str | None = None
    kind: str = "original"
    n_media: int | None = None
    n_urls: int | None = None
    n_hashtags: int | None = None
    n_mentions: int | None = None


@dataclass(frozen=True)
class RecentPost:
    """A post of an account as it stood when its facts were seen; a kind of action that is not in `counts` is not known."""

    happened_at: datetime
    counts: Mapping[str, int]
    kind: str = "original"
    n_media: int | None = None
    n_urls: int | None = None


@dataclass(frozen=True)
class AccountFacts:
    """What somebody saw of an account at `seen_at`; what is None was not seen."""

    seen_at: datetime
    created_at: datetime | None = None
    followers: int | None = None
    following: int | None = None
    listed: int | None = None
    posts: int | None = None
    verified: bool | None = None
    recent: tuple[RecentPost, ...] = ()


@dataclass(frozen=True)
class Past:
    """What is known of everybody, ready for requests; `through` is the last moment anything was known, by network."""

    streams: Streams
    through: Mapping[str, datetime]
    horizon: timedelta
    action_values: Mapping[str, float]

    @classmethod
    def of(cls, history: History, action_values: Mapping[str, float]) -> Past:
        """The past that `history`, loaded with these action values, tells."""
        streams = prepare(history)
        for stream in streams.by_name.values():
            stream.of("")
        return cls(streams, dict(history.coverage.through.iter_rows()), history.horizon, action_values)


def judged_at(draft: Draft, past: Past, facts: AccountFacts | None = None) -> datetime:
    """The moment before which everything known counts: the draft's own, but never later than just after what is known.

    So a draft for next week, or one judged long after the data end, meets the account as it was last seen, not an
    account that has fallen silent.
    """
    known = facts.seen_at if facts else past.through.get(draft.network)
    return draft.happened_at if known is None else min(draft.happened_at, known + TICK)


def features_of_draft(
    draft: Draft, past: Past, wording: Wording | None, facts: AccountFacts | None = None
) -> pl.DataFrame:
    """One row: post, account, network, happened_at, then every feature, from the same `compute` as a batch.

    With `facts` the account is judged by them alone, beside its network's own level; else by what `past` has of it.
    """
    as_of = judged_at(draft, past, facts)
    account = draft.account or f"{draft.network}/{NOBODY}"
    ids = {"post": f"{draft.network}/{NOBODY}", "account": account, "known_at": draft.happened_at}
    row = {name: getattr(draft, name) for name in SCHEMAS["posts"] if name not in ids} | ids
    post = pl.DataFrame([row], schema=SCHEMAS["posts"]).with_columns(as_of=pl.lit(as_of, post_time()))
    if facts is None:
        streams = past.streams.of(account, draft.network)
    else:
        streams = prepare(load(_tables(draft.network, account, facts, as_of), past.horizon, past.action_values))
    formed = with_form(post).row(0, named=True)
    shared = {name: _at_end(stream, formed, past, as_of) for name, stream in _shared(past.streams).items()}
    streams = replace(streams, by_name={**streams.by_name, **shared})
    return compute(post, streams, None if wording is None else pl.Series(wording.values([draft.text])))


def post_time() -> pl.DataType:
    """The type of a post's time."""
    return SCHEMAS["posts"]["happened_at"]


def _shared(streams: Streams) -> dict[str, Stream]:
    """The streams that tell of a whole network."""
    return {name: stream for name, stream in streams.by_name.items() if stream.key[0] == "network"}


def _at_end(stream: Stream, post: Mapping[str, Any], past: Past, as_of: datetime) -> Stream:
    """The rows of a network's stream that a lookup for `post` at `as_of` can find.

    Where `as_of` lies beyond the network's data, they are moved to end there: its last level stands for its level now.
    """
    known = past.through.get(post["network"], as_of) + TICK
    beyond = max(as_of - known, timedelta(0))
    whole = _alike(stream.of(post["network"]), post)
    times = whole.frame["at"]
    ends = [times.search_sorted(as_of - beyond, side="left")]
    ends += [times.search_sorted(as_of - beyond - width, side="right") for width in WIDTHS.values()]
    rows = sorted({int(end) - 1 for end in ends if int(end) > 0})
    return replace(whole, frame=whole.frame[rows].with_columns(pl.col("at") + beyond), slices={})


def _alike(stream: Stream, post: Mapping[str, Any]) -> Stream:
    """The rows of a network's stream of posts of the same form as `post`."""
    frame = stream.frame
    for key in stream.key[1:]:
        if post[key] is None:
            return replace(stream, frame=frame.clear())
        first, end = (frame[key].search_sorted(post[key], side=side) for side in ("left", "right"))
        frame = frame.slice(first, end - first)
    return replace(stream, frame=frame)


def _tables(network: str, account: str, facts: AccountFacts, as_of: datetime) -> dict[str, pl.DataFrame]:
    """The tables that say what `facts` say, seen just before `as_of`.

    The counts are retrospective: read once, long after, they are taken as known when their post had ripened.
    """
    seen = as_of - TICK
    names = [f"{network}/{NOBODY}-{number}" for number in range(len(facts.recent))]
    recent = list(zip(names, facts.recent, strict=True))
    profile = {name: getattr(facts, name) for name in ("followers", "following", "listed", "posts", "verified")}
    clocks = {"happened_at": seen, "known_at": seen}
    rows = {
        "accounts": [{"account": account, "network": network, "created_at": facts.created_at}],
        "profiles": [{"account": account, **clocks, **profile}],
        "posts": [_post_row(name, account, network, post) for name, post in recent],
        "actions": [],
        "counts": [
            {"post": name, "kind": kind, "count": count, **clocks, "retrospective": True}
            for name, post in recent
            for kind, count in post.counts.items()
        ],
        "identities": [],
    }
    return {name: pl.DataFrame(rows[name], schema=schema) for name, schema in SCHEMAS.items()}


def _post_row(name: str, account: str, network: str, post: RecentPost) -> dict[str, object]:
    form = {"kind": post.kind, "n_media": post.n_media, "n_urls": post.n_urls}
    times = {"happened_at": post.happened_at, "known_at": post.happened_at}
    return {"post": name, "account": account, "network": network, **times, **form}
