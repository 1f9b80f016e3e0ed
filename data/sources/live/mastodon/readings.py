"""What a lake has of Mastodon already, and so which rows a status that is read now adds."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from clout.data.lake import Lake
from clout.data.sources.archives.activity_streams import NETWORK
from clout.data.sources.items import Row, counts
from clout.data.sources.live.mastodon.rows import COUNTS, Status
from clout.data.sources.live.mastodon.server import MastodonError
from clout.data.values import TIME

# All ids of the network, by the order of texts.
FIRST, LAST = f"{NETWORK}/", f"{NETWORK}0"
PUBLIC = "public"
NOT_PUBLIC, NOT_PUBLIC_WORDS = "not_public", "it is not public, or not to be found by everybody"
# A server's clock may be ahead of ours, and what is posted during a run is for the next.
AHEAD = timedelta(days=1)


class Known(NamedTuple):
    """Some accounts' posts as a lake has them: account and moment of each, its last counts, and when these were read.

    `watched` were read while they were young, so their server shows them to everybody; `gone` were taken back.
    """

    posts: Mapping[str, tuple[str, datetime]]
    counts: Mapping[tuple[str, str], int]
    read_at: Mapping[str, datetime]
    watched: frozenset[str]
    gone: frozenset[str]


def known(lake: Lake, floors: Mapping[str, datetime]) -> Known:
    """What `lake` has of the posts of some accounts since the moment given for each, and perhaps of older ones."""
    since = pl.lit(min(floors.values(), default=None), TIME)
    theirs = pl.col("account").is_in([*floors]) & (pl.col("happened_at") >= since)
    posts = lake.scan("posts").filter(theirs).select("post", "account", "happened_at").collect()
    ends = pl.lit(posts["post"].min(), pl.String), pl.lit(posts["post"].max(), pl.String)
    near = lake.scan("counts").filter(pl.col("post").is_between(*ends))
    read = near.join(posts.lazy(), on="post", how="semi").sort("happened_at").collect()
    taken_back = lake.scan("removals").filter(pl.col("account").is_in([*floors])).collect()
    return Known(
        {post: (account, moment) for post, account, moment in posts.iter_rows()},
        {(post, kind): count for post, kind, count in read.select("post", "kind", "count").iter_rows()},
        dict(read.select("post", "happened_at").iter_rows()),
        frozenset(read.filter(~pl.col("retrospective"))["post"]),
        frozenset(taken_back["removed"]),
    )


def status_rows(one: Status, there: Known, before: datetime | None, now: datetime, horizon: timedelta) -> Iterator[Row]:
    """The rows that `one` adds to what is known; its account was read `before`.

    A young post is known from now on. One that was ripe when first seen is taken as in an export: known when it was
    published, and its counts, read long after, when it had ripened. Counts are told when they are other than before,
    and once more when the post is ripe; after that the post is left alone.
    """
    if now < one.happened_at <= now + AHEAD:
        return
    if one.visibility != PUBLIC:
        if before is None or one.happened_at > before:
            yield Row("posts", {}, NOT_PUBLIC, NOT_PUBLIC_WORDS)
        return
    is_new, ripe_at = one.post not in there.posts, one.happened_at + horizon
    if is_new:
        clock = {"happened_at": one.happened_at, "known_at": one.happened_at if ripe_at <= now else now}
        yield Row("posts", {"post": one.post, **one.values, **clock})
    read_at = there.read_at.get(one.post)
    if read_at is not None and read_at >= ripe_at:
        return
    told = {
        kind: count
        for kind, count in one.counts.items()
        if ripe_at <= now or count != there.counts.get((one.post, kind))
    }
    yield from counts(one.post, now, told, long_after=is_new and ripe_at <= now)


def removal_rows(name: str, since: datetime, seen: Container[str], there: Known, now: datetime) -> Iterator[Row]:
    """A removal for each post of the account `name` that was read before and is not among those `seen` now."""
    for post, (account, moment) in there.posts.items():
        if (
            account == name
            and moment >= since
            and post in there.watched
            and post not in there.gone
            and post not in seen
        ):
            yield Row("removals", {"removed": post, "account": name, "happened_at": now, "known_at": now})


def last_read(lake: Lake) -> dict[str, datetime]:
    """When each account of the network was last read, by its profile."""
    rows = lake.scan("profiles").filter(pl.col("account").is_between(pl.lit(FIRST), pl.lit(LAST)))
    return dict(rows.group_by("account").agg(pl.col("happened_at").max()).collect().iter_rows())


def expect_no_log(lake: Lake) -> None:
    """Nothing, unless the lake has a log of what is to be counted here, beside which counts would not be used."""
    ours = pl.col("post").is_between(pl.lit(FIRST), pl.lit(LAST)) & pl.col("kind").is_in([*COUNTS])
    logged = lake.scan("actions").filter(ours).select("kind").unique().collect()["kind"].sort().to_list()
    if logged:
        raise MastodonError(
            f"the lake {lake.url} has a log of {' and '.join(logged)} on {NETWORK}; expected none: beside it counts are "
            "not used, and posts read here would seem to have drawn nothing: use another lake (--lake) for one of the two"
        )
