"""The card over HTTP: the form that is asked for, tagged with the model's version, under a strict policy."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace

import pytest
from asked import Asked
from starlette.requests import Request

from clout.models.score_model import ScoreModel
from clout.serving.active_model import Loaded
from clout.serving.card import answer, policy, preferred

PATH = "/v1/model/card"
OFFERED = ["text/html", "text/markdown"]
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize("accept", [BROWSER, "*/*", "", "text/*", "application/json", "text/markdown;q=0.4, */*"])
def test_people_get_a_page(client: Asked, loaded: Loaded, accept: str) -> None:
    told = client.get(PATH, headers={"Accept": accept})
    assert told.status_code == 200
    assert told.headers["content-type"] == "text/html; charset=utf-8"
    assert told.text == loaded.model.bundle.text("card.html")


@pytest.mark.parametrize("accept", ["text/markdown", "TEXT/Markdown; charset=utf-8", "text/html;q=0.5, text/markdown"])
def test_markdown_is_there_for_those_who_ask(client: Asked, loaded: Loaded, accept: str) -> None:
    told = client.get(PATH, headers={"Accept": accept})
    assert told.headers["content-type"] == "text/markdown; charset=utf-8"
    assert told.text == loaded.model.card
    assert told.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize(
    "accept", ["text/markdown;q=0", "text/markdown;q=0, */*;q=0.1", "text/html, text/markdown;q=9"]
)
def test_what_is_refused_is_not_sent(accept: str) -> None:
    assert preferred(accept, OFFERED) == "text/html"


def test_the_same_card_is_sent_once(client: Asked, loaded: Loaded) -> None:
    page, text = (client.get(PATH, headers={"Accept": media}) for media in OFFERED)
    assert page.headers["etag"] == f'"{loaded.model.version}-html"' != text.headers["etag"]
    assert page.headers["vary"] == "Accept"
    for known in (page.headers["etag"], f'"x", W/{page.headers["etag"]}', "*"):
        again = client.get(PATH, headers={"Accept": "text/html", "If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == page.headers["etag"]
    assert (
        client.get(PATH, headers={"Accept": "text/markdown", "If-None-Match": page.headers["etag"]}).status_code == 200
    )
    assert client("HEAD", PATH).headers["etag"] == page.headers["etag"]


def test_the_policy_allows_the_pages_own_styles_alone(client: Asked) -> None:
    told = client.get(PATH)
    rules = dict(rule.split(" ", 1) for rule in told.headers["content-security-policy"].split("; "))
    styles = re.findall(r"<style>(.*?)</style>", told.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(styles[0].encode()).digest()).decode()
    assert rules["default-src"] == rules["base-uri"] == rules["frame-ancestors"] == rules["form-action"] == "'none'"
    assert rules["style-src"] == f"'sha256-{digest}'"
    assert "unsafe" not in told.headers["content-security-policy"]
    assert "style-src 'none';" in policy("<p>plain</p>")


def test_a_bundle_without_a_page_gives_its_markdown(loaded: Loaded) -> None:
    files = {name: content for name, content in loaded.model.bundle.files.items() if name != "card.html"}
    older = ScoreModel(replace(loaded.model.bundle, files=files))
    told = answer(older, Request({"type": "http", "headers": [(b"accept", b"text/html")]}))
    assert told.media_type == "text/markdown"
    assert told.body.decode() == loaded.model.card
