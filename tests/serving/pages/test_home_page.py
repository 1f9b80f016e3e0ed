"""The first page says what a score is and finds an account; programs are told where to look, as before."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from asked import Asked
from scored_home import LATE, SLASHED, TWINS, Scored
from selectolax.lexbor import LexborHTMLParser, LexborNode

from clout.models.scale import band
from clout.serving.active_model import ActiveModel
from clout.serving.api import application
from clout.serving.pages.views import home

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
def ask(scored: Scored) -> Asked:
    return scored.client()


def page(ask: Asked, path: str, status: int = 200, **headers: str) -> LexborNode:
    answer = ask.get(path, headers=BROWSER | headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    body = LexborHTMLParser(answer.text).body
    assert body is not None
    return body


def texts(node: LexborNode, selector: str) -> list[str]:
    return [" ".join(found.text().split()) for found in node.css(selector)]


def near(node: LexborNode) -> list[str]:
    return [str(link.attributes["href"]) for link in node.css("main li a")]


def test_people_get_a_page_and_programs_what_they_got(ask: Asked) -> None:
    assert page(ask, "/").css_first("h1").text() == "What is your score, and why?"
    for accept in ("*/*", "application/json"):
        answer = ask.get("/", headers={"accept": accept})
        assert (answer.json()["service"], answer.headers["vary"]) == ("clout", "Accept")


def test_the_page_is_there_as_data(ask: Asked, scored: Scored) -> None:
    link = next(a for a in page(ask, "/").css("footer a") if "JSON" in a.text()).attributes["href"]
    told = ask.get(str(link), headers=BROWSER).json()
    assert told == ask.get("/?format=json").json()
    loaded = scored.active.current()
    assert (told["example"], told["networks"]) == (loaded.example, list(loaded.model.networks))


def test_the_bands_are_those_of_the_scale(ask: Asked) -> None:
    rows = [row.css("th, td") for row in page(ask, "/").css("table.bands tbody tr")]
    for low_high, words in rows:
        low, high = map(int, low_high.text().split("–"))
        assert {band(low), band(high)} == {words.text()}
    assert sum(one.high - one.low + 1 for one in home.bands()) == 100


def test_the_picture_covers_the_scale_and_shows_mean_and_top(ask: Asked) -> None:
    picture = page(ask, "/").css_first("figure.scale svg")
    ends = [(float(str(r.attributes["x"])[:-1]), float(str(r.attributes["width"])[:-1])) for r in picture.css("rect")]
    assert ends[0][0] == 0
    assert sum(ends[-1]) == pytest.approx(100, abs=0.1)
    assert all(sum(one) == pytest.approx(other[0], abs=0.1) for one, other in pairwise(ends))
    assert [line.attributes["x1"] for line in picture.css("line.needle")] == ["39.39%", "62.63%"]
    assert {"mean: 40", "top 5 in 100: 63"} <= set(texts(picture, "text"))


def test_an_account_is_found_by_id_by_handle_and_with_its_network(ask: Asked) -> None:
    for asked in ("late", " late ", LATE, "LATE", "%40Late"):
        answer = ask.get(f"/find?account={asked}", headers=BROWSER)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/why/{LATE}"), asked
        assert answer.headers["cache-control"] == "no-store"
    assert ask.get(f"/find?account={SLASHED}&lang=en").headers["location"] == f"/why/{SLASHED}?lang=en"


def test_a_network_that_was_chosen_is_the_only_one_looked_at(ask: Asked) -> None:
    assert ask.get("/find?account=late&network=commons").status_code == 303
    body = page(ask, "/find?account=late&network=square", 404)
    assert texts(body, "[role=alert]") == ["No one account on square is called “late”."]
    assert body.css_first("option[selected]").text() == "square"


def test_who_may_have_been_meant_is_told(ask: Asked) -> None:
    assert near(page(ask, "/find?account=lat", 404)) == [f"/why/{LATE}"]
    assert f"/why/{LATE}" in near(page(ask, "/find?account=latte", 404))
    assert near(page(ask, "/find?account=zzzz", 404)) == []


def test_of_twins_one_chooses(ask: Asked) -> None:
    body = page(ask, "/find?account=twin", 404)
    assert near(body) == [f"/why/{twin}" for twin in TWINS]
    assert texts(body, "main li") == [f"Twin {twin}" for twin in TWINS]


def test_an_id_on_two_networks_is_chosen_too(ask: Asked, scored: Scored) -> None:
    on_both = {account.partition("/")[2] for account in scored.active.current().accounts if account[:1] == "s"}
    shared = min(name for name in on_both if f"commons/{name}" in scored.active.current().accounts)
    assert near(page(ask, f"/find?account={shared}", 404)) == [f"/why/commons/{shared}", f"/why/square/{shared}"]


def test_who_was_forgotten_is_not_proposed(scored: Scored, monkeypatch: pytest.MonkeyPatch) -> None:
    without = scored.active.current().without(LATE)
    monkeypatch.setattr(scored.active, "_current", without)
    assert f"/why/{LATE}" not in near(page(scored.client(), "/find?account=late", 404))


def test_once_the_example_was_forgotten_another_is_shown_and_no_more_said_of_it(
    scored: Scored, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = scored.active.current()
    monkeypatch.setattr(scored.active, "_current", loaded.without(loaded.example))
    example = min(loaded.accounts - {loaded.example})
    assert f"Or look at {example}, for an example." in texts(page(scored.client(), "/"), "section p")


def test_nothing_typed_is_no_problem(ask: Asked) -> None:
    for path in ("/find", "/find?account=", "/find?account=%20"):
        body = page(ask, path)
        assert body.css_first("[role=alert]") is None
        assert near(body) == []


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "“”&'\"", "שלום", "👩‍👩‍👧", "a" * 5000, "a/b/c", "\0", "..", "%"]
)
def test_whatever_is_typed_comes_back_as_text(ask: Asked, text: str) -> None:
    answer = ask.get("/find", params={"account": text}, headers=BROWSER)
    assert answer.status_code == 404
    field = LexborHTMLParser(answer.text).css_first("input#account")
    assert field.attributes["value"] == text[: home.LONGEST].replace("\0", "\N{REPLACEMENT CHARACTER}")
    assert "<script" not in answer.text.lower()


def test_the_form_asks_in_the_language_of_the_page(ask: Asked) -> None:
    assert page(ask, "/").css_first("input[name=lang]") is None
    assert page(ask, "/?lang=en").css_first("input[name=lang]").attributes["value"] == "en"


def test_every_field_has_a_label(ask: Asked) -> None:
    body = page(ask, "/")
    fields = {str(f.attributes["id"]) for f in body.css("input:not([type=hidden]), select")}
    assert fields == {str(label.attributes["for"]) for label in body.css("label")} == {"network", "account"}


def test_before_a_model_is_ready_people_are_told_to_wait() -> None:
    body = page(Asked(application(ActiveModel(), lambda: datetime.now(UTC))), "/", 503)
    assert "being loaded" in body.text()
