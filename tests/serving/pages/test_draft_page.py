"""The page on which a draft is judged while one types: with scripts or without, it says what the API says."""

from __future__ import annotations

import io
import json
import logging
from datetime import timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest
from asked import Asked
from read_page import HTML, Read, number
from scored_home import NOW, TWINS, Scored

from clout.serving import scoring
from clout.serving.accounts.kept import NOWHERE
from clout.serving.active_model import Loaded
from clout.serving.api import application
from clout.serving.drafts.asked import changed
from clout.serving.drafts.ideas import ideas
from clout.serving.edge.gate import Access
from clout.serving.edge.layers import Edge
from clout.serving.edge.request_log import JsonLines
from clout.serving.pages.shell import POLICY
from clout.serving.pages.views.draft import Typed, judge

TEXT = "What did you read this week? Good news: https://example.org #news"
NASTY = '</textarea><script>alert(1)</script> " onfocus="x'
PART = {"HX-Request": "true", "HX-Target": "result"}


@pytest.fixture(scope="module")
def ask(scored: Scored) -> Asked:
    return scored.client()


@pytest.fixture(scope="module")
def account(scored: Scored) -> str:
    return scored.accounts[0]


@pytest.fixture(scope="module")
def loaded(scored: Scored) -> Loaded:
    return scored.active.current()


def send(ask: Asked, fields: dict[str, str], **headers: str) -> httpx.Response:
    return ask("POST", "/draft", data=fields, headers={**HTML, **headers})


