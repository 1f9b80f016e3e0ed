"""The tables that a course leaves behind, and the truth about it."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from clout.data.society.course import Course
from clout.data.society.manipulation import Purchases
from clout.data.society.people import DAY, DRIVEN, START, Floats, Ints
from clout.data.society.vocabulary import TOPIC_WORDS
from clout.data.tables import SCHEMAS

OUTCOME_VALUES: Final = {"like": 1.0, "reshare": 2.0, "reply": 2.0, "quote": 3.0}
WRITTEN_KINDS: Final = ("original", "reply", "quote")
ROLES: Final = ("member", "lurker", "bot", "throwaway")
EPOCH: Final = int(START.timestamp()) * 1_000_000
WEEK: Final = 7 * DAY
PROFILE_LAG: Final = 2_000_000


def log_tables(course: Course) -> dict[str, pl.DataFrame]:
    """The tables of one network."""
    return {
        "accounts": log_accounts(course),
        "profiles": log_profiles(course),
        "posts": log_posts(course),
        "actions": log_actions(course),
        "counts": SCHEMAS["counts"].to_frame(),
        "identities": SCHEMAS["identities"].to_frame(),
        "standings": SCHEMAS["standings"].to_frame(),
        "removals": SCHEMAS["removals"].to_frame(),
    }


def tell_truth(course: Course) -> dict[str, pl.DataFrame]:
    """The truth about one network: its accounts, posts and purchases."""
    return {
        "accounts": tell_accounts(course),
        "posts": tell_posts(course),
        "purchases": pl.concat(
            [tell_purchases(course, "likes", course.likes), tell_purchases(course, "followers", course.followers)]
        ),
    }


def moments(at: Ints) -> pl.Series:
    """Times out of microseconds since the start."""
    return pl.Series(at + EPOCH, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))


def account_ids(course: Course) -> pl.Series:
    """The id of each account row."""
    return number(course, "", np.arange(len(course.handles)))


def post_ids(course: Course) -> pl.Series:
    """The id of each post row."""
    return number(course, "p", np.arange(len(course.world.content.author)))


def number(course: Course, prefix: str, numbers: Ints) -> pl.Series:
    """Ids such as `commons/p12`."""
    return pl.select(pl.lit(f"{course.network}/{prefix}") + pl.Series(numbers).cast(pl.String)).to_series()


def log_accounts(course: Course) -> pl.DataFrame:
    """The accounts table."""
    ids = account_ids(course)
    columns = {
        "account": ids,
        "network": pl.repeat(course.network, len(ids), eager=True),
        "handle": pl.Series(course.handles, dtype=pl.String),
        "created_at": moments(-(course.age_days * DAY).astype(np.int64)),
    }
    return pl.DataFrame(columns, schema=SCHEMAS["accounts"])


def log_posts(course: Course) -> pl.DataFrame:
    """The posts table."""
    content = course.world.content
    ids = post_ids(course)
    columns = {
        "post": ids,
        "account": account_ids(course).gather(content.author),
        "network": pl.repeat(course.network, len(ids), eager=True),
        "happened_at": moments(content.at),
        "known_at": moments(content.at + course.post_lags),
        "text": content.text,
        "lang": pl.repeat("en", len(ids), eager=True),
        "kind": pl.Series(WRITTEN_KINDS).gather(content.kind),
        "n_media": content.media,
        "n_urls": content.links,
        "n_hashtags": content.hashtags,
        "n_mentions": content.mentions,
    }
    return pl.DataFrame(columns, schema=SCHEMAS["posts"])


def log_actions(course: Course) -> pl.DataFrame:
    """The actions table, in order of time."""
    actions, accounts = course.actions, account_ids(course)
    columns = {
        "action": number(course, "a", actions.keys),
        "post": post_ids(course).gather(actions.post),
        "account": accounts.gather(course.world.content.author[actions.post]),
        "actor": accounts.gather(actions.actor),
        "kind": pl.Series(DRIVEN).gather(actions.kind),
        "happened_at": moments(actions.at),
        "known_at": moments(actions.at + course.action_lags),
    }
    return pl.DataFrame(columns, schema=SCHEMAS["actions"])


def log_profiles(course: Course) -> pl.DataFrame:
    """The profiles table: a weekly look at each account that ever posts, at its own hour of the day."""
    people, ties, config = course.world.people, course.world.ties, course.config
    posters = np.unique(course.world.content.author)
    weeks = np.arange(-(-config.days // 7))
    person = np.repeat(posters, len(weeks))
    clock = (people.peak_hour[person] / 24.0 * (DAY - 2 * PROFILE_LAG)).astype(np.int64)
    at = np.tile(weeks, len(posters)) * WEEK + clock
    followers = ties.audience(person, at / config.span) + count_bought(course.followers, person, at)
    size = ties.followers.sizes
    columns = {
        "account": account_ids(course).gather(person),
        "happened_at": moments(at),
        "known_at": moments(at + PROFILE_LAG),
        "followers": followers,
        "following": np.bincount(ties.followers.members, minlength=people.count)[person],
        "listed": pl.repeat(None, len(person), dtype=pl.Int64, eager=True),
        "posts": (people.rate * people.age_days).astype(np.int64)[person] + count_posts(course, person, at),
        "verified": (size > 20.0 * np.median(size))[person],
    }
    return pl.DataFrame(columns, schema=SCHEMAS["profiles"]).sort("happened_at", "account")


def count_bought(purchases: Purchases, person: Ints, at: Ints) -> Ints:
    """Bought followers that `person` shows at each time; they come evenly over the purchase's span."""
    bought = np.zeros(len(person), np.int64)
    for buyer, amount, since, until in zip(
        purchases.buyer, purchases.amount, purchases.since, purchases.until, strict=True
    ):
        share = np.clip((at - since) / (until - since), 0.0, 1.0)
        bought += np.where(person == buyer, (share * amount).astype(np.int64), 0)
    return bought


