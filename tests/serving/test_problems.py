"""Problems as programs and people read them."""

from __future__ import annotations

import json
import re

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from clout.serving.problems import KINDS, MEDIA_TYPE, Fault, ProblemError, of_validation, page, shown


class Body(BaseModel):
    """A body with a map, a list and a text in it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    names: dict[str, list[int]]
    text: str = ""


def problem(body: str) -> ProblemError:
    with pytest.raises(ValidationError) as caught:
        Body.model_validate_json(body)
    return of_validation(caught.value)


def test_a_problem_in_full() -> None:
    fault = Fault("/text", "too long", "string_too_long")
    answer = ProblemError("invalid_content", "what is wrong", [fault], {"Retry-After": "5"}).response("r1")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.headers["retry-after"] == "5"
    assert json.loads(bytes(answer.body)) == {
        "type": "/problems#invalid_content",
        "title": "The body does not say what is needed",
        "status": 422,
        "detail": "what is wrong",
        "code": "invalid_content",
        "request_id": "r1",
        "errors": [{"pointer": "/text", "detail": "too long", "code": "string_too_long"}],
    }


@pytest.mark.parametrize("body", ["", "{", "[1,", '{"names":', "\ufeff{}", '{"text": "\\ud800"}', "[" * 3000])
def test_what_is_no_json(body: str) -> None:
    told = problem(body)
    assert told.kind.code == "broken_json"
    assert told.detail.startswith("Invalid JSON: ")
    assert told.errors == ()


def test_pointers_lead_to_the_value() -> None:
    told = problem('{"names": {"a/b~c": [1, "x"]}, "more": 1}')
    assert [fault.pointer for fault in told.errors] == ["/names/a~1b~0c/1", "/more"]
    assert told.detail == '/names/a~1b~0c/1: Input should be a valid integer; got "x", and 1 more in errors'


def test_the_whole_body_has_an_empty_pointer() -> None:
    told = problem("[]")
    assert told.errors == (Fault("", "Input should be an object; got a list of 0", "model_type"),)
    assert told.detail.startswith("the body: ")


def test_long_values_are_not_repeated() -> None:
    told = problem(json.dumps({"names": {"a": ["x" * 5000]}, "text": {"a": 1, "b": 2}}))
    assert [len(fault.detail) < 150 for fault in told.errors] == [True, True]
    assert told.errors[1].detail.endswith("got an object of 2")


def test_the_page_has_a_place_for_each_type() -> None:
    places = re.findall(r'<tr id="(\w+)">', bytes(page().body).decode())
    assert places == list(KINDS)


def test_codes_are_keys_and_statuses_are_errors() -> None:
    assert all(kind.code == code and 400 <= kind.status < 600 for code, kind in KINDS.items())


def test_what_was_got_turns_nothing_round() -> None:
    assert shown("\N{RIGHT-TO-LEFT OVERRIDE}gnp") == r'"\u202egnp"'
    assert json.loads(shown("\N{LEFT-TO-RIGHT ISOLATE}å")) == "\N{LEFT-TO-RIGHT ISOLATE}å"
