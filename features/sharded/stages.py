"""The tasks of a sharded run, each on one shard, until it is known what posts drew and who acted; `measuring` has the last one.

Where a task needs sums of all shards, it is given them; where it needs rows of other shards, these were sent to it. What
each does with its rows is what `data.history.load` and `features.compute` do with all rows at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import polars as pl

from clout.data import engagers
from clout.data.coverage import Coverage, reported, through
from clout.data.history import past_rows, without_text
from clout.data.hourly import Hours
from clout.data.labels import drawn, first_actions, on_posts, without_undone
from clout.data.lake import Lake
from clout.data.ordered import in_order, numbered, one_of_each
from clout.data.ripening import Ripening
from clout.data.tables import KINDS, SCHEMAS, networks_of, without_networks
from clout.features import network
from clout.features.sharded import left
from clout.features.sharded.left import CLOCK, KNOWN, OUTCOMES, WEIGHTS
from clout.features.sharded.work import Work

BY_ACCOUNT = ("accounts", "profiles", "posts", "actions", "standings", "removals")
NAME = pl.Categorical()
KIND = pl.Enum(KINDS)
KIND_OF = pl.Series(KINDS, dtype=KIND)
NAMES = pl.Schema({"account": NAME, "actor": NAME, "kind": KIND})
REPORTED = pl.Schema({"network": pl.String(), "kind": pl.String(), "logged": pl.Boolean()})
PLACES, KIND_PLACES = 32, 4
HOUR = "hour"
GIVEN = ("aim", "account", "actor", "at", "drawn", "counts")
RIPENING = ("post", "account", "network", "kind", "happened_at", "known_at", "at", "open")
UNDOING = ("action", "posted_at")
RECEIVED = ("post", "account", "actor", "at", "happened_at", "counts")


def split(work: Work, part: int, files: Mapping[str, Sequence[str]]) -> None:
    """Nothing; the rows of some files (names by table) lie with their accounts' shards, counts with their posts'.

    What actions are called is only read where something is to be known of them by name later.
    """
    shelf = Lake(work.lake).shelf
    for table, whole in SCHEMAS.items():
        named = work.undone or work.leaves
        schema = {name: kind for name, kind in whole.items() if named or name != "action"}
        read = (shelf.frame(table, stem, [*schema]) for stem in files.get(table, ()))
        rows = pl.concat([pl.DataFrame(schema=schema), *read])
        left.expect_new(work, table, rows)
        rows = _asked_for(work, table, rows)
        if table == "actions":
            rows = rows.cast({"kind": KIND})
        if table in BY_ACCOUNT:
            work.send(table, part, rows, work.shard_of(rows["account"]))
        if table == "counts":
            work.send("counts of posts", part, rows, work.shard_of(rows["post"]))
        if table == "posts":
            owners = rows.select("post", "account")
            work.send("owners of posts", part, owners, work.shard_of(owners["post"]))


def _asked_for(work: Work, table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of networks and times that are read; of removals all times: what was taken back says nothing any more."""
    if work.without:
        rows = without_networks(rows, work.without)
    return rows if work.until is None or table == "removals" else past_rows(table, rows, work.until)


def count(work: Work, shard: int) -> Coverage:
    """Until when there are counts of some posts; they lie with the shards of those who posted them."""
    counts = work.sent("counts of posts", shard)
    owners = work.sent("owners of posts", shard)
    owned = counts.join(owners, on="post", maintain_order="left")
    work.send("counts", shard, owned.drop("account"), work.shard_of(owned["account"]))
    if work.leaves:
        work.keep("counts without posts", shard, counts.join(owners, on="post", how="anti", maintain_order="left"))
    return Coverage(pl.DataFrame(schema=REPORTED), through({"counts": counts}))


