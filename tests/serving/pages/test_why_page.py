"""The page that says why an account's score is what it is."""

from __future__ import annotations

from typing import Any

import pytest
from asked import Asked
from read_page import HTML, MINUS, Read
from scored_home import DAY_BEFORE, LATE, TWINS, Scored

from clout.models.scale import MEAN_SCORE
from clout.serving.pages.shell import POLICY


@pytest.fixture(scope="module")
def ask(scored: Scored) -> Asked:
    return scored.client()


def read(ask: Asked, account: str, query: str = "") -> Read:
    return Read(ask.get(f"/why/{account}{query}", headers=HTML))


def told(ask: Asked, account: str) -> dict[str, Any]:
    answer: dict[str, Any] = ask.get(f"/why/{account}?format=json").json()
    return answer


def test_every_account_with_a_score_has_a_page_that_adds_up(ask: Asked, scored: Scored) -> None:
    for account in scored.accounts[::6]:
        page = read(ask, account)
        [(start, parts, total)] = page.sums()
        assert start + sum(parts) == total == int(page.words("#score-number"))
        assert total == told(ask, account)["score"]["printed"]


def test_a_page_says_what_its_json_says(ask: Asked, scored: Scored) -> None:
    account = scored.accounts[0]
    page, view = read(ask, account), told(ask, account)
    for reason in (*view["helping"], *view["holding_back"]):
        shown = page.words(f"#{reason['code']}")
        assert reason["sentence"] in shown
        assert str(abs(reason["points_printed"])) in shown
    assert view["score"]["band"].lower() in page.words("#score").lower()
    assert view["explained"]["posts"][0]["post"] in page.tree.html


def test_the_json_is_the_answers_of_the_api(ask: Asked, scored: Scored) -> None:
    account = scored.accounts[0]
    view = told(ask, account)
    assert view["score"] == ask.get(f"/v1/accounts/{account}/score").json()
    assert view["explained"] == ask.get(f"/v1/accounts/{account}/explanation").json()
    assert view["history"]["scores"] == ask.get(f"/v1/accounts/{account}/history").json()["scores"]


def test_what_moved_a_score_adds_up_to_the_change(ask: Asked, scored: Scored) -> None:
    """The last scores are another model's, so reasons are told apart only where one model judged both."""
    for account in scored.accounts[::6]:
        since = told(ask, account)["since"]
        change = told(ask, account)["score"]["changes"]["week"]
        assert since is None or since["change"] == change
        if since is not None:
            moved = sum(one["points"] for one in since["moved"]) + since["others"]
            assert moved == pytest.approx(change["total"])
            assert since["moved"] == []


def test_the_page_tells_their_part_from_ours(ask: Asked, scored: Scored) -> None:
    for account in scored.accounts[::6]:
        change = told(ask, account)["score"]["changes"]["week"]
        if change["yours"] is None:
            continue
        shown = [tenth(words) for words in read(ask, account).every("tr.adds:nth-child(2) td")]
        exact = [10 * change[part] for part in ("total", "yours", "ours")]
        assert shown[0] == shown[1] + shown[2]
        assert shown == pytest.approx(exact, abs=1)


def tenth(said: str) -> int:
    """A printed number in tenths."""
    return round(10 * float(said.replace(MINUS, "-")))


def test_a_line_says_where_another_model_judged(ask: Asked, scored: Scored) -> None:
    page = read(ask, scored.accounts[0])
    assert len(page.tree.css(".timeline line.mark")) == 1
    assert page.every("#shown tbody th")[0] == "14 February 2025"
    assert len(page.every("#shown tbody tr")) == len(told(ask, scored.accounts[0])["history"]["scores"])
    assert f"{DAY_BEFORE:%-d %B %Y}" in page.every("#shown tbody th")


def test_the_mean_of_now_is_told_apart_from_that_of_the_scale(ask: Asked, scored: Scored) -> None:
    mean = told(ask, scored.accounts[0])["mean"]
    said = f"The mean account has {mean:.0f} now. It had {MEAN_SCORE:.0f} when the scale was fixed."
    assert said in read(ask, scored.accounts[0]).words()


def test_an_account_without_evidence_gets_no_number(ask: Asked) -> None:
    page = read(ask, TWINS[0])
    assert "Not enough evidence yet" in page.words()
    assert "Missing: 10 more posts with a known result (0 of 10 so far), and 4 more weeks" in page.words()
    assert page.sums() == []
    assert not page.tree.css("#score-number")


@pytest.mark.parametrize(("account", "status"), [("commons/nobody", 404), (LATE, 404), ("commons/Twin", 409)])
def test_who_has_no_page_is_told_so_in_words(ask: Asked, account: str, status: int) -> None:
    answer = ask.get(f"/why/{account}", headers=HTML)
    assert answer.status_code == status
    assert Read(answer).words("h1")
    rather_data = {"Accept": "text/html;q=0.9,application/json"}
    for query, headers in (("", {}), ("", rather_data), ("?format=json", HTML)):
        problem = ask.get(f"/why/{account}{query}", headers=headers)
        assert (problem.headers["content-type"], problem.json()["status"]) == ("application/problem+json", status)


def test_a_name_is_text_and_never_markup(ask: Asked) -> None:
    answer = ask.get("/why/commons/<script>alert(1)</script>", headers=HTML)
    assert "<script>alert" not in answer.text
    assert "<script>alert(1)" in Read(answer).words()


def test_pages_may_load_nothing_from_elsewhere(ask: Asked, scored: Scored) -> None:
    answer = ask.get(f"/why/{scored.accounts[0]}", headers=HTML)
    assert answer.headers["content-security-policy"] == POLICY
    assert "style=" not in answer.text
    files = [
        node.attributes.get("src") or node.attributes.get("href") for node in Read(answer).tree.css("script, link")
    ]
    assert all(file == "data:," or (file or "").startswith("/static/") for file in files)
    for file in files[1:]:
        loaded = ask.get(str(file))
        assert loaded.status_code == 200
        assert "immutable" in loaded.headers["cache-control"]


def test_whoever_has_a_page_is_not_sent_it_again(ask: Asked, scored: Scored) -> None:
    path = f"/why/{scored.accounts[0]}"
    first = ask.get(path, headers=HTML)
    again = ask.get(path, headers={**HTML, "If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == POLICY


def test_links_keep_the_language_that_was_chosen(ask: Asked, scored: Scored) -> None:
    page = read(ask, scored.accounts[0], "?lang=en")
    inner = [link for link in page.links() if link.startswith(("/post", "/compare", "/feedback"))]
    assert inner
    assert all("lang=en" in link for link in inner)
    assert not any("lang=" in link for link in read(ask, scored.accounts[0]).links())


def test_all_accounts_of_a_person_stand_on_the_page(ask: Asked, scored: Scored) -> None:
    page = read(ask, scored.person[0])
    assert all(account in page.words() for account in scored.person)


def test_what_would_raise_a_score_is_said_with_what_it_is_worth(ask: Asked, scored: Scored) -> None:
    for account in scored.accounts[::6]:
        told_of, page = told(ask, account)["explained"]["would_raise"], read(ask, account).words()
        assert all(step["sentence"] in page and step["worth"] in page for step in told_of["steps"])
        assert told_of["steps"] or told_of["nothing"] in page


def test_the_whole_history_is_asked_for_as_programs_do(ask: Asked, scored: Scored) -> None:
    where = read(ask, scored.accounts[0], "?lang=sv").attribute("#long-history", "data-history")
    assert len(ask.get(where).json()["scores"]) == 3
