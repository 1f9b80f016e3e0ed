"""What a request may say, and what is refused with which words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from clout.features.request import AccountFacts, Draft, RecentPost
from clout.serving import answers
from clout.serving.accounts import answers as account_answers
from clout.serving.schemas import AccountFactsBody, PostRequest, RecentPostBody

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
ANSWERS = [
    model
    for module in (answers, account_answers)
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, BaseModel)
]
MODELS = [PostRequest, AccountFactsBody, RecentPostBody, *(model for model in ANSWERS if model.model_fields)]


def read(**fields: object) -> PostRequest:
    return PostRequest.model_validate_json(json.dumps(fields), context={"now": NOW})


def refusal(**fields: object) -> tuple[tuple[Any, ...], str, str]:
    """Where and how the first refused field was refused."""
    with pytest.raises(ValidationError) as caught:
        read(**fields)
    first = caught.value.errors()[0]
    return first["loc"], first["type"], first["msg"]


def test_the_smallest_request() -> None:
    asked = read(account="twitter/1")
    assert asked.draft("twitter/1", NOW) == Draft("twitter", "twitter/1", NOW, n_media=0)
    assert asked.account_facts is None


def test_the_whole_request() -> None:
    recent = {"happened_at": "2026-02-01T10:00:00+02:00", "counts": {"like": 3}, "kind": "reply", "n_media": 1}
    facts = {"created_at": "2019-01-01T00:00:00Z", "followers": 5, "following": 6, "listed": 7, "posts": 8}
    asked = read(
        network="twitter",
        handle="@amy",
        text="Hello",
        lang="en",
        happened_at="2026-03-05T08:00:00Z",
        kind="quote",
        n_media=1,
        n_urls=2,
        n_hashtags=3,
        n_mentions=4,
        account_facts={**facts, "verified": True, "recent": [recent]},
    )
    at = datetime(2026, 3, 5, 8, tzinfo=UTC)
    assert asked.draft(None, NOW) == Draft("twitter", None, at, "Hello", "en", "quote", 1, 2, 3, 4)
    assert asked.account_facts is not None
    seen = RecentPost(datetime(2026, 2, 1, 8, tzinfo=UTC), {"like": 3}, "reply", 1)
    opened = datetime(2019, 1, 1, tzinfo=UTC)
    assert asked.account_facts.facts(NOW) == AccountFacts(NOW, opened, 5, 6, 7, 8, True, (seen,))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "no_account"),
        ({"network": "twitter"}, "no_account"),
        ({"handle": "amy"}, "no_account"),
        ({"account": "twitter/1", "network": "weibo"}, "other_network"),
        ({"account": "twitter/1", "handle": "amy"}, "two_names"),
        ({"account": "twitter/1", "text": " \n"}, "empty_post"),
        ({"account": "twitter/1", "text": "", "n_media": None}, "empty_post"),
    ],
)
def test_fields_that_do_not_go_together(fields: dict[str, Any], code: str) -> None:
    assert refusal(**fields)[:2] == ((), code)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("account", "137407124", "account_format"),
        ("account", "/1", "account_format"),
        ("account", "twitter/", "account_format"),
        ("account", f"twitter/{'1' * 500}", "string_too_long"),
        ("account", 1, "string_type"),
        ("text", "a" * 100_001, "string_too_long"),
        ("text", ["a"], "string_type"),
        ("kind", "reshare", "literal_error"),
        ("n_media", -1, "greater_than_equal"),
        ("n_media", 1.5, "int_type"),
        ("n_media", True, "int_type"),
        ("n_media", "1", "int_type"),
        ("n_urls", float("nan"), "int_type"),
        ("n_urls", 10**400, "less_than_equal"),
        ("happened_at", "2026-03-02T14:30:00", "timezone_aware"),
        ("happened_at", "2026-03-02", "time_format"),
        ("happened_at", 1772461800, "time_format"),
        ("happened_at", "1772461800", "time_format"),
        ("happened_at", "2026-02-30T00:00:00Z", "datetime_from_date_parsing"),
        ("happened_at", "2026-04-01T14:30:01Z", "future"),
        ("happened_at", "9999-12-31T23:59:59-14:00", "future"),
        ("happened_at", "0001-01-01T00:00:00+14:00", "too_early"),
        ("happened_at", "1989-12-31T23:59:59Z", "too_early"),
        ("happend_at", "2026-03-02T14:30:00Z", "extra_forbidden"),
    ],
)
def test_values_that_are_refused(field: str, value: object, code: str) -> None:
    assert refusal(**{"account": "twitter/1", field: value})[:2] == ((field,), code)


@pytest.mark.parametrize(
    ("facts", "place", "code"),
    [
        ({"followers": -1}, ("followers",), "greater_than_equal"),
        ({"followers": 10**13}, ("followers",), "less_than_equal"),
        ({"verified": 1}, ("verified",), "bool_type"),
        ({"created_at": "2026-03-02T14:30:01Z"}, ("created_at",), "future"),
        ({"recent": [{}]}, ("recent", 0, "happened_at"), "missing"),
        ({"recent": [{"happened_at": "2026-03-02T14:30:01Z"}]}, ("recent", 0, "happened_at"), "future"),
        ({"recent": [{"happened_at": "2026-03-02T14:30:00Z"}] * 401}, ("recent",), "too_long"),
    ],
)
def test_facts_that_are_refused(facts: dict[str, Any], place: tuple[Any, ...], code: str) -> None:
    assert refusal(network="twitter", account_facts=facts)[:2] == (("account_facts", *place), code)


@pytest.mark.parametrize(
    ("more", "place", "code"),
    [
        ({"counts": {"like": -1}}, ("counts", "like"), "greater_than_equal"),
        ({"counts": {"like": 1.5}}, ("counts", "like"), "int_type"),
        ({"counts": {"applause": 1}}, ("counts", "applause", "[key]"), "unknown_kind"),
        ({"kind": "story"}, ("kind",), "unknown_kind"),
    ],
)
def test_recent_posts_that_are_refused(more: dict[str, Any], place: tuple[Any, ...], code: str) -> None:
    recent = [{"happened_at": "2026-02-01T00:00:00Z", **more}]
    assert refusal(network="twitter", account_facts={"recent": recent})[:2] == (
        ("account_facts", "recent", 0, *place),
        code,
    )


def test_what_lies_on_the_edge_is_taken() -> None:
    ahead = (NOW + timedelta(days=30)).isoformat()
    recent = [{"happened_at": NOW.isoformat(), "counts": {"like": 10**12}}] * 400
    asked = read(network="twitter", text="a" * 100_000, happened_at=ahead, account_facts={"recent": recent})
    assert asked.happened_at == NOW + timedelta(days=30)
    assert read(account="t/with space/and slash").network_name == "t"
    assert read(account="t/1", text="", n_media=1).text == ""


def test_errors_say_what_was_expected() -> None:
    assert refusal(account="137407124")[2] == "Expected network/id, like twitter/137407124"
    assert refusal(account="t/1", happened_at=5)[2] == "Expected a time like 2026-03-02T14:30:00Z"
    assert refusal(account="t/1", happened_at="2027-01-01T00:00:00Z")[2] == "Expected a time at most 30 days from now"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_has_a_description_and_an_example(model: type[BaseModel]) -> None:
    bare = [name for name, field in model.model_fields.items() if not (field.description and field.examples)]
    assert not bare


@pytest.mark.parametrize("model", [PostRequest, AccountFactsBody, RecentPostBody], ids=lambda model: model.__name__)
def test_the_examples_are_valid(model: type[BaseModel]) -> None:
    required = {"happened_at": "2026-01-01T00:00:00Z"} if model is RecentPostBody else {}
    start = {"network": "twitter", "handle": "a"} if model is PostRequest else required
    for name, field in model.model_fields.items():
        for example in field.examples or ():
            fields = {"account": example} if name == "account" else {**start, name: example}
            later = {"now": NOW + timedelta(days=1)}
            assert name in model.model_validate_json(json.dumps(fields), context=later).model_fields_set
