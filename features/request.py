"""Features of one draft: a post that is in no lake, by an account that is, or whose facts come with the request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property, lru_cache, partial

import polars as pl

from clout.data.history import History, load
from clout.data.hourly import HOUR
from clout.data.index import Index
from clout.data.tables import SCHEMAS
from clout.features.compute import prepare, prepare_alone
from clout.features.one_post import Features, Lookups, measure, read

TICK = timedelta(microseconds=1)
NOBODY = "draft"
# Some 10 KB each.
KEPT_ACCOUNTS = 1000


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

    indexes: Mapping[str, Index]
    logged: frozenset[str]
    through: Mapping[str, datetime]
    horizon: timedelta
    action_values: Mapping[str, float]

    @classmethod
    def of(cls, history: History, action_values: Mapping[str, float]) -> Past:
        """The past that `history`, loaded with these action values, tells."""
        streams = prepare(history)
        indexes = {name: Index.of(one) for name, one in streams.by_name.items()}
        return cls(indexes, streams.logged, dict(history.coverage.through.iter_rows()), history.horizon, action_values)

    @cached_property
    def known(self) -> Callable[[str, str, datetime], Lookups]:
        """What was known of an account of a network before a moment; of those asked for last, what was found is kept."""
        return lru_cache(KEPT_ACCOUNTS)(partial(_looked_up, self.indexes, self.through))


def judged_at(draft: Draft, past: Past, facts: AccountFacts | None = None) -> datetime:
    """The moment before which everything known counts: the draft's own, but never later than just after what is known.

    So a draft for next week, or one judged long after the data end, meets the account as it was last seen, not an
    account that has fallen silent.
    """
    return _judged_at(draft.network, draft.happened_at, past, facts)


def _judged_at(network: str, moment: datetime, past: Past, facts: AccountFacts | None) -> datetime:
    known = facts.seen_at if facts else past.through.get(network)
    return moment if known is None else min(moment, known + TICK)


def features_of_draft(
    draft: Draft, past: Past, lift: float | None, facts: AccountFacts | None = None
) -> dict[str, float | None]:
    """Every feature by name, missing as None: to the last bit what `compute` gives a batch.

    `lift` is that of its words (see `features.wording`), missing when None. With `facts` the account is judged by them
    alone, beside its network's own level; else by what `past` has of it.
    """
    return features_at(draft, [draft.happened_at], past, lift, facts)[0]


def features_at(
    draft: Draft, moments: Sequence[datetime], past: Past, lift: float | None, facts: AccountFacts | None = None
) -> list[dict[str, float | None]]:
    """The features of the draft if it is published at each of the moments, each as `features_of_draft` gives them."""
    account = draft.account or f"{draft.network}/{NOBODY}"
    known = cache(partial(_known, draft.network, account, past, facts))
    post = {**draft.__dict__, "account": account}
    said = read(post)
    told: list[Features] = []
    measured: dict[datetime, Features] = {}
    for moment in moments:
        as_of = _judged_at(draft.network, moment, past, facts)
        logged, lookups = known(as_of)
        then, earlier = {**post, "happened_at": moment}, measured.get(as_of)
        told.append(measure(then, said, lookups, logged=logged, lift=lift, earlier=earlier))
        measured[as_of] = told[-1]
    return told


def _known(network: str, account: str, past: Past, facts: AccountFacts | None, as_of: datetime) -> tuple[bool, Lookups]:
    """Whether the network tells who acts, and what is looked up, of the account as `facts` have it where there are any."""
    if facts is None:
        return network in past.logged, past.known(network, account, as_of)
    told = prepare_alone(load(_tables(network, account, facts, as_of), past.horizon, past.action_values))
    own = {name: Index.of(one) for name, one in told.by_name.items() if one.key[0] == "account"}
    return network in told.logged, _looked_up({**past.indexes, **own}, past.through, network, account, as_of)


def _looked_up(
    indexes: Mapping[str, Index], through: Mapping[str, datetime], network: str, _: str, as_of: datetime
) -> Lookups:
    return Lookups(indexes, as_of, min(as_of, through.get(network, as_of) + HOUR + TICK))


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
        "standings": [],
        "removals": [],
    }
    return {name: pl.DataFrame(rows[name], schema=schema) for name, schema in SCHEMAS.items()}


def _post_row(name: str, account: str, network: str, post: RecentPost) -> dict[str, object]:
    form = {"kind": post.kind, "n_media": post.n_media, "n_urls": post.n_urls}
    times = {"happened_at": post.happened_at, "known_at": post.happened_at}
    return {"post": name, "account": account, "network": network, **times, **form}
