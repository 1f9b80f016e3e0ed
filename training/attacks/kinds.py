"""The kinds of attack: each a small function from what is there and a budget to the rows that it leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from clout.data.society.manipulation import MATE_ACTS, burst, crew_size
from clout.data.society.people import DAY, DRIVEN, Floats
from clout.data.society.reactions import MINUTE, Actions
from clout.data.tables import KEYS, SCHEMAS
from clout.data.values import TIME
from clout.training.attacks.scene import LAG, Ints, Rows, Scene, microseconds, moments, shares

WARM_UP = 28 * DAY
WARM_LIKES = 20
BOT_LIKES = 2_000
YOUNGEST, OLDEST = 0.0, 20.0
AGED = (200.0, 700.0)
POD_POSTS = 3
POD_SPARE = 1.3
FAN_DAYS = 2.0
SHOWN_DAYS, FOLLOW_BACK = 60, 0.15
SPAM = ("follow", "like4like", "viral", "trending", "fyp", "love", "instagood", "followback", "news", "giveaway")
MOST_HASHTAGS = 30
Random = np.random.Generator


@dataclass(frozen=True)
class Kind:
    """An attack: what it does, what it costs the attacker, what its budget counts, and the rows it leaves.

    `needs_actors` says that it cannot be told where a network only reports counts.
    """

    name: str
    what: str
    cost: str
    unit: str
    rows: Callable[[Scene, int, Random], Rows]
    needs_actors: bool = True


def throwaways(scene: Scene, budget: int, rng: Random) -> Rows:
    """New accounts that like nobody else, in bursts."""
    crews = _crews(scene, budget)
    names = scene.names("throwaway", sum(map(len, crews)))
    acts = [_bought(scene, *hired, budget, rng) for hired in zip(scene.each_target(), crews, strict=True)]
    created = scene.begins - rng.uniform(YOUNGEST, OLDEST, len(names)) * DAY
    actions = scene.log("bought", Actions.collect(acts), names, scene.posts)
    return {"accounts": scene.join(names, created), "actions": actions}


def aged(scene: Scene, budget: int, rng: Random) -> Rows:
    """The same, by older accounts that first liked others for four weeks."""
    crews, acts, warm = _crews(scene, budget), [Actions.none()], [Actions.none()]
    names = scene.names("aged", sum(map(len, crews)))
    for places, crew in zip(scene.each_target(), crews, strict=True):
        begins = int(scene.published[places[0]])
        acts.append(_bought(scene, places, crew, budget, rng))
        warm.append(_chatter(scene, np.repeat(crew, WARM_LIKES), begins - WARM_UP, begins, rng))
    actions = [
        scene.log("bought", Actions.collect(acts), names, scene.posts),
        scene.log("warm", Actions.collect(warm), names, scene.others),
    ]
    created = scene.begins - rng.uniform(*AGED, len(names)) * DAY
    return {"accounts": scene.join(names, created), "actions": pl.concat(actions)}


def bots(scene: Scene, budget: int, rng: Random) -> Rows:
    """One crew that serves all buyers, and likes two thousand posts of others besides."""
    most = max(int(shares(budget, len(places))[0]) for places in scene.each_target())
    names, crew = scene.names("bot", most), np.arange(most)
    acts = Actions.collect([_bought(scene, places, crew, budget, rng) for places in scene.each_target()])
    noise = _chatter(scene, np.repeat(crew, BOT_LIKES), scene.begins - WARM_UP, scene.now, rng)
    actions = [scene.log("bought", acts, names, scene.posts), scene.log("noise", noise, names, scene.others)]
    created = scene.begins - rng.uniform(30.0, AGED[1], most) * DAY
    return {"accounts": scene.join(names, created), "actions": pl.concat(actions)}


def pod(scene: Scene, budget: int, rng: Random) -> Rows:
    """Members who act on the buyer's posts, the buyer on theirs, and each on every other's."""
    newest = scene.others.group_by("account", maintain_order=True).tail(POD_POSTS).select(scene.posts.columns)
    posts = pl.concat([scene.posts, newest])
    owned, actors = _places(posts["account"]), [*scene.members, *scene.targets]
    published, circle = microseconds(posts["happened_at"]), rng.permutation(len(scene.members))
    parts = [Actions.none()]
    for number, account in enumerate(scene.posts["account"].unique(maintain_order=True)):
        wanted = shares(budget, len(owned[account]))
        size = min(len(circle), int(np.ceil(POD_SPARE * wanted[0] / _mate_acts(scene).sum())))
        mates = circle[(number * size + np.arange(size)) % max(len(circle), 1)]
        acts = _mutual(scene, owned[account], mates, published, rng)
        parts.append(_up_to(wanted, owned[account], acts, rng))
        everybody = np.append(mates, actors.index(account))
        parts += [_mutual(scene, owned[actors[mate]], everybody, published, rng) for mate in mates]
    return {"actions": scene.log("pod", Actions.collect(parts), actors, posts)}


def fans(scene: Scene, budget: int, rng: Random) -> Rows:
    """One member for each buyer, who likes, reshares, answers and quotes the same posts over and over."""
    kinds = np.array([DRIVEN.index(kind) for kind in DRIVEN if kind in scene.logged])
    chosen, parts = rng.permutation(len(scene.members)), [Actions.none()]
    for number, places in enumerate(scene.each_target()):
        post = np.repeat(places, shares(budget, len(places)))
        kind = np.resize(kinds, len(post))
        at = scene.published[post] + (rng.uniform(0.0, FAN_DAYS, len(post)) * DAY).astype(np.int64)
        parts.append(Actions(post, np.full(len(post), chosen[number % len(chosen)]), kind, at))
    return {"actions": scene.log("fan", Actions.collect(parts), scene.members, scene.posts)}


def hashtags(scene: Scene, budget: int, rng: Random) -> Rows:
    """The buyers' posts of the window, each with up to thirty more hashtags."""
    posts = scene.tables["posts"].filter(
        pl.col("account").is_in(scene.targets),
        pl.col("kind") != "reshare",
        pl.col("happened_at").is_between(scene.at - scene.window, scene.at, closed="none"),
    )
    ranked = posts.sort("account", "happened_at", "post")
    parts = [shares(budget, group.height) for group in ranked.partition_by("account", maintain_order=True)]
    added = np.minimum(np.concatenate(parts), MOST_HASHTAGS)
    tags = [" ".join(f"#{SPAM[place]}" for place in rng.integers(0, len(SPAM), count)) for count in added]
    return {
        "posts": ranked.with_columns(
            text=pl.col("text") + " " + pl.Series(tags, dtype=pl.String),
            n_hashtags=pl.col("n_hashtags").fill_null(0) + pl.Series(added),
        )
    }