def count_posts(course: Course, person: Ints, at: Ints) -> Ints:
    """Posts that `person` has published before each time."""
    content, span = course.world.content, course.config.span
    line = np.sort(content.author * span + content.at)
    return np.asarray(np.searchsorted(line, person * span + at) - np.searchsorted(line, person * span))


def outcome(expected: Floats) -> Floats:
    """Expected actions of each kind, weighed."""
    return np.asarray(expected @ np.array([OUTCOME_VALUES[kind] for kind in DRIVEN]))


def tell_posts(course: Course) -> pl.DataFrame:
    """Rows (post, account, like, reshare, reply, quote, expected_outcome): what was to be expected, without noise."""
    expected = course.world.response.expected
    columns = {
        "post": post_ids(course),
        "account": account_ids(course).gather(course.world.content.author),
        **dict(zip(DRIVEN, expected.T, strict=True)),
        "expected_outcome": outcome(expected),
    }
    return pl.DataFrame(columns)


def tell_accounts(course: Course) -> pl.DataFrame:
    """One row an account: who it is and what influence was planted; null where the account is not a person."""
    people, content = course.world.people, course.world.content
    added = course.bots + course.throwaways
    roles = np.concatenate([people.lurker.astype(np.int64), np.repeat([2, 3], [course.bots, course.throwaways])])
    posts = np.bincount(content.author, minlength=people.count)
    total = np.bincount(content.author, outcome(course.world.response.expected), minlength=people.count)
    mean = np.divide(total, posts, out=np.full(people.count, np.nan), where=posts > 0)
    facts: dict[str, pl.Series] = {
        "person": pl.Series(np.arange(people.count)),
        "community": pl.Series(list(TOPIC_WORDS)).gather(people.community),
        "quality": pl.Series(np.exp(people.quality)),
        "audience": pl.Series(course.world.ties.followers.sizes),
        "influence": pl.Series(outcome(course.typical)),
        "expected_outcome": pl.Series(mean).fill_nan(None),
        "pod": pl.Series(course.pods).replace(-1, None),
    }
    columns = {"account": account_ids(course), "role": pl.Series(ROLES).gather(roles)}
    return pl.DataFrame(columns | {name: fact.extend_constant(None, added) for name, fact in facts.items()})


def tell_purchases(course: Course, what: str, purchases: Purchases) -> pl.DataFrame:
    """Rows (account, what, amount, since, until)."""
    columns = {
        "account": account_ids(course).gather(purchases.buyer),
        "what": pl.repeat(what, len(purchases.buyer), dtype=pl.String, eager=True),
        "amount": purchases.amount,
        "since": moments(purchases.since),
        "until": moments(purchases.until),
    }
    return pl.DataFrame(columns)
