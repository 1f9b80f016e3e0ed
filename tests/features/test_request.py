"""A draft has the features the same post would have in a batch."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from bits import Difference, unequal
from nasty_tables import ACTION_VALUES, DAY, HORIZON, Tables, history_of, moment, nasty_tables

from clout.data.history import load
from clout.data.simulate import Society, simulate
from clout.data.tables import SCHEMAS
from clout.features.compute import Streams, compute, prepare
from clout.features.request import AccountFacts, Draft, Past, RecentPost, features_of_draft, judged_at
from clout.features.wording import Corpus, fit

FORM = ("text", "lang", "kind", "n_media", "n_urls", "n_hashtags", "n_mentions")
ME = "read/2"
LATER = datetime(2031, 7, 1, 9, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def tables() -> Tables:
    return nasty_tables(posts=120)


@pytest.fixture(scope="module")
def past(tables: Tables) -> Past:
    return Past.of(history_of(tables), ACTION_VALUES)


@pytest.fixture(scope="module")
def streams(tables: Tables) -> Streams:
    return prepare(history_of(tables))


def draft_of(row: dict[str, object]) -> Draft:
    """A post of the lake, asked about as a draft."""
    return Draft(**{name: row[name] for name in ("network", "account", "happened_at", *FORM)})


Features = dict[str, float | None]


def differences(drafted: Features, batch: pl.DataFrame) -> list[Difference]:
    """The features that differ in a bit from the one row of a batch."""
    return unequal(pl.DataFrame([{**batch.row(0, named=True), **drafted}], schema=batch.schema), batch)


def test_a_draft_has_the_bits_of_the_batch(tables: Tables, past: Past, streams: Streams) -> None:
    batch = compute(tables["posts"], streams)
    for place, row in list(enumerate(tables["posts"].to_dicts()))[::3]:
        assert not differences(features_of_draft(draft_of(row), past, None), batch[place : place + 1]), row


def test_its_words_have_the_bits_of_the_batch(past: Past, tables: Tables) -> None:
    texts = ["good news", "bad news", "good bread", None] * 5
    words = fit(Corpus.of(texts), pl.Series([1.0, -1.0, 0.5, 0.0] * 5).to_numpy(), min_words=2, alpha=1, max_pieces=100)
    asked = [draft_of({**tables["posts"].row(0, named=True), "text": text}) for text in texts[:4]]
    lifts = [features_of_draft(draft, past, words.said(draft.text).lift)["wording_lift"] for draft in asked]
    assert lifts == words.values(texts[:4]).tolist()
    assert len(set(lifts)) == 4
    assert features_of_draft(asked[0], past, None)["wording_lift"] is None


def test_a_draft_beyond_the_data_is_judged_where_they_end(tables: Tables, past: Past, streams: Streams) -> None:
    for row in tables["posts"].unique("account", maintain_order=True).to_dicts():
        draft = replace(draft_of(row), happened_at=LATER)
        end = past.through[draft.network] + timedelta(microseconds=1)
        assert judged_at(draft, past) == end
        post = pl.DataFrame([{**row, "happened_at": LATER, "as_of": end}], schema_overrides=SCHEMAS["posts"])
        batch = compute(post.with_columns(pl.col("as_of").cast(SCHEMAS["posts"]["happened_at"])), streams)
        assert not differences(features_of_draft(draft, past, None), batch)


def test_what_was_found_of_an_account_is_found_again(tables: Tables, past: Past) -> None:
    drafts = [replace(draft_of(row), happened_at=LATER) for row in tables["posts"].to_dicts()]
    first = [features_of_draft(draft, past, None) for draft in drafts]
    assert [features_of_draft(draft, past, None) for draft in drafts[::-1]][::-1] == first
    assert past.known("read", ME, LATER) is past.known("read", ME, LATER) is not past.known("read", ME, moment(0))
    fresh = Past(**{field.name: getattr(past, field.name) for field in fields(past)})
    assert [features_of_draft(draft, fresh, None) for draft in drafts[::-1]][::-1] == first


def test_nobody_has_no_past_but_a_network(past: Past) -> None:
    features = features_of_draft(Draft("read", None, moment(50 * DAY), text="Hello?"), past, None)
    assert features["questions_count"] == 1
    assert features["network_outcome_log_mean_30d"] is not None
    assert features["outcome_log_mean_90d"] is None
    assert features["outcome_count_all"] == 0


def counted_tables() -> Tables:
    """A network of retrospective counts alone: ME and others, a post a day, counts read on day 200."""
    read = moment(200 * DAY)
    posts, counts = [], []
    for day in range(190):
        for number in range(4):
            name, at = f"read/p{day}-{number}", moment(day * DAY + number * DAY // 5)
            posts.append(
                {"post": name, "account": f"read/{number}", "network": "read", "happened_at": at, "known_at": at}
                | {"text": f"day {day}? http://a.b", "kind": ("original", "reply", "reshare")[day % 7 % 3]}
                | {"n_media": day % 2, "n_urls": day % 3 % 2}
            )
            amounts = {"like": day * 7 % 31 + number, "reshare": day % 5}
            counts += [
                {"post": name, "kind": kind, "count": count, "happened_at": read, "known_at": read}
                | {"retrospective": True}
                for kind, count in amounts.items()
            ]
    account = {"account": ME, "network": "read", "handle": None, "created_at": moment(-400 * DAY)}
    profile = {"followers": 1200, "following": 80, "listed": 4, "posts": 900, "verified": False}
    clocks = {"happened_at": read, "known_at": read}
    rows = {"accounts": [account], "profiles": [{"account": ME, **clocks, **profile}], "posts": posts, "counts": counts}
    return {name: pl.DataFrame(rows.get(name, []), schema=schema) for name, schema in SCHEMAS.items()}


def facts_of(tables: Tables, account: str) -> AccountFacts:
    """What somebody would have written down of an account of `counted_tables`, on the day its counts were read."""
    seen = tables["profiles"].filter(pl.col("account") == account).to_dicts()[0]
    counts: dict[str, dict[str, int]] = {}
    for row in tables["counts"].to_dicts():
        counts.setdefault(row["post"], {})[row["kind"]] = row["count"]
    recent = tuple(
        RecentPost(row["happened_at"], counts[row["post"]], row["kind"], row["n_media"], row["n_urls"])
        for row in tables["posts"].filter(pl.col("account") == account).to_dicts()
    )
    created = tables["accounts"].filter(pl.col("account") == account)["created_at"][0]
    numbers = {name: seen[name] for name in ("followers", "following", "listed", "posts", "verified")}
    return AccountFacts(seen_at=moment(200 * DAY), created_at=created, recent=recent, **numbers)


def test_facts_that_say_what_the_lake_says_give_the_same_features() -> None:
    tables = counted_tables()
    past = Past.of(history_of(tables), ACTION_VALUES)
    draft = Draft("read", ME, moment(200 * DAY) + timedelta(microseconds=1), text="a? b", n_media=1)
    known = features_of_draft(draft, past, None)
    assert known["following_last"] == 80
    assert known["outcome_count_90d"] > 20
    told = features_of_draft(draft, past, None, facts_of(tables, ME))
    assert {name for name in told if told[name] != known[name]} == {"outcome_log_mean_same_length_365d"}
    assert told["outcome_log_mean_same_length_365d"] is None, "only texts tell it"


def test_facts_replace_what_the_lake_knows() -> None:
    tables = counted_tables()
    past = Past.of(history_of(tables), ACTION_VALUES)
    draft = Draft("read", ME, moment(200 * DAY) + timedelta(microseconds=1))
    empty = features_of_draft(draft, past, None, AccountFacts(seen_at=moment(200 * DAY)))
    assert empty["followers_last"] is None
    assert empty["outcome_count_all"] == 0
    assert empty["network_outcome_log_mean_30d"] is not None


def test_a_network_whose_data_ended_long_ago_keeps_its_level() -> None:
    tables = counted_tables()
    past = Past.of(history_of(tables), ACTION_VALUES)
    at_end = Draft("read", None, moment(200 * DAY) + timedelta(microseconds=1))
    facts = AccountFacts(seen_at=moment(200 * DAY))
    then = features_of_draft(at_end, past, None, facts)
    later = features_of_draft(replace(at_end, happened_at=LATER), past, None, replace(facts, seen_at=LATER))
    assert then["network_outcome_log_mean_30d"] == later["network_outcome_log_mean_30d"] is not None
    assert then["outcome_level_365d"] == later["outcome_level_365d"] is not None


def recent(days_ago: float, **counts: int) -> RecentPost:
    return RecentPost(LATER - timedelta(days=days_ago), counts)


@pytest.fixture(scope="module")
def society() -> Past:
    tables = simulate(Society(accounts=80, days=30)).tables
    return Past.of(load(tables, HORIZON, ACTION_VALUES), ACTION_VALUES)


def of_facts(past: Past, *posts: RecentPost, happened_at: datetime = LATER, seen_at: datetime = LATER) -> Features:
    facts = AccountFacts(seen_at=seen_at, recent=posts)
    return features_of_draft(Draft("commons", None, happened_at), past, None, facts)


def test_young_posts_are_posts_but_no_evidence(society: Past) -> None:
    features = of_facts(society, recent(6.9, like=9), recent(7.1, like=5), recent(40, like=5))
    assert features["outcome_count_all"] == 2
    assert features["post_gap_hours_last"] == pytest.approx(6.9 * 24)
    assert features["posts_count_30d"] == 2


def test_a_draft_for_later_does_not_ripen_posts(society: Past) -> None:
    in_a_week = LATER + timedelta(days=7)
    features = of_facts(society, recent(3, like=9), recent(8, like=9), happened_at=in_a_week)
    assert features["outcome_count_all"] == 1


def test_an_earlier_post_sees_only_what_came_before_it(society: Past) -> None:
    features = of_facts(society, recent(3, like=9), recent(30, like=9), happened_at=LATER - timedelta(days=20))
    assert features["posts_count_30d"] == 1
    assert features["outcome_count_all"] == 1


def test_kinds_left_out_are_missing_and_engagers_are_not_known(society: Past) -> None:
    features = of_facts(society, recent(10, like=9), recent(20))
    assert features["likes_log_mean_90d"] == pytest.approx(2.302585, abs=1e-6)
    assert features["replies_log_mean_90d"] is None
    assert features["engagers_sum_30d"] is None
    assert features["outcome_count_all"] == 1
