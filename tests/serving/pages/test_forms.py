"""What forms send: bounded, UTF-8, each field once, and from no other site."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from asked import Asked
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from clout.serving import guard
from clout.serving.pages.forms import LARGEST_FORM, MEDIA, MOST_FIELDS, read_form
from clout.serving.problems import ProblemError

FORM = {"Content-Type": MEDIA}


async def echo(request: Request) -> Response:
    return JSONResponse(await read_form(request))


async def tell(_: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return error.response("1")


@pytest.fixture
def ask() -> Asked:
    return Asked(Starlette(routes=[Route("/", echo, methods=["POST"])], exception_handlers={ProblemError: tell}))


def test_fields_as_they_were_typed(ask: Asked) -> None:
    typed = {"text": "one\ntwo & three = ☃ 👍🏽 <b>\t", "empty": "", "account": "a/b+c%"}
    assert ask("POST", "/", data=typed).json() == typed
    assert ask("POST", "/", content=b"a=1%0D%0A2%0D%0A", headers=FORM).json() == {"a": "1\n2\n"}
    assert ask("POST", "/", content=b"", headers=FORM).json() == {}


@pytest.mark.parametrize("media", [MEDIA, MEDIA.upper(), f"{MEDIA}; charset=UTF-8", f'{MEDIA};charset="utf-8"'])
def test_a_form_is_taken(ask: Asked, media: str) -> None:
    assert ask("POST", "/", content=b"a=1", headers={"Content-Type": media}).json() == {"a": "1"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "application/json"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": f"{MEDIA}; charset=latin-1"},
        FORM | {"Content-Encoding": "gzip"},
    ],
)
def test_anything_else_is_not(ask: Asked, headers: dict[str, str]) -> None:
    answer = ask("POST", "/", content=b"a=1", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "not_a_form")


def test_bytes_that_are_no_text_are_refused(ask: Asked) -> None:
    for body in (b"a=\xff", b"a=%ff", b"%ff=a", b"a=%ed%a0%80"):
        answer = ask("POST", "/", content=body, headers=FORM)
        assert (answer.status_code, answer.json()["code"]) == (415, "not_a_form")


def test_a_field_given_twice_is_refused_by_its_name(ask: Asked) -> None:
    answer = ask("POST", "/", content=b"b=0&a=1&a=2", headers=FORM)
    assert answer.status_code == 422
    told = 'got "a" more than once; expected it once'
    assert answer.json()["errors"] == [{"pointer": "/a", "detail": told, "code": "repeated"}]


def test_the_largest_form_and_the_one_above(ask: Asked) -> None:
    assert ask("POST", "/", content=b"a=" + b"x" * (LARGEST_FORM - 2), headers=FORM).status_code == 200
    answer = ask("POST", "/", content=b"a=" + b"x" * (LARGEST_FORM - 1), headers=FORM)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert answer.json()["detail"] == "got 65,537 bytes; expected at most 65,536"
    many = "&".join(f"f{i}=1" for i in range(MOST_FIELDS))
    assert ask("POST", "/", content=many.encode(), headers=FORM).status_code == 200
    assert ask("POST", "/", content=f"{many}&g=1".encode(), headers=FORM).json()["code"] == "not_a_form"


def test_a_form_of_unknown_length_is_counted_as_it_comes(ask: Asked) -> None:
    async def streamed() -> AsyncIterator[bytes]:
        yield b"a="
        for _ in range(3):
            yield b"x" * (LARGEST_FORM // 2)

    assert ask("POST", "/", content=streamed(), headers=FORM).json()["code"] == "body_too_large"


def test_a_form_that_comes_too_slowly_is_refused(ask: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.01)

    async def trickle() -> AsyncIterator[bytes]:
        yield b"a=1"
        await asyncio.Event().wait()

    assert ask("POST", "/", content=trickle(), headers=FORM).json()["code"] == "body_too_slow"


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://behind.a.proxy"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://127.0.0.1:3000"},
    ],
)
def test_our_own_forms_and_programs_may_send(ask: Asked, said: dict[str, str]) -> None:
    assert ask("POST", "/", content=b"a=1", headers=FORM | said).status_code == 200


@pytest.mark.parametrize(
    "said",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:3000"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": ""},
        {"Origin": "http://127.0.0.1:3001"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[::1"},
    ],
)
def test_other_sites_may_not(ask: Asked, said: dict[str, str]) -> None:
    answer = ask("POST", "/", content=b"a=1", headers=FORM | said)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