def receive(work: Work, shard: int) -> Coverage:
    """What the shard's rows cover; its posts are kept, and the actions on its accounts, which are sent to who took them.

    From here on a post is its place among the shard's posts in the order of their names, which are kept.
    """
    said = without_text(work.sent("posts", shard), work.sent("removals", shard)).sort("post")
    work.keep("names", shard, said.select("post"))
    places = said.select("post").with_row_index("place")
    before, came = left.actions_before(work, shard, [*left.ACTIONS, *WEIGHTS]), work.sent("actions", shard)
    left.expect_one_network(work, came)
    counts, new = (_placed(rows, places) for rows in (work.sent("counts", shard), came))
    if work.until:
        counts = _ripe(counts, said, work.until - work.horizon)
    posts = _marked(work, shard, said).drop("post").with_row_index("post").with_columns(CLOCK)
    work.keep("counts of posts here", shard, counts)
    taken = pl.concat([_placed(before.select(came.columns).cast({"kind": KIND}), places), new])
    named = posts.cast({"account": NAME})
    actions = taken.cast(NAMES).with_columns(CLOCK, engagers.COUNTS)
    told = on_posts(actions, named, actions["post"], work.horizon)
    _give(work, shard, _drawing(told, named), before)
    work.keep("posts", shard, named.drop("closed"))
    return _covered(posts, told.slice(before.height), counts)


def _covered(posts: pl.DataFrame, actions: pl.DataFrame, counts: pl.DataFrame) -> Coverage:
    """What posts, actions on them (as `on_posts` gives them) and counts cover: of like actions one says it all."""
    newest = actions.group_by("account").agg(pl.col("known_at").max())
    joined = actions.filter(pl.col("posted_at").is_not_null()).select("post", "account", "kind")
    each = joined[one_of_each(joined["account"], joined["kind"])].cast({"account": pl.String, "kind": pl.String})
    through_all = through({"posts": posts, "actions": newest.cast({"account": pl.String})})
    return Coverage(reported({"posts": posts, "actions": each, "counts": counts}), through_all)


def _ripe(counts: pl.DataFrame, posts: pl.DataFrame, before: datetime) -> pl.DataFrame:
    """`counts` without those read long after of posts that were not published `before`."""
    published = posts["happened_at"].gather(counts["post"])
    return counts.filter(~pl.col("retrospective") | (published < before).fill_null(value=False))


def _marked(work: Work, shard: int, posts: pl.DataFrame) -> pl.DataFrame:
    """`posts` that are `new` in this run, that may yet have an outcome (`open`), and that can draw no more (`closed`)."""
    if work.before is None:
        return posts.with_columns(new=True, open=True, closed=False)
    told = posts.join(work.kept("left posts", shard), on="post", how="left", maintain_order="left")
    ends = told.join(work.before.through, on="network", how="left", maintain_order="left")["through"]
    closed = pl.col("open").is_not_null() & (pl.col("happened_at") + work.horizon < ends).fill_null(value=False)
    return told.with_columns(new=pl.col("open").is_null(), open=pl.col("open").fill_null(value=True), closed=closed)


def _drawing(actions: pl.DataFrame, posts: pl.DataFrame) -> pl.DataFrame:
    """`actions` that are `drawn` by posts which are not closed: what those drew was summed before."""
    closed = posts.filter("closed")["post"]
    if closed.is_empty():
        return actions
    return actions.with_columns(pl.col("drawn") & ~pl.col("post").is_in(closed.implode()).fill_null(value=False))


def _give(work: Work, shard: int, told: pl.DataFrame, before: pl.DataFrame) -> None:
    """Nothing; actions are kept, those of the run before first, and sent to who took them."""
    to = work.shard_of(told["actor"].cast(pl.String))
    its_own = pl.col("posted_at").is_not_null().alias("its_own")
    work.keep("received", shard, told.select(*RECEIVED, its_own, to.alias("to")))
    aimed = told.with_columns(_aim(shard).alias("aim"))
    given = aimed.select(*GIVEN, *(UNDOING if work.undone else ()))
    if work.before:
        weighed = given.head(before.height).hstack(before.select(WEIGHTS))
        work.send("given before", shard, weighed, to.head(before.height))
    new = given.slice(before.height).with_columns(
        place=pl.int_range(pl.len(), dtype=pl.UInt32), by=pl.lit(shard, pl.UInt16)
    )
    work.send("given", shard, new, to.slice(before.height))


