"""Many drafts at once, the best hour for one, and what changes to it would do: each as the draft alone would be judged."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asked import Asked

from clout.serving.active_model import ActiveModel, Loaded
from clout.serving.api import application
from clout.serving.drafts.ideas import NO_LINK, NO_MEDIA, ideas
from clout.serving.drafts.judged import DAY, FEW, NOTHING, WEEK
from clout.serving.schemas import PostRequest
from clout.serving.scoring import explain, read_request, score

HOUR = timedelta(hours=1)
FACTS = {"followers": 100, "recent": [{"happened_at": "2026-02-01T09:00:00Z", "counts": {"like": 12}}]}


@pytest.fixture
def draft(loaded: Loaded) -> dict[str, Any]:
    return {"account": loaded.example, "text": "What did you read this week?"}


def alone(loaded: Loaded, post: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The answer to a post alone."""
    return score(loaded, read_request(json.dumps(post), now), now).model_dump(mode="json")


def test_each_of_many_gets_what_it_would_get_alone(
    client: Asked, loaded: Loaded, now: datetime, draft: dict[str, Any]
) -> None:
    posts = [draft, {"account": "commons/nobody"}, 5, {**draft, "n_media": 1}, {**draft, "happened_at": 5}, {}, None]
    told = client.post("/v1/scores:batch", {"posts": posts}).json()
    results = [item["result"] for item in told["items"]]
    assert results == [alone(loaded, draft, now), None, None, alone(loaded, posts[3], now), None, None, None]
    problems = [item["problem"] and (item["problem"]["status"], item["problem"]["code"]) for item in told["items"]]
    wrong = (422, "invalid_content")
    assert problems == [None, (404, "unknown_account"), wrong, None, wrong, wrong, wrong]
    assert told["items"][4]["problem"]["errors"][0]["pointer"] == "/happened_at"
    assert (told["judged"], told["model_version"]) == (2, loaded.model.version)
    assert f'clout_score_count{{network="{loaded.example.split("/")[0]}"}} 2.0' in client.get("/metrics").text


def test_as_of_means_the_same_for_many_as_for_each(client: Asked, draft: dict[str, Any]) -> None:
    posts = [{**draft, "happened_at": "2025-01-10T00:00:00Z"}, draft, {}]
    told = client.post("/v1/scores:batch", {"posts": posts}).json()
    first, second = (item["result"]["as_of"] for item in told["items"][:2])
    assert first < second == told["as_of"]
    assert client.post("/v1/scores:batch", {"posts": [{}]}).json()["as_of"] is None


def test_a_post_that_breaks_something_does_not_harm_the_others(
    loaded: Loaded, now: datetime, draft: dict[str, Any]
) -> None:
    broken = ActiveModel()
    broken._current = replace(loaded, past=replace(loaded.past, action_values=None))
    posts = [{"network": "commons", "account_facts": FACTS}, draft]
    told = Asked(application(broken, lambda: now)).post("/v1/scores:batch", {"posts": posts})
    assert told.status_code == 200
    assert [item["problem"] and item["problem"]["code"] for item in told.json()["items"]] == ["internal_error", None]


@pytest.mark.parametrize("posts", [[], [{}] * 101, None, "a"], ids=["none", "too many", "null", "text"])
def test_how_many_there_may_be(client: Asked, posts: object) -> None:
    answer = client.post("/v1/scores:batch", {"posts": posts})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/posts")


def test_all_of_one_model_and_odd_numbers_are_told_each(client: Asked, draft: dict[str, Any]) -> None:
    body = json.dumps({"posts": [draft, draft]}).replace("}]", ', "n_urls": NaN}]')
    answer = client("POST", "/v1/scores:batch", content=body, headers={"Content-Type": "application/json"})
    assert [item["problem"] is None for item in answer.json()["items"]] == [True, False]


def test_every_hour_is_judged_as_the_draft_then(
    client: Asked, loaded: Loaded, now: datetime, draft: dict[str, Any]
) -> None:
    told = client.post("/v1/posts:best-time", draft).json()
    hours = [datetime.fromisoformat(hour["happened_at"]) for hour in told["hours"]]
    assert hours == [now.replace(minute=0) + step * HOUR for step in range(1, WEEK + 1)]
    now_score = alone(loaded, draft, now)
    assert told["draft"] == now_score
    for hour in told["hours"][::41]:
        then = alone(loaded, {**draft, "happened_at": hour["happened_at"]}, now)
        assert (hour["score"], hour["expected"]) == (then["score"], then["expected"]["actions"])
        assert hour["points"] == then["score"] - now_score["score"]
    assert len({hour["score"] for hour in told["hours"]}) > 1