def volume(scene: Scene, budget: int, rng: Random) -> Rows:
    """More posts of the buyers over the window, with nothing in them, that nobody acts on."""
    names = scene.names("volume", budget * len(scene.targets))
    span = scene.now - microseconds(pl.Series([scene.at - scene.window]))[0]
    at = moments(scene.now - MINUTE - (rng.random(len(names)) * (span - 2 * MINUTE)).astype(np.int64))
    facts = {"account": np.repeat(np.array(scene.targets), budget), "network": scene.network, "kind": "original"}
    facts |= {"post": names, "happened_at": at, "known_at": at + LAG, "text": "", "lang": None}
    facts |= dict.fromkeys(("n_media", "n_urls", "n_hashtags", "n_mentions"), 0)
    return {"posts": pl.DataFrame(facts, schema_overrides=SCHEMAS["posts"]).select(SCHEMAS["posts"].names())}


def followers(scene: Scene, budget: int, rng: Random) -> Rows:
    """Profiles that show so many more followers from two months ago on."""
    del rng
    return _shown(scene, gained=pl.lit(budget), followed=pl.lit(0))


def churn(scene: Scene, budget: int, rng: Random) -> Rows:
    """Profiles of two months that follow hundreds and drop them the next day; some followed back and stayed."""
    del rng
    odd = pl.col("day") % 2 == 1
    followed = pl.when(odd).then(2 * budget // SHOWN_DAYS).otherwise(0)
    return _shown(scene, gained=(pl.col("day") * FOLLOW_BACK * budget / SHOWN_DAYS).cast(pl.Int64), followed=followed)


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "throwaways",
            "New accounts that act on nobody else like the posts, in bursts within hours of each.",
            "a few dollars a thousand likes, at any seller of likes",
            "likes",
            throwaways,
        ),
        Kind(
            "aged",
            "The same likes from accounts some years old that first liked others for four weeks.",
            "about ten times as much: aged accounts are sold one by one, and have to be kept busy",
            "likes",
            aged,
        ),
        Kind(
            "bots",
            "One crew for all buyers likes the posts, and two thousand posts of others in the same weeks.",
            "a few dollars a thousand likes, with a rented network of bots",
            "likes",
            bots,
        ),
        Kind(
            "pod",
            "Real members agree to act on whatever the others post: likes, reshares, replies and quotes.",
            "no money, but an hour a day of everybody's time",
            "actions",
            pod,
        ),
        Kind(
            "fans",
            "One real member likes, reshares, answers and quotes the same posts over and over.",
            "one friend, or one script",
            "actions",
            fans,
        ),
        Kind(
            "followers",
            "Profiles show so many more followers, who never act.",
            "some ten dollars a thousand followers",
            "followers",
            followers,
            needs_actors=False,
        ),
        Kind(
            "churn",
            "Follows so many accounts over two months and drops each the next day; some follow back and stay.",
            "a script, and the risk of being barred by the network",
            "follows",
            churn,
            needs_actors=False,
        ),
        Kind(
            "hashtags",
            "Every post of the window carries up to thirty popular hashtags more.",
            "nothing",
            "hashtags",
            hashtags,
            needs_actors=False,
        ),
        Kind(
            "volume",
            "So many more posts with nothing in them, spread over the window.",
            "nothing, with a script",
            "posts",
            volume,
            needs_actors=False,
        ),
    )
}


