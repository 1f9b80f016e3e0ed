"""Accounts side by side: each as its own page tells it, and what makes the difference in points that add up."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from asked import Asked
from read_page import HTML, Read, number
from scored_home import LATE, NOW, TWINS, Scored

from clout.serving.accounts.others import OTHER_SCALE
from clout.serving.api import application


@pytest.fixture(scope="module")
def ask(scored: Scored) -> Asked:
    return scored.client()


@pytest.fixture(scope="module")
def same(scored: Scored) -> list[str]:
    """Five accounts of one network."""
    return [account for account in scored.accounts if account.startswith("commons/")][:5]


def get(ask: Asked, *names: str, **query: str) -> httpx.Response:
    return ask.get(f"/compare?{urlencode([*(('with', name) for name in names), *query.items()])}", headers=HTML)


def view(ask: Asked, *names: str) -> dict[str, Any]:
    told: dict[str, Any] = get(ask, *names, format="json").json()
    return told


def test_an_empty_form_shows_nobody(ask: Asked) -> None:
    answer = get(ask)
    page = Read(answer)
    assert answer.status_code == 200
    assert len(page.tree.css("input[name=with]")) == 5
    assert [node.attributes["for"] for node in page.tree.css("label")] == [f"with-{n}" for n in range(1, 6)]
    assert not page.tree.css(".beside, .fault")
    assert get(ask, "", " ", "").status_code == 200


def test_a_name_that_one_network_knows_needs_no_network(ask: Asked, same: list[str]) -> None:
    handle = ask.get(f"/v1/accounts/{same[1]}/score").json()["handle"]
    told = view(ask, f" @{handle}", "nobody-at-all")
    assert [account["account"] for account in told["accounts"]] == [same[1]]
    assert [unknown["name"] for unknown in told["unknown"]] == ["nobody-at-all"]


def test_a_name_that_two_networks_know_is_nobody_without_its_network(ask: Asked, scored: Scored) -> None:
    names = [account.split("/", 1)[1] for account in scored.accounts]
    twice = next(name for name in names if names.count(name) > 1)
    assert [unknown["name"] for unknown in view(ask, twice)["unknown"]] == [twice]


def test_each_account_stands_there_as_the_api_tells_it(ask: Asked, same: list[str]) -> None:
    told, page = view(ask, *same), Read(get(ask, *same))
    for place, account in enumerate(same):
        expected = ask.get(f"/v1/accounts/{account}/score").json()
        assert told["accounts"][place] == expected
        shown = page.every(".beside > section")[place]
        assert f" {expected['printed']} " in shown
        assert f"Likely between {round(expected['interval']['low'])} and" in shown
        assert expected["band"] in shown.lower()
        assert account in shown
    assert [page.attribute(f"#with-{n + 1}", "value") for n in range(5)] == same
    assert all(f"/why/{account}" in page.links() for account in same)


def test_the_differences_are_those_of_the_api(ask: Asked, same: list[str]) -> None:
    first, *rest = same
    expected = ask.get(f"/v1/accounts/{first}/compare?{urlencode([('with', one) for one in rest])}").json()
    assert [one["told"] for one in view(ask, *same)["against"]] == expected["differences"]


def test_what_is_printed_adds_up_to_the_printed_difference(ask: Asked, scored: Scored) -> None:
    accounts = scored.accounts
    for start in range(0, len(accounts) - 4, 4):
        page = Read(get(ask, *accounts[start : start + 5]))
        first = number(page.words(".beside .number"))
        sums = page.sums()
        assert len(sums) == 4
        for (theirs, parts, mine), block in zip(sums, page.tree.css(".against"), strict=True):
            reasons = [number(node.text()) for node in block.css("table:not(.waterfall) [data-sum=part]")]
            [total] = [number(node.text()) for node in block.css("table:not(.waterfall) [data-sum=total]")]
            assert theirs + sum(parts) == mine == first
            assert sum(reasons) == total == mine - theirs
            assert str(abs(total)) in block.css("p")[0].text() or total == 0


def test_accounts_on_other_networks_are_minded(ask: Asked, scored: Scored) -> None:
    here, there, _ = scored.person
    assert OTHER_SCALE in Read(get(ask, here, there)).every(".against .note")
    assert not Read(get(ask, *[name for name in scored.accounts if name.startswith("square/")][:2])).every(".note")


def test_who_has_no_score_gets_no_difference(ask: Asked, same: list[str]) -> None:
    page = Read(get(ask, same[0], TWINS[0]))
    assert "Not enough evidence yet" in page.every(".beside > section")[1]
    assert f"There is not enough evidence for a score of {TWINS[0]}" in page.words(".against")
    assert page.sums() == []


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("commons/nobody", 404, "We know nothing of this account"),
        ("nobody", 404, "with a slash between them"),
        ("commons/\0", 404, "We know nothing"),
        ("commons/Twin", 409, "More than one account"),
        (LATE, 404, "has not been scored yet"),
        ("commons/<script>alert(1)</script>", 404, "We know nothing"),
        ("commons/אבג" + "w" * 900, 404, "We know nothing"),
    ],
)
def test_who_is_not_known_is_told_without_losing_the_others(
    ask: Asked, same: list[str], name: str, status: int, words: str
) -> None:
    answer, alone = get(ask, same[0], name, same[1]), get(ask, name)
    page = Read(answer)
    assert (answer.status_code, alone.status_code) == (200, status)
    for one in (page, Read(alone)):
        assert words in one.words("#unknown-1")
    assert "<script>alert" not in answer.text
    assert page.attribute("#with-2", "aria-describedby") == "unknown-1"
    assert len(page.every(".beside > section")) == 2
    assert len(page.sums()) == 1


def test_an_account_named_twice_is_shown_once(ask: Asked, scored: Scored, same: list[str]) -> None:
    handle = scored.records[same[0]]["handle"]
    page = Read(get(ask, same[0], f"commons/@{handle}", same[1]))
    assert len(page.every(".beside > section")) == 2
    assert page.every(".note") == [f"{same[0]} was named twice. It is shown once."]


def test_more_than_five_are_refused(ask: Asked, scored: Scored) -> None:
    answer = get(ask, *scored.accounts[:6])
    assert answer.status_code == 422
    assert "expected at most 5" in Read(answer).words()


def test_the_language_goes_on(ask: Asked, same: list[str]) -> None:
    page = Read(get(ask, *same[:2], lang="sv"))
    assert page.attribute("html", "lang") == "sv"
    assert page.attribute("input[name=lang]", "value") == "sv"
    [(start, parts, total)] = page.sums()
    assert start + sum(parts) == total


def test_whoever_has_the_page_is_not_sent_it_again(ask: Asked, same: list[str]) -> None:
    first = get(ask, *same[:2])
    path = str(first.request.url)
    assert ask.get(path, headers={**HTML, "If-None-Match": first.headers["etag"]}).status_code == 304


def test_without_a_store_the_form_is_there_and_says_why_nothing_else_is(scored: Scored) -> None:
    bare = Asked(application(scored.active, lambda: NOW))
    assert get(bare).status_code == 200
    assert get(bare, scored.accounts[0]).status_code == 503
