"""Anybody can report a problem by a form that needs no script; what was said is kept, and comes back to nobody else."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import httpx
import pytest
from asked import Asked
from read_page import HTML, Read
from scored_home import LATE, NOW, Scored

from clout.data.lake import Lake
from clout.serving.accounts.kept import NOWHERE, AccountStore
from clout.serving.active_model import ActiveModel
from clout.serving.api import application
from clout.serving.privacy import export, forget
from clout.serving.store import feedback
from clout.serving.store.feedback import Report
from clout.serving.store.scores import Store

SAID = 'This is <b>wrong</b>: "quoted" & \N{HEBREW LETTER SHIN} \N{GRINNING FACE}\nsecond line'
FIELDS = {"kind": "wrong_data", "account": "", "said": SAID, "contact": "amy@example.org", "page": "/why/commons/1"}
NASTY = '"><script>alert(1)</script>'
JSON = {"Accept": "application/json"}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'scores.db'}"


@pytest.fixture
def ask(scored: Scored, url: str) -> Asked:
    """A client of an application with a store of its own, which is empty."""
    return Asked(application(scored.active, lambda: NOW, AccountStore(lambda: url)))


def send(ask: Asked, headers: dict[str, str] = HTML, **changed: str) -> httpx.Response:
    return ask("POST", "/feedback", data={**FIELDS, **changed}, headers=headers)


def kept(url: str) -> tuple[Report, ...]:
    with Store.open(url) as store:
        return store.feedback.all()


def faults(answer: httpx.Response) -> list[str]:
    """The fields that the page of an answer marks."""
    assert answer.status_code == 422, answer.text
    read = Read(answer)
    assert "It was not sent yet." in read.words()
    marked = [field.removeprefix("fault-") for field in re.findall(r'aria-describedby="([\w-]+)"', answer.text)]
    assert all(read.words(f"#fault-{field}") for field in marked)
    return marked


def test_what_was_said_is_kept_as_it_was_said(ask: Asked, scored: Scored, url: str) -> None:
    account = scored.accounts[0]
    sent = send(ask, kind="objection", account=f" {account} ")
    assert (sent.status_code, sent.text, sent.headers["cache-control"]) == (303, "", "no-store")
    reference = sent.headers["location"].removeprefix("/feedback/")
    assert re.fullmatch("[0-9a-f]{16}", reference)
    assert kept(url) == (
        Report(reference, NOW, "objection", account, SAID, "amy@example.org", "/why/commons/1", None, None),
    )
    thanks = Read(ask.get(sent.headers["location"], headers=HTML))
    assert thanks.words("#reference") == reference
    assert thanks.words("h1") == "Thank you. We have your report."
    assert f"clout forget {account}" in thanks.words()
    assert "Until the account is erased, its score stays as it is." in thanks.words()


def test_an_account_may_be_named_by_its_handle_or_not_at_all(ask: Asked, url: str) -> None:
    for name in ("commons/@late", ""):
        assert send(ask, account=name, contact="", page="").status_code == 303
    assert sorted((one.account, one.contact, one.page) for one in kept(url) if one.account) == [(LATE, None, None)]
    assert len(kept(url)) == 2


def test_its_page_tells_what_was_done_but_not_what_was_said(ask: Asked, url: str) -> None:
    place = send(ask).headers["location"]
    with Store.open(url) as store:
        [report] = store.feedback.open()
        store.feedback.close(report.id, NOW, f"Mended. {NASTY}")
    answer = ask.get(place, headers=HTML)
    assert Read(answer).words("h1") == "Your report was dealt with."
    assert "Mended." in Read(answer).words("blockquote")
    assert "<script>alert" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "amy@example.org" not in answer.text
    told = ask.get(place, headers=JSON).json()
    assert set(told) == {"id", "at", "kind", "account", "state", "closed_at", "note"}
    assert told["state"] == "closed"


def test_there_is_no_page_of_other_references(ask: Asked) -> None:
    for name in ("none", "%00", "0" * 16, "'"):
        answer = ask.get(f"/feedback/{name}", headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_report"), name


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"kind": ""}, ["kind"]),
        ({"kind": "praise"}, ["kind"]),
        ({"said": " \n"}, ["said"]),
        ({"said": "x" * 2_001}, ["said"]),
        ({"said": "bell \a"}, ["said"]),
        ({"said": "turned \N{RIGHT-TO-LEFT OVERRIDE} around"}, ["said"]),
        ({"contact": "x" * 201}, ["contact"]),
        ({"contact": "amy\nbob"}, ["contact"]),
        ({"account": "amy"}, ["account"]),
        ({"account": "commons/nobody"}, ["account"]),
        ({"account": "commons/twin"}, ["account"]),
        ({"account": "commons/\0"}, ["account"]),
        ({"kind": "", "said": "", "account": NASTY}, ["kind", "account", "said"]),
    ],
)
def test_what_is_wrong_is_told_beside_its_field(
    ask: Asked, url: str, changed: dict[str, str], fields: list[str]
) -> None:
    answer = send(ask, **changed)
    assert faults(answer) == fields
    assert "<script>alert" not in answer.text
    told = {**FIELDS, **changed}
    read = Read(answer)
    assert read.attribute("#contact", "value") == told["contact"]
    assert read.words("#said") == " ".join(told["said"].split())
    assert kept(url) == ()
    problem = send(ask, JSON, **changed).json()
    assert (problem["code"], problem["status"]) == ("invalid_content", 422)
    assert sorted(fault["pointer"] for fault in problem["errors"]) == sorted(f"/{field}" for field in fields)


def test_as_much_as_there_is_room_for_is_kept(ask: Asked, url: str) -> None:
    assert send(ask, said="\N{GRINNING FACE}" * 2_000, contact="\N{GRINNING FACE}" * 200).status_code == 303
    assert len(kept(url)[0].said) == 2_000


def test_other_fields_and_other_sites_are_refused(ask: Asked, url: str) -> None:
    answer = send(ask, JSON, state="closed")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/state")
    answer = send(ask, {**JSON, "Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
    assert kept(url) == ()


def test_a_program_cannot_fill_the_disk(ask: Asked, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback, "MOST_A_DAY", 3)
    sent = [send(ask, JSON) for _ in range(5)]
    assert [answer.status_code for answer in sent] == [303, 303, 303, 429, 429]
    assert sent[-1].json()["code"] == "too_much_feedback"
    assert sent[-1].headers["retry-after"] == "3600"
    assert len(kept(url)) == 3


def test_the_form_begins_with_the_account_that_was_looked_at(ask: Asked, scored: Scored) -> None:
    account = scored.accounts[0]
    read = Read(ask.get(f"/feedback?account={account}&page=/why/{account}", headers=HTML))
    assert read.attribute("#account", "value") == account
    assert read.attribute("input[name=page]", "value") == f"/why/{account}"
    assert f"X-Confirm: {account}" in read.words("#main")
    labels = {node.attributes["for"] for node in read.tree.css("label")}
    fields = {node.attributes["id"] for node in read.tree.css("main input:not([type=hidden]), main textarea")}
    assert labels == fields


@pytest.mark.parametrize("name", [NASTY, "commons/nobody; rm -rf /", "x" * 600, "commons/%00", "commons/%E2%80%AE"])
def test_a_name_that_is_none_is_not_put_into_a_command(ask: Asked, name: str) -> None:
    answer = ask.get(f"/feedback?account={name}", headers=HTML)
    assert answer.status_code == 200
    assert "clout forget network/id" in Read(answer).words()
    assert "<script>alert" not in answer.text


def test_nothing_of_it_is_in_logs(ask: Asked, scored: Scored, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        send(ask, account=scored.accounts[0])
        send(ask, kind="")
    assert "quoted" not in caplog.text
    assert "amy@example.org" not in caplog.text


def test_one_can_object_while_no_model_answers(url: str) -> None:
    ask = Asked(application(ActiveModel(), lambda: NOW, AccountStore(lambda: url)))
    assert ask.get("/feedback", headers=HTML).status_code == 200
    assert send(ask, kind="objection").status_code == 303
    assert send(ask, JSON, account="commons/1").json()["code"] == "not_ready"
    assert len(kept(url)) == 1


def test_without_a_store_it_says_so(scored: Scored) -> None:
    ask = Asked(application(scored.active, lambda: NOW, NOWHERE))
    assert send(ask, JSON).json()["code"] == "store_unavailable"
    assert ask.get("/feedback", headers=HTML).status_code == 200


def test_what_was_said_of_an_account_is_exported_and_goes_with_it(scored: Scored, tmp_path: Path) -> None:
    copy = scored.copy(tmp_path / "home")
    ask, account, lake = copy.client(), copy.accounts[0], Lake(copy.home / "lake")
    place = send(ask, account=account).headers["location"]
    with Store.open(copy.url) as store:
        [told] = export(lake, store, account, NOW)["feedback"]
        assert (told["said"], told["account"]) == (SAID, account)
        assert "contact" not in told
        erased = forget(lake, store, copy.home, account, NOW)
        assert erased.rows["feedback"] == 1
        assert store.feedback.all() == ()
    assert ask.get(place, headers=JSON).json()["code"] == "unknown_report"


def test_it_is_said_in_swedish_too(ask: Asked) -> None:
    english, swedish = (Read(ask.get(f"/feedback{query}", headers=HTML)) for query in ("", "?lang=sv"))
    assert swedish.words("h1") != english.words("h1")
    sent = ask("POST", "/feedback?lang=sv", data=FIELDS, headers=HTML)
    assert sent.headers["location"].endswith("?lang=sv")