def _crews(scene: Scene, budget: int) -> list[Ints]:
    """The hirelings of each target: numbers that go on from one to the next."""
    sizes = [crew_size(budget, len(places)) for places in scene.each_target()]
    return np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])


def _bought(scene: Scene, places: Ints, crew: Ints, budget: int, rng: Random) -> Actions:
    likes = np.minimum(shares(budget, len(places)), len(crew))
    return burst(places, likes, crew, scene.published, rng)


def _chatter(scene: Scene, actor: Ints, since: int, until: int, rng: Random) -> Actions:
    """A like of each actor on any post of others, between two moments.

    The post is older than the horizon by then, so that nobody else gets an action that counts; so there are none before
    the lake has such posts.
    """
    published, horizon = microseconds(scene.others["happened_at"]), scene.horizon // timedelta(microseconds=1)
    since = max(since, int(published[:1].sum()) + horizon + 1)
    if since >= until or not len(published):
        return Actions.none()
    at = rng.integers(since, until, len(actor))
    post = (rng.random(len(actor)) * np.searchsorted(published, at - horizon)).astype(np.int64)
    return Actions(post, actor, np.zeros(len(actor), np.int64), at)


def _mate_acts(scene: Scene) -> Floats:
    """How likely a member of a pod is to take each kind of action on a post; 0 where the network has no such kind."""
    known = [kind in scene.logged for kind in DRIVEN]
    return np.where(known, MATE_ACTS, 0.0)


def _mutual(scene: Scene, places: Ints, mates: Ints, published: Ints, rng: Random) -> Actions:
    """What the members of a pod do with the posts at `places`, most of it within the hour."""
    row, mate, kind = np.nonzero(rng.random((len(places), len(mates), len(DRIVEN))) < _mate_acts(scene))
    post = places[row]
    at = published[post] + (rng.exponential(20.0, len(post)) * MINUTE).astype(np.int64) + 1_000_000
    return Actions(post, mates[mate], kind, at)


def _up_to(wanted: Ints, places: Ints, acts: Actions, rng: Random) -> Actions:
    """Of the acts on the post at each of `places` at most as many as are wanted, by chance."""
    order = rng.permutation(len(acts.post))
    order = order[np.argsort(acts.post[order], kind="stable")]
    ranked = acts.post[order]
    rank = np.arange(len(order)) - np.searchsorted(ranked, ranked)
    return acts.where(np.sort(order[rank < wanted[np.searchsorted(places, ranked)]]))


def _places(accounts: pl.Series) -> dict[str, Ints]:
    """The places of each account in a column."""
    found = pl.DataFrame({"account": accounts, "place": np.arange(len(accounts))})
    return {account: np.array(places) for account, places in found.group_by("account").agg("place").iter_rows()}


def _shown(scene: Scene, gained: pl.Expr, followed: pl.Expr) -> Rows:
    """Daily profiles of the targets over two months, with what was gained, and is followed more, on each `day`.

    Those that are there are changed alike. Accounts whose profile is not known before keep to that.
    """
    since = scene.at - timedelta(days=SHOWN_DAYS)
    there = scene.tables["profiles"].filter(
        pl.col("account").is_in(scene.targets), pl.col("happened_at") < scene.at, pl.col("known_at") < scene.at
    )
    days = [since + timedelta(days=day, hours=12) for day in range(SHOWN_DAYS)]
    grid = pl.DataFrame({"account": scene.targets}).join(
        pl.DataFrame({"happened_at": pl.Series(days, dtype=TIME)}), how="cross"
    )
    daily = (
        grid.sort("happened_at")
        .join_asof(there.sort("happened_at").drop("known_at"), on="happened_at", by="account", check_sortedness=False)
        .drop_nulls("followers")
        .with_columns(known_at=pl.col("happened_at") + LAG)
    )
    rows = pl.concat([there.filter(pl.col("happened_at") >= since), daily.select(there.columns)])
    rows = rows.unique(KEYS["profiles"], keep="first").with_columns(day=(pl.col("happened_at") - since).dt.total_days())
    shown = rows.with_columns(followers=pl.col("followers") + gained, following=pl.col("following") + followed)
    return {"profiles": shown.select(there.columns).sort("account", "happened_at")}