def test_the_best_hours_are_the_best_and_know_the_habit(
    client: Asked, loaded: Loaded, now: datetime, draft: dict[str, Any]
) -> None:
    told = client.post("/v1/posts:best-time", draft).json()
    scores = sorted((hour["score"] for hour in told["hours"]), reverse=True)
    assert [hour["score"] for hour in told["best"]] == scores[:FEW]
    post = read_request(json.dumps({**draft, "happened_at": told["best"][0]["happened_at"]}), now)
    habit = next(reason for reason in explain(loaded, post, now).reasons if reason.code == "hour_share_90d")
    assert told["best"][0]["habit"] == habit.value
    points = told["best"][0]["points"]
    said = f"{points:.1f} points more" if points > 0 else "No hour"
    assert said in told["sentence"]
    assert told["model_version"] == loaded.model.version


def test_hours_are_told_after_a_moment_that_is_given_even_the_last_one(
    client: Asked, now: datetime, draft: dict[str, Any]
) -> None:
    last = (now + timedelta(days=30)).isoformat()
    told = client.post("/v1/posts:best-time", {**draft, "happened_at": last}).json()
    assert datetime.fromisoformat(told["hours"][0]["happened_at"]) == now + timedelta(days=30, minutes=30)
    told = client.post("/v1/posts:what-if", {"post": {**draft, "happened_at": last}, "suggest": True})
    assert told.status_code == 200
    assert all("happened_at" not in found["change"] for found in told.json()["suggestions"])


def test_a_change_is_judged_as_the_draft_with_it_and_its_reasons_add_up(
    client: Asked, loaded: Loaded, now: datetime, draft: dict[str, Any]
) -> None:
    changes: list[dict[str, Any]] = [
        {"n_media": 1},
        {"text": "No.", "kind": "reply"},
        {"happened_at": "2026-03-03T09:00:00+01:00"},
        {"n_hashtags": 3, "n_urls": None, "lang": "de"},
    ]
    told = client.post("/v1/posts:what-if", {"post": draft, "changes": changes}).json()
    assert told["suggestions"] is told["nothing"] is None
    assert told["draft"] == alone(loaded, draft, now)
    assert told["tried"][2]["change"] == {"happened_at": "2026-03-03T08:00:00Z"}
    for change, tried in zip(changes, told["tried"], strict=True):
        then = alone(loaded, {**draft, **change}, now)
        assert (tried["score"], tried["interval"]) == (then["score"], then["interval"])
        assert tried["points_gained"] == then["score"] - told["draft"]["score"]
        moved = sum(reason["points"] for reason in tried["moved"]) + tried["others"]
        assert moved == pytest.approx(tried["points_gained"], abs=1e-9)
        assert all(reason["points"] for reason in tried["moved"])
    media = next(reason for reason in told["tried"][0]["moved"] if reason["code"] == "media_count")
    assert (media["before"], media["after"]) == ("no pictures or videos", "1 picture or video")


def test_reasons_whose_value_stays_are_told_apart(
    client: Asked, loaded: Loaded, now: datetime, draft: dict[str, Any]
) -> None:
    change = {"text": "Why? #cats http://a.b", "n_media": 2}
    [tried] = client.post("/v1/posts:what-if", {"post": draft, "changes": [change]}).json()["tried"]
    before, after = (
        {reason.code: reason for reason in explain(loaded, read_request(json.dumps(post), now), now).reasons}
        for post in (draft, {**draft, **change})
    )
    gains = {code: after[code].points - reason.points for code, reason in before.items()}
    changed = {code for code, reason in before.items() if reason.value != after[code].value}
    assert {reason["code"]: reason["points"] for reason in tried["moved"]} == {
        code: gains[code] for code in changed if gains[code]
    }
    beside = sum(points for code, points in gains.items() if code not in changed)
    assert tried["others"] == pytest.approx(beside, abs=1e-9)
    assert beside
    assert [abs(reason["points"]) for reason in tried["moved"]] == sorted(
        (abs(gains[code]) for code in changed if gains[code]), reverse=True
    )


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"changes": [{"n_media": 1}, {}]}, "/changes/1"),
        ({"changes": [{"n_media": 0, "text": " "}]}, "/changes/0"),
        ({"changes": [{"account": "a/b"}]}, "/changes/0/account"),
        ({"changes": [{"n_media": 1}] * 21}, "/changes"),
        ({"changes": []}, ""),
        ({}, ""),
        ({"post": {"account": "x"}, "suggest": True}, "/post/account"),
    ],
)
def test_changes_that_are_none(client: Asked, draft: dict[str, Any], said: dict[str, Any], pointer: str) -> None:
    answer = client.post("/v1/posts:what-if", {"post": draft, **said})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


