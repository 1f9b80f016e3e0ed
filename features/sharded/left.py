"""What a run leaves of each shard for the next one: the rows that something may still be asked of, and no others.

A window looks back 30, 90 or 365 days. Beside these only the newest post of each account, its newest profiles, what is to
be remembered of all its outcomes, and the posts whose outcome is not known yet are left. A post may come `LATE`.
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from clout.data.acquaintance import MONTH, QUARTER
from clout.data.history import EARLIER, History
from clout.data.tables import SCHEMAS, network_of
from clout.features.network import YEAR
from clout.features.sharded.state import ANEW, LATE, StateError, refuse_kinds
from clout.features.sharded.work import STATE, Before, Work

AS_THEY_ARE = ("accounts", "profiles", "standings", "removals", "counts of posts")
KNOWN = ("acted", "others", "returning", "mutual", "answered")
DREW = ("first drew", "drew in all")
WEIGHTS = ("first_weight", "weight")
OUTCOMES = ("first outcomes", "outcomes")
TOLD = (*KNOWN, *WEIGHTS, "n", "log")
ACTIONS = [*SCHEMAS["actions"]]
CLOCK = pl.max_horizontal("happened_at", "known_at").alias("at")


def recall(work: Work, shard: int) -> None:
    """Nothing; what the run before left of a shard lies with what this one reads, and comes first."""
    if work.before is None:
        return
    posts = work.before.left("posts", shard)
    work.keep("left posts", shard, posts.select("post", "open"))
    work.recall("posts", shard, posts.drop("open"))
    owners = posts.select("post", "account")
    work.send("owners of posts", -1 - shard, owners, work.shard_of(owners["post"]))
    for name in AS_THEY_ARE:
        work.recall(name, shard, work.before.left(name, shard))


def expect_new(work: Work, table: str, rows: pl.DataFrame) -> None:
    """Nothing; rows that change what the run before has said raise `StateError`."""
    if work.before is None or "known_at" not in rows.columns:
        return
    named = rows.with_columns(network=network_of("post" if table == "counts" else "account"))
    timed = named.join(work.before.through, on="network")
    early = timed.filter(pl.col("known_at") < pl.col("through")).height
    if early:
        raise StateError(
            f"got {early:,} {table} that were known before the newest that the run before had read of their network; "
            f"expected only newer ones: {ANEW}"
        )
    if table in {"actions", "counts"}:
        _expect_reported(work.before, timed.drop_nulls("post"), logged=table == "actions")
    if table == "posts" and (old := timed.filter(pl.col("happened_at") < pl.col("through") - LATE).height):
        raise StateError(
            f"got {old:,} posts that came to be known more than {LATE.days} days late; expected them sooner: {ANEW}"
        )


def _expect_reported(before: Before, rows: pl.DataFrame, *, logged: bool) -> None:
    """Nothing; kinds of action that were not reported raise `StateError`, also those on posts that are left no more."""
    reported = before.reported.filter("logged") if logged else before.reported
    refuse_kinds(rows.join(reported, on=["network", "kind"], how="anti"))


def expect_one_network(work: Work, actions: pl.DataFrame) -> None:
    """Nothing; networks are read to different ends, so an action from one to another raises `StateError`."""
    if (work.leaves or work.before) and actions.filter(network_of("actor") != network_of("account")).height:
        raise StateError(
            "got actions of accounts on accounts of other networks; expected each to stay on its own: "
            "measure without --keep-state and --after"
        )


def leave(work: Work, shard: int, history: History, record: pl.DataFrame, told: pl.DataFrame) -> None:
    """Nothing; what is to be left of a shard is out. `record` is the stream of its outcomes, `told` has what actions count."""
    ends, longest = history.coverage.through, max(QUARTER, work.horizon)
    names = work.kept("names", shard)["post"]
    outcomes = {
        "outcomes": _recent(history.outcomes, ends, YEAR + LATE),
        "first outcomes": _recent(work.kept("first outcomes", shard), ends, QUARTER),
    }
    posts = _posts(history, work, pl.concat([one["post"] for one in outcomes.values()]))
    for name, frame in outcomes.items():
        _out(work, name, shard, _named(frame, names))
    _out(work, "posts", shard, _named(posts, names).select(*SCHEMAS["posts"], "open"))
    _out(work, "drew", shard, _named(_drew(work, shard, posts), names))
    past = record.filter(pl.col("at") < _ends(record, ends) - (YEAR + LATE)).group_by("account", maintain_order=True)
    _out(work, "earlier", shard, past.last().select(EARLIER.names()))
    _out(work, "actions", shard, _recent(_actions(work, shard).hstack(told.select(TOLD)), ends, longest))
    _leave_others(work, shard, history, ends, longest)


def _leave_others(work: Work, shard: int, history: History, ends: pl.DataFrame, longest: timedelta) -> None:
    following, link = pl.col("following").is_not_null(), pl.col("kind") == "link"
    _out(work, "accounts", shard, history.accounts)
    _out(work, "profiles", shard, _with_newest(history.profiles, ends, following).select([*SCHEMAS["profiles"]]))
    _out(work, "standings", shard, _with_newest(history.standings, ends, link).select([*SCHEMAS["standings"]]))
    removals = work.sent("removals", shard).with_columns(at="known_at")
    _out(work, "removals", shard, _recent(removals, ends, longest).drop("at"))
    counts = work.kept("counts without posts", shard).with_columns(at="known_at", account="post")
    _out(work, "counts of posts", shard, _recent(counts, ends, longest).drop("at", "account"))


def actions_before(work: Work, shard: int, columns: list[str] = ACTIONS) -> pl.DataFrame:
    """The actions that the run before left, their own columns or those named, which may be of what they were `TOLD`.

    Without a run before there are none, and only their own columns.
    """
    if work.before is None:
        return pl.DataFrame(schema=SCHEMAS["actions"])
    return work.before.left("actions", shard, columns)


def drew_before(work: Work, before: Before, shard: int, like: pl.Schema, *, influence: bool) -> pl.DataFrame:
    """What posts of the run before, that could draw no more then, had drawn: post, kind, count."""
    told = _placed(work, before, shard, "drew").rename({} if influence else {"count": "again", "first_count": "count"})
    return told.select(pl.col(name).cast(kind) for name, kind in like.items())


def outcomes_before(work: Work, before: Before, shard: int, like: pl.Schema, *, influence: bool) -> pl.DataFrame:
    """The outcomes that the run before left."""
    told = _placed(work, before, shard, OUTCOMES[influence])
    return told.select(pl.col(name).cast(kind) for name, kind in like.items())


def earlier(work: Work, shard: int) -> pl.DataFrame:
    """What is remembered of outcomes that are not here (see `History`)."""
    return pl.DataFrame(schema=EARLIER) if work.before is None else work.before.left("earlier", shard)


def expect_ripe_now(before: Before, outcomes: pl.DataFrame) -> None:
    """Nothing; outcomes that were known before the run before ended, but not to it, raise `StateError`."""
    if late := outcomes.filter(pl.col("at") < _ends(outcomes, before.through)).height:
        raise StateError(
            f"got counts that tell of {late:,} posts what was known of them before the run before ended; "
            f"expected only what became known since: {ANEW}"
        )


def _placed(work: Work, before: Before, shard: int, name: str) -> pl.DataFrame:
    """What the run before left, with the places of posts in place of their names."""
    places = work.kept("names", shard).with_row_index("place")
    rows = before.left(name, shard).join(places, on="post", maintain_order="left")
    return rows.drop("post").rename({"place": "post"})


def _actions(work: Work, shard: int) -> pl.DataFrame:
    came = work.sent("actions", shard).cast({"kind": pl.String})
    return pl.concat([actions_before(work, shard), came]).with_columns(CLOCK)


def _posts(history: History, work: Work, wanted: pl.Series) -> pl.DataFrame:
    """The posts of these outcomes, those of a year, the newest of each account, and those still `open` to an outcome."""
    ends, ripe_at = _ends(history.posts, history.coverage.through), pl.col("happened_at") + work.horizon
    valued = [kind for kind, value in work.action_values.items() if value > 0]
    reported = history.coverage.reported.filter(pl.col("kind").is_in(valued))
    awaited, logged = (reported.filter(pl.col("logged") == told)["network"].implode() for told in (False, True))
    waits = pl.col("network").is_in(awaited) | (pl.col("network").is_in(logged) & (ripe_at > ends))
    ripe = pl.col("post").is_in(history.outcomes["post"].implode())
    open_ = pl.col("open") & (pl.col("kind") != "reshare") & waits & ~ripe
    posts = history.posts.with_columns(open=open_, closed=ripe_at < ends)
    newest = pl.col("at") == pl.col("at").max().over("account")
    return posts.filter(
        "open" | newest | (pl.col("at") >= ends - (YEAR + LATE)) | pl.col("post").is_in(wanted.implode())
    )


def _drew(work: Work, shard: int, posts: pl.DataFrame) -> pl.DataFrame:
    """What open posts drew that can draw no more."""
    done = posts.filter("open", "closed")["post"]
    first, again = (work.kept(name, shard).filter(pl.col("post").is_in(done.implode())) for name in DREW)
    return first.rename({"count": "first_count"}).join(again, on=["post", "kind"])


def _recent(rows: pl.DataFrame, ends: pl.DataFrame, width: timedelta) -> pl.DataFrame:
    return rows.filter((pl.col("at") >= _ends(rows, ends) - width).fill_null(value=True))


def _with_newest(rows: pl.DataFrame, ends: pl.DataFrame, also: pl.Expr) -> pl.DataFrame:
    """The rows of two months, and of each account the newest before these, and the newest that is `also` so."""
    recent = rows.select((pl.col("at") >= _ends(rows, ends) - (MONTH + LATE)).fill_null(value=True)).to_series()
    older = rows.filter(~recent).sort("at", "happened_at", maintain_order=True)
    newest = [some.unique("account", keep="last") for some in (older, older.filter(also))]
    return pl.concat([pl.concat(newest).unique(maintain_order=True), rows.filter(recent)])


def _ends(rows: pl.DataFrame, ends: pl.DataFrame) -> pl.Series:
    """Until when all is known of the network of each row's account."""
    networks = rows.select(pl.col("account").cast(pl.String)).select(network=network_of("account"))
    return networks.join(ends, on="network", how="left", maintain_order="left")["through"]


def _named(rows: pl.DataFrame, names: pl.Series) -> pl.DataFrame:
    return rows.with_columns(names.gather(rows["post"]).alias("post"))


def _out(work: Work, name: str, shard: int, frame: pl.DataFrame) -> None:
    text = [column for column, kind in frame.schema.items() if isinstance(kind, pl.Categorical | pl.Enum)]
    work.publish(f"{STATE}/{name}", shard, frame.with_columns(pl.col(text).cast(pl.String)))
