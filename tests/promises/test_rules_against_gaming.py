"""Rules that hold against gaming: a trained model judges a society as it is, and as it would be with some rows added."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from trained_society import TrainedSociety

from clout.data.coverage import Tables
from clout.data.history import History, load, read_tables
from clout.features.compute import prepare
from clout.training.accounts import MeasuredPosts, account_margins
from clout.training.movement import Voice

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MOST = 12
Act = tuple[str, str, timedelta]


@dataclass(frozen=True)
class World:
    """A society, the model that judges it, and accounts with a score by what their posts draw."""

    tables: Tables
    voice: Voice
    history: History
    posts: pl.DataFrame

    def like(self, base: float) -> list[str]:
        """The accounts whose posts draw about `base` actions."""
        drawn = self.posts.group_by("account").agg(pl.col("drew").mean())
        near = drawn.with_columns(off=(pl.col("drew") / base).log().abs()).filter(pl.col("off") < 1)
        return near.sort("off", "account")["account"].head(MOST).to_list()

    def newest(self, account: str, count: int) -> list[str]:
        """The newest ripe posts of an account, oldest first; none of the log's first days, when nobody is known yet."""
        settled = pl.col("published_at") > self.posts["published_at"].min() + timedelta(days=10)
        return self.posts.filter(settled, account=account)["post"].tail(count).to_list()

    def scores(self, accounts: Iterable[str], **added: pl.DataFrame) -> dict[str, float]:
        """The scores of accounts in the world that has these rows too."""
        tables = {name: pl.concat([rows, added[name]]) if name in added else rows for name, rows in self.tables.items()}
        return self.judge(accounts, tables)

    def judge(self, accounts: Iterable[str], tables: Tables) -> dict[str, float]:
        """The scores of accounts in a world of such tables."""
        history = load(tables, self.history.horizon, self.voice.model.data["action_values"], self.history.coverage)
        own = replace(history, posts=history.posts.filter(pl.col("account").is_in(list(accounts))))
        at = self.history.coverage.data_through
        assert at is not None
        model = self.voice.model
        posts = MeasuredPosts.of(own, prepare(own), self.voice.wording, at)
        rows = account_margins([posts], model.main, model.contract, model.account)
        scored = model.score_margins(rows["margin"].to_numpy(), rows["network"].to_list())
        return dict(zip(rows["account"], scored.tolist(), strict=True))

    def acts(self, acts: Iterable[Act], kind: str = "reshare") -> pl.DataFrame:
        """Rows of actions: who acted on which post, how long after it."""
        posts = self.tables["posts"].select("post", "account", published="happened_at")
        rows = pl.DataFrame(
            list(acts), schema={"actor": pl.String, "post": pl.String, "after": pl.Duration("us")}, orient="row"
        )
        moment = pl.col("published") + pl.col("after")
        return (
            rows.join(posts, on="post", maintain_order="left")
            .with_columns(happened_at=moment, known_at=moment, kind=pl.lit(kind))
            .with_columns(action=pl.lit("commons/made-up-") + pl.int_range(pl.len()).cast(pl.String))
            .select(self.tables["actions"].columns)
        )

    def engagers(self) -> pl.DataFrame:
        """Those who act on many accounts in the last weeks, calmest first: actor, acted (in 30 days), posts."""
        seen = self.history.actions.filter(pl.col("others") >= 20).group_by("actor").agg(pl.col("acted").last())
        wrote = self.tables["posts"].group_by(actor="account").agg(posts=pl.len())
        return (
            seen.join(wrote, on="actor", how="left").with_columns(pl.col("posts").fill_null(0)).sort("acted", "actor")
        )


@pytest.fixture(scope="module")
def world(trained: TrainedSociety) -> World:
    tables = read_tables(trained.lake)
    voice = Voice(trained.model)
    history = load(tables, timedelta(days=voice.model.data["horizon_days"]), voice.model.data["action_values"])
    drew = history.actions.group_by("post").agg(drew=pl.col("actor").n_unique())
    known = history.outcomes.select("post", "account", "published_at").join(drew, on="post", how="left")
    enough = known.with_columns(pl.col("drew").fill_null(0)).filter(pl.len().over("account") >= 15)
    return World(tables, voice, history, enough.sort("account", "published_at"))


def each(world: World, accounts: Iterable[str], acts: Callable[[str], Iterable[Act]]) -> pl.DataFrame:
    """The actions that `acts` gives for each account."""
    return world.acts([act for account in accounts for act in acts(account)])


def nearly_all(greater: dict[str, float], smaller: dict[str, float]) -> bool:
    """Whether all accounts but one in ten score more in the first world."""
    assert len(greater) >= 10
    assert greater.keys() == smaller.keys()
    return sum(greater[account] > smaller[account] for account in greater) >= 0.9 * len(greater)


