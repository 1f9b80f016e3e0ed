"""A post's page tells what was known before it and nothing later, and beside it what it really drew."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from asked import Asked
from read_page import HTML, Read
from scored_home import ENGAGER, NOW, Scored

from clout.data.history import History, load, read_tables
from clout.data.lake import Lake
from clout.data.tables import SCHEMAS
from clout.features.compute import compute, prepare
from clout.serving.privacy import forget
from clout.serving.store.scores import Store

JSON = {"Accept": "application/json"}
TICK = timedelta(microseconds=1)
NASTY = "<script>alert(1)</script> \N{HEBREW LETTER SHIN}\N{HEBREW LETTER LAMED} \N{GRINNING FACE}\n" + "w" * 5_000
OF_THE_PAST = ("score", "interval", "expected", "reasons", "base_score", "words", "as_of", "evidence")


@pytest.fixture(scope="module")
def ask(scored: Scored) -> Asked:
    return scored.client()


@pytest.fixture(scope="module")
def lake(scored: Scored) -> Lake:
    return Lake(scored.home / "lake")


@pytest.fixture(scope="module")
def history(scored: Scored, lake: Lake) -> History:
    past = scored.active.current().past
    return load(read_tables(lake), past.horizon, past.action_values)


@pytest.fixture(scope="module")
def own(lake: Lake) -> pl.DataFrame:
    """The posts that are their accounts' own, oldest first."""
    return lake.read("posts").filter(pl.col("kind") != "reshare").sort("happened_at", "post")


def view(ask: Asked, post: str) -> dict[str, Any]:
    answer = ask.get(f"/post/{post}", headers=JSON)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def page(ask: Asked, post: str, query: str = "") -> Read:
    return Read(ask.get(f"/post/{post}{query}", headers=HTML))


def test_each_feature_is_that_of_the_batch_bit_for_bit(
    ask: Asked, scored: Scored, history: History, own: pl.DataFrame
) -> None:
    posts = own[np.random.default_rng(1).choice(own.height, 25, replace=False).tolist()]
    wording = scored.active.current().wording
    lift = None if wording is None else pl.Series(np.asarray(wording.values(posts["text"].to_list())))
    for row in compute(posts, prepare(history), lift).to_dicts():
        told = {reason["code"]: reason["value"] for reason in view(ask, row["post"])["explained"]["reasons"]}
        assert len(told) > 50
        assert told == {name: row[name] for name in told}