def view(ask: Asked, fields: dict[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = send(ask, fields, Accept="application/json").json()
    return told


def forms(page: Read) -> list[dict[str, str]]:
    """What each button under the ideas would send."""
    return [
        {str(field.attributes["name"]): field.attributes["value"] or "" for field in form.css("input")}
        for form in page.tree.css("section[aria-labelledby=ideas] form")
    ]


def test_a_name_that_one_network_knows_needs_no_network(ask: Asked, account: str) -> None:
    handle = ask.get(f"/v1/accounts/{account}/score").json()["handle"]
    whole, bare = (view(ask, {"account": name, "text": TEXT}) for name in (account, handle))
    assert whole["said"]["score"]["account"] == account
    assert bare["said"] == whole["said"] | {"ideas": bare["said"]["ideas"]}
    nobody = view(ask, {"account": "nobody-at-all", "text": TEXT})
    assert [fault["field"] for fault in nobody["faults"]] == ["account"]


def test_the_form_waits_with_the_account_that_the_address_names(ask: Asked, account: str) -> None:
    answer = ask.get(f"/draft?account={account}", headers=HTML)
    page = Read(answer)
    assert answer.status_code == 200
    assert page.attribute("#account", "value") == account
    assert not page.tree.css("#score-number, .fault:not([hidden])")
    assert answer.headers["content-security-policy"] == POLICY
    assert "style=" not in answer.text


def test_every_field_has_a_label(ask: Asked, account: str) -> None:
    page = Read(ask.get(f"/draft?account={account}", headers=HTML))
    fields = [node.attributes["id"] for node in page.tree.css("input, select, textarea")]
    assert len(fields) == 6
    assert {node.attributes["for"] for node in page.tree.css("label")} == set(fields)


def test_the_score_is_the_one_of_the_api(ask: Asked, account: str) -> None:
    said = view(ask, {"account": account, "text": TEXT, "media": "2", "kind": "quote"})["said"]
    post = {"account": account, "text": TEXT, "n_media": 2, "kind": "quote"}
    assert said["score"] == ask.post("/v1/posts:explain", post).json()
    what_if = ask.post("/v1/posts:what-if", {"post": post, "suggest": True}).json()
    assert [idea["points"] for idea in said["ideas"]] == [one["points_gained"] for one in what_if["suggestions"]]
    assert said["hours"] is None


def test_what_is_printed_adds_up_and_is_what_is_said(ask: Asked, account: str) -> None:
    fields = {"account": account, "text": TEXT}
    answer = send(ask, fields)
    page, said = Read(answer), view(ask, fields)["said"]
    [(start, parts, total)] = page.sums()
    assert start + sum(parts) == total == number(page.words("#score-number")) == round(said["score"]["score"])
    assert said["score"]["band"] in page.words("#score").lower()
    for reason in (*said["helping"], *said["holding_back"]):
        assert reason["sentence"] in page.words(f"#{reason['code']}")
    rows = page.every("section[aria-labelledby=score] tbody th")
    assert rows == ["likes", "reshares", "all, by their values"]
    assert len(said["helping"]) <= 4
    assert all(one["words"] in page.words("section[aria-labelledby=words]") for one in said["score"]["words"])
    assert answer.headers["cache-control"] == "no-store"
    assert page.tree.css("textarea")[0].text() == TEXT


def test_a_handle_is_a_name_too(ask: Asked, scored: Scored, account: str) -> None:
    handle = scored.records[account]["handle"]
    by_name = view(ask, {"account": f" {account.split('/', maxsplit=1)[0]}/@{handle} ", "text": TEXT})
    assert by_name["said"]["score"] == view(ask, {"account": account, "text": TEXT})["said"]["score"]


@pytest.mark.parametrize(
    "text", [TEXT, "no #hash＃tag #äö here. And there! Why?", "eins。zwei。drei", "just words", "#a"]
)
@pytest.mark.parametrize("fields", [{}, {"media": "3"}, {"link": "1"}, {"when": "2025-02-15T09:30"}])
def test_the_form_after_an_idea_is_the_post_it_was_judged_as(
    loaded: Loaded, account: str, text: str, fields: dict[str, str]
) -> None:
    typed = Typed.of({"account": account, "text": text, **fields})
    post = typed.post(loaded, NOW)
    every = [idea.change for idea in ideas(post)]
    hour = {"happened_at": NOW.replace(minute=0) + timedelta(hours=5)}
    assert len(every) >= 3
    for change in (*every, hour):
        promised = scoring.score(loaded, changed(post, change, NOW), NOW)
        assert scoring.score(loaded, typed.after(change).post(loaded, NOW), NOW) == promised


def test_a_button_sends_the_changed_draft_and_keeps_its_promise(ask: Asked, scored: Scored) -> None:
    pressed = 0
    for account in scored.accounts[:2]:
        fields = {"account": account, "text": TEXT, "when": "2025-02-16T03:00"}
        said, page = view(ask, fields)["said"], Read(send(ask, fields))
        assert [form["text"] for form in forms(page)] == [idea["typed"]["text"] for idea in said["ideas"]]
        for idea, form in zip(said["ideas"], forms(page), strict=True):
            assert view(ask, form)["said"]["score"]["score"] == idea["score"]
            assert idea["sentence"] in page.words("section[aria-labelledby=ideas]")
            pressed += 1
    assert pressed


def test_where_nothing_helps_it_is_said(ask: Asked, scored: Scored) -> None:
    drafts = [{"account": account, "text": "x", "media": "1"} for account in scored.accounts]
    bare = next(fields for fields in drafts if not view(ask, fields)["said"]["ideas"])
    assert "Nothing realistic" in Read(send(ask, bare)).words("section[aria-labelledby=ideas]")


def test_best_hours_come_when_asked_for(ask: Asked, account: str) -> None:
    fields = {"account": account, "text": TEXT, "hours": "1"}
    hours, page = view(ask, fields)["said"]["hours"], Read(send(ask, fields))
    expected = ask.post("/v1/posts:best-time", {"account": account, "text": TEXT}).json()
    assert hours == expected
    assert len(page.every("section[aria-labelledby=hours] ol li")) == 5
    days = page.every(".week tbody th")
    assert sorted(days) == sorted({f"{NOW + timedelta(days=day):%A}" for day in range(7)})
    assert [len(row.css("rect")) for row in page.tree.css(".week tbody tr")] == [24] * 7
    shown = dict(zip(page.every("details tbody th"), page.tree.css("details tbody tr"), strict=True))
    for hour in expected["hours"]:
        at = NOW.fromisoformat(hour["happened_at"])
        assert number(shown[f"{at:%A}"].css("td")[at.hour].text()) == round(hour["score"])


def test_each_day_runs_from_midnight_and_the_best_hour_is_drawn_strongest(loaded: Loaded, account: str) -> None:
    said = judge(loaded, Typed.of({"account": account, "text": TEXT, "hours": "1"}), NOW).said
    assert said is not None
    assert said.hours is not None
    assert [[hour.happened_at.hour for hour in day] for day in said.days()] == [list(range(24))] * 7
    depths = {hour.score: said.depth(hour, *said.ends()) for day in said.days() for hour in day}
    assert depths[max(depths)] == (1.0 if len(depths) > 1 else 0.5)
    assert all(depths[low] <= depths[high] for low, high in pairwise(sorted(depths)))


def test_htmx_is_given_the_result_alone(ask: Asked, account: str) -> None:
    answer = send(ask, {"account": account, "text": TEXT}, **PART)
    assert "<html" not in answer.text
    assert "<form class" not in answer.text
    assert 'id="score-number"' in answer.text
    [heard] = Read(answer).tree.css("#heard[hx-swap-oob]")
    assert heard.text().startswith(f"Score {Read(answer).words('#score-number')}, ")


def test_what_is_half_typed_is_no_error_yet(ask: Asked) -> None:
    answer = send(ask, {"account": "comm", "text": "H"}, **PART)
    assert answer.status_code == 200
    assert "slash" in Read(answer).tree.css("#fault-account")[0].text()


@pytest.mark.parametrize(
    ("fields", "status", "field", "words"),
    [
        ({"account": "commons/nobody"}, 404, "account", "We know nothing of this account"),
        ({"account": "nowhere/amy"}, 422, "account", "We know: commons, square"),
        ({"account": "commons"}, 422, "account", "with a slash between them"),
        ({"account": "commons/\0"}, 404, "account", "We know nothing"),
        ({"account": ""}, 422, "account", "whose post"),
        ({"account": "commons/Twin"}, 422, "account", "More than one account"),
        ({"text": " \n"}, 422, "text", "Write something"),
        ({"text": "x" * 100_001}, 422, "text", "too long"),
        ({"when": "2025-04-01T10:00"}, 422, "when", "at most 30 days"),
        ({"when": "tomorrow"}, 422, "when", "Choose a day"),
        ({"when": "2025-02-15T10:00+02:00"}, 422, "when", "Choose a day"),
    ],
)
def test_what_is_wrong_is_said_beside_what_was_typed(
    ask: Asked, account: str, fields: dict[str, str], status: int, field: str, words: str
) -> None:
    typed = {"account": account, "text": f"\n{NASTY}\n", "kind": "reply", "media": "0", "link": "1", **fields}
    answer = send(ask, typed)
    page = Read(answer)
    assert answer.status_code == status
    assert words in page.words(f"#fault-{field}")
    assert page.attribute(f"#{field}", "aria-describedby") == f"fault-{field}"
    assert page.tree.css("textarea")[0].text() == typed["text"]
    assert page.attribute("#account", "value") == typed["account"].replace("\0", "\N{REPLACEMENT CHARACTER}")
    assert page.attribute("#kind option[selected]", "value") == "reply"
    assert page.tree.css("#link[checked]")
    assert not page.tree.css("#score-number")


def test_several_faults_are_each_at_their_field(ask: Asked) -> None:
    faults = view(ask, {"account": "commons", "text": "a", "when": "x"})["faults"]
    assert {fault["field"] for fault in faults} == {"account", "when"}


@pytest.mark.parametrize("text", [NASTY, "אבג مرحبا", "👍🏽" * 50, "w" * 5_000, "{{ 7 * 7 }} %(x)s {0}"])
def test_any_text_is_text(ask: Asked, account: str, text: str) -> None:
    answer = send(ask, {"account": account, "text": text})
    page = Read(answer)
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert page.tree.css("textarea")[0].text() == text
    assert page.attribute("textarea", "dir") == "auto"


@pytest.mark.parametrize("fields", [{"media": "5"}, {"kind": "boost"}, {"followers": "1"}, {"link": "yes"}])
def test_what_no_form_of_ours_sends_is_refused(ask: Asked, account: str, fields: dict[str, str]) -> None:
    answer = send(ask, {"account": account, "text": TEXT, **fields})
    assert answer.status_code == 422
    assert Read(answer).words("h1") == "The body does not say what is needed"


def test_other_sites_and_other_methods_are_refused(ask: Asked, account: str) -> None:
    fields = {"account": account, "text": TEXT}
    assert send(ask, fields, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert ask("PUT", "/draft", data=fields).status_code == 405
    assert ask.post("/draft", fields).status_code == 415


def test_what_is_typed_is_written_down_nowhere(scored: Scored, account: str, caplog: pytest.LogCaptureFixture) -> None:
    written, log = io.StringIO(), logging.Logger("every")
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    log.addHandler(handler)
    ask = Asked(application(scored.active, lambda: NOW, NOWHERE, None, Edge(every=log, audit=log)))
    with caplog.at_level(logging.DEBUG, "clout"):
        for fields in ({"account": account, "text": "secret"}, {"account": "commons/secret", "text": "secret"}):
            send(ask, fields)
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [(line["route"], line["status"]) for line in lines] == [("/draft", 200), ("/draft", 404)]
    assert "secret" not in written.getvalue() + caplog.text
    assert account not in written.getvalue() + caplog.text


def test_the_scope_that_scores_is_needed(scored: Scored, account: str) -> None:
    shut = Asked(application(scored.active, lambda: NOW, NOWHERE, None, Edge(Access("never"))))
    for answer in (shut.get("/draft", headers=HTML), send(shut, {"account": account, "text": TEXT})):
        assert answer.status_code == 401
        assert "score" in Read(answer).words()


def test_the_draft_page_speaks_swedish(ask: Asked, account: str) -> None:
    answer = ask("POST", "/draft?lang=sv", data={"account": account, "text": TEXT, "hours": "1"}, headers=HTML)
    page = Read(answer)
    assert page.attribute("html", "lang") == "sv"
    [(start, parts, total)] = page.sums()
    assert start + sum(parts) == total
    assert {"måndag", "tisdag"} <= set(page.every(".week tbody th"))
    assert page.attribute("#draft", "action").startswith("/draft?lang=sv")


def test_an_account_without_posts_is_judged_all_the_same(ask: Asked) -> None:
    answer = send(ask, {"account": TWINS[0], "text": TEXT})
    assert answer.status_code == 200
    assert "From 0 posts" in Read(answer).words("section[aria-labelledby=score]")