def _placed(rows: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """`rows` with the place of their post in place of its name; null where it has none."""
    named = rows.join(places, on="post", how="left", maintain_order="left")
    return named.drop("post").rename({"place": "post"})


def _aim(shard: int) -> pl.Expr:
    """The kind of an action and the place of its post of the shard, as a number that no post of another shard has."""
    place = pl.col("post").cast(pl.UInt64) + (shard << PLACES)
    return place * (1 << KIND_PLACES) + pl.col("kind").to_physical()


def acquaint(work: Work, shard: int) -> pl.DataFrame:
    """The `engager_sums` of the actions that the shard's engagers took; these are kept with what was known of them."""
    given, before = _by_engager(work.sent("given", shard)), 0
    if work.before:
        weighed = _by_engager(work.sent("given before", shard))
        work.keep("weights before", shard, weighed.select(WEIGHTS))
        given, before = pl.concat([weighed.drop(WEIGHTS), given], how="diagonal"), weighed.height
    if work.undone:
        removals = work.sent("removals", shard).cast({"account": NAME})
        if work.until:
            removals = past_rows("removals", removals, work.until)
        given = without_undone(given, removals, work.horizon)
    received = work.kept("received", shard, ["actor", "account", "at", "counts", "to"])
    pairs, answered = given.select(_pair("actor", "account")).to_series(), _pair("account", "actor")
    answers = received.filter(pl.col("to") != shard, "counts", answered.is_in(pairs.unique().implode()))
    known = engagers.acquaint(given, _by_engager(answers))
    work.keep("first actions", shard, first_actions(known, ["aim"]))
    new = known.slice(before)
    hours = Hours.of(new.with_columns(networks_of(new["account"])))
    work.keep("hours", shard, hours.table)
    told = new.with_columns(pl.Series(HOUR, hours.places, pl.UInt32))
    work.keep("known", shard, told.select(HOUR, "at", "actor", "counts", "place", "by", *KNOWN))
    return engagers.engager_sums(new, hours)


def _by_engager(actions: pl.DataFrame) -> pl.DataFrame:
    """`actions` of one engager after those of another, in the order of `at`: the same whichever process does it."""
    engager = pl.Series("engager", numbered(actions["actor"]))
    return in_order(actions.with_columns(engager), "engager", "at").drop("engager")


def _pair(one: str, other: str) -> pl.Expr:
    """Two names as one number."""
    return pl.col(one).to_physical().cast(pl.UInt64) * (1 << PLACES) + pl.col(other).to_physical()


def appraise(work: Work, shard: int, sums: pl.DataFrame) -> pl.DataFrame:
    """The `worth_sums` of the shard's engagers before their influence is known; their s · e is kept."""
    known = work.kept("known", shard, [HOUR, "counts", "acted", "others"])
    hours = _hours(work, shard, known)
    worth = engagers.acquainted(known, hours, sums)
    work.keep("worth", shard, pl.DataFrame({"worth": worth}))
    return engagers.worth_sums(known, hours, worth, engagers.worth(worth, None))


def appraise_again(work: Work, shard: int) -> pl.DataFrame:
    """The `worth_sums` of the shard's engagers; their influence is kept."""
    known = work.kept("known", shard, [HOUR, "at", "counts", "actor"])
    worth = work.kept("worth", shard)["worth"].to_numpy()
    influence = engagers.influence(known, work.kept("first outcomes", shard))
    work.keep("influence", shard, pl.DataFrame({"influence": influence}))
    return engagers.worth_sums(known, _hours(work, shard, known), worth, engagers.worth(worth, influence))


def _hours(work: Work, shard: int, known: pl.DataFrame) -> Hours:
    """The hours of what the shard's engagers did, as `known` tells them."""
    return Hours(work.kept("hours", shard), known[HOUR].cast(pl.Int64).to_numpy())


def weigh(work: Work, shard: int, sums: pl.DataFrame, *, influence: bool) -> None:
    """Nothing; the weights of the shard's engagers are kept, and what they add to posts is sent to these."""
    hours = _hours(work, shard, work.kept("known", shard, [HOUR]))
    worth = work.kept("worth", shard)["worth"].to_numpy()
    raw = engagers.worth(worth, work.kept("influence", shard)["influence"].to_numpy() if influence else None)
    name = WEIGHTS[influence]
    weights = engagers.weights(hours, raw, sums).rename(name)
    work.keep(name, shard, weights.to_frame())
    if work.before:
        weights = pl.concat([work.kept("weights before", shard)[name], weights])
    drew = drawn(work.kept("first actions", shard), weights)
    place, kind = pl.col("aim") // (1 << KIND_PLACES) % (1 << PLACES), drew["aim"] % (1 << KIND_PLACES)
    rows = drew.select(place.cast(pl.UInt32).alias("post"), KIND_OF.gather(kind).alias("kind"), "count")
    work.send("drew", shard, rows, drew["aim"] // (1 << KIND_PLACES + PLACES))


def ripen_first(work: Work, shard: int, known: Coverage) -> None:
    """Nothing; all outcomes are kept, of actions weighed without influence."""
    _ripen(work, shard, known, work.kept("posts", shard, [*RIPENING]), influence=False)


def ripen(work: Work, shard: int, known: Coverage) -> network.Sums:
    """What the shard's posts that ripen now add to their networks; all outcomes are kept."""
    posts = work.kept("posts", shard)
    ripe, outcomes = _ripen(work, shard, known, posts, influence=True)
    return network.sums(posts, ripe, engagers.own_record(outcomes))


def _ripen(
    work: Work, shard: int, known: Coverage, posts: pl.DataFrame, *, influence: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(ripe, outcomes): those of the posts that ripen now, and all outcomes, which are kept."""
    drew = work.sent("drew", shard)
    if work.before:
        drew = pl.concat([drew, left.drew_before(work, work.before, shard, drew.schema, influence=influence)])
    whole = _whole(drew, posts.height)
    counts = work.kept("counts of posts here", shard)
    ripening = Ripening.of(posts.filter("open"), counts, whole["post"], work.horizon, work.action_values, known)
    ripe = outcomes = ripening.outcomes(whole)
    if work.before:
        left.expect_ripe_now(work.before, ripe)
        outcomes = pl.concat([left.outcomes_before(work, work.before, shard, ripe.schema, influence=influence), ripe])
    work.keep(OUTCOMES[influence], shard, outcomes)
    if work.leaves:
        work.keep(left.DREW[influence], shard, whole)
    return ripe, outcomes


def _whole(drew: pl.DataFrame, posts: int) -> pl.DataFrame:
    """What so many posts drew in all, in their order: post, kind, count."""
    places = drew["post"].cast(pl.Int64).to_numpy() * len(KINDS) + drew["kind"].to_physical().to_numpy()
    counts, there = np.zeros(posts * len(KINDS)), np.zeros(posts * len(KINDS), np.bool_)
    np.add.at(counts, places, drew["count"].to_numpy())
    there[places] = True
    found = np.flatnonzero(there)
    told = {"post": found // len(KINDS), "kind": KIND_OF.gather(found % len(KINDS)), "count": counts[found]}
    return pl.DataFrame(told).cast(drew.schema)


def tell(work: Work, shard: int) -> None:
    """Nothing; what was known of the shard's engagers is sent to the accounts that they acted on."""
    known = work.kept("known", shard, ["by", "place", "actor", "at", *KNOWN])
    records = engagers.record(known, engagers.own_record(work.kept("outcomes", shard)))
    weights = [work.kept(name, shard) for name in (WEIGHTS if work.leaves else WEIGHTS[1:])]
    told = pl.concat([known.select("place", *KNOWN), *weights, records], how="horizontal")
    work.send("told", shard, told, known["by"])