def test_suggestions_are_those_that_help_best_first(
    client: Asked, loaded: Loaded, now: datetime, draft: dict[str, Any]
) -> None:
    told = client.post("/v1/posts:what-if", {"post": draft, "suggest": True}).json()
    post = PostRequest.model_validate(draft, context={"now": now})
    base = told["draft"]["score"]
    gains = {idea.code: alone(loaded, {**draft, **idea.change}, now)["score"] - base for idea in ideas(post)}
    hours = [
        alone(loaded, {**draft, "happened_at": (now.replace(minute=0) + step * HOUR).isoformat()}, now)
        for step in range(1, DAY + 1)
    ]
    gains["hour_utc"] = max(hour["score"] for hour in hours) - base
    helpful = sorted((gain for gain in gains.values() if gain > 1), reverse=True)
    assert [found["points_gained"] for found in told["suggestions"]] == helpful
    assert helpful
    assert told["nothing"] is None
    for found in told["suggestions"]:
        assert alone(loaded, {**draft, **found["change"]}, now)["score"] == found["score"]


def test_where_nothing_helps_it_is_said(client: Asked, draft: dict[str, Any]) -> None:
    first = client.post("/v1/posts:what-if", {"post": draft, "suggest": True}).json()
    better = draft
    for _ in range(8):
        if not first["suggestions"]:
            break
        better = {**better, **first["suggestions"][0]["change"]}
        first = client.post("/v1/posts:what-if", {"post": better, "suggest": True}).json()
    assert (first["suggestions"], first["nothing"]) == ([], NOTHING)


@pytest.mark.parametrize(
    ("post", "changes"),
    [
        ({"n_media": 2}, []),
        ({"text": "Read https://a.b/news?x=1 now"}, [("urls_count", {"text": "Read now", "n_urls": 0})]),
        ({"text": "https://a.b"}, []),
        ({"text": "One thing."}, [("questions_count", {"text": "One thing?"})]),
        ({"text": "Is it?"}, [("questions_count", {"text": "Is it."})]),
        ({"text": "My #cat", "n_hashtags": 1}, [("hashtags_count", {"text": "My cat", "n_hashtags": 0})]),
        ({"text": "My cats"}, [("hashtags_count", {"text": "My #cats", "n_hashtags": 1})]),
        (
            {"text": "One. Two! Three?"},
            [("text_chars", {"text": "One."}), ("text_chars", {"text": "One. Two!"})],
        ),
        ({"text": "一。二"}, [("text_chars", {"text": "一。"})]),
    ],
)
def test_what_there_is_to_try(post: dict[str, Any], changes: list[tuple[str, dict[str, Any]]]) -> None:
    said = PostRequest.model_validate({"account": "a/b", **post}, context={"now": datetime.now(UTC)})
    tried = [(idea.code, idea.change) for idea in ideas(said)]
    assert all(change in tried for change in changes)
    assert ("media_count" in dict(tried)) == bool(said.text or not said.n_media)
    assert "https://a.b/news?x=1#" not in str(tried)


def test_one_text_is_tried_once_under_the_plainest_name() -> None:
    post = PostRequest.model_validate(
        {"account": "a/b", "text": "Read this. https://a.b/c", "n_media": 1}, context={"now": datetime.now(UTC)}
    )
    tried = [(idea.sentence, idea.change.get("text")) for idea in ideas(post)]
    assert [sentence for sentence, text in tried if text == "Read this."] == [NO_LINK]
    assert (NO_MEDIA, None) in tried


@pytest.mark.parametrize("text", ["." * 100_000, " " * 99_999 + "a", "wordy " * 16_000, "#a" * 50_000, "a? " * 30_000])
def test_long_texts_of_one_thing_are_soon_done(text: str) -> None:
    post = PostRequest.model_validate({"account": "a/b", "text": text}, context={"now": datetime.now(UTC)})
    assert len(list(ideas(post))) < 10