def test_rate_beats_volume(world: World) -> None:
    """The same reactions to four times as many posts make a lower score: what was added drew nothing."""
    accounts = world.like(10)
    silent = world.tables["posts"].filter(pl.col("post").is_in(world.posts["post"]) & pl.col("account").is_in(accounts))
    later = [
        silent.with_columns(pl.col("post") + f"-again-{copy}", pl.col("happened_at", "known_at") + copy * 5 * MINUTE)
        for copy in (1, 2, 3)
    ]
    assert nearly_all(world.scores(accounts), world.scores(accounts, posts=pl.concat(later)))


def test_many_who_reshare_once_beat_one_who_reshares_all(world: World) -> None:
    accounts, crew = world.like(5), world.engagers()["actor"].head(40).to_list()

    def by(actors: list[str]) -> pl.DataFrame:
        return each(
            world,
            accounts,
            lambda account: [
                (actors[(place * 3 + time) % len(actors)], post, HOUR + time * MINUTE)
                for place, post in enumerate(world.newest(account, 20))
                for time in range(3)
            ],
        )

    many = world.scores(accounts, actions=by(crew))
    assert nearly_all(many, world.scores(accounts))
    for one in crew[:2]:
        assert nearly_all(many, world.scores(accounts, actions=by([one])))


def test_the_more_an_engager_acts_the_less_its_actions_count(world: World) -> None:
    """The same crew reshares; in one of the worlds its members also like fifty posts of others a day."""
    accounts, crew = world.like(5), world.engagers()["actor"].head(10).to_list()
    bought = each(
        world,
        accounts,
        lambda account: [(actor, post, 2 * HOUR) for post in world.newest(account, 20) for actor in crew],
    )
    others = world.tables["posts"].filter(~pl.col("account").is_in([*accounts, *crew])).sort("happened_at")["post"]
    spree = world.acts([(actor, post, HOUR) for actor in crew for post in others], "like")
    spree = spree.with_columns(pl.col("action") + "-spree")
    calm = world.scores(accounts, actions=bought)
    assert nearly_all(calm, world.scores(accounts))
    assert nearly_all(calm, world.scores(accounts, actions=pl.concat([bought, spree])))


def test_the_influence_of_engagers_counts(world: World) -> None:
    """The same reshares, by people whose own posts drive much and by people who never post, as busy as each other."""
    accounts, people = world.like(5), world.engagers()
    drive = world.posts.group_by(actor="account").agg(pl.col("drew").mean())
    loud = people.join(drive, on="actor").filter(~pl.col("actor").is_in(accounts)).sort("drew", "actor").tail(8)
    quiet = people.filter(pl.col("posts") == 0)

    def by(actors: list[str]) -> dict[str, float]:
        acts = each(
            world,
            accounts,
            lambda account: [(actor, post, 2 * HOUR) for post in world.newest(account, 20) for actor in actors],
        )
        return world.scores(accounts, actions=acts)

    matched = pl.concat(
        [
            quiet.filter(pl.int_range(pl.len()) % 8 == place).sort((pl.col("acted") - acted).abs(), "actor").head(1)
            for place, acted in enumerate(loud["acted"])
        ]
    )
    assert nearly_all(by(loud["actor"].to_list()), by(matched["actor"].to_list()))


@pytest.mark.parametrize(("base", "limit"), [(20, 0.5), (2, 2.0)])
def test_a_thousand_bought_likes_buy_next_to_nothing(base: float, limit: float, world: World) -> None:
    accounts, chance = world.like(base), np.random.default_rng(5)
    acts: list[Act] = []
    for account in accounts:
        posts, crew = world.newest(account, 30), [f"commons/thrown-{account[8:]}-{number}" for number in range(200)]
        for post, likes in zip(posts, np.array_split(np.arange(1000), len(posts)), strict=True):
            begins = float(chance.uniform(5, 180))
            acts += [
                (str(who), post, (begins + float(chance.uniform(0, 20))) * MINUTE)
                for who in chance.permutation(crew)[: len(likes)]
            ]
    before, after = world.scores(accounts), world.scores(accounts, actions=world.acts(acts, "like"))
    bought = [after[account] - before[account] for account in accounts]
    assert len(bought) >= 8
    assert max(bought) <= limit
    assert min(bought) >= -limit


def test_bought_followers_buy_nothing(world: World) -> None:
    accounts = world.like(5)
    mine = pl.col("account").is_in(accounts)
    more = pl.when(mine).then(pl.col("followers") * 100 + 10_000).otherwise("followers")
    seen = world.tables["profiles"].with_columns(followers=more, verified=pl.col("verified") | mine)
    assert world.judge(accounts, {**world.tables, "profiles": seen}) == world.scores(accounts)