def test_what_it_drew_is_what_the_history_says(ask: Asked, history: History) -> None:
    outcomes = history.outcomes.sort("outcome", descending=True)
    seen = set()
    for row in [*outcomes[:6].to_dicts(), *outcomes[:: outcomes.height // 12].to_dicts()]:
        told = view(ask, row["post"])
        drawn = {one["kind"]: one for one in told["drawn"]}
        assert drawn["actions"]["drew"] == row["outcome"]
        assert all(drawn[kind]["drew"] == row[kind] for kind in set(drawn) - {"actions"})
        for one in drawn.values():
            expected = told["explained"]["expected"][one["kind"]]
            assert (one["expected"], one["low"], one["high"]) == tuple(
                expected[end] for end in ("value", "low", "high")
            )
            inside = one["low"] <= one["drew"] <= one["high"]
            assert one["place"] == ("inside" if inside else "below" if one["drew"] < one["low"] else "above")
        seen.add(drawn["actions"]["place"])
    assert {"inside", "above"} <= seen


def test_the_page_says_it_all(ask: Asked, history: History, own: pl.DataFrame) -> None:
    post = history.outcomes.sort("outcome")["post"][-1]
    row, told, read = own.row(by_predicate=pl.col("post") == post, named=True), view(ask, post), page(ask, post)
    [(start, parts, total)] = read.sums()
    assert start + sum(parts) == total == round(told["explained"]["score"])
    assert read.words("#score-number") == str(total)
    assert read.words("blockquote") == row["text"].strip()
    assert f"/why/{row['account']}" in read.links()
    assert read.words("h1") == "A post, and how people reacted"
    drew = round(told["drawn"][0]["drew"])
    assert f", drew {drew}. That is more than the likely range" in read.words("#verdict")
    row_said = read.words("tr[data-kind=actions]")
    assert row_said.startswith("all, by their values (above the range)")
    assert row_said.endswith(f" {drew}")
    assert read.words("time").endswith("UTC")
    assert len(read.every(".reasons li")) >= 4


def test_the_newest_post_waits_for_its_week(ask: Asked, own: pl.DataFrame) -> None:
    newest = own["post"][-1]
    told, read = view(ask, newest), page(ask, newest)
    assert told["waits"]
    assert {one["drew"] for one in told["drawn"]} == {None}
    assert "What it drew is not known yet. We count until" in read.words("section[aria-labelledby=drew]")
    assert not view(ask, own["post"][0])["waits"]


def test_it_says_where_the_model_may_have_learned_from_the_post(ask: Asked, own: pl.DataFrame) -> None:
    oldest, newest = own["post"][0], own["post"][-1]
    assert view(ask, oldest)["learned"]
    assert not view(ask, newest)["learned"]
    words = "may have learned from it"
    assert words in page(ask, oldest).words()
    assert words not in page(ask, newest).words()


def later(row: Mapping[str, Any], name: str, **changed: object) -> dict[str, Any]:
    """Another post of the same account."""
    return {**row, "post": f"{row['network']}/{name}", **changed}


@pytest.fixture(scope="module")
def changed(scored: Scored, own: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Scored:
    """A copy in which, from the moment of a post in the middle on, everything happened that could be seen."""
    copy = tmp_path_factory.mktemp("changed") / "home"
    row, other = own.row(own.height // 2, named=True), own.row(-1, named=True)
    at, account = row["happened_at"], row["account"]
    known = {"happened_at": at, "known_at": at}
    posts = [
        later(row, "at-once"),
        later(row, "known-late", happened_at=at - TICK, known_at=at),
        later(row, "an-hour-later", happened_at=at + timedelta(hours=1), known_at=at + timedelta(hours=1)),
        later(other, "nasty", text=NASTY, lang="he"),
        later(other, "bare", text=None, kind="reply"),
        later(other, "shared", kind="reshare"),
        {**other, "post": "elsewhere/1", "account": "elsewhere/amy", "network": "elsewhere"},
    ]
    action = {"post": row["post"], "account": account, "kind": "like", **known}
    actions = [{**action, "action": f"commons/new{n}", "actor": own["account"][n]} for n in range(200)]
    profile = {"account": account, **known, "followers": 9_999_999, "following": 1, "verified": True}
    rows = {"posts": posts, "actions": actions, "profiles": [profile]}
    frames = {name: pl.DataFrame(found, schema=SCHEMAS[name]) for name, found in rows.items()}
    scored_copy = scored.copy(copy)
    Lake(copy / "lake").append(frames, source="later.csv")
    scored_copy.active.load(copy, str(copy / "lake"))
    return scored_copy


def test_nothing_of_its_own_moment_or_later_counts(ask: Asked, changed: Scored, own: pl.DataFrame) -> None:
    post = own["post"][own.height // 2]
    before, after = view(ask, post)["explained"], view(changed.client(), post)["explained"]
    assert {name: after[name] for name in OF_THE_PAST} == {name: before[name] for name in OF_THE_PAST}
    next_post = view(changed.client(), f"{post.split('/')[0]}/an-hour-later")["explained"]
    assert [one["value"] for one in next_post["reasons"]] != [one["value"] for one in before["reasons"]]


def test_what_a_post_says_is_shown_as_it_is(changed: Scored) -> None:
    ask = changed.client()
    answer = ask.get("/post/commons/nasty", headers=HTML)
    read = Read(answer)
    assert "<script>alert" not in answer.text
    assert read.attribute("blockquote", "dir") == "auto"
    assert read.attribute("blockquote", "lang") == "he"
    assert read.words("blockquote") == f"{' '.join(NASTY[:4_000].split())}…"
    assert f"The first 4,000 of {len(NASTY):,} letters." in read.words("article")
    assert view(ask, "commons/nasty")["text"] == NASTY
    bare = page(ask, "commons/bare")
    assert bare.words("h1") == "A reply, and how people reacted"
    assert "We do not know what it says." in bare.words("article")


def problem(ask: Asked, post: str) -> tuple[int, str, str]:
    answer = ask.get(f"/post/{post}", headers=JSON)
    told = answer.json()
    return answer.status_code, told["code"], told["detail"]


def test_what_has_no_page_is_told(changed: Scored) -> None:
    ask = changed.client()
    assert problem(ask, "commons/shared")[:2] == (404, "no_own_post")
    status, code, detail = problem(ask, "elsewhere/1")
    assert (status, code) == (422, "unknown_network")
    assert "'elsewhere'; expected one the model was trained on: commons" in detail
    for name in ("commons/none", "commons", "%00", "x" * 300, ENGAGER, f"commons/{'%F0%9F%98%80'}", "'"):
        assert problem(ask, name)[:2] == (404, "unknown_post"), name
    read = Read(ask.get("/post/commons/none", headers=HTML))
    assert read.words("h1") == "Nothing is known of this post"


def test_nobody_who_reacted_is_named(ask: Asked, lake: Lake) -> None:
    post = lake.read("actions").filter(actor=ENGAGER)["post"][0]
    assert ENGAGER not in ask.get(f"/post/{post}", headers=HTML).text
    assert ENGAGER not in ask.get(f"/post/{post}", headers=JSON).text


def test_a_forgotten_account_has_no_posts(changed: Scored, own: pl.DataFrame) -> None:
    post, account = own.row(own.height // 2, named=True)["post"], own["account"][own.height // 2]
    ask = changed.client()
    assert view(ask, post)["account"] == account
    with Store.open(changed.url) as store:
        forget(Lake(changed.home / "lake"), store, changed.home, account, NOW)
    changed.active.forget(account)
    told = problem(ask, post)
    assert told[:2] == (404, "unknown_post")
    changed.active.load(changed.home, str(changed.home / "lake"))
    assert problem(ask, post) == told
    assert told[2] == problem(ask, "commons/none")[2].replace("commons/none", post)


def test_it_is_said_in_swedish_too(ask: Asked, own: pl.DataFrame) -> None:
    english, swedish = page(ask, own["post"][0]), page(ask, own["post"][0], "?lang=sv")
    assert swedish.words("h1") != english.words("h1")
    assert swedish.sums() == english.sums()
    assert all("lang=sv" in link for link in swedish.links() if link.startswith("/"))
